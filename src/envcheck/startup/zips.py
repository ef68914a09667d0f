"""A zip archive as zipimport sees it: bytes in, member names and contents out, by zipimport's own rules.

Those differ from other readers': any bytes may stand before the archive, the central directory alone names the
members, the encryption flag is ignored, and the last of two equal names counts (``Lib/zipimport.py``).
"""

from envcheck.files.root import Files, Unreadable
from envcheck.model.nouns import NamedTuple

_END_SIZE = 22
_MAX_COMMENT = 0xFFFF
_END_SIZE_64, _LOCATOR_SIZE_64 = 56, 20
_END, _END_64 = b"PK\x05\x06", b"PK\x06\x06"
_MAX = 0xFFFFFFFF
_ZIP64 = 1
"""The extra field with the values that need more than 32 bits."""
SINCE_ZIP64 = (3, 13)
"""zip64 is read, and the number of members must be the directory's (gh-94214)."""
SINCE_IMPLICIT = (3, 14)
"""Directories need no entry of their own (gh-121735)."""
MAX_DIRECTORY = 32 << 20
MAX_MEMBER = 16 << 20
MAX_ARCHIVE = 1 << 30


class Member(NamedTuple):
    """One row of the central directory."""

    method: int
    packed: int
    size: int
    offset: int
    """Of the local header in the file."""
    time: int
    date: int


class Archive(NamedTuple):
    """The members by name, names with ``/``."""

    path: str
    members: dict[str, Member]


def is_compressed(archive: Archive, name: str) -> bool:
    """Whether a member must be unpacked."""
    member = archive.members.get(name)
    return member is not None and member.method != 0


class _Directory(NamedTuple):
    """Where the central directory is."""

    at: int
    """Of the record that ends it, in the file."""
    size: int
    offset: int
    """As the archive says, without what stands before it."""
    number: int | None
    """Of its members, where the version compares it."""


def read_archive(files: Files, path: str, minor: tuple[int, int]) -> Archive | None:
    """The central directory of a zip archive; ``None`` where that version's zipimport would refuse the file.

    Raises `Unreadable` for what cannot be read or is over a bound.
    """
    _, size = files.read_part(path, 0)
    if size < _END_SIZE:
        return None
    if size > MAX_ARCHIVE:
        raise Unreadable(path, f"larger than the bound of {MAX_ARCHIVE:,} bytes")
    found = _end_64(files, path, size) if minor >= SINCE_ZIP64 else _end(files, path, size)
    if found is None or found.at < found.size or found.at < found.offset:
        return None
    begin = found.at - found.size
    # What stands before the archive shifts every offset in it.
    shift = begin - found.offset
    if shift < 0:
        return None
    if found.size > MAX_DIRECTORY:
        raise Unreadable(path, f"its directory is larger than the bound of {MAX_DIRECTORY:,} bytes")
    # The members end where no header follows, which may be behind the place where the directory is said to end.
    data, _ = files.read_part(path, found.size + _END_SIZE + 4 * _MAX_COMMENT, begin)
    members = _members(data, found, shift, minor)
    if members is None:
        return None
    if minor >= SINCE_IMPLICIT:
        for name in list(members):
            for index, character in enumerate(name[:-1]):
                if character == "/":
                    members.setdefault(name[: index + 1], _NOTHING)
    return Archive(path, members)


_NOTHING = Member(0, 0, 0, 0, 0, 0)


def _end(files: Files, path: str, size: int) -> _Directory | None:
    """Up to 3.12: the last thing in the file, else the last signature in the last 64 KiB."""
    start = max(size - _END_SIZE - _MAX_COMMENT, 0)
    tail, _ = files.read_part(path, size - start, start)
    at = len(tail) - _END_SIZE if tail[-_END_SIZE:][:4] == _END else tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_SIZE:
        return None
    return _Directory(start + at, _u32(tail, at + 12), _u32(tail, at + 16), None)


def _end_64(files: Files, path: str, size: int) -> _Directory | None:
    """From 3.13: the last signature, or that of zip64 where it stands right before it."""
    start = max(size - _END_SIZE - _MAX_COMMENT - _END_SIZE_64 - _LOCATOR_SIZE_64, 0)
    tail, _ = files.read_part(path, size - start, start)
    at, at_64 = tail.rfind(_END), tail.rfind(_END_64)
    if at_64 >= 0 and at_64 + _END_SIZE_64 + _LOCATOR_SIZE_64 == at:
        return _Directory(start + at_64, _u64(tail, at_64 + 40), _u64(tail, at_64 + 48), _u64(tail, at_64 + 24))
    if at < 0 or len(tail) - at < _END_SIZE:
        return None
    return _Directory(start + at, _u32(tail, at + 12), _u32(tail, at + 16), _u16(tail, at + 8))


def _members(data: bytes, found: _Directory, shift: int, minor: tuple[int, int]) -> dict[str, Member] | None:
    members: dict[str, Member] = {}
    at = count = 0
    while data[at : at + 4] == b"PK\x01\x02":
        if len(data) - at < 46:
            return None
        name_size, extra_size, comment_size = _u16(data, at + 28), _u16(data, at + 30), _u16(data, at + 32)
        end = at + 46 + name_size + extra_size + comment_size
        if end > len(data):
            return None
        packed, size, offset = _u32(data, at + 20), _u32(data, at + 24), _u32(data, at + 42)
        if minor >= SINCE_ZIP64 and _MAX in (packed, size, offset):
            wide = _wide(data[at + 46 + name_size : end], packed, size, offset)
            if wide is None:
                return None
            packed, size, offset = wide
        if offset > found.offset:
            return None
        try:
            name = _name(data[at + 46 : at + 46 + name_size], _u16(data, at + 8))
        except UnicodeDecodeError:
            return None
        members[name] = Member(
            _u16(data, at + 10), packed, size, offset + shift, _u16(data, at + 12), _u16(data, at + 14)
        )  # fmt: skip
        at, count = end, count + 1
    # Behind the last header something must follow, and the number must be right.
    if len(data) - at < 4 or (found.number is not None and found.number != count):
        return None
    return members


def _wide(extra: bytes, packed: int, size: int, offset: int) -> tuple[int, int, int] | None:
    """The values of the zip64 field, in its order: size, packed size, offset."""
    while extra:
        if len(extra) < 4 or len(extra) < 4 + _u16(extra, 2):
            return None
        if _u16(extra, 0) == _ZIP64:
            if (len(extra) - 4) % 8 or len(extra) > 28:
                return None
            values = [_u64(extra, at) for at in range(4, len(extra), 8)]
            wanted = [value == _MAX for value in (size, packed, offset)]
            if sum(wanted) > len(values):
                return None
            size = values.pop(0) if wanted[0] else size
            packed = values.pop(0) if wanted[1] else packed
            offset = values.pop(0) if wanted[2] else offset
            break
        extra = extra[4 + _u16(extra, 2) :]
    return packed, size, offset


def _name(raw: bytes, flags: int) -> str:
    if flags & 0x800:
        return raw.decode("utf-8")
    try:
        return raw.decode("ascii")
    except UnicodeDecodeError:
        return raw.decode("cp437")


def read_member(files: Files, archive: Archive, name: str) -> bytes:
    """A member's content. Raises `Unreadable` where zipimport could not read it either, or it is over a bound."""
    member = archive.members[name]
    shown = f"{archive.path}/{name}"
    if max(member.size, member.packed) > MAX_MEMBER:
        raise Unreadable(shown, f"larger than the bound of {MAX_MEMBER:,} bytes")
    header, _ = files.read_part(archive.path, 30, member.offset)
    if len(header) != 30 or header[:4] != b"PK\x03\x04":
        raise Unreadable(shown, "its local header is damaged")
    start = member.offset + 30 + _u16(header, 26) + _u16(header, 28)
    packed, _ = files.read_part(archive.path, member.packed, start)
    if len(packed) != member.packed:
        raise Unreadable(shown, "its data is cut")
    if member.method == 0:
        return packed
    import zlib

    # zipimport takes every method but 0 for deflate.
    try:
        stream = zlib.decompressobj(-15)
        data = stream.decompress(packed, MAX_MEMBER + 1)
    except zlib.error:
        raise Unreadable(shown, "its compressed data is damaged") from None
    if len(data) > MAX_MEMBER:
        raise Unreadable(shown, f"larger than the bound of {MAX_MEMBER:,} bytes")
    if not stream.eof:
        raise Unreadable(shown, "its compressed data is cut")
    return data


def _u16(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "little")


def _u64(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 8], "little")


def _u32(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")
