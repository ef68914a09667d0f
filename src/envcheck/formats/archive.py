"""A zip archive's bytes into its members, strictly and within bounds; what is odd about it is a fact, never an error.

An installer reads either the central directory (pip, by ``zipfile``) or the local headers as they come (uv). Only an
archive for which both tell the same has one content; everything else is told as what it is (PKWARE's APPNOTE.TXT 4.3).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterable, Sequence

from envcheck.model.nouns import Literal, NamedTuple

ReadAt = Callable[[int, int], bytes]
"""Offset and size to bytes; fewer where the archive ends before."""

OddityKind = Literal[
    # The archive has no certain content.
    "no-archive",  # its end is not that of a zip archive
    "surrounded",  # bytes before or behind the archive
    "inconsistent",  # the central directory is cut, or contradicts itself
    "header-mismatch",  # a local header says something else than the central directory
    "overlap",  # two members share bytes
    "hidden-member",  # bytes between members hold a local header
    "encrypted",
    "method",  # a compression that is not read here
    "bomb",  # more than the bounds, or than its compression can give
    "damaged",  # a member's bytes are not those that its header promises
    "no-wheel",  # not one .dist-info directory, or one of another name; no RECORD
    # A member that installers refuse, or leave out.
    "parent",
    "absolute",
    "drive",
    "backslash",
    "odd-name",  # empty, not in normal form, or with a control character
    # What installers take, and what has one meaning.
    "duplicate",
    "case-twins",
    "link",
    "foreign-data",  # a .data directory that is not the wheel's own by its name
]

AMBIGUOUS: frozenset[OddityKind] = frozenset(
    {
        "no-archive",
        "surrounded",
        "inconsistent",
        "header-mismatch",
        "overlap",
        "hidden-member",
        "encrypted",
        "method",
        "bomb",
        "damaged",
        "no-wheel",
    }
)
"""Such an archive's content is not certain, and nothing is proven by it."""
UNSAFE: frozenset[OddityKind] = frozenset({"parent", "absolute", "drive", "backslash", "odd-name"})
"""Such a member is in no manifest."""

_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
LOCAL_SIZE = 30
"""Bytes of a local header without its name and extra field."""
_MAX_COMMENT = 0xFFFF
_MAX_DIRECTORY = 64 << 20
_MAX_MEMBERS = 200_000
_MAX_TOTAL = 32 << 30
_MAX_RATIO = 1040
"""Deflate gives at most 1032 bytes for one (zlib's technical details)."""
MOST_ODDITIES = 50
ENCRYPTED = 0x0001 | 0x0040 | 0x2000
DESCRIPTOR = 0x0008
UTF8 = 0x0800
_LINK = 0o120000
_KIND = 0o170000
STORED, DEFLATED = 0, 8
_DRIVE = re.compile(r"[A-Za-z]:")
_CONTROL = re.compile(r"[\0-\x1f\x7f]")


class Oddity(NamedTuple):
    """One thing that is odd, and the member where it is."""

    kind: OddityKind
    detail: str
    member: str | None = None


class Entry(NamedTuple):
    """A member as the central directory has it."""

    name: str
    raw: bytes
    """The name's own bytes, which the local header repeats."""
    offset: int
    """Of its local header."""
    compressed: int
    size: int
    method: int
    flags: int
    crc: int
    fixed: bytes = b""
    """What a local header repeats, where nothing is odd: from the version that it needs to the name's length."""

    @property
    def is_directory(self) -> bool:
        """An entry that only makes a directory."""
        return self.name.endswith("/")


class Archive(NamedTuple):
    """What the central directory says, in its order; empty where the archive is none."""

    entries: tuple[Entry, ...]
    oddities: tuple[Oddity, ...]
    directory: tuple[int, bytes] = (0, b"")
    """Offset and bytes of the central directory and all behind it: what was read to know this."""
    safe: tuple[Entry, ...] = ()
    """The files among them that installers write, each name once: the last of several wins."""

    @property
    def certain(self) -> bool:
        """Whether the archive has one content."""
        return not any(oddity.kind in AMBIGUOUS for oddity in self.oddities)


def read_archive(read_at: ReadAt, size: int) -> Archive:
    """The members of an archive of ``size`` bytes. Local headers are not read here: `formats.localheaders` does."""
    try:
        return _read_archive(read_at, size)
    except _No as error:
        return Archive((), (error.oddity,))


class _No(Exception):
    """There is nothing to read further."""

    def __init__(self, kind: OddityKind, detail: str) -> None:
        super().__init__(detail)
        self.oddity = Oddity(kind, detail)


def _read_archive(read_at: ReadAt, size: int) -> Archive:
    end, count, length, offset = _end(read_at, size)
    if offset + length > end:
        raise _No("inconsistent", "the central directory reaches behind its own end")
    if offset + length < end:
        raise _No("surrounded", "bytes stand before the archive, or behind its central directory")
    if length > _MAX_DIRECTORY or count > _MAX_MEMBERS:
        raise _No("bomb", f"a central directory of {length:,} bytes for {count:,} members")
    data = read_at(offset, size - offset)
    if len(data) != size - offset:
        raise _No("inconsistent", "it ended while it was read")
    odd: list[Oddity] = []
    entries = _entries(data[:length], count, odd)
    safe = _safe(entries, odd)
    _check_extent(entries, offset, odd)
    return Archive(tuple(entries), tuple(odd[:MOST_ODDITIES]), (offset, data), tuple(safe))


def _end(read_at: ReadAt, size: int) -> tuple[int, int, int, int]:
    """Where the central directory ends, its number of members, its length and its offset."""
    tail = read_at(max(size - _END.size, 0), _END.size)
    start = size - _END.size
    if not (len(tail) == _END.size and tail.startswith(b"PK\5\6") and tail.endswith(b"\0\0")):
        start = max(size - _END.size - _MAX_COMMENT, 0)
        tail = read_at(start, size - start)
        at = tail.rfind(b"PK\5\6")
        if at < 0 or len(tail) - at < _END.size:
            raise _No("no-archive", "it does not end as a zip archive does")
        if at + _END.size + int.from_bytes(tail[at + 20 : at + 22], "little") != len(tail):
            raise _No("surrounded", "bytes stand behind the archive's end")
        start, tail = start + at, tail[at:]
    _, disk, first, here, count, length, offset, _ = _END.unpack_from(tail)
    if disk or first or here != count:
        raise _No("inconsistent", "it says that it is one of several parts")
    locator = read_at(start - _LOCATOR.size, _LOCATOR.size) if start >= _LOCATOR.size else b""
    if locator.startswith(b"PK\6\7"):
        return _end_64(read_at, start - _LOCATOR.size, locator, (count, length, offset))
    return start, count, length, offset


def _end_64(read_at: ReadAt, end: int, locator: bytes, short: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """The same of a zip64 archive, whose short fields are all ones or the same."""
    _, disk, at, disks = _LOCATOR.unpack(locator)
    data = read_at(at, _END_64.size) if at + _END_64.size <= end else b""
    if len(data) < _END_64.size or not data.startswith(b"PK\6\6") or disk or disks != 1:
        raise _No("inconsistent", "its zip64 end is not where it says")
    _, left, _, _, number, first, here, count, length, offset = _END_64.unpack(data)
    if at + 12 + left != end or number or first or here != count:
        raise _No("inconsistent", "its zip64 end contradicts itself")
    for value, whole, ones in zip(short, (count, length, offset), (0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF), strict=True):
        if value not in (whole, ones):
            raise _No("inconsistent", "its zip64 end contradicts the plain one")
    return at, count, length, offset


def _entries(data: bytes, count: int, odd: list[Oddity]) -> list[Entry]:
    entries = []
    at = 0
    unpack, fixed, new = _CENTRAL.unpack_from, _CENTRAL.size, tuple.__new__
    total = 0
    for _ in range(count):
        if at + fixed > len(data):
            raise _No("inconsistent", "the central directory has fewer members than it says")
        fields = unpack(data, at)
        signature, _, _, flags, method, _, _, crc, compressed, size, named, extra, comment, disk, _, mode, offset = (
            fields
        )
        if signature != b"PK\1\2":
            raise _No("inconsistent", "the central directory is broken off")
        begin = at + fixed
        head = data[at + 6 : at + 30]
        raw = data[begin : begin + named]
        tail = data[begin + named : begin + named + extra]
        at = begin + named + extra + comment
        name = _decode(raw, flags)
        if tail and (0xFFFFFFFF in (size, compressed, offset) or b"up" in tail):
            size, compressed, offset = _extended(tail, size, compressed, offset, name, raw, odd)
        if disk:
            odd.append(Oddity("inconsistent", "lies in another part", name))
        if flags & ENCRYPTED:
            odd.append(Oddity("encrypted", "is encrypted", name))
        if method not in (STORED, DEFLATED):
            odd.append(Oddity("method", f"is compressed by method {method}", name))
        elif method == STORED and size != compressed:
            odd.append(Oddity("inconsistent", "is stored, with two sizes", name))
        elif size > _MAX_RATIO * compressed + 64:
            odd.append(Oddity("bomb", f"{compressed:,} bytes cannot be {size:,}", name))
        if mode >> 16 & _KIND == _LINK:
            odd.append(Oddity("link", "is a link; installers write a file that holds its text", name))
        total += size
        entries.append(new(Entry, (name, raw, offset, compressed, size, method, flags, crc, head)))
        if len(odd) > 10 * MOST_ODDITIES:
            raise _No("inconsistent", f"more than {len(odd)} things are odd, first: {odd[0].detail}")
    if at != len(data):
        odd.append(Oddity("inconsistent", "the central directory holds more than its members"))
    if total > _MAX_TOTAL:
        odd.append(Oddity("bomb", f"unpacks to {total:,} bytes"))
    return entries


def _decode(raw: bytes, flags: int) -> str:
    """UTF-8 where a flag says so or it is ASCII, else code page 437 (APPNOTE.TXT, appendix D)."""
    if flags & UTF8:
        return raw.decode("utf-8", "surrogateescape")
    return raw.decode("ascii") if raw.isascii() else raw.decode("cp437")


def _extended(
    extra: bytes, size: int, compressed: int, offset: int, name: str, raw: bytes, odd: list[Oddity]
) -> tuple[int, int, int]:
    """The sizes and the offset of a zip64 member; a name that the extra fields give must be the same."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        value = extra[at + 4 : at + 4 + length]
        at += 4 + length
        if kind == 0x7075 and value[5:] != raw:
            odd.append(Oddity("header-mismatch", "its extra field gives another name", name))
        if kind != 1:
            continue
        numbers = list(struct.unpack_from(f"<{len(value) // 8}Q", value))
        if size == 0xFFFFFFFF and numbers:
            size = numbers.pop(0)
        if compressed == 0xFFFFFFFF and numbers:
            compressed = numbers.pop(0)
        if offset == 0xFFFFFFFF and numbers:
            offset = numbers.pop(0)
    return size, compressed, offset


def _safe(entries: Sequence[Entry], odd: list[Oddity]) -> list[Entry]:
    """The files that installers write, each name once; why others are not among them, and what is odd about names."""
    found: dict[str, Entry] = {}
    for entry in entries:
        name = entry.name
        if name.endswith("/"):
            if entry.size:
                odd.append(Oddity("odd-name", "is a directory with a content", name))
            continue
        kind = _unsafe(name)
        if kind is not None:
            odd.append(Oddity(kind, "names a place that no installer writes to", name))
            continue
        if name in found:
            odd.append(Oddity("duplicate", "is there twice; the last one is installed", name))
        found[name] = entry
    lowered = {name.lower() for name in found}
    if len(lowered) != len(found):
        seen: set[str] = set()
        for name in found:
            if name.lower() in seen:
                odd.append(Oddity("case-twins", "differs from another only in case", name))
            seen.add(name.lower())
    return list(found.values())


def _unsafe(name: str) -> OddityKind | None:
    if not name or _CONTROL.search(name):
        return "odd-name"
    if "\\" in name:
        return "backslash"
    if name[0] == "/":
        return "absolute"
    if _DRIVE.match(name):
        return "drive"
    if "." in name or "//" in name:
        parts = name.split("/")
        if ".." in parts:
            return "parent"
        if "." in parts or "" in parts:
            return "odd-name"
    return None


def _check_extent(entries: Iterable[Entry], end: int, odd: list[Oddity]) -> None:
    """Members begin where the archive does, and none reaches into the next one."""
    reached = 0
    for entry in sorted(entries, key=lambda entry: entry.offset):
        if entry.offset < reached:
            odd.append(Oddity("overlap", "shares bytes with another member", entry.name))
        elif not reached and entry.offset:
            odd.append(Oddity("surrounded", f"{entry.offset:,} bytes stand before the first member", entry.name))
        reached = max(reached, entry.offset + LOCAL_SIZE + len(entry.raw) + entry.compressed)
    if reached > end:
        odd.append(Oddity("overlap", "a member reaches into the central directory"))
