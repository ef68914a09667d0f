"""Git objects by name, read from ``.git`` as files: loose ones and those in packs, deltas applied; never by git itself.

Everything is bounded. What is not understood (another format, an object over the bound) ends in `Unknown`.
Formats: gitrepository-layout(5), gitformat-pack(5), gitformat-index(5).
"""

from __future__ import annotations

import os
import zlib

from envcheck.files.root import Files, Unreadable

MAX_OBJECT = 16 << 20
MAX_DELTAS = 64
MAX_PACKS = 200
MAX_INDEX = 256 << 20
_TYPES = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}


class Unknown(Exception):
    """The repository does not tell; the message says why, in one clause."""


class Objects:
    """The objects of one repository."""

    def __init__(self, files: Files, directory: str, width: int = 20) -> None:
        self.files = files
        self.directory = os.path.join(directory, "objects")
        self.width = width
        """Bytes of an object name: 20 for SHA-1, 32 for SHA-256."""

    def read(self, name: str) -> tuple[str, bytes]:
        """Type and content. Raises `Unknown`."""
        try:
            path = os.path.join(self.directory, name[:2], name[2:])
            if self.files.is_file(path):
                return self._loose(self.files.read(path, MAX_OBJECT))
            return self._packed(name, 0)
        except Unreadable as error:
            raise Unknown(f"{error.path}: {error.why}") from None
        except (zlib.error, IndexError, ValueError, UnicodeDecodeError):
            raise Unknown("an object of the repository is damaged") from None

    def _loose(self, data: bytes) -> tuple[str, bytes]:
        content = _inflate(data, MAX_OBJECT)
        header, _, body = content.partition(b"\0")
        return header.partition(b" ")[0].decode("ascii"), body

    def _packed(self, name: str, depth: int) -> tuple[str, bytes]:
        directory = os.path.join(self.directory, "pack")
        names = [entry for entry in self.files.names(directory) if entry.endswith(".idx")]
        for index in names[:MAX_PACKS]:
            offset = self._offset(os.path.join(directory, index), bytes.fromhex(name))
            if offset is not None:
                return self._at(os.path.join(directory, index[:-4] + ".pack"), offset, depth)
        if self.files.exists(os.path.join(self.directory, "info", "alternates")):
            raise Unknown("an object lies in another repository (alternates)")
        raise Unknown("an object of the repository is missing (a shallow or partial clone?)")

    def _offset(self, path: str, name: bytes) -> int | None:
        """Where a pack has an object, by binary search in its index (version 2)."""
        head, _ = self.files.read_part(path, 8 + 1024)
        if head[:8] != b"\xfftOc\0\0\0\2" or len(head) < 8 + 1024:
            raise Unknown("a pack has an index of another version")
        fanout = [int.from_bytes(head[8 + 4 * i : 12 + 4 * i], "big") for i in range(256)]
        low, high = (fanout[name[0] - 1] if name[0] else 0), fanout[name[0]]
        count = fanout[255]
        if not 0 <= low <= high <= count or count * (self.width + 8) > MAX_INDEX:
            raise Unknown("a pack's index is damaged, or over the bound")
        names_at = 8 + 1024
        block, _ = self.files.read_part(path, max(high - low, 1) * self.width, names_at + low * self.width)
        for position in range(high - low):
            if block[position * self.width : (position + 1) * self.width] == name:
                number = low + position
                table = names_at + count * self.width + count * 4
                raw, _ = self.files.read_part(path, 4, table + number * 4)
                offset = int.from_bytes(raw, "big")
                if offset & 0x80000000:
                    raw, _ = self.files.read_part(path, 8, table + count * 4 + (offset & 0x7FFFFFFF) * 8)
                    offset = int.from_bytes(raw, "big")
                return offset
        return None

    def _at(self, pack: str, offset: int, depth: int) -> tuple[str, bytes]:
        """An entry of a pack; a delta is applied to what it is based on."""
        if depth > MAX_DELTAS:
            raise Unknown("an object is a delta of more deltas than envcheck follows")
        head, size_of_file = self.files.read_part(pack, 64, offset)
        kind, position, shift = (head[0] >> 4) & 7, 1, 4
        size = head[0] & 15
        byte = head[0]
        while byte & 0x80:
            byte = head[position]
            size |= (byte & 0x7F) << shift
            shift += 7
            position += 1
        if size > MAX_OBJECT:
            raise Unknown("an object is over the bound")
        base: tuple[str, bytes] | None = None
        if kind == 6:
            byte = head[position]
            position += 1
            back = byte & 0x7F
            while byte & 0x80:
                byte = head[position]
                position += 1
                back = ((back + 1) << 7) | (byte & 0x7F)
            if not 0 < back <= offset:
                raise Unknown("a pack is damaged")
            base = self._at(pack, offset - back, depth + 1)
        elif kind == 7:
            base = self._packed(head[position : position + self.width].hex(), depth + 1)
            position += self.width
        elif kind not in _TYPES:
            raise Unknown("a pack is damaged")
        # Deflate makes nothing longer by more than a thousandth and some bytes.
        limit = min(size + size // 100 + 1024, max(size_of_file - offset, 0))
        data, _ = self.files.read_part(pack, limit, offset + position)
        content = _inflate(data, size)
        return (_TYPES[kind], content) if base is None else (base[0], _apply(content, base[1]))


def _inflate(data: bytes, limit: int) -> bytes:
    machine = zlib.decompressobj()
    content = machine.decompress(data, limit + 1)
    if len(content) > limit or not (machine.eof or len(content) == limit):
        raise Unknown("an object is damaged, or over the bound")
    return content


def _apply(delta: bytes, base: bytes) -> bytes:
    """What a delta makes of its base."""
    position = 0

    def number() -> int:
        nonlocal position
        value = shift = 0
        while True:
            byte = delta[position]
            position += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value

    number()
    wanted = number()
    if wanted > MAX_OBJECT:
        raise Unknown("an object is over the bound")
    made = bytearray()
    while position < len(delta):
        code = delta[position]
        position += 1
        if code & 0x80:
            start = length = 0
            for bit in range(4):
                if code & (1 << bit):
                    start |= delta[position] << (8 * bit)
                    position += 1
            for bit in range(3):
                if code & (0x10 << bit):
                    length |= delta[position] << (8 * bit)
                    position += 1
            made += base[start : start + (length or 0x10000)]
        else:
            made += delta[position : position + code]
            position += code
        if len(made) > wanted or not code:
            raise Unknown("a delta is damaged")
    return bytes(made)
