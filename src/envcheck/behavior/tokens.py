"""A source's text into about how many tokens it has: a bound on what parsing it would cost, without parsing it.

A syntax tree takes up to two kilobytes a token. What stands in a plain string costs no more than its length; what
stands in a string that may hold expressions (``f"…"``) counts as if it stood outside.
"""

from __future__ import annotations

import re

MAX_TOKENS = 60_000
"""Some 7,000 lines. All Pythons from 3.10 parse chains of that length, or refuse them, without harm."""
MAX_ESCAPES = 1_000_000

_PIECE = re.compile(r"#[^\n\r]*|(?P<word>\w+)|(?P<quote>'''|\"\"\"|'|\")|[^\w\s]|\n")
_ENDS = {
    "'": re.compile(r"[\\'\n]"),
    '"': re.compile(r'[\\"\n]'),
    "'''": re.compile(r"\\|'''"),
    '"""': re.compile(r'\\|"""'),
}


def too_many(text: str, most: int = MAX_TOKENS) -> bool:
    """Whether there are more than ``most`` tokens."""
    if len(text) <= most:
        return False
    at = count = escapes = 0
    formatted = False
    while True:
        found = _PIECE.search(text, at)
        if found is None:
            return False
        at = found.end()
        count += 1
        if count > most or escapes > MAX_ESCAPES:
            return True
        quote = found["quote"]
        if quote is None or formatted:
            word = found["word"]
            formatted = word is not None and len(word) < 3 and bool({"f", "F", "t", "T"} & set(word))
            continue
        ends = _ENDS[quote]
        while True:
            end = ends.search(text, at)
            if end is None:
                # No Python: the parser says so soon.
                return False
            at = end.end()
            if end[0] != "\\":
                break
            at += 1
            escapes += 1
