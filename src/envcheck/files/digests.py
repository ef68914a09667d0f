"""sha256 of many files at once: large reads, small files in one call, one read an inode, a few worker processes."""

import itertools
import os
import stat
from collections.abc import Callable, Sequence
from typing import NamedTuple

from envcheck.files.root import Files, Unreadable, describe, unreadable
from envcheck.model.sha256 import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hashlib import _Hash

    from envcheck.files.workers import Copy

    New = Callable[[bytes], _Hash]

CHUNK = 256 << 10
_WORTH_A_WORKER = 512
"""Fewer files are hashed faster than a worker is started."""
_FLAGS = (
    os.O_RDONLY
    | os.O_NONBLOCK
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_NOFOLLOW", 0)
)
_NOATIME = getattr(os, "O_NOATIME", 0)

Digest = bytes | Unreadable
"""32 raw bytes, or why there are none."""


class Digested(NamedTuple):
    """Digests by the index of their path, and how much was read for them."""

    digests: dict[int, Digest]
    bytes_read: int


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


def digests(files: Files, paths: Sequence[str], workers: int = 2, follow: bool = False) -> list[Digest]:
    """The digest of each path, in order. ``follow`` also takes links (to regular files, inside the root).

    A directory, FIFO, device or unreadable file gives an `Unreadable` in its place. Files with more than one name
    (hard links) are read once by each worker.
    """
    size = len(paths) if workers < 2 else max(-(-len(paths) // workers), _WORTH_A_WORKER)
    with Hasher(files, workers, follow) as hasher:
        parts = [hasher.start(paths[start : start + size]) for start in range(0, len(paths), size or 1)]
        return list(itertools.chain.from_iterable(part.digests() for part in parts))


class Hasher:
    """Takes batches of paths to hash while its caller goes on with other work.

    Used in a ``with`` statement: whatever ends that, an interrupt too, ends the processes.
    """

    def __init__(self, files: Files, workers: int = 2, follow: bool = False) -> None:
        self._files = files
        self._workers = workers
        self._follow = follow
        self._running: list[Copy] = []

    def start(self, paths: Sequence[str]) -> "Batch":
        """A batch at work in another process, where one is free and the batch is worth it; else done at once."""
        files, follow = self._files, self._follow

        def work(part: Sequence[int]) -> Digested:
            return _digest_all(files, paths, part, follow)

        indexes = range(len(paths))
        if self._workers > 1 and len(paths) >= _WORTH_A_WORKER:
            from envcheck.files.workers import start_copy

            if sum(not copy.is_done() for copy in self._running) < self._workers - 1:
                copy = start_copy(work, indexes, self._running)
                if copy is not None:
                    self._running.append(copy)
                    return Batch(files, indexes, lambda: self._collect(copy))
        done = work(indexes)
        return Batch(files, indexes, lambda: done)

    def __enter__(self) -> "Hasher":
        return self

    def __exit__(self, *_: object) -> None:
        for copy in self._running:
            copy.stop()
        self._running.clear()

    def _collect(self, copy: "Copy") -> Digested:
        done = copy.receive()
        self._running.remove(copy)
        return done


class Batch:
    """Digests that are being made."""

    def __init__(self, files: Files, indexes: range, collect: Callable[[], Digested]) -> None:
        self._files = files
        self._indexes = indexes
        self._collect = collect

    def digests(self) -> list[Digest]:
        """Wait for them; to be called once."""
        done = self._collect()
        self._files.bytes_read += done.bytes_read
        return [done.digests[index] for index in self._indexes]


def _digest_all(files: Files, paths: Sequence[str], part: Sequence[int], follow: bool) -> Digested:
    """The digests of some of the paths, by index."""
    import hashlib

    results: dict[int, Digest] = {}
    seen: dict[tuple[int, int], bytes] = {}
    checked = files.root is not None or follow
    read = 0
    for index in part:
        path = paths[index]
        try:
            fd, found = files.open(path, follow) if checked else _open(path)
            try:
                if not stat.S_ISREG(found.st_mode):
                    results[index] = Unreadable(path, f"is a {describe(found.st_mode)}, not a regular file")
                    continue
                key = (found.st_dev, found.st_ino)
                if found.st_nlink > 1 and key in seen:
                    results[index] = seen[key]
                    continue
                raw, size = _hash(fd, found.st_size, files.limits.digest, path, hashlib.sha256)
                read += size
                results[index] = raw
                if found.st_nlink > 1:
                    seen[key] = raw
            finally:
                os.close(fd)
        except Unreadable as error:
            results[index] = error
        except (OSError, ValueError) as error:
            results[index] = unreadable(path, error)
    return Digested(results, read)


def _open(path: str) -> tuple[int, os.stat_result]:
    """A path that a walk just listed as a file: nothing is asked of it before it is opened."""
    try:
        fd = os.open(path, _FLAGS | _NOATIME)
    except PermissionError:
        fd = os.open(path, _FLAGS)
    return fd, os.fstat(fd)


def heads(files: Files, paths: Sequence[str], size: int) -> list[bytes | Unreadable]:
    """The first ``size`` bytes of each path, in order; no link is followed.

    For paths that a walk just listed as files: on this machine nothing is asked of a file before it is opened.
    """
    found: list[bytes | Unreadable] = []
    for path in paths:
        try:
            fd = _open(path)[0] if files.root is None else files.open(path, False)[0]
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
