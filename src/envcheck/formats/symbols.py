"""A PE or Mach-O file into the names that it takes from libraries, without loading it.

Offsets and counts come from the file and may lie: all reads are bounded, and what makes no sense is left out.
"""

from __future__ import annotations

import struct

from envcheck.formats.binary import Reader

MAX_NAMES = 100_000
_MAX_LIBRARIES = 256
_MAX_COMMANDS = 4096
_TABLE = 8 << 20
_LC_SYMTAB = 2
_UNDEFINED_MASK, _STABS = 0x0E, 0xE0


def pe_imports(read: Reader) -> list[str]:
    """The functions in the import table of a PE file (PE/COFF specification, section 6.4), without ordinals."""
    try:
        return list(dict.fromkeys(_pe(read)))
    except struct.error:
        return []


def mach_o_imports(read: Reader) -> list[str]:
    """The undefined symbols of a Mach-O file, or of each architecture in a universal one; C's underscore taken off."""
    found: list[str] = []
    for start in _slices(read):
        try:
            found += _mach_o(read, start)
        except struct.error:
            continue
    return list(dict.fromkeys(found))[:MAX_NAMES]


def _pe(read: Reader) -> list[str]:
    (at,) = struct.unpack("<I", read(0x3C, 4))
    sections, optional_size = struct.unpack("<H12xH", read(at + 6, 16))
    optional = at + 24
    (magic,) = struct.unpack("<H", read(optional, 2))
    wide = magic == 0x20B
    (table, _) = struct.unpack("<II", read(optional + (120 if wide else 104), 8))
    rows = read(optional + optional_size, 40 * min(sections, 96))
    places = [struct.unpack_from("<8xIIII", rows, start) for start in range(0, len(rows) - 39, 40)]

    def offset(address: int) -> int | None:
        for size, begin, raw_size, raw in places:
            if begin <= address < begin + max(size, raw_size):
                return int(raw + address - begin)
        return None

    found: list[str] = []
    where = offset(table)
    for number in range(_MAX_LIBRARIES if where is not None else 0):
        lookup, _, _, name, first = struct.unpack("<IIIII", read((where or 0) + 20 * number, 20))
        names = offset(lookup or first)
        if not name or names is None:
            break
        entry, ordinal = ("<Q", 1 << 63) if wide else ("<I", 1 << 31)
        size = struct.calcsize(entry)
        data = read(names, size * 8192)
        for (value,) in struct.iter_unpack(entry, data[: len(data) - len(data) % size]):
            place = None if value & ordinal else offset(value & 0x7FFFFFFF)
            if not value or len(found) >= MAX_NAMES:
                break
            if place is not None:
                found.append(_name(read(place + 2, 256), 0))
    return found


def _slices(read: Reader) -> list[int]:
    head = read(0, 8)
    if head[:4] not in (b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf"):
        return [0]
    wide = head[3] == 0xBF
    rows = read(8, (32 if wide else 20) * min(int.from_bytes(head[4:8], "big"), 16))
    layout = struct.Struct(">8xQ16x" if wide else ">8xI8x")
    return [start for (start,) in layout.iter_unpack(rows[: len(rows) - len(rows) % layout.size])]


def _mach_o(read: Reader, start: int) -> list[str]:
    head = read(start, 32)
    wide = head[:4] in (b"\xcf\xfa\xed\xfe", b"\xfe\xed\xfa\xcf")
    order = "<" if head[:1] in (b"\xcf", b"\xce") else ">"
    count, size = struct.unpack_from(order + "II", head, 16)
    commands = read(start + (32 if wide else 28), min(size, _TABLE))
    at = 0
    for _ in range(min(count, _MAX_COMMANDS)):
        kind, length = struct.unpack_from(order + "II", commands, at)
        if kind == _LC_SYMTAB:
            symbols_at, number, strings_at, strings_size = struct.unpack_from(order + "IIII", commands, at + 8)
            strings = read(start + strings_at, min(strings_size, _TABLE))
            layout = struct.Struct(order + ("IBBHQ" if wide else "IBBHI"))
            table = read(start + symbols_at, layout.size * min(number, MAX_NAMES))
            rows = layout.iter_unpack(table[: len(table) - len(table) % layout.size])
            return [_name(strings, row[0]).removeprefix("_") for row in rows if not row[1] & (_UNDEFINED_MASK | _STABS)]
        if length < 8:
            break
        at += length
    return []


def _name(table: bytes, at: int) -> str:
    end = table.find(b"\0", at, at + 256)
    return table[at : end if end >= 0 else at + 256].decode("ascii", "replace")
