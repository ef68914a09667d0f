"""A hashed lock, the wheels that it names, and an anchors file made from them."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from support import scanning
from support.wheels import Wheel


class Project(NamedTuple):
    """A directory with a lock, and a wheelhouse beside it."""

    path: Path

    @property
    def lock(self) -> Path:
        return self.path / "requirements.txt"

    @property
    def wheelhouse(self) -> Path:
        return self.path / "wheelhouse"

    @property
    def anchors(self) -> Path:
        return self.path / "envcheck.anchors"

    def with_wheels(self) -> list[str | Path]:
        """Options of a scan that takes the wheels themselves."""
        return ["--lock", self.lock, "--wheels", self.wheelhouse]

    def with_file(self) -> list[str | Path]:
        """Options of a scan that takes only the anchors file, which is found beside the lock."""
        if not self.anchors.exists():
            self.anchor()
        return ["--lock", self.lock]

    def anchor(self, *options: str | Path) -> scanning.Ran:
        """``envcheck anchor`` of this lock."""
        return scanning.envcheck("anchor", "--lock", self.lock, "--wheels", self.wheelhouse, *options)


def make_project(path: Path, wheels: Iterable[Wheel]) -> Project:
    """The lock of these wheels, and copies of them."""
    project = Project(path)
    project.wheelhouse.mkdir(parents=True)
    wheels = list(wheels)
    for wheel in wheels:
        shutil.copy2(wheel.path, project.wheelhouse)
    project.lock.write_text("".join(f"{wheel.requirement}\n" for wheel in wheels))
    return project
