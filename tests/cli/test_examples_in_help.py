"""The examples that ``--help`` gives: each is run, in a project as they take it for granted."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from envcheck.cli.main import COMMANDS
from support.locks import hashed_requirements, uv_lock
from support.scanning import envcheck, environ
from support.venvs import Venv
from support.wheels import Wheel


def examples(*command: str) -> list[str]:
    """The command lines of a help text, without what is said about them."""
    text = envcheck(*command, "--help").stdout.decode()
    rows = text.partition("examples:\n")[2].partition("\n\n")[0].splitlines()
    return [re.split(r"\s{2,}", row.strip())[0] for row in rows if row.startswith("  envcheck ")]


@pytest.fixture
def project(venv: Venv, colours: Wheel, shapes: Wheel, tmp_path: Path) -> Path:
    """A project with all that the examples name: locks, wheels, a baseline, a reference, a configuration."""
    path = tmp_path / "shop"
    uv_lock(path, colours, shapes)
    hashed_requirements(path / "requirements.txt", colours, shapes)
    (path / "poetry.lock").write_text(
        "".join(
            f'[[package]]\nname = "{wheel.name}"\nversion = "{wheel.version}"\noptional = false\n'
            f'python-versions = "*"\ngroups = ["main"]\n'
            f'files = [{{file = "{wheel.path.name}", hash = "sha256:{wheel.sha256}"}}]\n\n'
            for wheel in (colours, shapes)
        )
        + '[metadata]\nlock-version = "2.1"\npython-versions = "*"\ncontent-hash = "x"\n'
    )
    (path / ".git").mkdir()
    (path / ".venv").symlink_to(venv.path)
    (path / "wheelhouse").symlink_to(colours.path.parent)
    (path / "ci.toml").write_text('fail-on = "low"\n')
    (venv.site / "shop.pth").write_text("import sys\n")
    for prepare in (
        ("baseline", "write", "--no-lock"),
        ("reference", venv.interpreter.path, "-o", "python.json"),
        ("anchor", "--wheels", "wheelhouse"),
    ):
        ran = envcheck(*prepare, cwd=path, env=environ(tmp_path))
        assert ran.code == 0, ran.stderr
    return path


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_example_works(command: str, project: Path, venv: Venv, tmp_path: Path) -> None:
    given = examples(*command.split())
    assert given
    for example in given:
        line = example.partition(" | ")[0]
        for named, here in (
            ("/srv/app/.venv", str(project / ".venv")),
            ("/usr/bin/python3", venv.interpreter.path),
            ("/opt/python3.12", venv.interpreter.path),
            ("lib/python3.12/", f"lib/{venv.interpreter.name}/"),
        ):
            line = line.replace(named, here)
        program, *words = shlex.split(line)
        assert program == "envcheck"
        if "--fetch" in words:  # from an index that no test asks
            words.append("--no-config")
            (project / "uv.lock").unlink()
            uv_lock(project)
        ran = envcheck(*words, cwd=project, env=environ(tmp_path))
        assert ran.code in (0, 1, 3), f"{example}: {ran.stderr}"
        assert ran.stdout or "-o" in words, example
