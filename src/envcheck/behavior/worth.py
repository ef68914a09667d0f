"""A module's bytes into whether its account could decide anything though a RECORD lists it: a quick look at its words.

A package's own modules may do nearly anything for good reasons (`checks.verdict`); what decides against a recorded one
is that it executes or starts what it decodes or downloads. Code that has no word for one half of that, and no way to
look up names that it puts together, cannot. Most modules are settled so, in a fraction of the time that parsing takes.
"""

from __future__ import annotations

import re

_RUNS = (
    *b"""
    exec eval( eval) Popen popen system( .system subprocess spawn runpy FunctionType CodeType startfile pty
    pickle.load marshal.load dill.load
    """.split(),
    *(b" eval", b"eval (", b" system"),
)
_TAKES = tuple(
    b"""
    64decode 32decode 16decode 85decode decodebytes decompress unhexlify fromhex a2b_ rot13 rot_13 rot-13 ::-1]
    urlopen urlretrieve requests httpx http.client aiohttp urllib2 urllib3 socket Fernet chr( (chr base64 zlib bz2 lzma
    gzip codecs bytes( bytearray( maketrans powershell pwsh struct.pack to_bytes unescape unquote
    """.split()
)
_LOOKUPS = (
    b"__import__",
    b"import_module",
    b"getattr",
    b"globals()",
    b"__builtins__",
    b"vars(",
    b"__dict__[",
    b"modules[",
)
_LOOKS_UP = re.compile(
    rb"(?:__import__|import_module|getattr|globals\(\)|__builtins__|vars\(|__dict__\[|modules\[)[^\n]{0,60}"
    rb"(?:['\"]\s*\+\s*['\"]|['\"]\s*['\"]\.join|chr\s*\(|::\s*-1|decode\(|fromhex|\\x[0-9a-fA-F]{2})"
)
_LONG_LINE = 400
_PACKED = re.compile(rb"['\"][A-Za-z0-9+/=_-]{400}|(?:\\x[0-9a-fA-F]{2}){40}")
_COOKIE = re.compile(rb"coding[:=][ \t]*([-\w.]+)")
_PLAIN = (b"utf-8", b"utf8", b"ascii", b"us-ascii", b"latin-1", b"latin1", b"iso-8859-1", b"iso8859-1", b"cp1252")
_FOLDED = re.compile(rb"\xef\xbc[\xa1-\xbf]|\xef\xbd[\x81-\x9a]|\xf0\x9d[\x90-\x9f]|\xe2\x84|\xc2\xaa|\xc2\xba")
"""Letters that Python reads as others (NFKC): of mathematics, full-width."""


def may_decide(data: bytes) -> bool:
    """Whether it is worth an account. Anything but plain source of a usual encoding is."""
    head = b"\n".join(data[:400].split(b"\n", 2)[:2])
    cookie = _COOKIE.search(head)
    if cookie is not None and cookie[1].lower().replace(b"_", b"-") not in _PLAIN:
        return True
    if b"\0" in data[:4096] or (not data.isascii() and _FOLDED.search(data) is not None):
        return True
    if _has(data, _LOOKUPS) and _LOOKS_UP.search(data):
        return True
    if max(map(len, data.splitlines()), default=0) > _LONG_LINE and _PACKED.search(data):
        return True
    return _has(data, _RUNS) and _has(data, _TAKES)


def _has(data: bytes, words: tuple[bytes, ...]) -> bool:
    return any(word in data for word in words)
