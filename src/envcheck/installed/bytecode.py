"""A ``.pyc`` into the source that owns it, and whether it runs whatever that source says (PEP 3147, PEP 552)."""

from __future__ import annotations

import re

from envcheck.files.root import Files, Unreadable

HEADER = 16
_TAG = re.compile(r"\.(?:cpython|pypy|graalpy|graalpython|jython|ironpython)[-0-9a-z]*(?:\.|$)")
_UNCHECKED = 0b01
_FLAG_BITS = 0b11


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
