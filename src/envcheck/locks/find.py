"""Which lock to compare with when none is named: that of the project one stands in, or that the target belongs to.

Nothing inside a scanned environment is ever chosen. Reads no lock; a file's name, and for a requirements file whether
it has hashes, decide.
"""

import os
from collections.abc import Iterator

from envcheck.environments.pyvenv import venvs_around
from envcheck.files.inside import lies_in
from envcheck.files.root import Files, Unreadable
from envcheck.files.upwards import upwards
from envcheck.model.nouns import NamedTuple

NAMES = ("uv.lock", "pylock.toml", "poetry.lock", "pdm.lock", "Pipfile.lock", "requirements.txt")
"""Best first."""

_ENVIRONMENTS = (".venv", "venv")


class Found(NamedTuple):
    """The lock to compare with, if any, and what to tell about the choice."""

    path: str | None
    note: str | None = None


def choose(files: Files, directory: str, target: str | None, home: str | None = None) -> Found:
    """The lock of the project that ``directory`` stands in, else of the project whose ``.venv`` ``target`` is.

    The project one stands in is the nearest directory upwards that has a lock; the search ends at the root of a Git
    work tree, below ``home``, and before a directory that anybody may write to. A requirements file without hashes
    counts only where nothing better is found on the way. The target's project comes first when it lies inside the one
    that one stands in. All paths are absolute.
    """
    inside = _Inside(files, target)
    standing = _first(files, upwards(files, directory, home), inside)
    belonging = _first(files, _project_of(target), inside)
    if belonging.path is None or standing.path is None:
        chosen = standing if standing.path is not None else belonging
        return chosen._replace(note=chosen.note or standing.note or belonging.note)
    outer, inner = os.path.dirname(standing.path), os.path.dirname(belonging.path)
    return belonging if inner.startswith(outer.rstrip("/") + "/") else standing


def _project_of(target: str | None) -> list[str]:
    """The directory whose ``.venv`` the target is."""
    if target is None:
        return []
    directory, name = os.path.split(target.rstrip("/"))
    return [directory] if name in _ENVIRONMENTS else []


class _Inside:
    """Whether a path lies in the scanned environment, however it is spelt."""

    def __init__(self, files: Files, target: str | None) -> None:
        self.files = files
        self.prefixes: list[str] = []
        if target is not None:
            # What is named may be a part of a venv: its interpreter, its site directory.
            self.prefixes = [target, *venvs_around(files, os.path.normpath(target))]

    def __call__(self, path: str) -> bool:
        return any(lies_in(self.files, path, prefix) for prefix in self.prefixes)


def _first(files: Files, directories: list[str] | Iterator[str], inside: _Inside) -> Found:
    """The best lock of the first directory that has one."""
    weak: str | None = None
    for directory in directories:
        present = [name for name in NAMES if _is_there(files, os.path.join(directory, name), inside)]
        locks = [name for name in present if name != "requirements.txt"]
        if locks:
            beside = f"{', '.join(locks[1:])} beside {locks[0]} is not compared with: name it with --lock"
            return Found(os.path.join(directory, locks[0]), f"{directory}: {beside}" if locks[1:] else None)
        if present:
            path = os.path.join(directory, present[0])
            if _is_hashed(files, path):
                return Found(path)
            weak = weak or path
    return Found(weak)


def _is_there(files: Files, path: str, inside: _Inside) -> bool:
    return files.lstat(path) is not None and not inside(path)


def _is_hashed(files: Files, path: str) -> bool:
    """Whether a requirements file looks as if it pinned hashes; one that cannot be read is left to the reader."""
    try:
        return b"--hash" in files.read(path, files.limits.lock)
    except Unreadable:
        return True
