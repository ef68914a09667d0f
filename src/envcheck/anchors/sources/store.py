"""envcheck's own cache: archives that it fetched, each in a file that is named by its hash.

A directory that others could have written to is not used, and what is in one is hashed again at each use: a cache
saves time, it never says what is right. Nothing here is deleted but what this module wrote.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from collections.abc import Sequence

from envcheck.anchors.sources.bodies import digests_of, hash_range, whole
from envcheck.files.root import Files, Unreadable
from envcheck.model.anchor import Held, Wanted
from envcheck.model.nouns import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

WHEELS = "wheels"
_NAME = re.compile(r"(sha256|sha384|sha512)-[0-9a-f]{64,128}\.whl")
_PART = re.compile(r"part-[0-9a-f]{32}")
_FLAGS = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_BY_DESCRIPTOR = os.open in getattr(os, "supports_dir_fd", ())


class Unusable(Exception):
    """A cache that is not read or written; ``why`` is one clause for the user."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Contents(NamedTuple):
    """What a cache holds."""

    archives: int
    bytes: int
    parts: int
    """Files that a fetch did not finish."""


class Store:
    """The directory ``<cache>/wheels``, private to the user. Used in a ``with`` statement."""

    def __init__(self, cache: str, forbidden: Sequence[str] = (), create: bool = False) -> None:
        """Raises `Unusable` where it is missing (and not to be created), somebody else's, or part of a target."""
        self.path = os.path.join(cache, WHEELS)
        real = os.path.realpath(self.path)
        for directory in forbidden:
            top = os.path.realpath(directory).rstrip(os.sep)
            if real == top or real.startswith(top + os.sep):
                raise Unusable(f"{cache} lies in the scanned environment")
        if create:
            _create(cache)
        self._fd: int | None = None
        self._parts: set[str] = set()
        above = _opened(cache, cache, None)
        try:
            self._fd = _opened(WHEELS if _BY_DESCRIPTOR else self.path, self.path, above, create)
        finally:
            if above is not None:
                os.close(above)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        for part in list(self._parts):
            self.drop(part)
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def get(self, files: Files, wanted: Wanted) -> tuple[list[Held], str | None]:
        """Each archive that is here and whose bytes are still what its name says; and, perhaps, what is wrong.

        Of a wanted one that the lock gives no name of, those for several platforms may be here.
        """
        found: list[Held] = []
        why: str | None = None
        for algorithm, digest in digests_of(wanted):
            name = f"{algorithm}-{digest}.whl"
            if not _NAME.fullmatch(name):
                continue
            path = os.path.join(self.path, name)
            body = whole(files, path)
            if body is None:
                continue
            try:
                if hash_range(files, body, [algorithm]) == [digest]:
                    found.append(Held(path, origin="fetched"))
                else:
                    why = why or f"{path}, a file that was fetched before, has changed since"
            except Unreadable as error:
                why = why or f"{path}: {error.why}"
        return found, why

    def part(self) -> tuple[BinaryIO, str]:
        """A new file to write to, and its name for `keep` or `drop`. Raises `OSError`."""
        name = f"part-{os.urandom(16).hex()}"
        self._parts.add(name)
        return os.fdopen(os.open(self._at(name), _NEW, 0o600, dir_fd=self._fd), "wb"), name

    def keep(self, part: str, algorithm: str, digest: str) -> str:
        """Give a written part its name for good; its path. Raises `OSError`."""
        name = f"{algorithm}-{digest}.whl"
        assert _NAME.fullmatch(name)
        os.replace(self._at(part), self._at(name), src_dir_fd=self._fd, dst_dir_fd=self._fd)
        self._parts.discard(part)
        return os.path.join(self.path, name)

    def drop(self, part: str) -> None:
        """Take a part away again."""
        self._parts.discard(part)
        with contextlib.suppress(OSError):
            os.unlink(self._at(part), dir_fd=self._fd)

    def contents(self) -> Contents:
        """What is here."""
        archives = parts = size = 0
        for name in self._names():
            found = (
                os.lstat(self._at(name)) if self._fd is None else os.stat(name, dir_fd=self._fd, follow_symlinks=False)
            )
            size += found.st_size
            archives += _NAME.fullmatch(name) is not None
            parts += _PART.fullmatch(name) is not None
        return Contents(archives, size, parts)

    def clear(self) -> Contents:
        """Delete what this module wrote, and nothing else; what that was."""
        before = self.contents()
        for name in self._names():
            self.drop(name)
        return before

    def _names(self) -> list[str]:
        with os.scandir(self.path if self._fd is None else self._fd) as entries:
            return sorted(
                entry.name
                for entry in entries
                if (_NAME.fullmatch(entry.name) or _PART.fullmatch(entry.name)) and entry.is_file(follow_symlinks=False)
            )

    def _at(self, name: str) -> str:
        return name if self._fd is not None else os.path.join(self.path, name)


def _create(cache: str) -> None:
    try:
        os.makedirs(cache, 0o700, exist_ok=True)
    except OSError as error:
        raise Unusable(f"{cache} cannot be made: {(error.strerror or 'error').lower()}") from None


def _opened(name: str, path: str, above: int | None, create: bool = False) -> int | None:
    """A descriptor on a directory that is the user's alone; ``None`` where directories cannot be opened (Windows).

    ``name`` is its path as seen from the directory ``above``.
    """
    try:
        if create:
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, 0o700, dir_fd=above)
        if not _BY_DESCRIPTOR:
            if not stat.S_ISDIR(os.lstat(path).st_mode):
                raise Unusable(f"{path} is no directory")
            return None
        fd = os.open(name, _FLAGS, dir_fd=above)
    except FileNotFoundError:
        raise Unusable(f"{path} does not exist") from None
    except OSError as error:
        why = "is a link" if error.errno == errno.ELOOP else f"cannot be used: {(error.strerror or 'error').lower()}"
        raise Unusable(f"{path} {why}") from None
    found = os.fstat(fd)
    others = ""
    if found.st_uid != os.geteuid():
        others = "belongs to another user"
    elif found.st_mode & 0o022:
        others = f"can be written to by others (mode {stat.S_IMODE(found.st_mode):o})"
    if others:
        os.close(fd)
        raise Unusable(f"{path} {others}")
    return fd
