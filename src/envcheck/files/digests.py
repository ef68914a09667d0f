"""sha256 of many files at once: large reads, small files in one call, one read an inode, a few processes."""

import os
import stat
import sys
from collections.abc import Callable, Sequence

from envcheck.files.root import Files, Unreadable, describe, unreadable
from envcheck.model.sha256 import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hashlib import _Hash

    from envcheck.files.workers import Parts

    New = Callable[[bytes], _Hash]

CHUNK = 256 << 10
_SIZE = 32
_WORTH_A_COPY = 512
"""Fewer files are hashed faster than a copy of this process is started."""
_PART = 128
"""Files that a process takes at once."""
_MOST_PROCESSES = 8
"""More wait for one another, or for the disk."""
_FLAGS = (
    os.O_RDONLY
    | os.O_NONBLOCK
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_NOFOLLOW", 0)
)
_NOATIME = getattr(os, "O_NOATIME", 0)
_OPEN, _EQUAL, _DIFFERS, _UNREADABLE = b"\0", b"\1", b"\2", b"\3"
"""What is known of a file: nothing yet; as expected; hashed, but not as expected; why not is to be found out here."""
_UNUSUAL = 4
"""Added to that where its owner or mode is not what is usual."""
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH | stat.S_ISUID | stat.S_ISGID

Digest = bytes | Unreadable
"""32 raw bytes, or why there are none."""
Equal = Callable[[range, Sequence[Digest]], Sequence[bool]]
"""Some files, by their indexes, and their digests, to whether each is what is expected of it."""


class Usual:
    """Whose files are, and which bits their modes do without, where nobody but their owner may write to them."""

    __slots__ = ("group", "mask", "user")

    def __init__(self, user: int, group: int, mask: int = _OTHERS_WRITE) -> None:
        self.user = user
        self.group = group
        self.mask = mask


def digest(files: Files, path: str) -> tuple[str, int]:
    """sha256 (hex) and size of one regular file, links followed. Raises `Unreadable`."""
    fd, found = files.open(path)
    try:
        raw, size = _hash(fd, found.st_size, files.limits.digest, path, sha256)
    except OSError as error:
        raise unreadable(path, error) from None
    finally:
        os.close(fd)
    files.bytes_read += size
    return raw.hex(), size


def digests(files: Files, paths: Sequence[str], workers: int = 0, follow: bool = False) -> list[Digest]:
    """The digest of each path, in order. ``follow`` also takes links (to regular files, inside the root).

    A directory, FIFO, device or unreadable file gives an `Unreadable` in its place.
    """
    with Hashing(files, "", paths, workers, follow) as hashing:
        return [found for _, found in hashing.differing()]


class Hashing:
    """Files being hashed and compared with what is expected of them, while the caller goes on with other work.

    Copies of this process begin at once; what they have not done by the time that the caller asks is done here and
    there together. Used in a ``with`` statement, or stopped: whatever ends it, an interrupt too, ends the copies.

    A file with more than one name (a hard link) is read once by each process.
    """

    def __init__(
        self,
        files: Files,
        prefix: str,
        names: Sequence[str],
        workers: int = 0,
        follow: bool = False,
        equal: Equal | None = None,
        advance: Callable[[int], None] | None = None,
        usual: Usual | None = None,
    ) -> None:
        """``prefix`` and a name are a path; ``workers`` 0 is a process for each core.

        ``advance`` is called with the number of files done so far. Files that are not as ``usual`` are noted.
        """
        self._files = files
        self._prefix = prefix
        self._names = names
        self._follow = follow
        self._equal = equal
        self._advance = advance
        self._user, self._group, self._mask = (-1, -1, 0) if usual is None else (usual.user, usual.group, usual.mask)
        self._odd: set[str] = set()
        self._unusual: list[int] = []
        self._seen: dict[tuple[int, int], tuple[bytes, int]] = {}
        self._copies: list[int] = []
        self._parts: Parts | None = None
        self._step = max(len(names), 1)
        self._states = self._digests = self._sizes = memoryview(b"")
        if not self._share(workers):
            self._states = memoryview(bytearray(len(names)))
            self._digests = memoryview(bytearray(_SIZE * len(names)))
            self._sizes = memoryview(bytearray(8 * -(-len(names) // self._step)))

    def differing(self) -> list[tuple[int, Digest]]:
        """Index and digest of each file that is not as expected, in order; of every file where nothing is expected.

        To be called once.
        """
        self._work()
        if self._copies:
            from envcheck.files.workers import wait_for

            for process in self._copies:
                wait_for(process)
            self._copies.clear()
        states = self._states.tobytes()
        if _OPEN in states:
            for number in range(-(-len(self._names) // self._step)):
                if _OPEN in states[number * self._step : (number + 1) * self._step]:
                    self._do(number)
            states = self._states.tobytes()
        self._files.bytes_read += sum(self._sizes.cast("Q"))
        if max(states, default=0) >= _UNUSUAL:
            self._unusual = [index for index, state in enumerate(states) if state >= _UNUSUAL]
            states = bytes([state & ~_UNUSUAL for state in states])
        if states.count(_EQUAL) == len(states):
            return []
        differing: list[tuple[int, Digest]] = []
        for index, state in enumerate(states):
            if state == _DIFFERS[0]:
                differing.append((index, bytes(self._digests[_SIZE * index : _SIZE * (index + 1)])))
            elif state == _UNREADABLE[0]:
                differing.append((index, self._digest(self._prefix + self._names[index])[0]))
        return differing

    def unusual(self) -> list[int]:
        """Indexes of the files whose owner or mode is not as usual; to be called after `differing`."""
        return self._unusual

    def stop(self) -> None:
        """End the copies."""
        if self._copies:
            from envcheck.files.workers import stop

            for process in self._copies:
                stop(process)
            self._copies.clear()
        if self._parts is not None:
            self._parts.close()
            self._parts = None

    def __enter__(self) -> "Hashing":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _share(self, workers: int) -> bool:
        """Start copies, where that is possible and worth it."""
        count = len(self._names)
        workers = workers or min(_cores(), _MOST_PROCESSES)
        if workers < 2 or count < _WORTH_A_COPY:
            return False
        from envcheck.files.workers import Parts, can_copy, part_size, shared_memory, start_copy

        if not can_copy():
            return False
        try:
            self._step = part_size(count, _PART)
            parts = -(-count // self._step)
            self._parts = Parts(parts)
            memory = shared_memory(8 * parts + (1 + _SIZE) * count)
        except OSError:
            self.stop()
            return False
        self._sizes = memory[: 8 * parts]
        self._states = memory[8 * parts : 8 * parts + count]
        self._digests = memory[8 * parts + count :]
        for _ in range(workers - 1):
            process = start_copy(self._work_as_copy)
            if process is not None:
                self._copies.append(process)
        return True

    def _work_as_copy(self) -> None:
        """What a copy does: it tells nobody how far it is."""
        self._advance = None
        self._work()

    def _work(self) -> None:
        """Take parts until none is left."""
        if self._parts is None:
            if self._names:
                self._do(0)
            return
        while (number := self._parts.take()) is not None:
            self._do(number)
            if self._advance is not None:
                self._advance(len(self._states) - self._states.tobytes().count(_OPEN))

    def _do(self, number: int) -> None:
        """Hash one part. What came of a file is noted last, so that a process that dies leaves no half-truth."""
        start = number * self._step
        part = range(start, min(start + self._step, len(self._names)))
        prefix = self._prefix
        found: list[Digest] = []
        read = 0
        for name in self._names[part.start : part.stop]:
            result, size = self._digest(prefix + name, name)
            found.append(result)
            read += size
        equal = [False] * len(part) if self._equal is None else self._equal(part, found)
        if all(equal):
            states = _EQUAL * len(part)
        else:
            states = b"".join(
                _UNREADABLE if isinstance(result, Unreadable) else _EQUAL if same else _DIFFERS
                for result, same in zip(found, equal, strict=True)
            )
            self._digests[_SIZE * part.start : _SIZE * part.stop] = b"".join(
                [bytes(_SIZE) if isinstance(result, Unreadable) else result for result in found]
            )
        if self._odd:
            states = bytes(
                state | (_UNUSUAL if name in self._odd else 0)
                for state, name in zip(states, self._names[part.start : part.stop], strict=True)
            )
            self._odd.clear()
        self._sizes[8 * number : 8 * number + 8] = read.to_bytes(8, sys.byteorder)
        self._states[part.start : part.stop] = states

    def _digest(self, path: str, name: str = "") -> tuple[Digest, int]:
        """One file's digest, and its size where it was read."""
        import hashlib

        files = self._files
        try:
            if files.root is not None or self._follow:
                fd, found = files.open(path, self._follow)
            else:
                fd, found = _open(path)
            try:
                if not stat.S_ISREG(found.st_mode):
                    return Unreadable(path, f"is a {describe(found.st_mode)}, not a regular file"), 0
                if found.st_mode & self._mask or (
                    self._mask and (found.st_uid != self._user or found.st_gid != self._group)
                ):
                    self._odd.add(name)
                if found.st_nlink == 1:
                    return _hash(fd, found.st_size, files.limits.digest, path, hashlib.sha256)
                key = (found.st_dev, found.st_ino)
                known = self._seen.get(key)
                if known is None:
                    known = self._seen[key] = _hash(fd, found.st_size, files.limits.digest, path, hashlib.sha256)
                return known
            finally:
                os.close(fd)
        except Unreadable as error:
            return error, 0
        except (OSError, ValueError) as error:
            return unreadable(path, error), 0


def _cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _open(path: str) -> tuple[int, os.stat_result]:
    """A path that a walk just listed as a file: nothing is asked of it before it is opened."""
    try:
        fd = os.open(path, _FLAGS | _NOATIME)
    except PermissionError:
        fd = os.open(path, _FLAGS)
    return fd, os.fstat(fd)


def heads(
    files: Files, paths: Sequence[str], size: int, meet: Callable[[str, os.stat_result], None] | None = None
) -> list[bytes | Unreadable]:
    """The first ``size`` bytes of each path, in order; no link is followed. ``meet`` is handed what each file is.

    For paths that a walk just listed as files: on this machine nothing is asked of a file before it is opened.
    """
    found: list[bytes | Unreadable] = []
    for path in paths:
        try:
            fd, facts = _open(path) if files.root is None else files.open(path, False)
            if meet is not None:
                meet(path, facts)
            try:
                data = os.read(fd, size)
            finally:
                os.close(fd)
            files.bytes_read += len(data)
            found.append(data)
        except Unreadable as error:
            found.append(error)
        except (OSError, ValueError) as error:
            found.append(unreadable(path, error))
    return found


def _hash(fd: int, size: int, limit: int, path: str, small: "New") -> tuple[bytes, int]:
    """Raw digest and number of bytes read; refuses what is, or grows, over the limit. ``small`` hashes small files."""
    data = b""
    if size < CHUNK:
        # One byte more than there should be tells whether it grew.
        data = os.read(fd, size + 1)
        if len(data) <= size:
            return small(data).digest(), len(data)
    elif size > limit:
        raise Unreadable(path, f"larger than the bound of {limit:,} bytes")
    import hashlib

    digest = hashlib.sha256(data)
    total = len(data)
    while chunk := os.read(fd, CHUNK):
        digest.update(chunk)
        total += len(chunk)
        if total > limit:
            raise Unreadable(path, f"larger than the bound of {limit:,} bytes")
    return digest.digest(), total
