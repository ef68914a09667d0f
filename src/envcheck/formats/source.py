"""Python source as data: bytes to text (PEP 263), and text to what its module level would do when it runs.

Nothing is executed. Hostile text (bracket bombs, NUL, huge or deeply nested source) is "not understood".
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from envcheck.formats.actions import Action, TooDeep
from envcheck.formats.statements import Reader
from envcheck.formats.syntax import Problem, parse
from envcheck.formats.values import Value

_COOKIE = rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)"
_BLANK = rb"^[ \t\f]*(?:[#\r\n]|$)"


class ModuleFacts(NamedTuple):
    """What the module level of some source does, in order, as far as it can be read."""

    actions: tuple[Action, ...] = ()
    bound: frozenset[str] = frozenset()
    """Names that the module level binds, so that ``from m import name`` does not look for a submodule."""
    exports: tuple[str, ...] = ()
    """A literal ``__all__``."""
    literals: Mapping[str, Value] = {}
    """Upper-case names bound to a literal of strings, lists and dicts (``MAPPING`` of an editable finder)."""
    problem: Problem | None = None
    """Why the text is not understood, or not all of it, when it is not."""


def decode(data: bytes) -> str:
    """Source bytes as text, by byte order mark or coding cookie (PEP 263), UTF-8 without one.

    Raises ``UnicodeDecodeError`` or ``LookupError`` where the codec refuses, or is none of text.
    """
    encoding = cookie(data)
    if data.startswith(b"\xef\xbb\xbf"):
        return data[3:].decode("utf-8")
    return data.decode(encoding)


def cookie(data: bytes) -> str:
    """The codec that the first two lines ask for, normalised; ``utf-8`` without one."""
    for line in re.split(rb"\r\n|\r|\n", data[:4096], maxsplit=2)[:2]:
        found = re.match(_COOKIE, line.removeprefix(b"\xef\xbb\xbf"))
        if found:
            return found[1].decode("ascii", "replace").lower().replace("_", "-")
        if not re.match(_BLANK, line):
            break
    return "utf-8"


def facts(
    text: str,
    version: tuple[int, int],
    names: Mapping[str, str] | None = None,
    constants: Mapping[str, str] | None = None,
) -> ModuleFacts:
    """What running this text at module level would do, for that CPython. Never raises.

    ``names`` are names bound before it runs, as dotted origins (``{"addsitedir": "site.addsitedir"}``);
    ``constants`` are names (dotted ones too, ``sys.prefix``) that hold a known string.
    """
    tree = parse(text)
    if isinstance(tree, Problem):
        return ModuleFacts(problem=tree)
    reader = Reader(version, names or {}, constants or {})
    problem = None
    try:
        reader.body(tree)
    except (RecursionError, MemoryError, TooDeep):
        problem = Problem("nested too deeply", refused=False)
    return ModuleFacts(tuple(reader.actions), frozenset(reader.bound), reader.exports, reader.literals, problem)
