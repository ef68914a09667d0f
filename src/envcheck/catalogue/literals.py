"""Text into Python values, where the text is what ``repr`` writes for plain data, and nothing else.

Generated startup files carry their settings as literals (a finder's mapping, an installer's arguments). They are
read by a grammar of our own rather than by ``ast``: it knows strings, lists, tuples, sets, dicts, ``True``, ``False``
and ``None`` in the form that ``repr`` gives them, is linear in the text, and bounded in depth.
"""

from __future__ import annotations

import re

from envcheck.model.nouns import TypeAlias

Literal: TypeAlias = "str | bool | list[Literal] | tuple[Literal, ...] | frozenset[str] | dict[str, Literal] | None"

_DEPTH = 6
_TOKEN = re.compile(
    r"""('(?:[^'\\\x00-\x1f\x7f]|\\[\\'"nrt]|\\x[0-9a-f]{2}|\\u[0-9a-f]{4}|\\U[0-9a-f]{8})*'"""
    r"""|"(?:[^"\\\x00-\x1f\x7f]|\\[\\'"nrt]|\\x[0-9a-f]{2}|\\u[0-9a-f]{4}|\\U[0-9a-f]{8})*")"""
    r"|(True|False|None)|(, |: |,(?=\))|set\(\)|[\[\](){}])"
)
_ESCAPE = re.compile(r"""\\([\\'"nrt]|x..|u....|U........)""")
_PLAIN_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
_WORDS: dict[str, bool | None] = {"True": True, "False": False, "None": None}
_CLOSING = {"[": "]", "(": ")", "{": "}"}


class NotLiteral(ValueError):
    """The text is not a literal as ``repr`` writes it."""


def read_literal(text: str, start: int = 0) -> tuple[Literal, int]:
    """The literal that begins at ``start``, and the offset after it. Raises `NotLiteral`."""
    return _read(text, start, _DEPTH)


def whole_literal(text: str) -> Literal:
    """The literal that is the whole text. Raises `NotLiteral`."""
    value, end = read_literal(text)
    if end != len(text):
        raise NotLiteral(text[end : end + 20])
    return value


def is_string_list(value: Literal) -> bool:
    """A list or tuple of strings."""
    return isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value)


def _read(text: str, at: int, depth: int) -> tuple[Literal, int]:
    found = _TOKEN.match(text, at)
    if found is None or depth < 0:
        raise NotLiteral(text[at : at + 20])
    string, word, mark = found.groups()
    if string is not None:
        return _unescape(string[1:-1]), found.end()
    if word is not None:
        return _WORDS[word], found.end()
    if mark == "set()":
        return frozenset(), found.end()
    if mark in _CLOSING:
        return _read_items(text, found.end(), mark, depth - 1)
    raise NotLiteral(mark)


def _read_items(text: str, at: int, opening: str, depth: int) -> tuple[Literal, int]:
    closing = _CLOSING[opening]
    items: list[Literal] = []
    pairs: dict[str, Literal] = {}
    mapping = opening == "{" and text.startswith(closing, at)
    comma = False
    while not (text.startswith(closing, at) and not (comma and opening != "(")):
        value, at = _read(text, at, depth)
        if opening == "{" and not items and text.startswith(": ", at):
            mapping = True
            if not isinstance(value, str) or value in pairs:
                raise NotLiteral("a key that is no string, or twice")
            pairs[value], at = _read(text, at + 2, depth)
        elif mapping:
            raise NotLiteral("a set and a dict in one")
        else:
            items.append(value)
        comma = text.startswith(",", at)
        if comma:
            single = opening == "(" and len(items) == 1 and text.startswith(",)", at)
            if not single and not text.startswith(", ", at):
                raise NotLiteral(text[at : at + 20])
            at += 1 if single else 2
            comma = not single
        elif not text.startswith(closing, at) or (opening == "(" and len(items) == 1):
            raise NotLiteral(text[at : at + 20])
    if comma:
        raise NotLiteral("a comma before the end")
    at += 1
    if opening == "[":
        return items, at
    if opening == "(":
        return tuple(items), at
    if mapping:
        return pairs, at
    strings = frozenset(item for item in items if isinstance(item, str))
    if len(strings) != len(items):
        raise NotLiteral("a set of something other than different strings")
    return strings, at


def _unescape(text: str) -> str:
    if "\\" not in text:
        return text
    return _ESCAPE.sub(_one_escape, text)


def _one_escape(found: re.Match[str]) -> str:
    escape = found[1]
    if len(escape) > 1:
        number = int(escape[1:], 16)
        if number > 0x10FFFF:
            raise NotLiteral("a character number that is too large")
        return chr(number)
    return _PLAIN_ESCAPES.get(escape, escape)
