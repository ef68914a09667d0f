"""A ``.pyc`` into the source that owns it, and whether it runs whatever that source says (PEP 3147, PEP 552)."""

from __future__ import annotations

from envcheck.files.root import Files, Unreadable
from envcheck.formats.bytecode import source_key as source_key
from envcheck.formats.bytecode import source_name as source_name

HEADER = 16
_UNCHECKED = 0b01
_FLAG_BITS = 0b11


def is_unchecked(header: bytes) -> bool:
    """Whether a header says "hash-based, never compared with the source" (PEP 552; 3.7 and later)."""
    flags = int.from_bytes(header[4:8], "little")
    return len(header) >= 8 and header[2:4] == b"\r\n" and flags & _FLAG_BITS == _UNCHECKED


def unchecked(files: Files, path: str) -> bool:
    """Whether the file at ``path`` is unchecked-hash bytecode; what cannot be read is noted and is not."""
    try:
        return is_unchecked(files.read_part(path, HEADER)[0])
    except Unreadable as error:
        files.miss(error.path, error.why)
        return False
