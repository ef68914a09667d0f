"""Owner and mode of what a start or a command runs into who else may change it.

Others are everyone but root, the owner of the environment and the user who scans this machine. A directory counts for
the files in it: who may write to it may replace them. Under a sticky directory (``/tmp``) only a file's owner may.
"""

import os
import posixpath
import stat
from collections.abc import Iterable

from envcheck.files.root import Files, Unreadable
from envcheck.model.environment import Environment

_GROUPS = 1 << 20
"""Bytes of ``/etc/group`` and ``/etc/passwd`` that are read."""


class Modes:
    """Who may write what, on the machine that the environment is of."""

    def __init__(self, files: Files, environment: Environment) -> None:
        self._files = files
        found = files.stat(environment.path)
        self._trusted = {0}
        if found is not None:
            self._trusted.add(found.st_uid)
        if files.root is None and hasattr(os, "geteuid"):
            self._trusted.add(os.geteuid())
        self._private: dict[int, bool] = {}

    def who_may_write(self, path: str, found: os.stat_result | None = None) -> str | None:
        """A clause that says who else may write a file or directory; ``None`` where nobody else may, or nothing is."""
        found = found or self._files.stat(path)
        return None if found is None else self.why_open(found)

    def why_open(self, found: os.stat_result) -> str | None:
        """As `who_may_write`, from the facts alone: for whoever has them at hand anyway."""
        if found.st_uid not in self._trusted:
            return f"its owner is user {found.st_uid}"
        if found.st_mode & stat.S_IWOTH:
            return f"everyone may write to it (mode {stat.S_IMODE(found.st_mode):04o})"
        if found.st_mode & stat.S_IWGRP and not self.is_private(found.st_gid):
            return f"group {found.st_gid} may write to it (mode {stat.S_IMODE(found.st_mode):04o})"
        return None

    def who_may_create(self, path: str) -> str | None:
        """Who else may put something at a path where nothing is; ``None`` where nobody may, or something is there."""
        if not path.startswith("/") or self._files.lstat(path) is not None:
            return None
        place = posixpath.dirname(path)
        while place != "/":
            found = self._files.stat(place)
            if found is not None:
                break
            if self._files.lstat(place) is not None:
                return None  # a link to nothing, or a file: nothing can be made below it
            place = posixpath.dirname(place)
        why = self.who_may_write(place)
        return None if why is None else f"{place}: {why}"

    def who_may_replace(self, path: str) -> str | None:
        """Who else may move a directory away and put another in its place: by a directory above it."""
        place = posixpath.dirname(path)
        while True:
            found = self._files.stat(place)
            # In a sticky directory an entry is its owner's alone.
            if found is not None and not found.st_mode & stat.S_ISVTX:
                why = self.why_open(found)
                if why is not None:
                    return f"{place}: {why}"
            if place in ("/", ""):
                return None
            place = posixpath.dirname(place)

    def privileged(self, path: str) -> str | None:
        """What an interpreter runs with beyond its user's rights: set-uid, set-gid or capabilities."""
        found = self._files.stat(path)
        if found is None:
            return None
        return self.why_privileged(found) or (
            "it has capabilities (security.capability)" if self._files.has_capabilities(path) else None
        )

    def why_privileged(self, found: os.stat_result) -> str | None:
        """As `privileged`, of any program, from the facts alone: capabilities are not among them."""
        if not stat.S_ISREG(found.st_mode) or not found.st_mode & (stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH):
            return None
        if found.st_mode & stat.S_ISUID:
            return f"it is set-uid (user {found.st_uid})"
        return f"it is set-gid (group {found.st_gid})" if found.st_mode & stat.S_ISGID else None

    def is_private(self, group: int) -> bool:
        """Whether a group is one trusted user's own (umask 002 machines), by the machine's own lists.

        Where those do not name the group, it is private if its number is a trusted user's.
        """
        if group not in self._private:
            self._private[group] = self._look_up(group)
        return self._private[group]

    def _look_up(self, group: int) -> bool:
        members: set[str] | None = None
        for fields in self._fields("/etc/group", 4):
            if fields[2] == str(group):
                members = (members or set()) | {name for name in fields[3].split(",") if name}
        users = {fields[0]: fields for fields in self._fields("/etc/passwd", 4)}
        inside = {name for name, fields in users.items() if fields[3] == str(group)} | (members or set())
        trusted = {str(user) for user in self._trusted}
        if group == 0:
            # Some systems give root's group to accounts that cannot log in.
            inside = members or set()
        elif members is None and not inside:
            return group in self._trusted
        return all(name in users and users[name][2] in trusted for name in inside)

    def _fields(self, path: str, count: int) -> list[list[str]]:
        try:
            data = self._files.read_part(path, _GROUPS)[0]
        except Unreadable:
            return []
        rows = [line.split(":") for line in data.decode("utf-8", "surrogateescape").split("\n")]
        return [row for row in rows if len(row) >= count]


def open_places(files: Files, environment: Environment, lines: Iterable[tuple[str, bool]]) -> dict[str, str]:
    """Directories of path lines (path, whether it exists) that others may make or fill, and why."""
    modes = Modes(files, environment)
    found: dict[str, str] = {}
    for directory, exists in lines:
        if not directory.startswith("/") or directory in found:
            continue
        why = modes.who_may_write(directory) if exists else modes.who_may_create(directory)
        if why is not None:
            found[directory] = why if exists else f"nothing is there yet, and others may make it in {why}"
    return found
