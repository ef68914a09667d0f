"""The names of one function or module at one moment."""

from __future__ import annotations

from envcheck.behavior.things import MAX_ALSO, Thing


class Scope:
    """Names, and the scope around it that answers for others."""

    def __init__(self, outer: Scope | None = None) -> None:
        self.outer = outer
        self.names: dict[str, Thing] = {}
        self.globals: set[str] = set()
        """Names that a ``global`` or ``nonlocal`` statement gives to the scope around."""
        self.result: Thing | None = None
        """What the function returned, in a call that is followed."""

    def find(self, name: str) -> Thing | None:
        """What a name stands for."""
        scope: Scope | None = self
        while scope is not None:
            found = scope.names.get(name)
            if found is not None:
                return found
            scope = scope.outer
        return None

    def bind(self, name: str, thing: Thing, maybe: bool = False) -> None:
        """Bind a name; under a condition it may also be what it was."""
        if name in self.globals and self.outer is not None:
            outermost = self.outer
            while outermost.outer is not None:
                outermost = outermost.outer
            outermost.bind(name, thing, maybe)
            return
        old = self.names.get(name)
        if maybe and old is not None and old is not thing:
            joined = _copied(thing)
            rest = [one for one in (*thing.also, *old.alternatives()) if one.name or one.function or one.known]
            joined.also = tuple(rest[:MAX_ALSO])
            joined.source |= old.source
            thing = joined
        self.names[name] = thing


def _copied(thing: Thing) -> Thing:
    made = Thing(thing.name, thing.source, thing.items)
    made.known, made.value, made.how = thing.known, thing.value, thing.how
    made.function, made.scope, made.bound, made.attributes = thing.function, thing.scope, thing.bound, thing.attributes
    made.owner, made.member = thing.owner, thing.member
    return made
