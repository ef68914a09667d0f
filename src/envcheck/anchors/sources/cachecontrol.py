"""The first bytes of an entry of pip's HTTP cache into where the response's body lies in that file.

Up to pip 23.2 an entry is one file: ``cc=4,`` and a MessagePack map ``{"response": {"body": …, "headers": …}, …}``
(`cachecontrol.serialize`). Only as much of MessagePack is read as leads to the body; nothing is made of it.
"""

from __future__ import annotations

PREFIX = b"cc=4,"
HEAD = 64 << 10
"""Bytes of an entry that are looked at: the body comes first, or after headers, which are short."""
_DEPTH = 4
_ITEMS = 1000


class _Odd(Exception):
    """Not what cachecontrol writes, or not within the bytes at hand."""


def body_range(head: bytes) -> tuple[int, int] | None:
    """Offset and length of the body, of which only the beginning need be in ``head``; ``None`` where there is none.

    The range may end after the file does: whoever reads it will see.
    """
    if not head.startswith(PREFIX):
        return None
    try:
        reader = _Reader(head, len(PREFIX))
        for _ in range(reader.map_size()):
            if reader.text() != b"response":
                reader.skip()
                continue
            for _ in range(reader.map_size()):
                if reader.text() == b"body":
                    return reader.binary()
                reader.skip()
            return None
    except (_Odd, IndexError):
        return None
    return None


class _Reader:
    """A position in MessagePack. Raises `_Odd` or `IndexError` for what does not fit."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._at = at

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _number(self, size: int) -> int:
        found = self._data[self._at : self._at + size]
        if len(found) != size:
            raise _Odd
        self._at += size
        return int.from_bytes(found, "big")

    def map_size(self) -> int:
        """The pairs of the map that stands here."""
        kind = self._byte()
        if kind >> 4 == 0x8:
            return kind & 15
        if kind == 0xDE:
            return self._bounded(self._number(2))
        raise _Odd

    def text(self) -> bytes:
        """The text that stands here."""
        kind = self._byte()
        if kind >> 5 == 0b101:
            size = kind & 31
        elif 0xD9 <= kind <= 0xDB:
            size = self._number(1 << (kind - 0xD9))
        else:
            raise _Odd
        found = self._data[self._at : self._at + size]
        if len(found) != size:
            raise _Odd
        self._at += size
        return found

    def binary(self) -> tuple[int, int]:
        """Offset and length of the bytes that stand here."""
        kind = self._byte()
        if not 0xC4 <= kind <= 0xC6:
            raise _Odd
        size = self._number(1 << (kind - 0xC4))
        return self._at, size

    def skip(self, depth: int = 0) -> None:
        """Pass over one value of any kind that cachecontrol writes."""
        if depth > _DEPTH:
            raise _Odd
        kind = self._byte()
        if kind < 0x80 or kind >= 0xE0 or kind in (0xC0, 0xC2, 0xC3):
            return
        if kind >> 4 == 0x8 or kind == 0xDE:
            pairs = kind & 15 if kind != 0xDE else self._bounded(self._number(2))
            self._skip_all(2 * pairs, depth)
        elif kind >> 4 == 0x9 or kind == 0xDC:
            self._skip_all(kind & 15 if kind != 0xDC else self._bounded(self._number(2)), depth)
        elif kind >> 5 == 0b101:
            self._at += kind & 31
        elif 0xC4 <= kind <= 0xC6 or 0xD9 <= kind <= 0xDB:
            size = self._number(1 << (kind - (0xC4 if kind < 0xD9 else 0xD9)))
            self._at += size
        elif kind in (0xCA, 0xCB):
            self._at += 4 << (kind - 0xCA)
        elif 0xCC <= kind <= 0xD3:
            self._at += 1 << ((kind - 0xCC) & 3)
        else:
            raise _Odd

    def _skip_all(self, values: int, depth: int) -> None:
        for _ in range(values):
            self.skip(depth + 1)

    def _bounded(self, count: int) -> int:
        if count > _ITEMS:
            raise _Odd
        return count
