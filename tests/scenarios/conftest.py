"""An attacker's hands: payloads that leave a mark when they run, and scans that must not make them run."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from support import scanning
from support.scanning import Scan
from support.venvs import Venv
from support.wheels import Wheel


class Attacker:
    """Payloads, and the two readers of an attacked environment: envcheck, and the real interpreter."""

    def __init__(self, directory: Path) -> None:
        self.marks = directory / "marks"
        self.home = directory / "home"
        self.elsewhere = directory / "elsewhere"
        self.home.mkdir()
        self.elsewhere.mkdir()

    def payload(self, word: str = "ran") -> str:
        """One Python statement that appends a word to the marks."""
        return f"open({str(self.marks)!r}, 'a').write('{word}\\n')"

    def import_line(self, word: str = "ran") -> str:
        """The same as a line of a ``.pth``."""
        return f"import os; {self.payload(word)}\n"

    def scan(self, target: Venv | Path | None, *arguments: str | Path, **options: Any) -> Scan:
        """Scan (``None``: what stands here), and see to it that no payload ran."""
        path = target.path if isinstance(target, Venv) else target
        named = () if path is None else (path,)
        options.setdefault("cwd", self.elsewhere)
        options.setdefault("env", scanning.environ(self.home))
        found = scanning.scan(*arguments, *named, **options)
        assert not self.marks.exists(), "a payload ran while envcheck scanned"
        return found

    def start(self, venv: Venv, *flags: str, **environ: str) -> Counter[str]:
        """Which payloads run, how often, when the real interpreter starts: the proof that the attack is one."""
        done = venv.start("pass", *flags, **{"HOME": str(self.home), **environ})
        marks = self.marks.read_text().split() if self.marks.exists() else []
        self.marks.unlink(missing_ok=True)
        assert marks or done.returncode == 0, done.stderr
        return Counter(marks)


@pytest.fixture
def attacker(tmp_path: Path) -> Attacker:
    return Attacker(tmp_path)


@pytest.fixture
def locked(tmp_path: Path, colours: Wheel, shapes: Wheel) -> Path:
    """A hashed requirements file of exactly what the small venv has."""
    from support.locks import hashed_requirements

    return hashed_requirements(tmp_path / "project" / "requirements.txt", colours, shapes)


@pytest.fixture
def project(venv: Venv) -> Path:
    """The directory that holds the environment, with what earlier tests left taken away."""
    directory = venv.path.parent
    for name in (
        *("pyproject.toml", "envcheck.toml", "base.json", "envcheck.baseline.json"),
        *("uv.lock", "requirements.txt", "pylock.toml", "envcheck.anchors"),
    ):
        (directory / name).unlink(missing_ok=True)
    (directory / ".git").mkdir(exist_ok=True)  # no configuration above it is looked for
    return directory
