"""Whether this very process belongs to a target: then what it says is no independent witness."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

from envcheck.model.environment import Environment


def own_places() -> dict[str, str]:
    """Real paths of what this process runs from, by what they are: code, interpreter, and where it imports from."""
    places = {
        "envcheck's own code": os.path.dirname(os.path.dirname(__file__)),
        "the interpreter that runs envcheck": sys.executable,
        "the prefix of the interpreter that runs envcheck": sys.base_prefix,
        "the standard library that envcheck uses": os.path.dirname(os.__file__),
    }
    for finder in sys.meta_path:
        for directory in getattr(finder, "library_directories", ()):
            places.setdefault(f"the library directory {directory} that envcheck uses", directory)
    for directory in sys.path:
        if os.path.isabs(directory):
            places.setdefault(f"{directory}, which envcheck imports from,", directory)
    return {what: os.path.realpath(path) for what, path in places.items() if path}


def overlap(environment: Environment, root: str | None = None) -> str | None:
    """What of this process lies inside the environment, in words; ``None`` for a clean room.

    A venv is its prefix and its site directories; the base that it shares is another environment, and may be the
    one that runs envcheck.
    """
    directories = [os.path.realpath(directory) for directory in target_directories(environment, root)]
    for what, place in own_places().items():
        if lies_in(place, directories):
            return f"{what} lies inside the scanned environment"
    return None


def target_directories(environment: Environment, root: str | None = None) -> list[str]:
    """The directories that belong to a target, as it names them."""
    if root is not None:
        return [root]
    directories = [environment.path, *(site.path for site in environment.site_dirs)]
    if environment.kind != "venv" and environment.stdlib is not None:
        directories.append(environment.stdlib)
    return directories


def lies_in(place: str, directories: Iterable[str]) -> bool:
    """Whether a path is, or lies below, one of the directories (as text)."""
    return any(place == directory or place.startswith(directory.rstrip("/") + "/") for directory in directories)
