"""The statements of a module turned into what running them does to the import system, in execution order.

Function bodies are not followed; class bodies, branches and handlers are.
"""

from __future__ import annotations

import _ast
from collections.abc import Iterable

from envcheck.formats.actions import HARMLESS, MAX_DEPTH, Expressions, TooDeep

_PLAIN_BASES = frozenset(
    {"object", "Exception", "ValueError", "RuntimeError", "TypeError", "ImportError", "OSError", "KeyError",
     "AttributeError", "NotImplementedError", "LookupError", "BaseException", "str", "int", "dict", "list", "tuple"}
)  # fmt: skip
"""Bases of a class statement that run nothing."""


class Reader(Expressions):
    """Walks statements, and the expressions in them."""

    def body(self, statements: Iterable[_ast.stmt]) -> None:
        """Read statements that run one after another."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise TooDeep
        for statement in statements:
            self._statement(statement)
        self._depth -= 1

    def _conditional(self, statements: Iterable[_ast.stmt]) -> None:
        self._maybe += 1
        self.body(statements)
        self._maybe -= 1

    def _statement(self, node: _ast.stmt) -> None:
        if isinstance(node, _ast.Expr):
            self._expression(node.value)
        elif isinstance(node, _ast.Import):
            self._import(node)
        elif isinstance(node, _ast.ImportFrom):
            self._import_from(node)
        elif isinstance(node, _ast.Assign):
            self._expression(node.value)
            for target in node.targets:
                self._assign(target, node.value)
        elif isinstance(node, _ast.AnnAssign):
            if node.value is not None:
                self._expression(node.value)
                self._assign(node.target, node.value)
        elif isinstance(node, _ast.AugAssign):
            self._augment(node)
        elif isinstance(node, _ast.If):
            self._if(node)
        elif isinstance(node, (_ast.FunctionDef, _ast.AsyncFunctionDef)):
            for expression in (*node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)):
                self._expression(expression)
            self._decorators(node.decorator_list)
            self._bind(node.name)
        elif isinstance(node, _ast.ClassDef):
            self._class_definition(node)
        elif isinstance(node, _ast.Raise):
            self._raise(node)
        elif isinstance(node, _ast.Try) or type(node).__name__ == "TryStar":
            self._try(node)
        elif isinstance(node, (_ast.With, _ast.AsyncWith)):
            for item in node.items:
                self._expression(item.context_expr)
                if item.optional_vars is not None:
                    self._assign(item.optional_vars, None)
            self._guarded += 1
            self.body(node.body)
            self._guarded -= 1
        elif isinstance(node, (_ast.For, _ast.AsyncFor)):
            self._expression(node.iter)
            self._assign(node.target, None)
            self._conditional([*node.body, *node.orelse])
        elif isinstance(node, _ast.While):
            self._expression(node.test)
            self._conditional([*node.body, *node.orelse])
        elif isinstance(node, _ast.Assert):
            self._expression(node.test)
        elif isinstance(node, _ast.Delete):
            for target in node.targets:
                if isinstance(target, _ast.Name):
                    self._names.bind(target.id)
                else:
                    self._act("call", "del")
        elif isinstance(node, _ast.Match):
            self._expression(node.subject)
            for case in node.cases:
                self._conditional(case.body)

    def _import(self, node: _ast.Import) -> None:
        for alias in node.names:
            self._act("import", alias.name)
            if alias.asname:
                self._bind(alias.asname, alias.name)
            else:
                top = alias.name.partition(".")[0]
                self._bind(top, top)

    def _import_from(self, node: _ast.ImportFrom) -> None:
        module = node.module or ""
        self._act("import", module, tuple(alias.name for alias in node.names), level=node.level)
        for alias in node.names:
            if alias.name != "*":
                self._bind(alias.asname or alias.name, None if node.level else f"{module}.{alias.name}")

    def _if(self, node: _ast.If) -> None:
        self._expression(node.test)
        truth = self._names.truth(node.test)
        if truth is not None:
            self.body(node.body if truth else node.orelse)
            return
        self._conditional(node.body)
        self._conditional(node.orelse)

    def _try(self, node: _ast.stmt) -> None:
        assert isinstance(node, _ast.Try) or hasattr(node, "handlers")
        handlers = getattr(node, "handlers", [])
        self._guarded += bool(handlers)
        self.body(getattr(node, "body", []))
        self._guarded -= bool(handlers)
        for handler in handlers:
            if handler.name:
                self._bind(handler.name)
            self._guarded += 1
            self._conditional(handler.body)
            self._guarded -= 1
        self.body(getattr(node, "orelse", []))
        self.body(getattr(node, "finalbody", []))

    def _raise(self, node: _ast.Raise) -> None:
        name = ""
        if node.exc is not None:
            target = node.exc.func if isinstance(node.exc, _ast.Call) else node.exc
            name = self._names.dotted(target) or "?"
        self._act("raise", name)

    def _class_definition(self, node: _ast.ClassDef) -> None:
        for base in (*node.bases, *(keyword.value for keyword in node.keywords)):
            self._expression(base)
        if node.keywords or any(self._names.dotted(base) not in _PLAIN_BASES for base in node.bases):
            self._act("call", "class statement")
        outer, self._names = self._names, self._names.copy()
        self._class += 1
        self.body(node.body)
        self._class -= 1
        self._names = outer
        self._decorators(node.decorator_list)
        self._bind(node.name)

    def _decorators(self, decorators: list[_ast.expr]) -> None:
        for decorator in decorators:
            self._expression(decorator)
            if self._names.dotted(decorator) not in HARMLESS:
                self._act("call", "decorator")

    def _augment(self, node: _ast.AugAssign) -> None:
        self._expression(node.value)
        dotted = self._names.dotted(node.target)
        if dotted == "sys.path":
            self._path_items(node.value, None)
        elif isinstance(node.target, _ast.Name):
            if node.target.id == "__all__":
                self.exports += self._names.texts(node.value)
            self._names.forget_text(node.target.id)
        else:
            self._act("call", f"{dotted or '?'} =")
