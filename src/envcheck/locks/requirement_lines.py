"""The bytes of a requirements file into numbered logical lines, as pip makes them."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from envcheck.locks.tables import Wrong

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF16, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
)
_COOKIE = re.compile(rb"coding[:=]\s*([-\w.]+)")
_COOKIES = ("utf-8", "ascii", "iso8859-1", "iso8859-15", "cp1252")
"""Encodings that a cookie may name: those in which ASCII is ASCII, so that nothing reads otherwise than it looks."""

_COMMENT = re.compile(r"(?:^|(?<=\s))#.*$")
_COMMENT_LINE = re.compile(r"\s*#")


def decode(data: bytes) -> str:
    """The text by byte order mark, by cookie in the first two lines (PEP 263), else as UTF-8. Raises `Wrong`."""
    encoding = "utf-8"
    for mark, named in _BOMS:
        if data.startswith(mark):
            data, encoding = data[len(mark) :], named
            break
    else:
        for line in data.split(b"\n", 2)[:2]:
            found = _COOKIE.search(line) if line[:1] == b"#" else None
            if found:
                encoding = _cookie(found[1].decode("ascii", "replace"))
                break
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line_number = data.count(b"\n", 0, error.start) + 1
        raise Wrong(f"line {line_number} is not {encoding}") from None


def _cookie(name: str) -> str:
    try:
        known = codecs.lookup(name).name
    except (LookupError, ValueError):
        known = ""
    if known not in _COOKIES:
        raise Wrong(f"names the encoding {name!r}, which envcheck does not read")
    return known


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    r"""Number of the first physical line, and text, of each line that says something.

    A backslash at the end joins; a comment line ends a joined line even when it ends in a backslash itself; a comment
    needs the line's start or a blank before its ``#``. Lines end where ``str.splitlines`` ends them, as in pip: also
    at form feeds and U+2028.
    """
    first = 0
    joined: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        comment = _COMMENT_LINE.match(line)
        if line.endswith("\\") and not comment:
            first = first or number
            joined.append(line.strip("\\"))
            continue
        if joined:
            # The blank keeps the comment apart from what it is joined to.
            yield from _said(first, "".join((*joined, f" {line}" if comment else line)))
        else:
            yield from _said(number, line)
        first, joined = 0, []
    if joined:
        yield from _said(first, "".join(joined))


def _said(number: int, line: str) -> Iterator[tuple[int, str]]:
    """The line without its comment, when anything is left."""
    left = _COMMENT.sub("", line).strip() if "#" in line else line.strip()
    if left:
        yield number, left
