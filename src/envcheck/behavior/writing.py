"""A text of code into how it is written so that a reader does not see what it does: one word a trick.

The tricks are those that editors and reviews do not show; the un-hidden text is what reports print.
"""

from __future__ import annotations

import re

MAX_TEXT = 2 << 20
_PADDED = re.compile(r"\S[ \t]{80,}(?=[^ \t\r\n#])|^[ \t]{200,}(?=[^ \t\r\n#])", re.M)
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_ZERO_WIDTH = re.compile("[\u200b-\u200d\u2060-\u2064\u00ad\u180e\u3164\uffa0\u115f\u1160]|(?<!^)\ufeff")
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f]")
_RETURN = re.compile(r"#[^\r\n]*\r(?!\n)[^\r\n#]*\S")
_LONG = re.compile(r"#[^\r\n]*[\x0b\x0c\x1c-\x1e\x85\u2028\u2029][ \t]*(?:import|exec|from|eval|__import__)\b")


def tricks_of(text: str) -> tuple[str, ...]:
    """Words for what is odd about a text."""
    text = text[:MAX_TEXT]
    found = []
    if _PADDED.search(text):
        found.append("off-screen")
    if not text.isascii() or not text.isprintable():
        for word, pattern in (
            ("bidi", _BIDI),
            ("zero-width", _ZERO_WIDTH),
            ("control-characters", _CONTROL),
            ("line-separator", _RETURN),
            ("line-separator", _LONG),
        ):
            if word not in found and pattern.search(text):
                found.append(word)
    if not text.isascii() and _folds(text):
        found.append("look-alike-letters")
    return tuple(found)


_TELLING = frozenset(
    {
        "exec", "eval", "import", "compile", "getattr", "os", "sys", "system", "subprocess", "base64", "open",
        "builtins", "globals", "popen", "socket", "marshal", "from", "lambda",
    }
)  # fmt: skip


def _folds(text: str) -> bool:
    """Whether an identifier is one of Python's own names only after Python folded its letters (NFKC)."""
    import unicodedata

    for number, match in enumerate(re.finditer(r"\w*[^\x00-\x7f\W]\w*", text)):
        if number > 10_000:
            return False
        word = match[0]
        if len(word) < 40 and unicodedata.normalize("NFKC", word) in _TELLING:
            return True
    return False
