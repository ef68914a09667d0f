"""The statements of a piece of code, in the order in which they would run, into what they would do.

Branches whose test is known are taken or not; of others both are read. Loops over what is known are gone through, as
that is how hidden strings are put together; all other loops and all functions are read once.
"""

from __future__ import annotations

import _ast
from collections.abc import Iterable

from envcheck.behavior import lookups as lookups  # fills the table of functions that are followed
from envcheck.behavior.abilities import abilities, below, canonical
from envcheck.behavior.calls import Calls
from envcheck.behavior.folding import MAX_ITEMS
from envcheck.behavior.names import TooDeep, joined
from envcheck.behavior.scopes import Scope
from envcheck.behavior.shallow import shallow
from envcheck.behavior.things import Thing, mixed, parts_of, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MAX_NESTING = 60
"""Statements within statements."""
MAX_IDLE = 64
"""Rounds of a loop that change nothing before it is left."""
_OWN_PLACES = ("os.environ", "sys.modules", "sys.path", "sys.argv")
_MACHINERY = ("sys.meta_path", "sys.path_hooks", "sys.path_importer_cache", "sys.path", "sys.modules", "__import__")


class Reader(Calls):
    """Reads a tree."""

    _nesting = 0
    _changes = 0
    _dead: set[int]

    def read(self, statements: list[_ast.stmt]) -> None:
        """The whole of it: the module, then the functions that it defines."""
        for statement in statements:
            try:
                self.run([statement])
            except TooDeep:
                self.budget.cut("nested too deeply")
                self._nesting = self.depth = 0
                shallow([statement], self.recorder)
        while self.later:
            node, scope = self.later.pop(0)
            self._later(node, scope)

    def _later(self, node: _ast.AST, scope: Scope) -> None:
        outer, self.scope = self.scope, Scope(scope)
        try:
            assert isinstance(node, (_ast.FunctionDef, _ast.AsyncFunctionDef, _ast.Lambda))
            arguments = node.args
            for one in (
                *arguments.posonlyargs,
                *arguments.args,
                *arguments.kwonlyargs,
                arguments.vararg,
                arguments.kwarg,
            ):
                if one is not None:
                    self.scope.bind(one.arg, Thing())
            if isinstance(node, _ast.Lambda):
                self.eval(node.body)
            else:
                self.run(node.body)
        except TooDeep:
            self.budget.cut("nested too deeply")
            shallow([node], self.recorder)
        finally:
            self.scope = outer

    def run(self, body: Iterable[_ast.stmt]) -> str | None:
        """Statements, one after another; ``break``, ``continue`` or ``return`` where they end so for certain."""
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            self._nesting -= 1
            raise TooDeep
        try:
            for statement in body:
                self.budget.step()
                reader = _READERS.get(type(statement).__name__)
                if reader is not None:
                    ended = reader(self, statement)
                    if ended is not None:
                        return ended
            return None
        finally:
            self._nesting -= 1

    def _perhaps(self, body: Iterable[_ast.stmt]) -> str | None:
        """Statements that run under a condition."""
        self.maybe += 1
        try:
            return self.run(body)
        finally:
            self.maybe -= 1

    def _never(self, body: list[_ast.stmt]) -> None:
        """Statements that do not run: read once for what they would do, and forgotten."""
        if not body or id(body[0]) in self._dead:
            return
        self._dead.add(id(body[0]))
        outer, self.scope = self.scope, Scope(self.scope)
        try:
            self.run(body)
        finally:
            self.scope = outer

    # Binding ------------------------------------------------------------------------------------------------------

    def bind(self, name: str, thing: Thing) -> None:
        """Bind a name in this scope."""
        old = self.scope.names.get(name)
        if old is None or old.known != thing.known or (thing.known and old.value is not thing.value):
            self._changes += 1
        self.scope.bind(name, thing, self.maybe > 0)

    def bind_target(self, target: _ast.expr, thing: Thing) -> None:
        """Assign to a name, an attribute, an item or several of them."""
        if isinstance(target, _ast.Name):
            self.bind(target.id, thing)
        elif isinstance(target, (_ast.Tuple, _ast.List)):
            parts = parts_of(thing)
            star = next((n for n, one in enumerate(target.elts) if isinstance(one, _ast.Starred)), None)
            if parts is None or (star is None and len(parts) != len(target.elts)):
                parts = [mixed([thing], thing.name)] * len(target.elts)
            elif star is not None:
                behind = len(target.elts) - star - 1
                middle = self.sequence(parts[star : len(parts) - behind])
                parts = [*parts[:star], middle, *parts[len(parts) - behind :]]
            for one, part in zip(target.elts, parts, strict=False):
                self.bind_target(one, part)
        elif isinstance(target, _ast.Starred):
            self.bind_target(target.value, thing)
        elif isinstance(target, _ast.Attribute):
            self.assigned_attribute(self.eval(target.value, called=True), target.attr, thing, target)
        elif isinstance(target, _ast.Subscript):
            self._assigned_item(target, thing)

    def assigned_attribute(self, base: Thing, name: str | None, value: Thing, node: _ast.expr) -> None:
        """``base.name = value``."""
        if base.name is None or "()" in base.name or base.name in ("self", "cls"):
            if base.attributes is None:
                base.attributes = {}
            if name is not None:
                base.attributes[name] = value
            base.source |= value.source
            return
        full = canonical(f"{base.name}.{name or '?'}")
        if full in _MACHINERY:
            self.recorder.use("import-machinery", node, f"replaces {full}")
        elif full.startswith("os.environ"):
            self.recorder.use("environment", node, full)
        else:
            self.recorder.use("monkeypatch", node, f"replaces {full}")

    def _assigned_item(self, target: _ast.Subscript, thing: Thing) -> None:
        base = self.eval(target.value, called=True)
        key = None if isinstance(target.slice, _ast.Slice) else self.eval(target.slice)
        name, text = base.name, None if key is None else text_of(key)
        if name in _MACHINERY:
            self.recorder.use("import-machinery", target, f"changes {name}")
        elif name in ("os.environ", "os.environb"):
            self.recorder.use("environment", target, f"sets {text or 'a variable'}")
        elif name == "globals()" and text is not None:
            self.bind(text, thing)
        elif name == "builtins" or (name is not None and name.endswith(".__dict__")):
            self.assigned_attribute(Thing(name.removesuffix(".__dict__")), text, thing, target)
        elif base.known and isinstance(base.value, (list, dict)):
            self._stored(base, key, thing)
        elif text is not None:
            base.attributes = {**(base.attributes or {}), text: thing}
        base.source |= thing.source

    def _stored(self, base: Thing, key: Thing | None, thing: Thing) -> None:
        self._changes += 1
        try:
            if key is not None and key.known and thing.known and len(base.value) < MAX_ITEMS:  # type: ignore[arg-type]
                base.value[key.value] = thing.value  # type: ignore[index]
                return
        except (TypeError, IndexError, ValueError):
            pass
        base.known = False
        if isinstance(base.value, dict):
            text = None if key is None else text_of(key)
            base.attributes = {**(base.attributes or {}), **({text: thing} if text is not None else {})}

    # Simple statements --------------------------------------------------------------------------------------------

    def _expression(self, node: _ast.Expr) -> None:
        if not isinstance(node.value, _ast.Constant):
            self.eval(node.value)

    def _assign(self, node: _ast.Assign) -> None:
        thing = self.eval(node.value)
        for target in node.targets:
            self.bind_target(target, thing)

    def _annotated(self, node: _ast.AnnAssign) -> None:
        if node.value is not None:
            self.bind_target(node.target, self.eval(node.value))
        if not isinstance(node.annotation, (_ast.Constant, _ast.Name)):
            self.eval(node.annotation)

    def _augmented(self, node: _ast.AugAssign) -> None:
        value = self.eval(node.value)
        target = node.target
        if isinstance(target, _ast.Name):
            old = self.scope.find(target.id) or Thing(canonical(target.id))
            self.bind(target.id, self.operated(type(node.op), old, value))
            return
        old = self.eval(target.value, called=True)
        whole = old.name
        if isinstance(target, _ast.Attribute):
            whole = None if old.name is None else canonical(f"{old.name}.{target.attr}")
            if whole in _MACHINERY:
                self.recorder.use("import-machinery", node, f"extends {whole}")
            elif old.attributes is not None and target.attr in old.attributes:
                old.attributes[target.attr] = self.operated(type(node.op), old.attributes[target.attr], value)
        elif whole in ("os.environ", "os.environb"):
            self.recorder.use("environment", node, "sets a variable")
        elif old.known and not isinstance(target.slice, _ast.Slice):
            key = self.eval(target.slice)
            self._stored(old, key, self.operated(type(node.op), self.item(old, key, target), value))

    def _return(self, node: _ast.Return) -> str | None:
        thing = Thing() if node.value is None else self.eval(node.value)
        old = self.scope.result
        self.scope.result = thing if old is None else joined([old, thing])
        return None if self.maybe else "return"

    def _raise(self, node: _ast.Raise) -> None:
        for one in (node.exc, node.cause):
            if one is not None:
                self.eval(one)

    def _assert(self, node: _ast.Assert) -> None:
        self.eval(node.test)
        if node.msg is not None:
            self.eval(node.msg)

    def _delete(self, node: _ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, (_ast.Subscript, _ast.Attribute)):
                base = self.eval(target.value, called=True)
                if base.name in _MACHINERY:
                    self.recorder.use("import-machinery", target, f"removes from {base.name}")

    def _shared(self, node: _ast.Global | _ast.Nonlocal) -> None:
        self.scope.globals.update(node.names)

    def _break(self, node: _ast.Break) -> str | None:
        return None if self.maybe else "break"

    def _continue(self, node: _ast.Continue) -> str | None:
        return None if self.maybe else "continue"

    def _import(self, node: _ast.Import) -> None:
        for alias in node.names:
            if alias.asname:
                self.bind(alias.asname, Thing(canonical(alias.name)))
            else:
                top = alias.name.partition(".")[0]
                self.bind(top, Thing(canonical(top)))
            if alias.name in ("ctypes", "cffi", "_ctypes"):
                self.recorder.use("native-code", node, f"imports {alias.name}")

    def _import_from(self, node: _ast.ImportFrom) -> None:
        if node.level:
            for alias in node.names:
                self.bind(alias.asname or alias.name, Thing())
            return
        module = canonical(node.module or "")
        for alias in node.names:
            if alias.name != "*":
                self.bind(alias.asname or alias.name, Thing(canonical(f"{module}.{alias.name}")))
                continue
            for name in below(module):
                self.bind(name, Thing(f"{module}.{name}"))

    # Compound statements ------------------------------------------------------------------------------------------

    def _if(self, node: _ast.If) -> str | None:
        test = self.eval(node.test)
        if test.known:
            self._never(node.orelse if test.value else node.body)
            return self.run(node.body if test.value else node.orelse)
        self._perhaps(node.body)
        # A long chain of `elif` leans to the right: walk down it without recursion.
        rest = node.orelse
        while len(rest) == 1 and isinstance(rest[0], _ast.If):
            self.eval(rest[0].test)
            self._perhaps(rest[0].body)
            rest = rest[0].orelse
        self._perhaps(rest)
        return None

    def _for(self, node: _ast.For | _ast.AsyncFor) -> str | None:
        iterated = self.eval(node.iter)
        parts = parts_of(iterated)
        if parts is None or len(parts) > MAX_ITEMS:
            self._once(node, mixed([iterated]))
            return None
        idle = 0
        for part in parts:
            part.source |= iterated.source
            self.bind_target(node.target, part)
            before = self._changes
            ended = self.run(node.body)
            if ended == "return":
                return ended
            if ended == "break":
                return None
            idle = idle + 1 if self._changes == before else 0
            if idle > MAX_IDLE or not self.budget.may_repeat:
                self._once(node, mixed([iterated]))
                return None
        return self.run(node.orelse)

    def _once(self, node: _ast.For | _ast.AsyncFor, part: Thing) -> None:
        """A loop over something that is not known."""
        self.maybe += 1
        self.bind_target(node.target, part)
        self.run(node.body)
        self.run(node.orelse)
        self.maybe -= 1

    def _while(self, node: _ast.While) -> str | None:
        idle, state = 0, self._state()
        while True:
            test = self.eval(node.test)
            if not test.known or not self.budget.may_repeat:
                self._perhaps([*node.body, *node.orelse])
                return None
            if not test.value:
                self._never(node.body)
                return self.run(node.orelse)
            before = self._changes
            ended = self.run(node.body)
            if ended in ("break", "return"):
                return ended if ended == "return" else None
            # Names that are bound anew in each round, and end as they began, move nothing on.
            last, state = state, state if self._changes == before else self._state()
            idle = idle + 1 if state == last else 0
            if idle > MAX_IDLE:
                return None

    def _state(self) -> list[tuple[str, object]]:
        """What the names of this scope stand for, as far as a loop could go on by it."""
        found: list[tuple[str, object]] = []
        for name, thing in self.scope.names.items():
            value = thing.value if thing.known else None
            if isinstance(value, (list, dict, set, bytearray)):
                found.append((name, (id(value) if value else type(value), len(value))))
            else:
                found.append((name, (type(value), value)))
        return found

    def _with(self, node: _ast.With | _ast.AsyncWith) -> str | None:
        for item in node.items:
            thing = self.eval(item.context_expr)
            if item.optional_vars is not None:
                self.bind_target(item.optional_vars, thing)
        return self.run(node.body)

    def _try(self, node: _ast.Try) -> str | None:
        ended = self.run(node.body)
        for handler in node.handlers:
            if handler.type is not None and not isinstance(handler.type, (_ast.Name, _ast.Attribute, _ast.Tuple)):
                self.eval(handler.type)
            if handler.name:
                self.bind(handler.name, Thing())
            self._perhaps(handler.body)
        if ended is None:
            ended = self.run(node.orelse)
        else:
            self._never(node.orelse)
        return self.run(node.finalbody) or ended

    def _match(self, node: _ast.Match) -> None:
        subject = self.eval(node.subject)
        for case in node.cases:
            self.maybe += 1
            self._pattern(case.pattern, subject)
            if case.guard is not None:
                self.eval(case.guard)
            self.run(case.body)
            self.maybe -= 1

    def _pattern(self, node: _ast.pattern, subject: Thing) -> None:
        for field in node._fields:
            value = getattr(node, field, None)
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, _ast.pattern):
                    self._pattern(part, Thing(None, subject.source))
                elif isinstance(part, _ast.expr):
                    self.eval(part)
        name = getattr(node, "name", None) or getattr(node, "rest", None)
        if isinstance(name, str):
            self.bind(name, subject)

    def _function_statement(self, node: _ast.FunctionDef | _ast.AsyncFunctionDef) -> None:
        arguments = node.args
        for default in (*arguments.defaults, *(one for one in arguments.kw_defaults if one is not None)):
            self.eval(default)
        made = Thing()
        made.function, made.scope = node, self.scope
        self.later.append((node, self.scope))
        for decorator in reversed(node.decorator_list):
            found = self.eval(decorator, called=True)
            given = self.apply(found, [made], {}, decorator)
            if given.known or (found.name is not None and abilities(found.name)):
                made = given
        self.bind(node.name, made)

    def _class(self, node: _ast.ClassDef) -> None:
        for base in (*node.bases, *(keyword.value for keyword in node.keywords)):
            self.eval(base)
        inner = Scope(self.scope)
        outer, self.scope = self.scope, inner
        maybe, self.maybe = self.maybe, 0
        try:
            self.run(node.body)
        finally:
            self.scope, self.maybe = outer, maybe
        made = Thing()
        made.attributes = inner.names
        for decorator in node.decorator_list:
            self.apply(self.eval(decorator, called=True), [made], {}, decorator)
        self.bind(node.name, made)


_READERS: dict[str, Callable[[Reader, Any], str | None]] = {
    "Expr": Reader._expression,
    "Assign": Reader._assign,
    "AnnAssign": Reader._annotated,
    "AugAssign": Reader._augmented,
    "Return": Reader._return,
    "Raise": Reader._raise,
    "Assert": Reader._assert,
    "Delete": Reader._delete,
    "Global": Reader._shared,
    "Nonlocal": Reader._shared,
    "Break": Reader._break,
    "Continue": Reader._continue,
    "Import": Reader._import,
    "ImportFrom": Reader._import_from,
    "If": Reader._if,
    "For": Reader._for,
    "AsyncFor": Reader._for,
    "While": Reader._while,
    "With": Reader._with,
    "AsyncWith": Reader._with,
    "Try": Reader._try,
    "TryStar": Reader._try,
    "Match": Reader._match,
    "FunctionDef": Reader._function_statement,
    "AsyncFunctionDef": Reader._function_statement,
    "ClassDef": Reader._class,
}
