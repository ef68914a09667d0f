"""The name of a startup file into the known name that a reader would take it for, where it is not that."""

from __future__ import annotations

import unicodedata

from envcheck.catalogue.startup_files import STARTUP_FILES, TOOL_PATHS

_LETTERS = str.maketrans(
    # Cyrillic and Greek letters, and digits, that look like Latin ones; separators are one.
    "асԁеһіјԛорѕтухѵԝγνοραιτκμ01|!-",
    "acdehijqopstyxvwyvopaitkmolll_",
)
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_SHORTEST = 8
"""Characters; shorter names are near one another by chance."""
_OTHERS = ("sitecustomize.py", "usercustomize.py", "__init__.py")


def looks_like(name: str) -> str | None:
    """The known file name that this one looks like: one letter apart, or the same to the eye. ``None`` for its own."""
    known = [one.rpartition("/")[2] for one in (*STARTUP_FILES, *TOOL_PATHS, *_OTHERS)]
    if name in known or len(name) < _SHORTEST or not name.endswith((".pth", ".start", ".py")):
        return None
    plain = _plain(name)
    for one in dict.fromkeys(known):
        if plain == _plain(one):
            return one
    for one in dict.fromkeys(known):
        if len(one) >= _SHORTEST and one not in _OTHERS and _one_apart(plain, _plain(one)):
            return one
    return None


def _plain(name: str) -> str:
    visible = "".join(character for character in name if character not in _INVISIBLE)
    folded = unicodedata.normalize("NFKD", visible).casefold()
    return "".join(character for character in folded if not unicodedata.combining(character)).translate(_LETTERS)


def _one_apart(a: str, b: str) -> bool:
    """Whether one letter was changed, left out, added, or two neighbours were swapped."""
    if abs(len(a) - len(b)) > 1 or a == b:
        return False
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    rest_a, rest_b = a[start:], b[start:]
    return (
        rest_a[1:] == rest_b[1:]
        or rest_a[1:] == rest_b
        or rest_a == rest_b[1:]
        or (rest_a[:2] == rest_b[:2][::-1] and rest_a[2:] == rest_b[2:])
    )
