"""Python source as data: bytes to text (PEP 263), and text to what its module level would do when it runs.

Nothing is executed. Hostile text (bracket bombs, NUL, huge or deeply nested source) is "not understood".
"""

import _ast
import re
from collections.abc import Callable, Mapping

from envcheck.formats.actions import Action, TooDeep
from envcheck.formats.statements import Reader
from envcheck.formats.syntax import Problem, parse
from envcheck.formats.values import Value
from envcheck.model.nouns import NamedTuple

_COOKIE = rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)"
_SLOW = frozenset({"idna", "punycode"})
"""Codecs whose time grows with the square of the text."""
_SLOW_SIZE = 10_000
_BLANK = rb"^[ \t\f]*(?:[#\r\n]|$)"

_WORTH_A_SKELETON = 30_000
"""Characters."""


class ModuleFacts(NamedTuple):
    """What the module level of some source does, in order, as far as it can be read."""

    actions: tuple[Action, ...] = ()
    bound: frozenset[str] = frozenset()
    """Names that the module level binds, so that ``from m import name`` does not look for a submodule."""
    possible: frozenset[str] = frozenset()
    """Names that it may bind: under a condition, in a class or a comprehension."""
    exports: tuple[str, ...] = ()
    """A literal ``__all__``."""
    literals: Mapping[str, Value] = {}
    """Upper-case names bound to a literal of strings, lists and dicts (``MAPPING`` of an editable finder)."""
    names: Mapping[str, str] = {}
    """What every bound name stands for in the end, as a dotted origin."""
    texts: Mapping[str, str] = {}
    """Names that hold a known string in the end."""
    rebound: frozenset[str] = frozenset()
    """Names that stand for one thing after another, so that which they stand for when a function runs is not plain."""
    problem: Problem | None = None
    """Why the text is not understood, or not all of it, when it is not."""


def decode(data: bytes) -> str:
    """Source bytes as text, by byte order mark or coding cookie (PEP 263), UTF-8 without one.

    Raises ``UnicodeDecodeError``, ``LookupError`` or ``ValueError`` where the codec refuses, is none of text, or takes
    too long for so much.
    """
    encoding = cookie(data)
    if data.startswith(b"\xef\xbb\xbf"):
        return data[3:].decode("utf-8")
    if encoding in _SLOW and len(data) > _SLOW_SIZE:
        raise ValueError(f"more than {_SLOW_SIZE:,} bytes of {encoding}")
    return data.decode(encoding)


def cookie(data: bytes) -> str:
    """The codec that the first two lines ask for, normalised; ``utf-8`` without one."""
    for line in re.split(rb"\r\n|\r|\n", data, maxsplit=2)[:2]:
        found = re.match(_COOKIE, line.removeprefix(b"\xef\xbb\xbf"))
        if found:
            return _normal(found[1].decode("ascii", "replace").lower().replace("_", "-"))
        if not re.match(_BLANK, line):
            break
    return "utf-8"


def _normal(name: str) -> str:
    """The tokenizer takes no notice of what follows these names: ``utf-8-unix``, ``latin-1-dos``."""
    for known in ("utf-8", "latin-1", "iso-8859-1", "iso-latin-1"):
        if name == known or name.startswith(known + "-"):
            return "utf-8" if known == "utf-8" else "iso-8859-1"
    return name


def facts(
    text: str,
    version: tuple[int, int],
    names: Mapping[str, str] | None = None,
    constants: Mapping[str, str] | None = None,
    decided: bool = True,
) -> ModuleFacts:
    """What running this text at module level would do, for that CPython. Never raises.

    ``names`` are names bound before it runs, as dotted origins (``{"addsitedir": "site.addsitedir"}``);
    ``constants`` are names (dotted ones too, ``sys.prefix``) that hold a known string. Not ``decided``: the version
    that the code sees may be another one (``sys.version_info`` was changed), so that both branches of a test count.
    """
    tree = _statements(text)
    if isinstance(tree, Problem):
        return ModuleFacts(problem=tree)
    reader = Reader(version, names or {}, constants or {}, decided)
    return facts_of(reader, lambda: reader.body(tree))


def facts_of(reader: Reader, read: Callable[[], None]) -> ModuleFacts:
    """What a reader finds where it reads that."""
    problem = None
    try:
        read()
    except (RecursionError, MemoryError, TooDeep):
        problem = Problem("nested too deeply", refused=False)
    return ModuleFacts(
        tuple(reader.actions),
        frozenset(reader.bound),
        frozenset(reader.possible),
        reader.exports,
        reader.literals,
        *reader.names.bindings(),
        frozenset(reader.names.rebound),
        problem,
    )


class _Parsed:
    """How many characters were parsed so far."""

    characters = 0


def _statements(text: str) -> list[_ast.stmt] | Problem:
    """The statements of a module's text; the bodies of its functions, which nobody looks at, may be left out.

    What finds those takes some milliseconds to get ready: a few small modules are parsed whole in that time.
    """
    _Parsed.characters += len(text)
    if _Parsed.characters > _WORTH_A_SKELETON:
        from envcheck.formats.skeleton import skeleton

        short = skeleton(text)
        if short is not None:
            tree = parse(short)
            if not isinstance(tree, Problem):
                return tree
    return parse(text)
