"""Python text in, the same text without the bodies of its functions out: what a reader of the module level needs.

Making a syntax tree costs far more than finding where functions end, and most of a module is functions. What is cut
out is certain to be the body of a ``def``: strings and comments are masked first, and where their ends are not plain
(quotes nested in an f-string, which versions read differently; a form feed in an indentation) there is no skeleton.
Brackets need no counting: one that opens in a body and closes outside of it leaves text that does not parse, and so
does ``pass`` inside of brackets; then the caller parses the whole text.
"""

from __future__ import annotations

import re

MAX_TEXT = 1 << 19
"""Characters; longer text has no skeleton."""
MIN_TEXT = 1000
"""Characters; a tree of shorter text is quickly made."""

_QUOTES = "'\""
_TRIPLE = "|".join(rf"{q * 3}[^{q}\\]*(?:(?:\\[\s\S]|{q}(?!{q}{q}))[^{q}\\]*)*{q * 3}" for q in _QUOTES)
_SINGLE = "|".join(rf"{q}[^{q}\\\n]*(?:\\[\s\S][^{q}\\\n]*)*{q}" for q in _QUOTES)
_PLAIN = "(?<![fFtTrR])(?:{})".format("|".join(rf"{q}(?!{q})[^{q}\\\n]*(?:\\.[^{q}\\\n]*)*{q}" for q in _QUOTES))
_TOKENS = re.compile(rf"[^'\"#\\]*(?:(?:#[^\n]*|{_PLAIN})[^'\"#\\]*)*(?P<token>\\\n|{_TRIPLE}|{_SINGLE}|['\"\\]|\Z)")
"""Whatever needs no second look, and then one token that does: it may span lines, or where it ends is a question."""
_CODE = rf"[^\n'\"#]*(?:{_PLAIN}[^\n'\"#]*)*"
_COLON = rf"{_CODE}:[ \t]*(?:#[^\n]*)?\n"
_DEEPER = r"(?:(?P=indent)[ \t]+[^ \t\n#][^\n]*\n|[ \t]*(?:#[^\n]*)?\n)"
_FUNCTION = re.compile(
    r"^(?P<indent>[ \t]*)(?:async[ \t]+)?def[ \t]+(?P<name>\w*)"
    rf"(?:{_COLON}|[^\n]*\n{_DEEPER}*(?P=indent)\){_COLON})(?P<body>{_DEEPER}+)",
    re.M,
)

_DEFINITION = re.compile(r"^(?P<indent>[ \t]*)(?:async[ \t]+)?(?:def|class)[ \t]+(?P<name>\w+)[^\n]*\n", re.M)
_AFTER = re.compile(r"^[^ \t\n#)\]}]", re.M)
"""The next line that is not indented, and ends nothing that began before."""


def skeleton(text: str) -> str | None:
    """The text with ``pass`` for each function's body, or ``None`` where it is not to be had. Never raises."""
    if not MIN_TEXT < len(text) < MAX_TEXT:
        return None
    text = text.replace("\r\n", "\n") + "\n"
    if "\r" in text or "\f" in text or "\0" in text:
        return None
    masked = _masked(text)
    if masked is None:
        return None
    pieces: list[str] = []
    at = 0
    for found in _FUNCTION.finditer(masked):
        head, start = found.start(), found.start("body")
        if masked.count("(", head, start) == 1 and ":=" not in masked[head:start]:
            # Nothing is called in its defaults and annotations.
            pieces += (text[at:head], found["indent"], "def ", found["name"], "(): pass\n")
        else:
            pieces += (text[at:start], found["indent"], " pass\n")
        at = found.end()
    return "".join(pieces) + text[at:]


class Definitions:
    """Where the functions and classes of a text are defined, found once for all of their names. Never raises."""

    def __init__(self, text: str) -> None:
        self._text = ""
        self._masked = ""
        self._found: dict[str, list[tuple[str, int, int]]] = {}
        if len(text) >= MAX_TEXT or not text.isascii():
            return
        text = text.replace("\r\n", "\n") + "\n"
        masked = None if "\r" in text or "\f" in text or "\0" in text else _masked(text)
        if masked is None:
            return
        self._text, self._masked = text, masked
        for found in _DEFINITION.finditer(masked):
            self._found.setdefault(found["name"], []).append((found["indent"], found.start(), found.end()))

    def of(self, name: str) -> str | None:
        """The text of the one definition of a name, at the module's level; empty where it is defined nowhere.

        ``None`` where that is not plain: the whole text, not a piece of it, tells where a name is defined twice, or
        under a condition.
        """
        found = self._found.get(name, ())
        if not found and self._text:
            # A definition begins a line: the grammar allows it nowhere else.
            return ""
        if len(found) != 1 or found[0][0]:
            return None
        start, end = found[0][1:]
        after = _AFTER.search(self._masked, end)
        return self._text[start : after.start() if after else len(self._text)]


def _masked(text: str) -> str | None:
    """The text with nothing but their length left of continued lines and of strings that may span lines."""
    pieces: list[str] = []
    at = 0
    for found in _TOKENS.finditer(text):
        start, end = found.span("token")
        if start == end:
            break
        if text[start] == "\\" and end - start == 2:
            pieces += (text[at:start], "  ")
        elif end - start == 1 or (_is_formatted(text, start) and not _ends_in_any_version(text[start:end])):
            return None
        else:
            pieces += (text[at:start], "_" * (end - start))
        at = end
    return "".join(pieces) + text[at:]


def _is_formatted(text: str, start: int) -> bool:
    """Whether a string that starts here may be an f-string or a t-string."""
    before = text[max(start - 2, 0) : start].lower()
    return before[-1:] in ("f", "t") or before in ("fr", "tr")


def _ends_in_any_version(token: str) -> bool:
    """Whether a formatted string ends at the same place before PEP 701, which nests quotes, and after it.

    Plain are escapes that neither quote nor brace, doubled braces, and fields whose only quotes are those of plain
    strings of the other kind. A number sign may begin a comment in a field that spans lines.
    """
    if "{" not in token and "\\" not in token:
        return True
    quote = token[0]
    other = "'" if quote == '"' else '"'
    size = 3 if token[:3] == quote * 3 and len(token) > 5 else 1
    text = r"[^'\"\\{}#]*" if size == 3 else r"[^'\"\\{}]*"
    field = rf"\{{(?!\{{){text}(?:(?:{other}[^'\"\\\n]*{other}|\{{{text}\}}){text})*\}}"
    pattern = rf"[^\\{{}}]*(?:(?:\\[^{{}}\nN'\"]|\{{\{{|\}}\}}|{field})[^\\{{}}]*)*"
    return re.fullmatch(pattern, token[size:-size]) is not None
