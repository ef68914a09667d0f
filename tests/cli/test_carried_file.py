"""envcheck.pyz: one file to carry, that makes the same report as the installed tool, and writes nothing."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import envcheck
from envcheck.cli.launch import clean_command
from support.pythons import Interpreter, every_version, own
from support.venvs import Venv
from tools.build_pyz import build

SUPPORTED = [found for found in every_version() if found.id is not None and int(found.id.split(".")[1]) >= 10]
SITE_PACKAGES = Path(sysconfig.get_path("purelib"))
MAIN = Path(envcheck.__file__).parent / "__main__.py"
FORMATS = ("terminal", "json", "ndjson", "sarif", "github", "html")


@pytest.fixture(scope="module")
def pyz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("carried") / "envcheck.pyz"
    build(SITE_PACKAGES, output)
    return output


@pytest.fixture
def target(venv: Venv) -> Venv:
    (venv.site / "hook.pth").write_text("import sys, helper; helper.install()\n")
    (venv.site / "helper.py").write_text("import base64\n\ndef install():\n    pass\n")
    return venv


def run(command: list[str], environ: dict[str, str] | None = None, cwd: str = "/") -> bytes:
    done = subprocess.run(command, env=environ or {}, cwd=cwd, capture_output=True, check=False)
    assert done.returncode in (0, 1), done.stderr.decode()[-2000:]
    return done.stdout


def timeless(output: bytes) -> bytes:
    """A JSON report without its timing, byte for byte otherwise."""
    found = json.loads(output)
    del found["scan"]["timing"]
    return json.dumps(found).encode()


def carried(interpreter: Interpreter, pyz: Path, *words: str) -> list[str]:
    return [interpreter.path, "-I", "-S", str(pyz), *words]


def test_it_is_the_same_whoever_builds_it(pyz: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copied"
    shutil.copytree(SITE_PACKAGES, copy, ignore=shutil.ignore_patterns("*.so", "pip", "mypy*"))
    os.utime(copy / "rich/__init__.py", (0, 0))
    (copy / "rich/__init__.py").chmod(0o600)
    again = build(copy, tmp_path / "again.pyz")
    assert again == hashlib.sha256(pyz.read_bytes()).hexdigest()


def test_it_holds_sources_and_licences_and_nothing_of_this_machine(pyz: Path) -> None:
    with zipfile.ZipFile(pyz) as archive:
        names = archive.namelist()
        assert all(member.date_time == (1980, 1, 1, 0, 0, 0) for member in archive.infolist())
        assert not [name for name in names if name.endswith((".so", ".pyd", ".pyc"))]
        here = str(Path.home()).encode() + b"/"
        assert not [name for name in names if name.startswith("envcheck/") and here in archive.read(name)]
    licences = {name.split("/")[1].lower() for name in names if name.startswith("licenses/")}
    assert {"jinja2", "markupsafe", "packaging", "platformdirs", "rich", "tomli", "typing_extensions"} <= licences


@pytest.mark.parametrize("interpreter", SUPPORTED)
def test_its_report_is_that_of_the_installed_tool(interpreter: Interpreter, pyz: Path, target: Venv) -> None:
    words = ("scan", "--no-lock", "--format", "json", str(target.path))
    installed = run([interpreter.path, "-I", "-S", str(MAIN), *words])
    assert timeless(run(carried(interpreter, pyz, *words))) == timeless(installed)


@pytest.mark.parametrize("form", FORMATS)
def test_every_report_can_be_made_from_it(form: str, pyz: Path, target: Venv) -> None:
    words = ("scan", "--no-lock", "--format", form, str(target.path))
    assert b"hook.pth" in run(carried(own(), pyz, *words))


def test_locks_of_every_kind_are_read_without_compiled_parsers(pyz: Path, target: Venv, tmp_path: Path) -> None:
    lock = tmp_path / "pylock.toml"
    lock.write_text('lock-version = "1.0"\ncreated-by = "t"\npackages = []\n')
    assert b"pylock.toml" in run(carried(own(), pyz, "scan", "--lock", str(lock), str(target.path)))


def test_started_the_usual_way_it_starts_itself_again_clean(pyz: Path, target: Venv, tmp_path: Path) -> None:
    environ = {"PYTHONPATH": str(tmp_path), "HOME": str(tmp_path)}
    (tmp_path / "sitecustomize.py").write_text(f"open({str(tmp_path / 'marks')!r}, 'a').write('ran')\n")
    words = ("scan", "--no-lock", "--format", "json", "--no-inherit-environ", str(target.path))
    found = run([own().path, str(pyz), *words], environ)
    assert timeless(found) == timeless(run(carried(own(), pyz, *words)))
    # Once: by the interpreter that was started with the hostile variable, not by the clean one.
    assert (tmp_path / "marks").read_text() == "ran"


def test_the_clean_process_is_given_the_one_file(pyz: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("envcheck.cli.launch.__file__", f"{pyz}/envcheck/cli/launch.py")
    command, _ = clean_command(["scan"], {})
    assert command[-2:] == [str(pyz), "scan"]


def test_it_runs_for_a_user_without_rights_or_home_from_a_read_only_place(
    pyz: Path, target: Venv, tmp_path: Path, unprivileged: Callable[[list[str]], list[str]]
) -> None:
    place = tmp_path / "media"
    place.mkdir()
    shutil.copy(pyz, place)
    place.chmod(0o500)
    words = ("scan", "--no-lock", "--format", "json", str(target.path))
    found = run(unprivileged(carried(own(), place / pyz.name, *words)), cwd=str(place))
    assert timeless(found) == timeless(run(carried(own(), pyz, *words), cwd=str(place)))
    assert [path.name for path in place.iterdir()] == [pyz.name]


def test_it_does_not_call_itself_clean_where_it_lies_in_the_target(pyz: Path, target: Venv) -> None:
    inside = target.path / "envcheck.pyz"
    shutil.copy(pyz, inside)
    found = json.loads(run([sys.executable, "-I", "-S", str(inside), "scan", "--format", "json", str(target.path)]))
    assert found["scan"]["clean_room"] is False
    assert "envcheck's own code" in found["scan"]["clean_room_why"]
