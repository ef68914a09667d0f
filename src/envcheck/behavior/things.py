"""What an expression comes to, as far as it is known: a value, the name of something, or only what went into it."""

from __future__ import annotations

import _ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from envcheck.behavior.folding import Plain
    from envcheck.behavior.scopes import Scope
    from envcheck.model.nouns import TypeAlias

    Function: TypeAlias = "_ast.FunctionDef | _ast.AsyncFunctionDef | _ast.Lambda"

DECODED, DOWNLOADED, ENVIRONMENT, CREDENTIALS, PIECED, FILE = 1, 2, 4, 8, 16, 32
"""Where something comes from: flags, of which a value has all that went into it. ``PIECED`` is text put together."""
MAX_ALSO = 4


class Thing:
    """One value of the code that is read, never made by running it.

    ``value`` counts where ``known``; ``name`` is a full dotted name (``os.system``; what a call gives ends in ``()``);
    ``items`` are the parts of a list or tuple that is written out; ``also`` what else a name may stand for.
    """

    __slots__ = (
        "also", "attributes", "bound", "function", "how", "items", "known", "member", "name", "owner", "scope",
        "source", "value",
    )  # fmt: skip

    def __init__(
        self,
        name: str | None = None,
        source: int = 0,
        items: list[Thing] | None = None,
    ) -> None:
        self.known = False
        self.value: Plain = None
        self.name = name
        self.source = source
        self.items = items
        self.how: tuple[str, ...] = ()
        """The decoders that it went through, in order."""
        self.also: tuple[Thing, ...] = ()
        self.function: Function | None = None
        self.scope: Scope | None = None
        """Of a function: where it was defined."""
        self.bound: tuple[Thing, ...] = ()
        """Arguments that it was given beforehand (``functools.partial``)."""
        self.attributes: dict[str, Thing] | None = None
        """Of a dict that is written out, by key; of an object or class, by name."""
        self.owner: Thing | None = None
        """Of a method: whose it is; its name is ``member``."""
        self.member = ""

    def alternatives(self) -> Iterable[Thing]:
        """Itself, and what else it may be."""
        yield self
        yield from self.also


def known(value: Plain, source: int = 0, how: tuple[str, ...] = ()) -> Thing:
    """A value that is known."""
    thing = Thing(source=source)
    thing.known = True
    thing.value = value
    thing.how = how
    return thing


def mixed(things: Iterable[Thing], name: str | None = None) -> Thing:
    """Something unknown that is made of others."""
    source = 0
    how: tuple[str, ...] = ()
    for thing in things:
        source |= thing.source
        how = how or thing.how
    made = Thing(name, source)
    made.how = how
    return made


def parts_of(thing: Thing) -> list[Thing] | None:
    """What iterating over it gives, where that is known."""
    if thing.items is not None:
        return thing.items
    if not thing.known or not isinstance(thing.value, (str, bytes, list, tuple, dict)):
        return None
    return [known(value, thing.source, thing.how) for value in thing.value]


def text_of(thing: Thing) -> str | None:
    """The text of a known string."""
    return thing.value if thing.known and isinstance(thing.value, str) else None


def whole_source(thing: Thing, depth: int = 0) -> int:
    """Where a thing and its parts come from."""
    source = thing.source
    if depth < 6 and (thing.items or thing.attributes):
        for part in thing.items or ():
            source |= whole_source(part, depth + 1)
        for part in (thing.attributes or {}).values():
            source |= whole_source(part, depth + 1)
    return source
