"""A zip archive as zipimport sees it: bytes in, member names and contents out, by zipimport's own rules.

Those differ from other readers': any bytes may stand before the archive, the central directory alone names the
members, the encryption flag is ignored, and the last of two equal names counts (``Lib/zipimport.py``).
"""

from typing import NamedTuple

from envcheck.files.root import Files, Unreadable

_END_SIZE = 22
_MAX_COMMENT = 0xFFFF
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


def read_archive(files: Files, path: str) -> Archive | None:
    """The central directory of a zip archive; ``None`` where zipimport would refuse the file.

    Raises `Unreadable` for what cannot be read or is over a bound.
    """
    _, size = files.read_part(path, 0)
    if size < _END_SIZE:
        return None
    if size > MAX_ARCHIVE:
        raise Unreadable(path, f"larger than the bound of {MAX_ARCHIVE:,} bytes")
    start = max(size - _END_SIZE - _MAX_COMMENT, 0)
    tail, _ = files.read_part(path, size - start, start)
    # Without a comment the record is the last thing; else the last signature in the last 64 KiB counts.
    at = len(tail) - _END_SIZE if tail[-_END_SIZE:][:4] == b"PK\x05\x06" else tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END_SIZE:
        return None
    record = tail[at : at + _END_SIZE]
    directory_size, directory_offset = _u32(record, 12), _u32(record, 16)
    end = start + at
    if end < directory_size or end < directory_offset:
        return None
    begin = end - directory_size
    # What stands before the archive shifts every offset in it.
    shift = begin - directory_offset
    if shift < 0:
        return None
    if directory_size > MAX_DIRECTORY:
        raise Unreadable(path, f"its directory is larger than the bound of {MAX_DIRECTORY:,} bytes")
    data, _ = files.read_part(path, directory_size + _END_SIZE, begin)
    members = _members(data, directory_offset, shift)
    return None if members is None else Archive(path, members)


def _members(data: bytes, directory_offset: int, shift: int) -> dict[str, Member] | None:
    members: dict[str, Member] = {}
    at = 0
    while len(data) - at >= 46 and data[at : at + 4] == b"PK\x01\x02":
        name_size, extra_size, comment_size = _u16(data, at + 28), _u16(data, at + 30), _u16(data, at + 32)
        offset = _u32(data, at + 42)
        if offset > directory_offset:
            return None
        raw = data[at + 46 : at + 46 + name_size]
        name = _name(raw, _u16(data, at + 8))
        members[name] = Member(
            _u16(data, at + 10), _u32(data, at + 20), _u32(data, at + 24), offset + shift,
            _u16(data, at + 12), _u16(data, at + 14),
        )  # fmt: skip
        at += 46 + name_size + extra_size + comment_size
    return members


def _name(raw: bytes, flags: int) -> str:
    if flags & 0x800:
        return raw.decode("utf-8", "surrogateescape")
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
    return data


def _u16(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "little")


def _u32(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")
