"""A script that uv locked: what its lock selects, what of it is installed, and what the script says beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from envcheck.checks.repair import recreate, repair
from envcheck.files.root import Files
from envcheck.locks.report import judge
from envcheck.locks.script import read_script
from locks.indexes import Index
from locks.projects import uv
from locks.test_drift_of_real_installs import compared, only, unusual
from support.pythons import Interpreter
from support.venvs import Venv

BLOCK = """# /// script
# requires-python = ">=3.9"
# dependencies = ["alpha", "sigma>=2; python_version >= '3.10'", "gamma[slow]"]
# ///
import alpha
"""


class Script:
    """A script, locked, and the environment that uv makes for it."""

    def __init__(self, directory: Path, index: Index, interpreter: Interpreter) -> None:
        self.path = directory / "tool.py"
        self.path.write_text(BLOCK)
        self.index = index
        self.interpreter = interpreter
        uv(directory, index, "lock", "--script", "tool.py")
        self.lock = directory / "tool.py.lock"

    def uv(self, *arguments: str) -> str:
        more = ("--python", self.interpreter.path)
        return uv(self.path.parent, self.index, *arguments, "--script", "tool.py", "--frozen", *more)

    def synced(self) -> Venv:
        """The environment that uv keeps in its cache."""
        self.uv("sync")
        (made,) = (self.path.parent.parent / ".cache" / "uv").glob("environments-v*/tool-*")
        return Venv(made, self.interpreter)

    def says(self, text: str) -> None:
        self.path.write_text(text)


@pytest.fixture
def script(tmp_path: Path, package_index: Index, interpreter: Interpreter) -> Script:
    (tmp_path / "place").mkdir()
    return Script(tmp_path / "place", package_index, interpreter)


def rules(script: Script) -> list[tuple[str, str]]:
    found = judge(Files(), str(script.lock), ("3.12.1", "linux-x86_64-glibc2.36"))
    return [(problem.rule, problem.message) for problem in found.problems if problem.rule != "lock-insecure-source"]


def test_its_own_environment_has_no_drift_and_what_is_done_to_it_is_found(script: Script, tmp_path: Path) -> None:
    venv = script.synced()
    found = compared(script.lock, venv)
    assert unusual(found) == []
    assert len(found.drifts) >= 10
    uv(tmp_path, script.index, "pip", "uninstall", "--python", str(venv.python), "beta")
    found = compared(script.lock, venv)
    assert only(found, "missing").name == "beta"
    assert repair(found.lock) == "uv sync --frozen --script tool.py"
    assert recreate(found.lock, str(venv.path)) == ("uv cache clean", "uv sync --frozen --script tool.py")
    assert unusual(compared(script.lock, script.synced())) == []


def test_it_is_stale_once_the_script_asks_for_something_else(script: Script) -> None:
    assert rules(script) == []
    script.says(BLOCK.replace('"alpha", ', '"Alpha",'))
    assert rules(script) == []
    for text, differing in ((BLOCK.replace('"alpha", ', ""), "alpha"), (BLOCK.replace(">=2;", ">=1;"), "sigma")):
        script.says(text)
        assert rules(script) == [("lock-stale", f"tool.py.lock is older than tool.py: they differ in {differing}")]
    for nothing in ("import alpha\n", "# /// script\n# never closed\n", "# /// script\n# = = =\n# ///\n"):
        script.says(nothing)
        assert rules(script) == []


def test_a_project_beside_it_says_nothing_of_it(script: Script) -> None:
    project = '[project]\nname = "alpha"\ndependencies = ["other"]\n[tool.uv]\nno-build = true\n'
    (script.path.parent / "pyproject.toml").write_text(project)
    assert rules(script) == []
    found = judge(Files(), str(script.lock), ("3.12.1", "linux-x86_64-glibc2.36"))
    assert not found.configured.everywhere


def test_its_own_settings_forbid_builds(script: Script) -> None:
    script.says(BLOCK.replace("# ///\n", "# [tool.uv]\n# no-build = true\n# ///\n"))
    found = judge(Files(), str(script.lock), ("3.12.1", "linux-x86_64-glibc2.36"))
    assert found.configured.everywhere
    assert found.configured.where == "tool.py: tool.uv.no-build"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("#!/usr/bin/env python\n# /// script\n# a = 1\n#\n# b = 2\n# ///\n", {"a": 1, "b": 2}),
        ("# /// script\r\n# a = 1\r\n# ///\r\n", {"a": 1}),
        ("# /// other\n# a = 1\n# ///\n", {}),
        ("# /// script\n# a = 1\nx = 1\n# ///\n", {}),
        ("# /// script\n#a = 1\n# ///\n", {}),
        ("", {}),
        ("# /// script", {}),
        ("# /// script\n" + "# a = 1\n" * 20_000 + "# ///\n", {}),
    ],
)
def test_the_block_of_a_script(tmp_path: Path, text: str, found: object) -> None:
    (tmp_path / "tool.py").write_text(text, newline="")
    assert read_script(Files(), str(tmp_path / "tool.py")) == found
