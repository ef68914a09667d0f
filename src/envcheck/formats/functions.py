"""A module's text and a function's name in, what calling the function does to the import system out.

The text is read, nothing is executed. Only what a module defines with a plain ``def`` or ``class`` is understood.
"""

from __future__ import annotations

import _ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from envcheck.formats.skeleton import Definitions
from envcheck.formats.source import ModuleFacts, decode, facts_of
from envcheck.formats.statements import Reader
from envcheck.formats.syntax import Problem, parse
from envcheck.model.nouns import NamedTuple, TypeAlias

Function: TypeAlias = "_ast.FunctionDef | _ast.AsyncFunctionDef"
_UNBOUND = frozenset({"staticmethod", "classmethod"})
_MAKING = frozenset({"__new__", "__init__"})
_INERT = re.compile(r"def \w+\(\w*\):\n+(?:[ \t]+(?:return|pass)\b[ \t\w.]*\n|[ \t]*\n)*")
"""A function that calls nothing, binds nothing and fails for nobody: as good as none, and no tree is made of it."""
_MAX_BASES = 5
_MAX_IMPLICIT = 200
"""Methods of one class, and of those before it."""


class Called(NamedTuple):
    """What a call does."""

    facts: ModuleFacts
    sure: bool
    """Whether a call runs exactly this."""
    implicit: str = ""
    """The method, where no call of it is written: Python calls it for an operator, a ``with``, an attribute."""


class Budget:
    """What may still be read for the calls of one start: trees take memory and time."""

    def __init__(self, characters: int) -> None:
        self.left = characters

    def take(self, characters: int) -> bool:
        """Whether there is that much left; it is taken."""
        self.left -= characters
        return self.left >= 0


class Functions:
    """The functions of one module."""

    def __init__(
        self, data: bytes, facts: ModuleFacts, version: tuple[int, int], constants: Mapping[str, str], budget: Budget
    ) -> None:
        self.budget = budget
        """What pays for the reading: another one may be put in its place from call to call."""
        self._text = decode(data)
        self._may_yield = "yield" in self._text
        self._version = version
        # Which of several values a name has when the function runs, nobody tells.
        self._names = {name: "<local>." + name if name in facts.rebound else to for name, to in facts.names.items()}
        changed = facts.rebound if "global " not in self._text else frozenset(facts.texts)
        self._texts = {**constants, **{name: text for name, text in facts.texts.items() if name not in changed}}
        self._bound = facts.bound - facts.rebound
        self._places: Definitions | None = None
        self._statements: list[_ast.stmt] | None = None
        self._known: dict[str, tuple[_ast.stmt, ...]] = {}
        self._implied: set[str] = set()
        """Classes whose special methods were given."""

    def called(self, name: str, method: str, arguments: tuple[str | None, ...], altered: bool) -> Iterator[Called]:
        """What ``name()``, ``name.method()`` or ``name().method()`` may run: each definition of that name.

        ``altered``: other code assigned to the module's names.
        """
        if method.startswith("__") and method not in self._text and self._text.isascii():
            return
        definitions = self._definitions(name)
        sure = len(definitions) == 1 and name in self._bound and not altered
        for found in definitions:
            if isinstance(found, _ast.ClassDef):
                wanted = {method} if method else _MAKING
                own = {id(made) for made in _within(found.body, wanted)}
                plain = sure and not found.decorator_list and len(found.bases) <= 1
                for made in self._methods(found, wanted):
                    # What comes before a class runs where it has no such method, or where that calls super().
                    first = not own or id(made) in own
                    read = self._read(made, arguments, plain and first, name, altered)
                    if first or read.facts.actions:
                        yield read if first else read._replace(implicit=f"super().{made.name}")
                if not method and name not in self._implied:
                    self._implied.add(name)
                    for implied in self._methods(found, None):
                        read = self._read(implied, (), False, name, altered)
                        if read.facts.actions:
                            yield read._replace(implicit=implied.name)
            elif isinstance(found, (_ast.FunctionDef, _ast.AsyncFunctionDef)) and not method:
                yield self._read(found, arguments, sure, None, altered)

    def _methods(self, found: _ast.ClassDef, wanted: Collection[str] | None, depth: int = 0) -> list[Function]:
        """The methods of a class that have these names; ``None``: those that Python calls where no call is written."""
        own = [
            statement for statement in _within(found.body, wanted)
            if isinstance(statement, (_ast.FunctionDef, _ast.AsyncFunctionDef))
        ]  # fmt: skip
        if wanted is None:
            own = [method for method in own if _implicit(method)]
        if (not own or wanted is None or any(map(_names_super, own))) and depth < _MAX_BASES:
            for base in found.bases:
                if isinstance(base, _ast.Name):
                    for other in self._definitions(base.id):
                        if isinstance(other, _ast.ClassDef) and len(own) < _MAX_IMPLICIT:
                            own += self._methods(other, wanted, depth + 1)
        return own[:_MAX_IMPLICIT]

    def _definitions(self, name: str) -> tuple[_ast.stmt, ...]:
        known = self._known.get(name)
        if known is None:
            piece = self._piece(name)
            if piece is not None and (not piece or _INERT.fullmatch(piece)):
                self._known[name] = ()
                return ()
            tree = None if piece is None or not self.budget.take(len(piece)) else parse(piece)
            if tree is None or isinstance(tree, Problem) or len(tree) != 1:
                tree = self._whole()
            known = self._known[name] = tuple(_within(tree, {name}))
        return known

    def _piece(self, name: str) -> str | None:
        if not self.budget.take(len(self._text) >> 4):
            return None
        if self._places is None:
            self._places = Definitions(self._text)
        return self._places.of(name)

    def _whole(self) -> list[_ast.stmt]:
        if self._statements is None:
            tree = parse(self._text) if self.budget.take(len(self._text)) else []
            self._statements = [] if isinstance(tree, Problem) else tree
        return self._statements

    def _read(
        self, node: Function, arguments: tuple[str | None, ...], sure: bool, of: str | None, altered: bool
    ) -> Called:
        names = dict(self._names)
        decorators = [each.id if isinstance(each, _ast.Name) else "?" for each in node.decorator_list]
        plain = not decorators or (of is not None and set(decorators) <= _UNBOUND)
        if of is not None and decorators != ["staticmethod"]:
            arguments = (None, *arguments)
        reader = Reader(self._version, names, {} if altered else self._texts)
        reader.may_yield = self._may_yield
        if of is not None and node.args.args and decorators != ["staticmethod"]:
            first = node.args.args[0].arg
            return Called(
                facts_of(reader, lambda: reader.function(node, arguments, instance=(first, of))), sure and plain
            )
        return Called(facts_of(reader, lambda: reader.function(node, arguments)), sure and plain)


def _implicit(method: Function) -> bool:
    """Whether Python calls a method where no call is written: a special one, or a property in whatever form."""
    if method.name.startswith("__") and method.name.endswith("__"):
        return method.name not in _MAKING
    return any(not isinstance(each, _ast.Name) or each.id not in _UNBOUND for each in method.decorator_list)


def _names_super(method: Function) -> bool:
    """Whether a method may call the one of the same name that a class before its own has."""
    parts: list[_ast.AST] = [*method.body]
    while parts:
        part = parts.pop()
        if isinstance(part, _ast.Name) and part.id == "super":
            return True
        for field in part._fields:
            value = getattr(part, field, None)
            parts += [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, _ast.AST)]
    return False


def _within(statements: Iterable[_ast.stmt], names: Collection[str] | None) -> Iterator[_ast.stmt]:
    """The definitions of some names (``None``: any) among statements and their branches, not in what they define."""
    parts: list[_ast.AST] = [*reversed(list(statements))]
    while parts:
        part = parts.pop()
        if isinstance(part, (_ast.FunctionDef, _ast.AsyncFunctionDef, _ast.ClassDef)):
            if names is None or part.name in names:
                yield part
            continue
        for field in ("cases", "finalbody", "orelse", "handlers", "body"):
            value = getattr(part, field, None)
            parts += value[::-1] if isinstance(value, list) else []
