"""What makers of environments leave in the prefix and in the scripts directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from envcheck.catalogue.scaffold import scaffold, scaffold_entry
from support.pythons import Interpreter, interpreters
from support.venvs import make_venv, make_with_uv, make_with_virtualenv


@pytest.mark.parametrize("interpreter", [found for found in interpreters() if found.minor >= (3, 8)], ids=str)
@pytest.mark.parametrize(
    ("make", "options"),
    [(make_venv, ["--without-pip"]), (make_with_virtualenv, ["--no-seed"]), (make_with_uv, [])],
    ids=["venv", "virtualenv", "uv"],
)
def test_every_file_of_an_empty_environment_is_scaffolding(tmp_path: Path, interpreter: Interpreter, make, options):
    if make is make_venv and not (Path(interpreter.path).parent.parent / "lib" / interpreter.name / "venv").is_dir():
        pytest.skip(f"{interpreter.path} has no venv")
    prefix = make(tmp_path / "env", interpreter, *options).path
    files = [path for folder in (prefix, prefix / "bin") for path in folder.iterdir()]
    names = [path.relative_to(prefix).as_posix() for path in files if path.is_symlink() or path.is_file()]
    assert len(names) > 5
    assert [name for name in names if scaffold(name) is None] == []


@pytest.mark.parametrize(
    "path",
    [
        "activate",
        "bin/activate.py",
        "bin/sub/activate",
        "bin/pip",
        "bin/python-config",
        "bin/python.py",
        "bin/pythonevil",
        "bin/python3.11.evil",
        "bin/python3.11 ",
        "lib/python3.11/site-packages/activate",
        "share/man",
        "sitecustomize.py",
        "bin/",
        "",
        "/",
    ],
)
def test_other_files_are_not(path: str) -> None:
    assert scaffold(path) is None


def test_tells_which_of_them_are_code() -> None:
    runs = {
        path: scaffold_entry(path) for path in ("bin/activate", "bin/activate_this.py", "bin/python3", "bin/pydoc.bat")
    }
    assert all(found is not None and found.runs for found in runs.values())
    inert = {path: scaffold_entry(path) for path in ("pyvenv.cfg", ".gitignore", "CACHEDIR.TAG", ".lock", "lib64")}
    assert all(found is not None and not found.runs for found in inert.values())
