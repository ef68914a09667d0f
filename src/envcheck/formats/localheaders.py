"""A zip archive's local headers, as its bytes go by, into contradictions with its central directory.

An installer that reads an archive from its beginning (uv, while it downloads) goes by these headers alone.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from envcheck.formats.archive import (
    DESCRIPTOR,
    ENCRYPTED,
    LOCAL_SIZE,
    MOST_ODDITIES,
    UTF8,
    Archive,
    Entry,
    Oddity,
    ReadAt,
)

_LOCAL = struct.Struct("<4s5H3L2H")
_SIGNATURE = b"PK\3\4"
_FLAGS = ENCRYPTED | DESCRIPTOR | UTF8
_GAP = 24
"""A data descriptor, of zip64 too, is no longer (APPNOTE.TXT 4.3.9)."""


def header_end(entry: Entry) -> int:
    """Where the name in a member's local header ends, if it is the one that the central directory has."""
    return entry.offset + LOCAL_SIZE + len(entry.raw)


def data_start(entry: Entry, data: bytes) -> tuple[int, str | None]:
    """Where a member's bytes begin by its local header (up to `header_end`), and how that contradicts the directory."""
    if len(data) < LOCAL_SIZE + len(entry.raw) or not data.startswith(_SIGNATURE):
        return 0, "there is no local header"
    if data[4:28] == entry.fixed and data[LOCAL_SIZE:] == entry.raw:
        return entry.offset + len(data) + data[28] + 256 * data[29], None
    _, _, flags, method, _, _, crc, compressed, size, named, extra = _LOCAL.unpack_from(data)
    why = None
    if named != len(entry.raw) or data[LOCAL_SIZE:] != entry.raw:
        why = "the local header has another name"
    elif method != entry.method or (flags ^ entry.flags) & _FLAGS:
        why = "the local header has another method or other flags"
    elif not flags & DESCRIPTOR and (
        crc != entry.crc or size not in (entry.size, 0xFFFFFFFF) or compressed not in (entry.compressed, 0xFFFFFFFF)
    ):
        why = "the local header has other sizes"
    return entry.offset + LOCAL_SIZE + named + extra, why


class LocalHeaders:
    """Takes the local header of each of ``entries``, which come in the order of their offsets and do not overlap."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries
        self._sizes = [LOCAL_SIZE + len(entry.raw) for entry in entries]
        self._index = 0
        self._part = b""
        self.starts: dict[int, int] = {}
        """Offset of the header to where the member's bytes begin."""
        self._odd: list[Oddity] = []

    def feed(self, data: memoryview) -> None:
        """The next bytes of a header."""
        if self._index == len(self._entries):
            return  # only where members overlap, which is told
        header = bytes(data)
        if self._part:
            header = self._part + header
        if len(header) < self._sizes[self._index]:
            self._part = header
            return
        entry = self._entries[self._index]
        self._index += 1
        self._part = b""
        start, why = data_start(entry, header)
        self.starts[entry.offset] = start
        if why is not None and len(self._odd) < MOST_ODDITIES:
            self._odd.append(Oddity("header-mismatch", why, entry.name))

    def oddities(self, read_at: ReadAt, archive: Archive) -> list[Oddity]:
        """All contradictions, once every header has been taken; gaps are read again."""
        odd = self._odd
        if self._index != len(self._entries):
            odd.append(Oddity("inconsistent", "it ended while it was read"))
        reached = 0
        end = archive.directory[0]
        for entry in self._entries:
            if entry.offset - reached > _GAP and _hides(read_at, reached, entry.offset):
                odd.append(Oddity("hidden-member", "stands behind bytes that hold another local header", entry.name))
            elif entry.offset < reached:
                odd.append(Oddity("overlap", "shares bytes with another member", entry.name))
            reached = max(reached, self.starts.get(entry.offset, 0) + entry.compressed)
            if len(odd) >= MOST_ODDITIES:
                return odd
        if reached > end:
            odd.append(Oddity("overlap", "a member reaches into the central directory"))
        elif end - reached > _GAP and _hides(read_at, reached, end):
            odd.append(Oddity("hidden-member", "before the central directory, bytes hold another local header"))
        return odd


def _hides(read_at: ReadAt, start: int, end: int) -> bool:
    """Whether a gap holds what begins a member."""
    return _SIGNATURE in read_at(start, min(end - start, 1 << 20))
