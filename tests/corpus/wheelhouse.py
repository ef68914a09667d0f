"""The wheels of the corpus, as the Makefile downloaded them, and the tools among them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from support.wheels import Wheel

FOLDER = Path(__file__).parents[2] / ".venvs" / "wheelhouse"
"""Where ``make corpus`` puts them; ``complete`` stands beside them when all are there."""
LOCK = Path(__file__).with_name("roots.txt")
OLD_PIP = Path(__file__).with_name("old-pip.txt")

_WHEEL = re.compile(r"([^-]+)-([^-]+)-(?:\d[^-]*-)?([^-]+-[^-]+-[^-]+)\.whl\Z")
_PIN = re.compile(r"([a-z0-9-]+)==(\S+)")


class Wheelhouse:
    """A folder of wheels."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.folder = folder

    @property
    def complete(self) -> bool:
        return (self.folder / "complete").exists()

    def wheels(self, names: Iterable[str]) -> list[Wheel]:
        """The wheels of some packages; reads them for their digests."""
        wanted = set(names)
        return [_wheel(path) for path in sorted(self.folder.glob("*.whl")) if _key(path) in wanted]

    def pip(self, version: str) -> Path:
        """The program inside pip's wheel of a version, which needs no installation."""
        (found,) = [*self.folder.glob(f"pip-{version}-*.whl"), *self.folder.glob(f"old/pip-{version}-*.whl")]
        return found / "pip"


def pinned(names: Iterable[str] = ()) -> dict[str, str]:
    """The versions in the lock: all of them, or of the names given."""
    versions = dict(match.groups() for match in map(_PIN.match, LOCK.read_text().splitlines()) if match)
    return {name: versions[name] for name in names} if names else versions


def part_of_lock(names: Iterable[str], lock: Path = LOCK) -> str:
    """A lock's text for some packages, hashes and all."""
    blocks = re.split(r"(?m)^(?=[a-z0-9])", lock.read_text())
    wanted = set(names)
    return "".join(block for block in blocks if block.partition("==")[0] in wanted)


def _key(path: Path) -> str:
    return path.name.partition("-")[0].lower().replace("_", "-").replace(".", "-")


def _wheel(path: Path) -> Wheel:
    match = _WHEEL.match(path.name)
    assert match, path.name
    return Wheel(match[1], match[2], path, hashlib.sha256(path.read_bytes()).hexdigest())
