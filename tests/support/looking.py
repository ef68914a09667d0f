"""Somebody who looks for archives, what a lock says of a wheel, and what a candidate holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from envcheck.anchors.sources import Places
from envcheck.model.anchor import Held, Wanted
from support.wheels import Wheel


class User:
    """Somebody with a home directory, and no other variable than that and those given."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environ = {"HOME": str(home)}

    @property
    def cache(self) -> Path:
        return self.home / ".cache"

    @property
    def fetched(self) -> Path:
        """Where envcheck keeps what it fetched."""
        return self.cache / "envcheck" / "wheels"

    def places(self, **more: Any) -> Places:
        return Places(environ=tuple(sorted(self.environ.items())), **more)


def wanted_of(wheel: Wheel, **changes: Any) -> Wanted:
    """What a lock that gives file name and hash says of a wheel."""
    name = wheel.name.lower().replace("_", "-")
    return Wanted(name, wheel.version, wheel.path.name, None, (("sha256", wheel.sha256),))._replace(**changes)


def by_hash(wheel: Wheel, **changes: Any) -> Wanted:
    """What a lock that gives only name, version and hash says of it."""
    return wanted_of(wheel, filename=None, **changes)


def content(held: Held) -> bytes:
    """The bytes of a candidate."""
    data = Path(held.path).read_bytes()
    return data[held.offset :] if held.length is None else data[held.offset : held.offset + held.length]
