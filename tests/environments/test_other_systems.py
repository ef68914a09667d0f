"""Windows' and macOS' layouts as offline targets.

No interpreter here judges them: expectations are derived from CPython's source (``PC/getpathp.c`` to 3.10,
``Modules/getpath.py``, ``Lib/site.py``).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from envcheck.files.root import Files
from envcheck.model.environment import Environment
from envcheck.model.invocation import Invocation
from envcheck.startup.plan import make_plan
from environments.trees import library, program, scan, sites, write


def exe(place: Path, version: str | None = None, machine: bytes = b"\x64\x86") -> Path:
    """A Windows program as far as its headers and its version resource go."""
    head = b"MZ" + bytes(58) + b"\x40\0\0\0PE\0\0" + machine + bytes(64)
    if version is not None:
        resource = f"ProductVersion\0\0{version}\0\0".encode("utf-16-le")
        head += bytes(600) + resource + bytes(20)
    return write(place, head)


def installation(place: Path, minor: str, version: str, machine: bytes = b"\x64\x86") -> Path:
    exe(place / "python.exe", version, machine)
    write(place / f"python{minor.replace('.', '')}.dll", b"MZ")
    write(place / "Lib/os.py")
    (place / "Lib/site-packages").mkdir()
    (place / "DLLs").mkdir()
    return place


def codes(environment: Environment) -> list[str | None]:
    return [entry.code for entry in make_plan(Files(), environment, Invocation(directory="/")).entries if entry.runs]


@pytest.mark.parametrize(("minor", "number"), [("3.9", "3.9.13"), ("3.12", "3.12.3"), ("3.15", "3.15.0")])
def test_an_installation(tmp_path: Path, minor: str, number: str) -> None:
    base = installation(tmp_path / "Python", minor, number)
    for target in (base, base / "python.exe"):
        found = scan(target)
        assert (found.kind, found.path) == ("base", str(base))
        assert (found.python.version, found.python.version_source) == (number, "binary")
        assert found.python.platform == "windows-amd64"
        assert sites(found) == [str(base), str(base / "Lib/site-packages")]
        zip_name = f"python{minor.replace('.', '')}.zip"
        assert found.initial_path == tuple(str(base / name) for name in (zip_name, "DLLs", "Lib", ""))
        assert found.stdlib == str(base / "Lib")
        assert found.scripts_dir == str(base / "Scripts")
        assert found.redirectors == ()


def test_a_pth_file_beside_python_exe_runs(tmp_path: Path) -> None:
    base = installation(tmp_path / "Python", "3.12", "3.12.3")
    write(base / "evil.pth", "import evil\n")
    assert codes(scan(base)) == ["import evil"]


def test_a_venv_whose_base_is_on_the_other_machine(tmp_path: Path) -> None:
    exe(tmp_path / "Scripts/python.exe", "3.13.1")
    site = tmp_path / "Lib/site-packages"
    write(site / "evil.pth", "import evil\n")
    write(tmp_path / "pyvenv.cfg", "home = C:\\Python313\ninclude-system-site-packages = true\nversion = 3.13.9\n")
    found = scan(tmp_path)
    assert (found.kind, found.python.version, found.python.base_prefix) == ("venv", "3.13.1", "C:\\Python313")
    assert sites(found) == [str(tmp_path), str(site)] * 2
    assert found.initial_path == (
        "C:\\Python313\\python313.zip", "C:\\Python313\\DLLs", "C:\\Python313\\Lib", "C:\\Python313",
    )  # fmt: skip
    assert found.scripts_dir == str(tmp_path / "Scripts")
    assert codes(found) == ["import evil"]


def test_a_venv_whose_base_lies_in_the_same_tree(tmp_path: Path) -> None:
    base = installation(tmp_path / "Python", "3.14", "3.14.2")
    exe(tmp_path / "v/Scripts/python.exe", "3.14.2")
    (tmp_path / "v/Lib/site-packages").mkdir(parents=True)
    write(tmp_path / "v/pyvenv.cfg", f"home = {base}\ninclude-system-site-packages = true\n")
    own = [str(tmp_path / "v"), str(tmp_path / "v/Lib/site-packages")]
    assert sites(scan(tmp_path / "v")) == own * 2 + [str(base), str(base / "Lib/site-packages")]


@pytest.mark.parametrize(
    ("minor", "machine", "tail"),
    [
        ("3.9", b"\x4c\x01", "Python39"),
        ("3.10", b"\x4c\x01", "Python310-32"),
        ("3.12", b"\x64\x86", "Python312"),
        ("3.12", b"\x64\xaa", "Python312-arm64"),
    ],
)
def test_the_user_site(tmp_path: Path, minor: str, machine: bytes, tail: str) -> None:
    base = installation(tmp_path / "Python", minor, f"{minor}.1", machine)
    user = tmp_path / "AppData/Roaming/Python" / tail / "site-packages"
    user.mkdir(parents=True)
    found = scan(base, APPDATA=str(tmp_path / "AppData/Roaming"))
    assert found.user_site == str(user)
    assert sites(found)[0] == str(user)
    assert found.site_sequence[0].origin == "user"
    assert str(user) not in sites(scan(base, "-s", APPDATA=str(tmp_path / "AppData/Roaming")))


def test_a_user_site_on_the_other_machines_drive_is_noted(tmp_path: Path) -> None:
    files = Files()
    found = scan(installation(tmp_path, "3.12", "3.12.3"), files=files, APPDATA="C:\\Users\\x\\AppData\\Roaming")
    assert found.user_site == "C:\\Users\\x\\AppData\\Roaming\\Python\\Python312\\site-packages"
    assert [missed.path for missed in files.not_seen] == [found.user_site]


@pytest.mark.parametrize("name", ["python312._pth", "python._pth"])
@pytest.mark.parametrize("site", ["", "import site\n"])
def test_a_path_file_replaces_everything(tmp_path: Path, name: str, site: str) -> None:
    base = installation(tmp_path / "Python", "3.12", "3.12.3")
    write(base / name, f"Lib\n..\\planted\nC:\\other\n{site}")
    found = scan(base, PYTHONPATH="C:\\variable")
    assert found.initial_path == (str(base / "Lib"), str(tmp_path / "planted"), "C:\\other")
    assert found.site_imported is bool(site)
    assert bool(sites(found)) is bool(site)
    assert [path for path, _ in found.redirectors] == [str(base / name)]


def test_the_librarys_path_file_comes_before_the_programs(tmp_path: Path) -> None:
    base = installation(tmp_path / "Python", "3.12", "3.12.3")
    write(base / "python312._pth", "one\n")
    write(base / "python._pth", "two\n")
    assert scan(base).initial_path == (str(base / "one"),)


def test_the_embeddable_package_is_no_redirected_interpreter(tmp_path: Path) -> None:
    exe(tmp_path / "python.exe", "3.12.3")
    write(tmp_path / "python312.dll", b"MZ")
    write(tmp_path / "python312.zip", b"PK")
    write(tmp_path / "python312._pth", "python312.zip\r\n.\r\n\r\n# Uncomment to run site.main()\r\n#import site\r\n")
    found = scan(tmp_path)
    assert (found.kind, found.redirectors, found.site_imported) == ("embedded", (), False)
    assert found.initial_path == (str(tmp_path / "python312.zip"), str(tmp_path))
    write(tmp_path / "python312._pth", "planted\npython312.zip\n.\n")
    assert str(tmp_path / "python312._pth") in dict(scan(tmp_path).redirectors)


def test_an_installation_with_the_embeddable_packages_path_file_is_redirected(tmp_path: Path) -> None:
    base = installation(tmp_path, "3.12", "3.12.3")
    write(base / "python312.zip", b"PK")
    write(base / "python312._pth", "python312.zip\n.\n")
    assert set(dict(scan(base).redirectors)) == {str(base / "python312.zip"), str(base / "python312._pth")}


def test_pythonpath_is_split_at_semicolons(tmp_path: Path) -> None:
    base = installation(tmp_path, "3.12", "3.12.3")
    assert scan(base, PYTHONPATH="C:\\a;D:\\b;").initial_path[:3] == ("C:\\a", "D:\\b", "")


def test_a_second_pyvenv_cfg_in_scripts(tmp_path: Path) -> None:
    exe(tmp_path / "Scripts/python.exe", "3.12.3")
    write(tmp_path / "pyvenv.cfg", "home = C:\\Python312\ninclude-system-site-packages = false\n")
    write(tmp_path / "Scripts/pyvenv.cfg", "home = C:\\Python312\n")
    found = scan(tmp_path)
    assert found.cfg is not None
    assert found.cfg.include_system_site
    assert [path for path, _ in found.redirectors] == [str(tmp_path / "Scripts/pyvenv.cfg")]


# macOS --------------------------------------------------------------------------------------------------------------


def framework(tmp_path: Path, minor: str = "3.12") -> Path:
    prefix = tmp_path / "Library/Frameworks/Python.framework/Versions" / minor
    library(prefix, minor, f"{minor}.3")
    program(prefix / f"bin/python{minor}").write_bytes(b"\xcf\xfa\xed\xfe\x0c\0\0\x01" + bytes(56))
    return prefix


def test_a_framework_build(tmp_path: Path) -> None:
    prefix = framework(tmp_path)
    user = tmp_path / "home/Library/Python/3.12/lib/python/site-packages"
    user.mkdir(parents=True)
    found = scan(prefix, HOME=str(tmp_path / "home"))
    assert (found.kind, found.path, found.python.version) == ("base", str(prefix), "3.12.3")
    assert found.python.platform == "macos-arm64"
    assert sites(found) == [str(user), str(prefix / "lib/python3.12/site-packages")]


@pytest.mark.parametrize("launcher", [False, True])
def test_a_venv_of_a_framework_build(tmp_path: Path, launcher: bool) -> None:
    """The framework's launcher names the environment's own path in ``__PYVENV_LAUNCHER__``."""
    prefix = framework(tmp_path)
    site = tmp_path / "v/lib/python3.12/site-packages"
    write(site / "evil.pth", "import evil\n")
    (tmp_path / "v/bin").mkdir()
    (tmp_path / "v/bin/python").symlink_to(prefix / "bin/python3.12")
    write(tmp_path / "v/pyvenv.cfg", f"home = {prefix}/bin\ninclude-system-site-packages = true\n")
    environ = {
        "HOME": str(tmp_path / "home"),
        **({"__PYVENV_LAUNCHER__": f"{tmp_path}/v/bin/python"} if launcher else {}),
    }
    found = scan(tmp_path / "v", **environ)
    assert (found.kind, found.path, found.python.base_prefix) == ("venv", str(tmp_path / "v"), str(prefix))
    assert found.user_site == str(tmp_path / "home/Library/Python/3.12/lib/python/site-packages")
    assert sites(found) == [str(site), str(site), str(prefix / "lib/python3.12/site-packages")]
    assert found.redirectors == ()
    assert codes(found)[:1] == ["import evil"]
