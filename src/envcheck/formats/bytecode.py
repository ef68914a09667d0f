"""The header of a ``.pyc``: bytes in, and whether a given CPython would run them instead of the source.

PEP 3147 (where it lies), PEP 552 (flags and hashes), ``importlib._bootstrap_external`` (what is accepted).
Nothing here unmarshals.
"""

import re
from collections.abc import Callable

from envcheck.model.nouns import Literal, NamedTuple

HEADER_SIZE = 16
_TAG = re.compile(r"\.(?:cpython|pypy|graalpy|graalpython|jython|ironpython)[-0-9a-z]*(?:\.|$)")

MAGIC_NUMBERS: dict[tuple[int, int], tuple[int, int]] = {
    (3, 6): (3379, 3379),
    (3, 7): (3394, 3394),
    (3, 8): (3413, 3413),
    (3, 9): (3425, 3425),
    (3, 10): (3439, 3439),
    (3, 11): (3495, 3495),
    (3, 12): (3531, 3531),
    (3, 13): (3571, 3571),
    (3, 14): (3627, 3627),
    # Every number that this release line may use: the pre-releases count upwards from 3650, 3.16 begins at 3700.
    (3, 15): (3650, 3699),
}
"""First and last magic number of each release line (Include/internal/pycore_magic_number.h)."""

HashCheck = Literal["default", "always", "never"]
"""``--check-hash-based-pycs``."""


class Header(NamedTuple):
    """The first sixteen bytes, taken apart (PEP 552). ``mtime`` and ``size`` are those of the source, mod 2**32."""

    magic: int
    flags: int
    mtime: int
    size: int
    source_hash: bytes

    @property
    def hash_based(self) -> bool:
        """The header holds a hash of the source, no time stamp."""
        return bool(self.flags & 1)

    @property
    def check_source(self) -> bool:
        """A hash-based header that asks to be compared with the source."""
        return bool(self.flags & 2)


def read_header(data: bytes, minor: tuple[int, int]) -> Header | None:
    """The header as that CPython reads it; ``None`` where it is cut, of another version or has unknown flags."""
    low, high = MAGIC_NUMBERS.get(minor, (0, -1))
    if len(data) < 4 or data[2:4] != b"\r\n" or not low <= int.from_bytes(data[:2], "little") <= high:
        return None
    magic = int.from_bytes(data[:2], "little")
    if minor < (3, 7):
        if len(data) < 12:
            return None
        return Header(magic, 0, _u32(data, 4), _u32(data, 8), b"")
    if len(data) < HEADER_SIZE:
        return None
    flags = _u32(data, 4)
    if flags & ~0b11:
        return None
    return Header(magic, flags, _u32(data, 8), _u32(data, 12), bytes(data[8:16]))


def magic_is_of(data: bytes, minor: tuple[int, int]) -> bool:
    """Whether the bytes begin with a magic number of that release line."""
    low, high = MAGIC_NUMBERS.get(minor, (0, -1))
    return data[2:4] == b"\r\n" and low <= int.from_bytes(data[:2], "little") <= high


def matches_stat(header: Header, mtime: float, size: int) -> bool:
    """Whether a time-stamped header stands for a source with this ``st_mtime`` and ``st_size``."""
    return header.mtime == int(mtime) & 0xFFFFFFFF and header.size == size & 0xFFFFFFFF


def needs_source(header: Header, check: HashCheck = "default") -> bool:
    """Whether CPython hashes the source before it runs this bytecode."""
    return header.hash_based and check != "never" and (header.check_source or check == "always")


def accepted(
    header: Header, mtime: float, size: int, minor: tuple[int, int], check: HashCheck, source: Callable[[], bytes]
) -> bool:
    """Whether CPython runs bytecode with this header instead of a source with these facts and bytes."""
    if not header.hash_based:
        return matches_stat(header, mtime, size)
    return not needs_source(header, check) or source_hash(source(), header.magic, minor) == header.source_hash


def source_hash(source: bytes, magic: int, minor: tuple[int, int]) -> bytes:
    """The eight bytes that a hash-based ``.pyc`` of this source carries: ``_imp.source_hash`` of that version.

    SipHash with the magic token as key: SipHash-2-4 up to 3.10, SipHash-1-3 from 3.11 (gh-73596).
    """
    import _imp
    import sys

    token = magic | 0x0A0D0000
    if (sys.version_info >= (3, 11)) == (minor >= (3, 11)):
        return _imp.source_hash(token, source)
    return siphash(token, source, 1 if minor >= (3, 11) else 2, 3 if minor >= (3, 11) else 4)


def siphash(key: int, data: bytes, compression: int, finalization: int) -> bytes:
    """SipHash-c-d with a key whose upper half is zero, as ``_Py_KeyedHash`` computes it; little-endian."""
    mask = 0xFFFFFFFFFFFFFFFF
    v0, v1 = key ^ 0x736F6D6570736575, 0x646F72616E646F6D
    v2, v3 = key ^ 0x6C7967656E657261, 0x7465646279746573

    def rounds(count: int) -> None:
        nonlocal v0, v1, v2, v3
        for _ in range(count):
            v0 = (v0 + v1) & mask
            v1 = ((v1 << 13) | (v1 >> 51)) & mask ^ v0
            v0 = ((v0 << 32) | (v0 >> 32)) & mask
            v2 = (v2 + v3) & mask
            v3 = ((v3 << 16) | (v3 >> 48)) & mask ^ v2
            v0 = (v0 + v3) & mask
            v3 = ((v3 << 21) | (v3 >> 43)) & mask ^ v0
            v2 = (v2 + v1) & mask
            v1 = ((v1 << 17) | (v1 >> 47)) & mask ^ v2
            v2 = ((v2 << 32) | (v2 >> 32)) & mask

    whole = len(data) & ~7
    for start in range(0, whole, 8):
        word = int.from_bytes(data[start : start + 8], "little")
        v3 ^= word
        rounds(compression)
        v0 ^= word
    last = int.from_bytes(data[whole:], "little") | (len(data) & 0xFF) << 56
    v3 ^= last
    rounds(compression)
    v0 ^= last
    v2 ^= 0xFF
    rounds(finalization)
    return (v0 ^ v1 ^ v2 ^ v3).to_bytes(8, "little")


def cache_name(stem: str, tag: str, optimize: int = 0) -> str:
    """``NAME.cpython-311.opt-1.pyc`` (PEP 3147, PEP 488)."""
    return f"{stem}.{tag}.opt-{optimize}.pyc" if optimize else f"{stem}.{tag}.pyc"


def optimization(name: str) -> int | None:
    """The level in the name of cached bytecode: 0, 1 or 2 (``-OOO`` compiles as ``-OO``); ``None`` for another."""
    tag = name.removesuffix(".pyc").rpartition(".")[2]
    if not tag.startswith("opt-"):
        return 0
    level = tag[4:]
    return min(int(level), 2) if level.isascii() and level.isdecimal() and int(level) else None


def _u32(data: bytes, start: int) -> int:
    return int.from_bytes(data[start : start + 4], "little")


def source_name(name: str) -> str | None:
    """``mod.cpython-311.opt-1.pyc`` to ``mod.py``; ``None`` for what is no cached bytecode.

    A module's file may have dots in its name (compileall takes any), and pytest's tag has them too.
    """
    if not name.endswith(".pyc"):
        return None
    found = _TAG.search(name)
    return name[: found.start()] + ".py" if found and found.start() else None


def source_key(key: str) -> str | None:
    """The key of the source of bytecode in ``__pycache__``; ``None`` for any other file."""
    directory, _, name = key.rpartition("/")
    if directory.rpartition("/")[2] != "__pycache__":
        return None
    source = source_name(name)
    return None if source is None else directory[: -len("__pycache__")] + source
