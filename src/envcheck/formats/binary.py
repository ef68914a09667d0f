"""Turns the bytes of an executable or shared library into the facts that tell what it is and what it loads.

ELF in the depth that finding an interpreter's version needs; PE and Mach-O by kind and architecture. Every
offset and count comes from the file and may lie: each read is bounded, and nonsense gives ``None`` or less detail.
"""

import struct
from collections.abc import Callable

from envcheck.model.nouns import Literal, NamedTuple

Reader = Callable[[int, int], bytes]
"""``(offset, size)`` to at most ``size`` bytes; fewer at the end of the file."""

BinaryKind = Literal["elf", "pe", "mach-o"]

_HEADERS = 512
"""Program or section headers that are looked at; a real interpreter has some forty."""
_TABLE = 8 << 20
"""Bytes of one string or symbol table that are looked at."""
_STRAYS = 10_000
"""Times that the wanted bytes may stand in a symbol table where no entry begins."""
_NEEDED = 256
"""Libraries that one binary may name."""

_ELF_MACHINES = {
    0x03: "i686",
    0x08: "mips",
    0x14: "ppc",
    0x15: "ppc64",
    0x16: "s390x",
    0x28: "arm",
    0x3E: "x86_64",
    0xB7: "aarch64",
    0xF3: "riscv64",
    0x102: "loongarch64",
}
_PE_MACHINES = {0x14C: "win32", 0x8664: "amd64", 0xAA64: "arm64", 0x1C4: "arm"}
_MACH_MACHINES = {0x7: "i386", 0x01000007: "x86_64", 0xC: "arm", 0x0100000C: "arm64", 0x12: "ppc"}

_PT_LOAD, _PT_DYNAMIC, _PT_INTERP = 1, 2, 3
_SHT_DYNSYM = 11
_DT_NEEDED, _DT_STRTAB, _DT_STRSZ, _DT_RPATH, _DT_RUNPATH = 1, 5, 10, 15, 29


class Section(NamedTuple):
    """One named range of a binary."""

    name: str
    kind: int
    offset: int
    size: int
    link: int


class Segment(NamedTuple):
    """One range of a file and the address that it is loaded at."""

    kind: int
    offset: int
    address: int
    size: int


class Binary(NamedTuple):
    """What a binary is and what the dynamic loader is told to load with it."""

    kind: BinaryKind
    machine: str
    """In the spelling of ``platform.machine()``; ``unknown`` for one that is not in the table."""
    bits: int = 64
    little: bool = True
    interp: str | None = None
    """The dynamic loader (``PT_INTERP``)."""
    needed: tuple[str, ...] = ()
    rpath: tuple[str, ...] = ()
    runpath: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()
    segments: tuple[Segment, ...] = ()

    def section(self, name: str) -> Section | None:
        """The first section of that name."""
        return next((section for section in self.sections if section.name == name), None)


def read_binary(read: Reader) -> Binary | None:
    """The facts of an ELF, PE or Mach-O file; ``None`` for anything else, or for headers that make no sense."""
    head = read(0, 64)
    try:
        if head.startswith(b"\x7fELF"):
            return _read_elf(read, head)
        if head.startswith(b"MZ"):
            return _read_pe(read, head)
        return _read_mach_o(head)
    except (struct.error, ValueError, OverflowError):
        return None


def section_bytes(read: Reader, section: Section) -> bytes:
    """A section's content, up to the bound on one table."""
    return read(section.offset, min(section.size, _TABLE))


def symbol_value(read: Reader, binary: Binary, name: str, size: int) -> bytes | None:
    """``size`` bytes at the address of an exported object of an ELF file, or ``None`` where it exports no such name."""
    symbols = next((section for section in binary.sections if section.kind == _SHT_DYNSYM), None)
    if symbols is None or not 0 < symbols.link < len(binary.sections):
        return None
    names = section_bytes(read, binary.sections[symbols.link])
    where = names.find(b"\0" + name.encode("ascii") + b"\0")
    if where < 0:
        return None
    order = "<" if binary.little else ">"
    wanted = struct.pack(order + "I", where + 1)
    entry, value_at = (24, 8) if binary.bits == 64 else (16, 4)
    table = section_bytes(read, symbols)
    at = table.find(wanted)
    for _ in range(_STRAYS):
        if at % entry == 0 or at < 0:
            break
        at = table.find(wanted, at + 1)
    if at < 0 or at % entry or at + entry > len(table):
        return None
    (address,) = struct.unpack_from(order + ("Q" if binary.bits == 64 else "I"), table, at + value_at)
    offset = _file_offset(binary.segments, address)
    if offset is None:
        return None
    data = read(offset, size)
    return data if len(data) == size else None


def _file_offset(segments: tuple[Segment, ...], address: int) -> int | None:
    for segment in segments:
        if segment.kind == _PT_LOAD and segment.address <= address < segment.address + segment.size:
            return segment.offset + address - segment.address
    return None


def _read_elf(read: Reader, head: bytes) -> Binary | None:
    if len(head) < 52 or head[4] not in (1, 2) or head[5] not in (1, 2):
        return None
    bits = 32 * head[4]
    little = head[5] == 1
    order = "<" if little else ">"
    (machine,) = struct.unpack_from(order + "H", head, 18)
    if bits == 64:
        program_at, section_at = struct.unpack_from(order + "QQ", head, 32)
        program_size, programs, section_size, sections, names_at = struct.unpack_from(order + "5H", head, 54)
    else:
        program_at, section_at = struct.unpack_from(order + "II", head, 28)
        program_size, programs, section_size, sections, names_at = struct.unpack_from(order + "5H", head, 42)
    segments = _read_segments(read, order, bits, program_at, program_size, programs)
    named = _read_sections(read, order, bits, section_at, section_size, sections, names_at)
    interp = next((read(s.offset, min(s.size, 4096)) for s in segments if s.kind == _PT_INTERP), None)
    tags, strings = _read_dynamic(read, order, bits, segments)
    name = _ELF_MACHINES.get(machine, "unknown")
    return Binary(
        "elf",
        "ppc64le" if name == "ppc64" and little else name,
        bits,
        little,
        None if interp is None else _text(interp),
        tuple(_string(strings, value) for tag, value in tags if tag == _DT_NEEDED)[:_NEEDED],
        _paths(strings, tags, _DT_RPATH),
        _paths(strings, tags, _DT_RUNPATH),
        named,
        segments,
    )


def _read_segments(read: Reader, order: str, bits: int, at: int, size: int, count: int) -> tuple[Segment, ...]:
    layout = struct.Struct(order + ("IIQQQQ" if bits == 64 else "IIIII"))
    if size < layout.size:
        return ()
    count = min(count, _HEADERS)
    data = read(at, size * count)
    segments = []
    for start in range(0, len(data) - layout.size + 1, size):
        values = layout.unpack_from(data, start)
        if bits == 64:
            kind, _, offset, address, _, length = values
        else:
            kind, offset, address, _, length = values
        segments.append(Segment(kind, offset, address, length))
    return tuple(segments)


def _read_sections(
    read: Reader, order: str, bits: int, at: int, size: int, count: int, names_at: int
) -> tuple[Section, ...]:
    layout = struct.Struct(order + ("IIQQQQI" if bits == 64 else "IIIIIII"))
    if size < layout.size or not at:
        return ()
    count = min(count, _HEADERS)
    data = read(at, size * count)
    headers = [layout.unpack_from(data, start) for start in range(0, len(data) - layout.size + 1, size)]
    if names_at >= len(headers):
        return ()
    names = read(headers[names_at][4], min(headers[names_at][5], _TABLE))
    return tuple(
        Section(_string(names, name), kind, offset, length, link) for name, kind, _, _, offset, length, link in headers
    )


def _read_dynamic(
    read: Reader, order: str, bits: int, segments: tuple[Segment, ...]
) -> tuple[list[tuple[int, int]], bytes]:
    """The entries of the dynamic section and its string table."""
    dynamic = next((segment for segment in segments if segment.kind == _PT_DYNAMIC), None)
    if dynamic is None:
        return [], b""
    layout = struct.Struct(order + ("qQ" if bits == 64 else "iI"))
    data = read(dynamic.offset, min(dynamic.size, layout.size * 4096))
    tags = []
    for tag, value in layout.iter_unpack(data[: len(data) - len(data) % layout.size]):
        if tag == 0:
            break
        tags.append((tag, value))
    known = dict(tags)
    offset = _file_offset(segments, known.get(_DT_STRTAB, 0))
    strings = b"" if offset is None else read(offset, min(known.get(_DT_STRSZ, 0), _TABLE))
    return tags, strings


def _paths(strings: bytes, tags: list[tuple[int, int]], wanted: int) -> tuple[str, ...]:
    return tuple(part for tag, value in tags if tag == wanted for part in _string(strings, value).split(":") if part)[
        :_NEEDED
    ]


def _string(table: bytes, at: int) -> str:
    if not 0 <= at < len(table):
        return ""
    end = table.find(b"\0", at, at + 4096)
    return _text(table[at : end if end >= 0 else at + 4096])


def _text(data: bytes) -> str:
    return data.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")


def _read_pe(read: Reader, head: bytes) -> Binary | None:
    (at,) = struct.unpack_from("<I", head, 0x3C)
    signature = read(at, 6)
    if len(signature) < 6 or not signature.startswith(b"PE\0\0"):
        return None
    (machine,) = struct.unpack_from("<H", signature, 4)
    name = _PE_MACHINES.get(machine, "unknown")
    return Binary("pe", name, 32 if name in ("win32", "arm") else 64)


def _read_mach_o(head: bytes) -> Binary | None:
    if len(head) < 8:
        return None
    magic = head[:4]
    if magic in (b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf"):
        (count,) = struct.unpack_from(">I", head, 4)
        # A Java class file has the same magic; its second word is a version far above any count of architectures.
        return Binary("mach-o", "universal2" if count > 1 else "unknown") if 0 < count < 20 else None
    orders = {
        b"\xcf\xfa\xed\xfe": ("<", 64),
        b"\xce\xfa\xed\xfe": ("<", 32),
        b"\xfe\xed\xfa\xcf": (">", 64),
        b"\xfe\xed\xfa\xce": (">", 32),
    }
    if magic not in orders:
        return None
    order, bits = orders[magic]
    (machine,) = struct.unpack_from(order + "I", head, 4)
    return Binary("mach-o", _MACH_MACHINES.get(machine, "unknown"), bits, order == "<")
