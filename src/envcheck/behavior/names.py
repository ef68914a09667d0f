"""Names, attributes and items of a syntax tree into the things that they stand for, through what gives them."""

from __future__ import annotations

import _ast

from envcheck.behavior import folding, strings
from envcheck.behavior.abilities import abilities, canonical
from envcheck.behavior.budget import MAX_DEPTH, Budget, TooLarge
from envcheck.behavior.folding import Unfolded
from envcheck.behavior.recorder import Recorder
from envcheck.behavior.scopes import Scope
from envcheck.behavior.things import (
    CREDENTIALS,
    DECODED,
    ENVIRONMENT,
    MAX_ALSO,
    PIECED,
    Thing,
    known,
    mixed,
    text_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, ClassVar

_REACHES = {
    "__subclasses__": None,
    "__globals__": "globals()",
    "f_globals": "globals()",
    "f_builtins": "builtins",
    "__builtins__": "builtins",
    "gi_frame": None,
    "__code__": "types.CodeType()",
    "__mro__": None,
}
"""Attributes that lead from any object to all that the interpreter has, and what they are."""
_TELLING = frozenset({"__subclasses__", "__globals__", "f_globals", "f_builtins", "__builtins__"})
NAMESPACES = ("globals()", "sys.modules", "builtins")
_PLACES = {"sys.meta_path", "sys.path_hooks", "sys.path_importer_cache"}
_CONSTANTS: dict[str, str] = {
    "string.ascii_lowercase": "abcdefghijklmnopqrstuvwxyz",
    "string.ascii_uppercase": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "string.ascii_letters": "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "string.digits": "0123456789",
    "os.sep": "/",
    "os.path.sep": "/",
    "os.linesep": "\n",
    "os.name": "posix",
}
_LONG_NAME = 200
_SHORTEST = 6
"""Characters; what is put backwards on purpose is longer."""


class TooDeep(Exception):
    """Expressions within expressions over the bound."""


class Names:
    """Follows names; what they do goes to the recorder."""

    readers: ClassVar[dict[type, Callable[[Any, Any], Thing]]]
    """The method for each kind of expression."""

    def __init__(self, recorder: Recorder, budget: Budget, scope: Scope) -> None:
        self.recorder = recorder
        self.budget = budget
        self.scope = scope
        self.depth = 0
        self.maybe = 0
        self.later: list[tuple[_ast.AST, Scope]] = []
        """Bodies of functions, read when the module has been."""

    def apply(
        self, function: Thing, arguments: list[Thing], named: dict[str, Thing], node: _ast.expr, plain: bool = True
    ) -> Thing:
        """What a call gives; ``plain`` where its arguments are written out."""
        raise NotImplementedError

    def bind_target(self, target: _ast.expr, thing: Thing) -> None:
        """Assign to a target."""
        raise NotImplementedError

    def met(self, value: str | bytes, node: _ast.expr) -> None:
        """A string that is written out."""
        raise NotImplementedError

    # -------------------------------------------------------------------------------------------------------------

    def eval(self, node: _ast.expr, called: bool = False) -> Thing:
        """What an expression comes to. ``called``: it is the function of a call, which is recorded itself."""
        self.budget.step()
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.depth -= 1
            raise TooDeep
        try:
            reader = self.readers.get(type(node))
            thing = reader(self, node) if reader is not None else mixed([self.eval(one) for one in _children(node)])
        finally:
            self.depth -= 1
        if not called and isinstance(node, (_ast.Name, _ast.Attribute, _ast.Subscript)):
            self.refer(thing, node)
        return thing

    def refer(self, thing: Thing, node: _ast.expr) -> None:
        """Something with an ability is handed on, to be called elsewhere."""
        for one in thing.alternatives():
            if one.name is not None and not one.known and isinstance(getattr(node, "ctx", None), _ast.Load):
                if one.name.endswith("()") or one.name in ("ctypes", "urllib.request", "http.client", "paramiko"):
                    continue
                for capability in abilities(one.name):
                    self.recorder.use(capability, node, one.name)

    def _constant(self, node: _ast.Constant) -> Thing:
        value = node.value
        if value is ...:
            return Thing()
        if isinstance(value, (str, bytes)):
            text = value if isinstance(value, str) else value.decode("utf-8", "replace")
            self.recorder.text(text, node)
            self.met(value, node)
            if strings.is_kept_secret(text):
                return known(value, CREDENTIALS)
        return known(value)

    def _name(self, node: _ast.Name) -> Thing:
        found = self.scope.find(node.id)
        return Thing(canonical(node.id)) if found is None else found

    def _attribute(self, node: _ast.Attribute) -> Thing:
        base = self.eval(node.value, called=True)
        return self.attribute(base, node.attr, node)

    def attribute(self, base: Thing, name: str, node: _ast.expr) -> Thing:
        """``base.name``."""
        found = [self._member(one, name, node) for one in base.alternatives()]
        return joined(found)

    def _member(self, base: Thing, name: str, node: _ast.expr) -> Thing:
        if base.attributes is not None and base.name is None and name in base.attributes:
            member = base.attributes[name]
            if member.function is not None and not base.known:
                return method_of(member, base)
            return member
        if name in _REACHES:
            if name in _TELLING:
                self.recorder.use("dynamic-code", node, f"reaches {name}")
            if name == "__subclasses__":
                computed(self, node, "takes any class by way of __subclasses__")
            return Thing(_REACHES[name], base.source)
        if name == "__self__":
            return Thing("builtins")
        if name == "__call__":
            return base
        if name == "__class__" and base.function is not None:
            return Thing("types.FunctionType")
        made: Thing
        if base.name is not None and not base.known and base.items is None and base.attributes is None:
            full = canonical(f"{base.name}.{name}")
            if full in _CONSTANTS:
                return known(_CONSTANTS[full])
            made = Thing(full if len(full) <= _LONG_NAME else None, base.source)
            if full in ("os.environ", "os.environb"):
                made.source |= ENVIRONMENT
        else:
            made = Thing(None, base.source)
            made.how = base.how
        made.owner, made.member = base, name
        return made

    def _subscript(self, node: _ast.Subscript) -> Thing:
        base = self.eval(node.value, called=True)
        if isinstance(node.slice, _ast.Slice):
            return self._sliced(base, node.slice)
        key = self.eval(node.slice)
        return joined([self.item(one, key, node) for one in base.alternatives()])

    def item(self, base: Thing, key: Thing, node: _ast.expr) -> Thing:
        """``base[key]``."""
        text = text_of(key)
        if base.name is not None and (base.name in NAMESPACES or base.name.endswith(".__dict__")):
            return self.looked_up(base.name, key, node)
        if base.name in ("os.environ", "os.environb"):
            return self.variable(key, node)
        if base.attributes is not None and text in base.attributes:
            return base.attributes[text]
        if key.known:
            if base.known:
                try:
                    return known(folding.item(base.value, key.value, self.budget), base.source | key.source, base.how)
                except (Unfolded, TooLarge):
                    return mixed([base, key])
            if (
                base.items is not None
                and isinstance(key.value, int)
                and -len(base.items) <= key.value < len(base.items)
            ):
                return base.items[key.value]
        if base.items is not None and base.items:
            # Any of them.
            return joined(base.items[: MAX_ALSO + 1])
        name = None if base.name is None else f"{base.name}[]"
        return mixed([base, key], name)

    def looked_up(self, namespace: str, key: Thing, node: _ast.expr) -> Thing:
        """A name that is looked up by a string: in ``globals()``, ``sys.modules``, ``vars(os)``, ``__builtins__``."""
        text = text_of(key)
        if text is None:
            computed(self, node, f"looks up a computed name in {namespace}")
            return Thing(None, key.source)
        if namespace == "globals()":
            found = self._global(text)
            # The globals of another module, reached through one of its functions, may be those of os.
            elsewhere = f"os.{text}" if abilities(f"os.{text}") else canonical(text)
            thing = found if found is not None else Thing(elsewhere)
        elif namespace == "sys.modules":
            thing = Thing(canonical(text))
        else:
            thing = self._member(Thing(namespace.removesuffix(".__dict__")), text, node)
        self.hidden(thing, key, node)
        return thing

    def _global(self, name: str) -> Thing | None:
        scope = self.scope
        while scope.outer is not None:
            scope = scope.outer
        return scope.names.get(name)

    def hidden(self, thing: Thing, key: Thing, node: _ast.expr) -> None:
        """Record where a name that means something was put together, so that it does not stand in the text."""
        if not key.source & (PIECED | DECODED) or thing.name is None:
            return
        if abilities(thing.name) or thing.name in _TOLD:
            self.recorder.flow("loads-hidden", node, f"puts the name {thing.name} together")

    def variable(self, key: Thing, node: _ast.expr) -> Thing:
        """A variable of the process environment."""
        text = text_of(key)
        thing = Thing("os.environ[]")
        if text is not None and strings.is_secret(text):
            self.recorder.use("credentials", node, f"reads the variable {text}")
            thing.source |= CREDENTIALS
        return thing

    def _sliced(self, base: Thing, node: _ast.Slice) -> Thing:
        bounds = [None if one is None else self.eval(one) for one in (node.lower, node.upper, node.step)]
        if not base.known or not all(bound is None or bound.known for bound in bounds):
            made = mixed([base, *(bound for bound in bounds if bound is not None)], base.name)
            if base.items is not None:
                made.items = base.items
            return made
        lower, upper, step = (None if bound is None else bound.value for bound in bounds)
        try:
            value = folding.part(base.value, lower, upper, step, self.budget)
        except (Unfolded, TooLarge):
            return mixed([base])
        made = known(value, base.source, base.how)
        if isinstance(value, (str, bytes)):
            made.source |= PIECED
            if isinstance(step, int) and step not in (0, 1) and len(value) >= _SHORTEST:
                made.source |= DECODED
                made.how = (*base.how, "reversed" if step < 0 else "every second character")
        return made


def computed(reader: Names, node: _ast.expr, means: str) -> None:
    """Something is reached by a name that is only there at run time: what it is cannot be told."""
    reader.recorder.use("dynamic-code", node, means)
    reader.recorder.flow("loads-computed", node, means)


_TOLD = frozenset({"os", "subprocess", "socket", "ctypes", "marshal", "base64", "zlib", "builtins", "urllib.request",
                   "requests", "codecs", "__import__", "getattr", "globals", "setattr", "open"})  # fmt: skip
"""Names that have no ability of their own and are still telling where they are hidden."""


def joined(found: Sequence[Thing]) -> Thing:
    """One of several."""
    if len(found) == 1:
        return found[0]
    if not found:
        return Thing()
    first = found[0]
    made = Thing(first.name, 0, first.items)
    made.function, made.scope, made.bound, made.attributes = first.function, first.scope, first.bound, first.attributes
    made.owner, made.member, made.how = first.owner, first.member, first.how
    for thing in found:
        made.source |= thing.source
    made.also = tuple(one for thing in found[1:] for one in thing.alternatives())[:MAX_ALSO]
    if first.known:
        # No value for certain, but what it may be counts.
        made.also = (first, *made.also)[:MAX_ALSO]
    return made


def method_of(member: Thing, owner: Thing) -> Thing:
    """A function of a class, bound to an object of it."""
    made = Thing(source=member.source)
    made.function, made.scope, made.bound = member.function, member.scope, (owner,)
    return made


def _children(node: _ast.AST) -> Iterable[_ast.expr]:
    for field in node._fields:
        value = getattr(node, field, None)
        if isinstance(value, _ast.expr):
            yield value
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, _ast.expr):
                    yield item
