"""The process that reads a target is not the one that the user's environment made."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import pytest

import envcheck
from envcheck.cli import launch
from support import scanning
from support.locks import hashed_requirements, uv_lock
from support.pythons import own
from support.scanning import scan
from support.venvs import Venv
from support.wheels import Wheel

HOSTILE = {
    "PYTHONPATH": "/hostile",
    "PYTHONHOME": "/hostile",
    "PYTHONSTARTUP": "/hostile/x.py",
    "PYTHONUSERBASE": "/hostile",
    "PYTHONWARNINGS": "default::hostile.Category",
    "PYTHONPYCACHEPREFIX": "/hostile",
    "PYTHONBREAKPOINT": "hostile.x",
    "PYTHONPLATLIBDIR": "hostile",
    "PYTHONIOENCODING": "hostile",
    "_PYTHON_SYSCONFIGDATA_NAME": "hostile",
    "LD_PRELOAD": "/hostile/x.so",
    "LD_LIBRARY_PATH": "/hostile",
    "LD_AUDIT": "/hostile/x.so",
    "DYLD_INSERT_LIBRARIES": "/hostile/x.dylib",
    "OPENSSL_CONF": "/hostile/openssl.cnf",
    "OPENSSL_MODULES": "/hostile",
    "OPENSSL_ENGINES": "/hostile",
    "SSL_CERT_FILE": "/hostile/x.pem",
    "SSL_CERT_DIR": "/hostile",
    "SSLKEYLOGFILE": "/hostile/keys",
    "GCONV_PATH": "/hostile",
    "LOCPATH": "/hostile",
    "NLSPATH": "/hostile",
    "MALLOC_TRACE": "/hostile/trace",
    "GLIBC_TUNABLES": "x",
    "TMPDIR": "/hostile",
    "BASH_ENV": "/hostile/x.sh",
    "PATH": "/hostile",
    "REQUESTS_CA_BUNDLE": "/hostile/x.pem",
    "HTTPS_PROXY": "http://hostile.example",
    "NETRC": "/hostile/netrc",
    "LINES": "24",
    "HOME": "/home/ana",
}


# The environment


def test_the_clean_environment_is_made_from_an_allow_list() -> None:
    clean = launch.clean_environ(HOSTILE)
    plain = {name for name in clean if not name.startswith((launch.MODEL_PREFIX, launch.GIVEN_PREFIX))}
    assert plain == {"LINES", "HOME"}


def test_what_is_modelled_travels_as_data() -> None:
    clean = launch.clean_environ(HOSTILE)
    modelled = launch.modelled_environ(clean)
    for name in ("PYTHONPATH", "PYTHONWARNINGS", "LD_PRELOAD", "OPENSSL_CONF", "GCONV_PATH", "PATH", "HOME"):
        assert modelled[name] == HOSTILE[name]
    assert "TMPDIR" not in modelled
    assert "BASH_ENV" not in modelled


def test_what_a_fetch_needs_travels_as_data_that_no_report_shows() -> None:
    clean = launch.clean_environ(HOSTILE)
    given = launch.given_environ(clean)
    for name in ("HTTPS_PROXY", "SSL_CERT_FILE", "HOME", "NETRC"):
        assert given[name] == HOSTILE[name]
    assert not {"HTTPS_PROXY", "NETRC"} & launch.modelled_environ(clean).keys()
    assert launch.given_environ(launch.clean_environ({"ENVCHECK_GIVEN_NETRC": "/smuggled"})) == {}


@pytest.mark.parametrize("name", sorted(set(HOSTILE) - {"LINES", "HOME"}))
def test_a_process_with_a_hostile_variable_is_not_clean(name: str) -> None:
    assert not launch.is_clean({"LANG": "C", name: HOSTILE[name]})


def test_the_clean_environment_is_clean() -> None:
    clean = launch.clean_environ(HOSTILE)
    assert launch.is_clean(clean)
    assert launch.is_clean({})


def test_a_variable_cannot_be_smuggled_in_under_the_models_name() -> None:
    """``ENVCHECK_MODEL_X`` in the user's own environment is no modelled variable."""
    clean = launch.clean_environ({"ENVCHECK_MODEL_PYTHONPATH": "/smuggled"})
    assert launch.modelled_environ(clean).get("PYTHONPATH") is None


# The command


def test_the_clean_command_names_its_interpreter_and_its_script_absolutely() -> None:
    command, environ = launch.clean_command(["scan", "x"], HOSTILE)
    assert os.path.isabs(command[0])
    assert {"-I", "-S"} <= set(command)
    assert command[-2:] == ["scan", "x"]
    assert os.path.samefile(command[-3], Path(envcheck.__file__).with_name("__main__.py"))
    assert launch.is_clean(environ)


def test_the_clean_interpreter_is_the_base_and_not_the_environments_link() -> None:
    command, _ = launch.clean_command([], {})
    assert not os.path.exists(os.path.join(os.path.dirname(os.path.dirname(command[0])), "pyvenv.cfg"))


def test_only_site_directories_with_a_library_are_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "with" / "rich").mkdir(parents=True)
    (tmp_path / "without").mkdir()
    (tmp_path / "planted" / "rich").mkdir(parents=True)
    monkeypatch.setattr(sys, "path", [str(tmp_path / "planted"), "", *sys.path])
    monkeypatch.setattr("site.getsitepackages", lambda: [str(tmp_path / n) for n in ("without", "with", "none")])
    monkeypatch.setattr("site.ENABLE_USER_SITE", False)
    assert launch.library_directories() == [str(tmp_path / "with")]


# The finder


@pytest.fixture
def libraries(tmp_path: Path) -> Path:
    for name in ("packaging", "requests", "rich", "_manylinux", "sitecustomize"):
        (tmp_path / "libraries" / name).mkdir(parents=True)
        (tmp_path / "libraries" / name / "__init__.py").write_text("")
    (tmp_path / "libraries" / "tomli").mkdir()
    return tmp_path / "libraries"


def test_the_finder_gives_the_libraries_and_nothing_else(libraries: Path) -> None:
    finder = launch.LibraryFinder([str(libraries)])
    found = finder.find_spec("packaging")
    assert isinstance(found, ModuleSpec)
    assert found.origin == str(libraries / "packaging" / "__init__.py")
    for name in ("requests", "_manylinux", "sitecustomize", "hashlib", "packaging.markers"):
        assert finder.find_spec(name) is None
    assert finder.find_spec("rich", [str(libraries)]) is None


def test_the_finder_takes_no_namespace_package(libraries: Path) -> None:
    assert launch.LibraryFinder([str(libraries)]).find_spec("tomli") is None


def test_the_finder_looks_in_no_other_place(libraries: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(libraries)
    assert launch.LibraryFinder([]).find_spec("packaging") is None


# The process itself: its own report of what it is, taken by a script in envcheck's place

PROBE = """

def main(arguments):
    import hashlib, json, os, sys
    try:
        import _manylinux
        manylinux = True
    except ImportError:
        manylinux = False
    print(json.dumps({
        "path": sys.path,
        "environ": dict(os.environ),
        "flags": [sys.flags.isolated, sys.flags.no_site, sys.flags.ignore_environment, sys.flags.no_user_site],
        "site": "site" in sys.modules,
        "manylinux": manylinux,
        "modules": {name: getattr(module, "__file__", None) for name, module in list(sys.modules.items())},
    }), flush=True)
    return 0
"""


def probed(tmp_path: Path, environ: dict[str, str], flags: Iterable[str] = ()) -> dict[str, Any]:
    """What a clean process says of itself: a copy of envcheck whose command tells it and does nothing else."""
    place = tmp_path / "own"
    shutil.copytree(Path(envcheck.__file__).parent, place / "envcheck", ignore=shutil.ignore_patterns("__pycache__"))
    with open(place / "envcheck" / "cli" / "main.py", "a") as stream:
        stream.write(PROBE)
    done = subprocess.run(
        [sys.executable, *flags, str(place / "envcheck" / "__main__.py"), "scan"],
        env=environ,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=scanning.TIMEOUT,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_the_clean_process(tmp_path: Path) -> None:
    hostile = tmp_path / "hostile"
    hostile.mkdir()
    (hostile / "rich.py").write_text("")
    environ = {
        **scanning.environ(),
        "PYTHONPATH": str(hostile),
        "PYTHONSTARTUP": str(hostile / "x.py"),
        "OPENSSL_CONF": str(hostile / "openssl.cnf"),
        "LD_LIBRARY_PATH": str(hostile),
        "GCONV_PATH": str(hostile),
        "PYTHONWARNINGS": "ignore",
    }
    told = probed(tmp_path, environ)
    assert told["flags"] == [1, 1, 1, 1]
    assert told["site"] is False
    assert told["manylinux"] is False
    assert told["path"]
    assert not [entry for entry in told["path"] if "site-packages" in entry or str(tmp_path) in entry or not entry]
    assert launch.is_clean(told["environ"])
    assert not [name for name in told["environ"] if name.startswith(("PYTHON", "LD_", "OPENSSL_", "GCONV"))]
    assert not [file for file in told["modules"].values() if file and str(hostile) in file]


def test_a_process_started_clean_goes_on_as_it_is(tmp_path: Path) -> None:
    told = probed(tmp_path, {"LANG": "C.UTF-8"}, ("-I", "-S"))
    assert told["flags"] == [1, 1, 1, 1]
    assert told["environ"] == {"LANG": "C.UTF-8"}


def test_a_process_started_with_the_flags_but_a_hostile_environment_starts_again(tmp_path: Path) -> None:
    told = probed(tmp_path, {"LANG": "C.UTF-8", "OPENSSL_CONF": "/hostile"}, ("-I", "-S"))
    assert "OPENSSL_CONF" not in told["environ"]


@pytest.mark.parametrize("name", ["rich", "packaging", "tomli", "platformdirs", "_manylinux", "_musllinux", "pygments"])
@pytest.mark.parametrize("form", ["json", "terminal"])
def test_no_library_is_taken_from_pythonpath(
    venv: Venv, tmp_path: Path, colours: Wheel, shapes: Wheel, name: str, form: str
) -> None:
    hostile = tmp_path / "hostile"
    for directory in (hostile, hostile / name):
        directory.mkdir()
    payload = f"open({str(tmp_path / 'marks')!r}, 'a').write({name!r})\n"
    (hostile / name / "__init__.py").write_text(payload)
    lock = uv_lock(tmp_path / "project", colours, shapes)
    environ = scanning.environ(PYTHONPATH=str(hostile))
    ran = scanning.envcheck("scan", "--format", form, "--lock", lock, venv.path, env=environ)
    assert not (tmp_path / "marks").exists()
    assert ran.code in (0, 1), ran


@pytest.mark.parametrize("name", ["packaging", "rich", "tomli", "_manylinux"])
def test_no_library_is_taken_from_the_target_even_where_pythonpath_names_it(
    venv: Venv, tmp_path: Path, colours: Wheel, name: str
) -> None:
    (venv.site / name).mkdir()
    (venv.site / name / "__init__.py").write_text(f"open({str(tmp_path / 'marks')!r}, 'a').write({name!r})\n")
    lock = hashed_requirements(tmp_path / "requirements.txt", colours)
    environ = scanning.environ(PYTHONPATH=str(venv.site))
    scanning.envcheck("scan", "--lock", lock, venv.path, env=environ)
    assert not (tmp_path / "marks").exists()


# envcheck inside what it scans


def copy_of_envcheck(directory: Path) -> Path:
    """envcheck and what it needs, copied into a directory from where the tests have them; its ``__main__.py``."""
    for name in sorted(launch.LIBRARIES):
        source = importlib.util.find_spec(name)
        if source is not None and source.submodule_search_locations:
            (package,) = source.submodule_search_locations
            shutil.copytree(package, directory / name, ignore=shutil.ignore_patterns("__pycache__"))
    return directory / "envcheck" / "__main__.py"


@pytest.fixture
def with_envcheck(venv: Venv) -> Venv:
    """The environment has envcheck in it."""
    copy_of_envcheck(venv.site)
    return venv


def test_envcheck_inside_its_target_says_that_it_is_no_independent_witness(with_envcheck: Venv) -> None:
    found = scan(with_envcheck.path, python=(str(with_envcheck.python), "-m", "envcheck"))
    assert found.document["scan"]["clean_room"] is False
    assert "scan-not-clean-room" in found.rules("medium"), found.told()


def test_envcheck_outside_its_target_is_clean_room(with_envcheck: Venv) -> None:
    found = scan(with_envcheck.path)
    assert found.document["scan"]["clean_room"] is True
    assert "scan-not-clean-room" not in found.rules()


def test_a_target_whose_interpreter_runs_the_scan_is_no_clean_room() -> None:
    """The library of the interpreter that envcheck runs on would answer for itself."""
    ran = scanning.envcheck("scan", "--startup-only", "--format", "json", own().path)
    assert json.loads(ran.stdout)["scan"]["clean_room"] is False


def test_verify_passes_from_inside_the_target_only_where_that_is_allowed(base: Venv, tmp_path: Path) -> None:
    """A base installation without packages, whose interpreter runs an envcheck that lies elsewhere."""
    (tmp_path / "requirements.txt").write_text("")
    arguments = ("verify", "--lock", tmp_path / "requirements.txt", base.path)
    python = (str(base.python), str(copy_of_envcheck(tmp_path / "own")))
    inside = scan(*arguments, python=python)
    assert inside.document["scan"]["clean_room"] is False
    assert inside.code == 3, inside.told()
    allowed = scan(arguments[0], "--allow-self", *arguments[1:], python=python)
    assert allowed.code == 0, allowed.told()
    assert allowed.document["scan"]["clean_room"] is False
    assert last_lines(*arguments, python=python) == [
        "not verified: 0 distributions against requirements.txt: the scan is incomplete, or no independent witness"
    ]
    sentence, unproven = last_lines(*arguments, "--allow-self", python=python)[-2:]
    assert sentence.startswith("verified: 0 distributions match requirements.txt")
    assert "envcheck itself, which runs on what it verifies" in unproven
    outside = scan(*arguments)
    assert outside.document["scan"]["clean_room"] is True
    assert outside.code == 0, outside.told()


def last_lines(*arguments: str | Path, python: Sequence[str]) -> list[str]:
    """The sentence that ends a log, and what follows it."""
    told = scanning.envcheck(*arguments, python=python).stdout.decode().strip().splitlines()
    return told[next(at for at, line in enumerate(told) if "verified:" in line) :]
