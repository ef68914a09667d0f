"""One machine's file system, read-only: paths in, bytes and facts out.

Paths are absolute strings in the terms of the machine that the target came from, undecodable bytes as surrogate
escapes. For this machine they are opened as they are. For a machine mounted at a directory every component is
opened below that directory without following links, and links are resolved here, so that nothing outside is opened.
"""

import os
import stat
from collections.abc import Callable, Iterator

from envcheck.files.limits import Limits
from envcheck.model.finding import NotSeen
from envcheck.model.nouns import NamedTuple

_READ = os.O_RDONLY | os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOCTTY", 0)
_NOATIME = getattr(os, "O_NOATIME", 0)
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_DIRECTORY = getattr(os, "O_DIRECTORY", 0)
_PATH = getattr(os, "O_PATH", 0)


class Unreadable(Exception):
    """A path that cannot be read as asked; ``why`` is one clause for the report."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path
        self.why = why


class Missing(Unreadable):
    """Nothing is there."""


class Entry(NamedTuple):
    """A directory entry, not followed."""

    name: str
    kind: str
    """``file``, ``dir``, ``link`` or ``other`` (FIFO, socket, device)."""


class Directory(NamedTuple):
    """What one directory holds: names by kind, each sorted, links not followed."""

    path: str
    files: list[str]
    dirs: list[str]
    links: list[str]
    others: list[str]


_WHY = {
    13: "permission denied",
    1: "operation not permitted",
    5: "input/output error",
    20: "a part of the path is not a directory",
    21: "is a directory",
    36: "file name too long",
    40: "too many symbolic links, or a link where none is followed",
    116: "the file system went away",
}


def describe(mode: int) -> str:
    """What a file that is no regular file is, in words."""
    for test, word in (
        (stat.S_ISDIR, "directory"),
        (stat.S_ISFIFO, "FIFO"),
        (stat.S_ISSOCK, "socket"),
        (stat.S_ISCHR, "character device"),
        (stat.S_ISBLK, "block device"),
        (stat.S_ISLNK, "symbolic link"),
    ):
        if test(mode):
            return word
    return "special file"


def unreadable(path: str, error: OSError | ValueError) -> Unreadable:
    """An operating system's refusal as ours."""
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return Missing(path, "no such file")
    if isinstance(error, OSError) and error.errno is not None:
        return Unreadable(path, _WHY.get(error.errno, os.strerror(error.errno).lower()))
    return Unreadable(path, "not a valid path")


class Files:
    """This machine's file system (``root=None``), or another's that is mounted at ``root``."""

    def __init__(self, root: str | None = None, limits: Limits | None = None) -> None:
        self.root = None if root in (None, "/") else os.path.abspath(os.fspath(root))
        self.limits = limits or Limits()
        self.bytes_read = 0
        self.on_directory: Callable[[str, os.stat_result], None] | None = None
        """Called with each directory that is listed and its facts, which cost no further look at it."""
        self._not_seen: dict[tuple[str, str], NotSeen] = {}

    # What could not be seen -------------------------------------------------------------------------------------

    def miss(self, path: str, why: str) -> None:
        """Note that something could not be read, or not whole; the report says so and the scan is incomplete."""
        self._not_seen[path, why] = NotSeen(path, why)

    @property
    def not_seen(self) -> tuple[NotSeen, ...]:
        """Everything noted so far, sorted."""
        return tuple(sorted(self._not_seen.values()))

    # Facts about one path ---------------------------------------------------------------------------------------

    def lstat(self, path: str) -> os.stat_result | None:
        """Of the path itself, links not followed in its last component; ``None`` where nothing can be found."""
        try:
            if self.root is None:
                return os.lstat(path)
            name, fd = self._parent(path)
            try:
                return os.stat(name, dir_fd=fd, follow_symlinks=False)
            finally:
                os.close(fd)
        except (OSError, ValueError, Unreadable):
            return None

    def stat(self, path: str) -> os.stat_result | None:
        """Links followed (below the root); ``None`` where nothing can be found."""
        if self.root is None:
            try:
                return os.stat(path)
            except (OSError, ValueError):
                return None
        try:
            return self.lstat(self.realpath(path))
        except Unreadable:
            return None

    def exists(self, path: str) -> bool:
        """Links followed."""
        return self.stat(path) is not None

    def is_file(self, path: str) -> bool:
        """A regular file, links followed."""
        found = self.stat(path)
        return found is not None and stat.S_ISREG(found.st_mode)

    def is_dir(self, path: str) -> bool:
        """A directory, links followed."""
        found = self.stat(path)
        return found is not None and stat.S_ISDIR(found.st_mode)

    def has_capabilities(self, path: str) -> bool:
        """Whether a program runs with capabilities of its own (Linux); links followed."""
        if not hasattr(os, "getxattr"):
            return False
        try:
            fd, _ = self.open(path)
        except Unreadable:
            return False
        try:
            return bool(os.getxattr(fd, "security.capability"))
        except OSError:
            return False
        finally:
            os.close(fd)

    def is_link(self, path: str) -> bool:
        """A symbolic link."""
        found = self.lstat(path)
        return found is not None and stat.S_ISLNK(found.st_mode)

    def readlink(self, path: str) -> str:
        """The text of a link. Raises `Unreadable`."""
        try:
            if self.root is None:
                return os.readlink(path)
            name, fd = self._parent(path)
            try:
                return os.readlink(name, dir_fd=fd)
            finally:
                os.close(fd)
        except (OSError, ValueError) as error:
            raise unreadable(path, error) from None

    def realpath(self, path: str) -> str:
        """The path with every link resolved, inside the root. Raises `Unreadable` for a loop; a missing tail stays."""
        if self.root is None:
            try:
                return os.path.realpath(path)
            except (OSError, ValueError) as error:
                raise unreadable(path, error) from None
        done = "/"
        rest = [part for part in path.split("/") if part and part != "."][::-1]
        followed = 0
        fd = self._open_root()
        try:
            stack = [fd]
            lost = False
            while rest:
                part = rest.pop()
                if part == "..":
                    if not lost and len(stack) > 1:
                        os.close(stack.pop())
                    done = os.path.dirname(done)
                    continue
                if lost:
                    done = os.path.join(done, part)
                    continue
                try:
                    mode = os.stat(part, dir_fd=stack[-1], follow_symlinks=False).st_mode
                except FileNotFoundError:
                    lost = True
                    done = os.path.join(done, part)
                    continue
                except (OSError, ValueError) as error:
                    raise unreadable(path, error) from None
                if stat.S_ISLNK(mode):
                    followed += 1
                    if followed > self.limits.links:
                        raise Unreadable(path, "too many symbolic links")
                    target = os.readlink(part, dir_fd=stack[-1])
                    if target.startswith("/"):
                        while len(stack) > 1:
                            os.close(stack.pop())
                        done = "/"
                    rest.extend([piece for piece in target.split("/") if piece and piece != "."][::-1])
                    continue
                done = os.path.join(done, part)
                if stat.S_ISDIR(mode):
                    stack.append(os.open(part, _PATH | _DIRECTORY | _NOFOLLOW | os.O_CLOEXEC, dir_fd=stack[-1]))
                elif rest:
                    lost = True
            return done
        except (OSError, ValueError) as error:
            raise unreadable(path, error) from None
        finally:
            for opened in stack:
                os.close(opened)

    # Directories ------------------------------------------------------------------------------------------------

    def directory(self, path: str) -> Directory:
        """What a directory (a link to one is followed) holds, by kind. Raises `Unreadable`."""
        try:
            fd = self._open(path, _READ | _DIRECTORY)
        except (OSError, ValueError) as error:
            raise unreadable(path, error) from None
        files: list[str] = []
        dirs: list[str] = []
        links: list[str] = []
        others: list[str] = []
        left = self.limits.entries
        try:
            if self.on_directory is not None:
                self.on_directory(path, os.fstat(fd))
            with os.scandir(fd) as found:
                for entry in found:
                    if not left:
                        self.miss(path, f"more than {self.limits.entries:,} entries: the rest was not read")
                        break
                    left -= 1
                    if entry.is_file(follow_symlinks=False):
                        files.append(entry.name)
                    elif entry.is_dir(follow_symlinks=False):
                        dirs.append(entry.name)
                    elif entry.is_symlink():
                        links.append(entry.name)
                    else:
                        others.append(entry.name)
        except OSError as error:
            raise unreadable(path, error) from None
        finally:
            os.close(fd)
        for names in (files, dirs, links, others):
            names.sort()
        return Directory(path, files, dirs, links, others)

    def listdir(self, path: str) -> list[Entry]:
        """The entries of a directory (a link to one is followed), sorted by name. Raises `Unreadable`."""
        found = self.directory(path)
        entries = [Entry(name, "file") for name in found.files]
        entries += [Entry(name, "dir") for name in found.dirs]
        entries += [Entry(name, "link") for name in found.links]
        entries += [Entry(name, "other") for name in found.others]
        entries.sort()
        return entries

    def names(self, path: str) -> list[str]:
        """Sorted names in a directory; empty where it is missing, noted where it cannot be read."""
        try:
            return [entry.name for entry in self.listdir(path)]
        except Missing:
            return []
        except Unreadable as error:
            self.miss(error.path, error.why)
            return []

    def walk(self, top: str) -> Iterator[Directory]:
        """Every directory below ``top``, itself first, depth first in name order; links are listed, never entered.

        The caller may remove names from ``dirs`` to stay out of them. What cannot be read is noted.
        """
        left = self.limits.entries
        pending = [(top, 0)]
        while pending:
            path, depth = pending.pop()
            try:
                directory = self.directory(path)
            except Missing:
                continue
            except Unreadable as error:
                self.miss(error.path, error.why)
                continue
            left -= sum(map(len, directory[1:]))
            if left < 0:
                self.miss(path, f"more than {self.limits.entries:,} files under {top}: the rest was not read")
                return
            yield directory
            if directory.dirs and depth >= self.limits.depth:
                self.miss(path, f"more than {self.limits.depth} directories deep: not entered")
                continue
            prefix = path if path.endswith("/") else path + "/"
            pending.extend((prefix + name, depth + 1) for name in reversed(directory.dirs))

    # Contents ---------------------------------------------------------------------------------------------------

    def read(self, path: str, limit: int | None = None) -> bytes:
        """The whole content of a regular file, links followed. Raises `Unreadable`, also when it is over ``limit``."""
        data, size = self.read_part(path, limit)
        if size > len(data):
            raise Unreadable(path, f"larger than the bound of {limit or self.limits.small:,} bytes")
        return data

    def read_part(self, path: str, limit: int | None = None, offset: int = 0) -> tuple[bytes, int]:
        """Up to ``limit`` bytes from ``offset`` of a regular file, and the file's size. Raises `Unreadable`.

        A file that grows while it is read counts as larger than what was returned.
        """
        limit = self.limits.small if limit is None else limit
        fd, found = self.open(path)
        try:
            if offset:
                os.lseek(fd, offset, os.SEEK_SET)
            size = found.st_size
            # A byte more than there should be: where it does not come, that was the end.
            data = os.read(fd, min(limit, max(size - offset, 0)) + 1)
            if len(data) > limit or offset + len(data) != size:
                chunks = [data]
                total = len(data)
                while total <= limit and (chunk := os.read(fd, min(limit + 1 - total, 1 << 20))):
                    chunks.append(chunk)
                    total += len(chunk)
                size = max(size, offset + total) if total > limit else offset + total
                data = b"".join(chunks)[:limit]
        except OSError as error:
            raise unreadable(path, error) from None
        finally:
            os.close(fd)
        self.bytes_read += len(data)
        return data, size

    def open(self, path: str, follow: bool = True) -> tuple[int, os.stat_result]:
        """A descriptor on a regular file and its facts; the caller closes it. Raises `Unreadable`.

        FIFOs, sockets and devices are recognised before they are opened, and again after.
        """
        before = self.stat(path) if follow else self.lstat(path)
        if before is not None and not stat.S_ISREG(before.st_mode):
            raise Unreadable(path, f"is a {describe(before.st_mode)}, not a regular file")
        try:
            fd = self._open(path, _READ if follow else _READ | _NOFOLLOW)
        except (OSError, ValueError) as error:
            raise unreadable(path, error) from None
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            os.close(fd)
            raise Unreadable(path, f"is a {describe(found.st_mode)}, not a regular file")
        return fd, found

    def _open(self, path: str, flags: int) -> int:
        """Open for reading, without touching the access time where the system lets us."""
        if self.root is None:
            try:
                return os.open(path, flags | _NOATIME)
            except PermissionError:
                return os.open(path, flags)
        real = path if flags & _NOFOLLOW else self.realpath(path)
        # "." on the root itself: its own spelling may be a link.
        name, fd = (".", self._open_root()) if real == "/" else self._parent(real)
        try:
            try:
                return os.open(name, flags | _NOFOLLOW | _NOATIME, dir_fd=fd)
            except PermissionError:
                return os.open(name, flags | _NOFOLLOW, dir_fd=fd)
        finally:
            os.close(fd)

    def _open_root(self) -> int:
        assert self.root is not None
        return os.open(self.root, (_PATH or os.O_RDONLY) | _DIRECTORY | os.O_CLOEXEC)

    def _parent(self, path: str) -> tuple[str, int]:
        """The last name of a path below the root, and a descriptor on its resolved directory."""
        head, name = os.path.split(path.rstrip("/") or "/")
        if name in ("", ".", ".."):
            head, name = self.realpath(path), "."
        else:
            head = self.realpath(head)
        fd = self._open_root()
        for part in head.split("/"):
            if part:
                try:
                    below = os.open(part, (_PATH or os.O_RDONLY) | _DIRECTORY | _NOFOLLOW | os.O_CLOEXEC, dir_fd=fd)
                finally:
                    os.close(fd)
                fd = below
        return name, fd
