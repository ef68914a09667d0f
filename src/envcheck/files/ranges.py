"""A range of a local file, opened once: read here and there, and then whole, with every byte of it hashed.

What was read here and there is held against the bytes that are hashed, so that a file that is changed meanwhile is
never taken for what its hash says.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from envcheck.files.digests import CHUNK
from envcheck.files.root import Files, Unreadable, unreadable
from envcheck.model.nouns import NamedTuple

Feed = Callable[[memoryview], None]
"""Takes the bytes of a piece as they come."""


class Piece(NamedTuple):
    """A part of the range, and who takes its bytes."""

    start: int
    end: int
    feed: Feed


class Expected:
    """Takes a piece that must be what was read before."""

    __slots__ = ("_at", "_data", "same")

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._at = 0
        self.same = True

    def feed(self, data: memoryview) -> None:
        """The next bytes of the piece."""
        self.same = self.same and self._data[self._at : self._at + len(data)] == data
        self._at += len(data)


class Range:
    """An open range. Used in a ``with`` statement; making one raises `Unreadable`."""

    def __init__(self, files: Files, path: str, offset: int = 0, length: int | None = None) -> None:
        self._files = files
        self._path = path
        self._offset = offset
        self._fd, found = files.open(path)
        rest = max(found.st_size - offset, 0)
        self.size = rest if length is None else min(length, rest)
        if self.size > files.limits.digest:
            os.close(self._fd)
            raise Unreadable(path, f"larger than the bound of {files.limits.digest:,} bytes")

    def __enter__(self) -> Range:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)

    def read_at(self, offset: int, size: int) -> bytes:
        """Bytes from a place in the range; fewer where it ends before. Raises `Unreadable`."""
        size = min(size, self.size - offset)
        if offset < 0 or size <= 0:
            return b""
        try:
            data = os.pread(self._fd, size, self._offset + offset)
            while len(data) < size:
                more = os.pread(self._fd, size - len(data), self._offset + offset + len(data))
                if not more:
                    break
                data += more
        except OSError as error:
            raise unreadable(self._path, error) from None
        return data

    def hash(self, algorithms: Sequence[str], pieces: Sequence[Piece] = ()) -> dict[str, str]:
        """The digests (hex) of all of the range, by algorithm; each piece is fed on the way. Raises `Unreadable`.

        Pieces do not overlap, and come in order.
        """
        import hashlib

        hashes = {name: hashlib.new(name) for name in algorithms}
        updates = [found.update for found in hashes.values()]
        position, index = 0, 0
        try:
            os.lseek(self._fd, self._offset, os.SEEK_SET)
            while position < self.size and (chunk := os.read(self._fd, min(CHUNK, self.size - position))):
                for update in updates:
                    update(chunk)
                end = position + len(chunk)
                while index < len(pieces) and pieces[index].start < end:
                    piece = pieces[index]
                    view = memoryview(chunk)[max(piece.start - position, 0) : piece.end - position]
                    piece.feed(view)
                    if piece.end > end:
                        break
                    index += 1
                position = end
        except OSError as error:
            raise unreadable(self._path, error) from None
        self._files.bytes_read += position
        return {name: found.hexdigest() for name, found in hashes.items()}
