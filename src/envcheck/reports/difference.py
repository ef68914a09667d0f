"""Turns one installed file and what its locked wheel has in its place into lines that show what differs, safely."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.model.report import Difference
from envcheck.model.sha256 import sha256
from envcheck.reports.text import visible

_MOST_BYTES = 1 << 20
_MOST_LINES = 400


def lines(found: Difference) -> Iterator[str]:
    """A unified diff from the wheel's text to what is there; sizes and hashes of what is no text."""
    if found.wheel is None or found.expected is None:
        yield f"{visible(found.path)}: {visible(found.why or 'nothing to compare with')}"
        return
    if found.actual is None:
        there = f"{visible(found.path)}: is not there, or cannot be read"
        yield f"{there}; {visible(found.wheel)} has {_facts(found.expected)}"
        return
    if found.actual == found.expected:
        yield f"{visible(found.path)}: the same as in {visible(found.wheel)}"
        return
    texts = _text(found.expected), _text(found.actual)
    if texts[0] is None or texts[1] is None:
        yield f"--- {visible(found.wheel)}: {_facts(found.expected)}"
        yield f"+++ {visible(found.path)}: {_facts(found.actual)}"
        return
    import difflib

    left, right = (text.split("\n") for text in texts if text is not None)
    differing = difflib.unified_diff(left, right, found.wheel, found.path, lineterm="", n=3)
    for shown, line in enumerate(differing):
        if shown == _MOST_LINES:
            yield f"more than {_MOST_LINES} lines differ: the rest is not shown"
            return
        yield line[:1] + visible(line[1:]) if shown > 1 else visible(line)


def _text(data: bytes) -> str | None:
    """Undecodable bytes are shown as such; what has a NUL, or is large, is no text."""
    if b"\0" in data or len(data) > _MOST_BYTES:
        return None
    return data.decode("utf-8", "surrogateescape")


def _facts(data: bytes) -> str:
    return f"{len(data):,} bytes, sha256 {sha256(data).hexdigest()}"
