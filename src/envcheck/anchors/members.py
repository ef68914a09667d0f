"""A member's compressed bytes, as they come, into its digest; never more than its header promises."""

from __future__ import annotations

import zlib

from envcheck.formats.archive import DEFLATED, Entry
from envcheck.model.nouns import NamedTuple

_STEP = 1 << 20
_SHEBANG = b"#!python"
_LONGEST_LINE = 64 << 10


class Content(NamedTuple):
    """What a member holds."""

    sha256: bytes
    size: int
    body: bytes | None = None
    """sha256 of all behind the first line, where that begins with ``#!python``."""


class Unpacking:
    """One member being unpacked: fed with its bytes, then finished."""

    def __init__(self, entry: Entry, keep: bool = False) -> None:
        import hashlib

        self._entry = entry
        self._inflate = zlib.decompressobj(-15) if entry.method == DEFLATED else None
        self._hash = hashlib.sha256()
        self._body: hashlib._Hash | None = None
        self._head: bytes | None = b""
        self._kept: list[bytes] | None = [] if keep else None
        self._crc = self._size = 0
        self._failed = False

    def feed(self, data: memoryview) -> None:
        """The next bytes of the member."""
        if self._failed:
            return
        if self._inflate is None:
            self._take(bytes(data))
            return
        left: bytes | memoryview = data
        try:
            while left and not self._failed:
                self._take(self._inflate.decompress(left, _STEP))
                left = self._inflate.unconsumed_tail
        except zlib.error:
            self._failed = True

    def begins_with_python(self, data: bytes) -> bool:
        """Whether the member begins with ``#!python``, by its first bytes; true where they do not tell."""
        try:
            head = data if self._inflate is None else self._inflate.decompress(data, len(_SHEBANG))
        except zlib.error:
            return True
        if len(head) < min(len(_SHEBANG), self._entry.size):
            return True
        return head.startswith(_SHEBANG)

    def content(self) -> Content | None:
        """What it holds; ``None`` where that is not what its header promises."""
        if self._inflate is not None and not self._failed:
            try:
                while not self._inflate.eof and (rest := self._inflate.decompress(b"", _STEP)):
                    self._take(rest)
            except zlib.error:
                self._failed = True
            self._failed |= not self._inflate.eof or bool(self._inflate.unused_data)
        if self._failed or self._size != self._entry.size or self._crc != self._entry.crc:
            return None
        body = self._body
        if self._head is not None and self._head.startswith(_SHEBANG):
            import hashlib

            body = hashlib.sha256()  # one line, and no end of it
        return Content(self._hash.digest(), self._size, body.digest() if body is not None else None)

    def kept(self) -> bytes:
        """All of it, where it was to be kept."""
        return b"".join(self._kept or ())

    def _take(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > self._entry.size:
            self._failed = True
            return
        self._crc = zlib.crc32(data, self._crc)
        self._hash.update(data)
        if self._kept is not None:
            self._kept.append(data)
        if self._body is not None:
            self._body.update(data)
        elif self._head is not None:
            self._begin(self._head + data)

    def _begin(self, head: bytes) -> None:
        """Look for the end of a first line that an installer replaces."""
        if not head.startswith(_SHEBANG):
            self._head = None if len(head) >= len(_SHEBANG) else head
            return
        end = head.find(b"\n")
        if end < 0:
            # No installer's line is that long; a member may be one endless line.
            self._head = head if len(head) < _LONGEST_LINE else None
            return
        import hashlib

        self._body = hashlib.sha256(head[end + 1 :])
        self._head = None
