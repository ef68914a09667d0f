"""The statements of a module turned into what running them does to the import system, in execution order.

Class bodies, branches and handlers are followed; function bodies where they are called, if they are at hand.
"""

from __future__ import annotations

import _ast
from collections.abc import Callable, Iterable, Mapping

from envcheck.formats.actions import HARMLESS, MAX_DEPTH, Expressions, TooDeep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

EXCEPTIONS = frozenset(
    {"Exception", "ValueError", "RuntimeError", "TypeError", "ImportError", "ModuleNotFoundError", "OSError",
     "KeyError", "IndexError", "NameError", "SyntaxError", "AssertionError", "AttributeError", "NotImplementedError",
     "LookupError", "ZeroDivisionError", "BaseException", "SystemExit", "KeyboardInterrupt", "GeneratorExit"}
)  # fmt: skip
"""Exceptions whose making runs nothing."""
_PLAIN_BASES = EXCEPTIONS | {"object", "str", "int", "dict", "list", "tuple"}
"""Bases of a class statement that run nothing."""
_MAX_INSIDE = 20
"""Functions within functions that are read where they are called."""


class Reader(Expressions):
    """Walks statements, and the expressions in them."""

    may_yield = True
    """Whether a function of the text may be a generator; without that word in it none is."""

    def __init__(
        self, version: tuple[int, int], names: Mapping[str, str], constants: Mapping[str, str], decided: bool = True
    ) -> None:
        super().__init__(version, names, constants, decided)
        self._inside = 0
        """Functions whose bodies are being read, one within another."""
        self._read: dict[str, bool] = {}
        """Functions at hand that were read, and whether a call for certain was among them."""
        self._waiting: list[_ast.FunctionDef | _ast.AsyncFunctionDef] = []
        """Functions that are defined within the one that is being read."""

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
        reader = _READERS.get(type(node))
        if reader is not None:
            reader(self, node)
        elif type(node).__name__ == "TryStar":
            self._try(node)
        elif type(node).__name__ == "TypeAlias":
            self._assign(getattr(node, "name"), None)  # noqa: B009

    def _expression_statement(self, node: _ast.Expr) -> None:
        if isinstance(node.value, _ast.Lambda):
            # Nobody holds it: it cannot be called.
            self._defaults(node.value.args)
        else:
            self._expression(node.value)

    def _assignment(self, node: _ast.Assign) -> None:
        self._expression(node.value)
        for target in node.targets:
            self._target(target)
            self._assign(target, node.value)

    def _annotated(self, node: _ast.AnnAssign) -> None:
        if node.value is not None:
            self._expression(node.value)
        self._target(node.target)
        self._annotation(node.annotation)
        if node.value is not None:
            self._assign(node.target, node.value)

    def _function(self, node: _ast.FunctionDef | _ast.AsyncFunctionDef) -> None:
        for decorator in node.decorator_list:
            self._expression(decorator)
        arguments = node.args
        self._defaults(arguments)
        for argument in (*arguments.posonlyargs, *arguments.args, arguments.vararg, *arguments.kwonlyargs):
            if argument is not None:
                self._annotation(argument.annotation)
        self._annotation(None if arguments.kwarg is None else arguments.kwarg.annotation)
        self._annotation(node.returns)
        self._decorators(node.decorator_list)
        self._bind(node.name)
        if self._whole:
            self._at_hand[node.name] = node
            self._read.pop(node.name, None)
            self._waiting.append(node)

    def function(
        self,
        node: _ast.FunctionDef | _ast.AsyncFunctionDef,
        arguments: tuple[str | None, ...],
        plain: bool = True,
        instance: tuple[str, str] | None = None,
    ) -> None:
        """Read the body of a function that is called; not ``plain``: whether the call runs it is not known.

        ``instance``: the first parameter, and the class that it is an instance of.
        """
        outer, maybe, bound = self._names, self._maybe, set(self.bound)
        self._names = outer.copy()
        self._maybe += not plain or isinstance(node, _ast.AsyncFunctionDef) or (self.may_yield and _yields(node))
        self._parameters(node.args, arguments)
        if instance is not None:
            self._names.bind(instance[0], f"<local>.{instance[1]}()")
        whole, self._whole = self._whole, True
        self._inside += 1
        waiting, self._waiting = self._waiting, []
        self.body(node.body)
        self._never_called(self._waiting)
        self._waiting = waiting
        self._inside -= 1
        # Behind a return under a condition everything is reached under one, up to the end of the function.
        self._names, self._maybe, self.bound, self._whole = outer, maybe, bound, whole

    def _never_called(self, functions: list[_ast.FunctionDef | _ast.AsyncFunctionDef]) -> None:
        """Read the functions within one that no call names: they are given back, or handed over, to be called."""
        called = {id(node) for node in functions if self._at_hand.get(node.name) is node and node.name in self._read}
        for node in functions:
            if id(node) not in called and self._inside < _MAX_INSIDE:
                self.function(node, (), plain=False)

    def _parameters(self, parameters: _ast.arguments, arguments: tuple[str | None, ...]) -> None:
        names = [each.arg for each in (*parameters.posonlyargs, *parameters.args)]
        defaults = [self._names.text(each) for each in parameters.defaults]
        texts = [*[None] * (len(names) - len(defaults)), *defaults]
        for index, name in enumerate(names):
            self._names.bind(name, None, arguments[index] if index < len(arguments) else texts[index])
        for each in (*parameters.kwonlyargs, parameters.vararg, parameters.kwarg):
            if each is not None:
                self._names.bind(each.arg)

    def _called(self, dotted: str, arguments: tuple[str | None, ...]) -> bool:
        node = self._at_hand.get(dotted.removeprefix("<local>.")) if dotted.startswith("<local>.") else None
        if node is None:
            return False
        sure = not self._maybe
        if self._read.get(node.name) is None or (sure and not self._read[node.name]):
            # Once for certain is enough, and once under a condition; and it may call itself.
            self._read[node.name] = sure
            if self._inside < _MAX_INSIDE:
                self.function(node, arguments, plain=not node.decorator_list)
        return True

    def _return(self, node: _ast.Return) -> None:
        if node.value is not None:
            self._expression(node.value)
        self._maybe += self._inside > 0

    def _annotation(self, node: _ast.expr | None) -> None:
        """Annotations are evaluated up to 3.13, unless the module asks for the contrary (PEP 563, PEP 649)."""
        if node is not None and not self._annotations_later:
            self._expression(node)

    def _with(self, node: _ast.With | _ast.AsyncWith) -> None:
        managers = []
        for item in node.items:
            self._expression(item.context_expr)
            manager = self._names.dotted(item.context_expr)
            if manager is not None:
                managers.append(manager)
                self._act("call", f"{manager}.__{'a' * isinstance(node, _ast.AsyncWith)}enter__")
            if item.optional_vars is not None:
                self._target(item.optional_vars)
                self._assign(item.optional_vars, None)
        self._guarded += 1
        self.body(node.body)
        self._guarded -= 1
        for manager in reversed(managers):
            self._act("call", f"{manager}.__{'a' * isinstance(node, _ast.AsyncWith)}exit__")

    def _for(self, node: _ast.For | _ast.AsyncFor) -> None:
        self._expression(node.iter)
        self._target(node.target)
        self._assign(node.target, None)
        self._conditional([*node.body, *node.orelse])

    def _while(self, node: _ast.While) -> None:
        self._expression(node.test)
        self._conditional([*node.body, *node.orelse])

    def _assert(self, node: _ast.Assert) -> None:
        # Under -O none of it is evaluated, and the message only where the test fails.
        self._maybe += 1
        self._expression(node.test)
        if node.msg is not None:
            self._expression(node.msg)
        self._maybe -= 1

    def _delete(self, node: _ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, _ast.Name):
                self._names.bind(target.id)
            else:
                self._target(target)
                self._remove(target)

    def _match(self, node: _ast.Match) -> None:
        self._expression(node.subject)
        for case in node.cases:
            self._maybe += 1
            self._pattern(case.pattern)
            if case.guard is not None:
                self._expression(case.guard)
            self.body(case.body)
            self._maybe -= 1

    def _pattern(self, node: _ast.pattern) -> None:
        """A pattern evaluates names and attributes, and calls what a class or a mapping defines."""
        for field in node._fields:
            value = getattr(node, field, None)
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, _ast.pattern):
                    self._pattern(part)
                elif isinstance(part, _ast.expr):
                    self._expression(part)
        name = getattr(node, "name", None) or getattr(node, "rest", None)
        if isinstance(name, str):
            self._bind(name)

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
        # As ``..package.name`` for a relative one.
        origin = "." * node.level + (f"{module}." if module else "")
        self._act("import", module, tuple(alias.name for alias in node.names), level=node.level)
        for alias in node.names:
            if alias.name == "*":
                # Any name may be another thing from here on.
                self._act("call", "import *")
            else:
                self._bind(alias.asname or alias.name, f"{origin}{alias.name}")
            if alias.name == "annotations" and module == "__future__":
                self._annotations_later = True

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
        # Where it fails, what stands under ``finally`` runs all the same.
        guarded = bool(handlers or getattr(node, "finalbody", []))
        self._guarded += guarded
        self.body(getattr(node, "body", []))
        self._guarded -= guarded
        for handler in handlers:
            self._guarded += 1
            self._maybe += 1
            if handler.type is not None:
                self._expression(handler.type)
            if handler.name:
                self._bind(handler.name)
            self.body(handler.body)
            self._maybe -= 1
            self._guarded -= 1
        self.body(getattr(node, "orelse", []))
        self.body(getattr(node, "finalbody", []))

    def _raise(self, node: _ast.Raise) -> None:
        name = ""
        if node.exc is not None:
            raised = node.exc
            target = raised.func if isinstance(raised, _ast.Call) else raised
            name = self._names.dotted(target) or "?"
            if name not in EXCEPTIONS:
                # Its class may do anything when it is made.
                self._expression(raised)
                self._act("call", name)
            elif isinstance(raised, _ast.Call):
                for argument in (*raised.args, *(keyword.value for keyword in raised.keywords)):
                    self._expression(argument)
        if node.cause is not None:
            self._expression(node.cause)
        self._act("raise", name)

    def _class_definition(self, node: _ast.ClassDef) -> None:
        for decorator in node.decorator_list:
            self._expression(decorator)
        for base in (*node.bases, *(keyword.value for keyword in node.keywords)):
            self._expression(base)
        if node.keywords or any(self._names.dotted(base) not in _PLAIN_BASES for base in node.bases):
            self._act("call", "class statement")
        bases = [self._names.dotted(base) for base in node.bases]
        metaclasses = [self._names.dotted(keyword.value) for keyword in node.keywords if keyword.arg == "metaclass"]
        outer, self._names = self._names, self._names.copy()
        self._class += 1
        self.body(node.body)
        self._class -= 1
        self._names = outer
        for called in (
            *metaclasses,
            *(f"{base}.__init_subclass__" for base in bases if base not in {None, *_PLAIN_BASES}),
        ):
            if called is not None:
                self._act("call", called)
        self._decorators(node.decorator_list)
        self._bind(node.name)
        methods = {each.name for each in node.body if isinstance(each, _ast.FunctionDef)}
        self._maybe += 1
        if "__class_getitem__" in methods:
            # No call of it is written: ``Name[item]`` runs it.
            self._act("call", f"<local>.{node.name}.__class_getitem__")
        if methods & {"__new__", "__init__"} and not _PLAIN_BASES.issuperset(bases):
            # An enumeration makes its members when it is defined.
            self._act("call", f"<local>.{node.name}")
        self._maybe -= 1

    def _decorators(self, decorators: list[_ast.expr]) -> None:
        for decorator in decorators:
            dotted = self._names.dotted(decorator)
            if dotted not in HARMLESS:
                self._act("call", dotted or "decorator")

    def _augment(self, node: _ast.AugAssign) -> None:
        self._target(node.target)
        self._expression(node.value)
        dotted = self._names.dotted(node.target)
        if dotted == "sys.path":
            self._path_items(node.value, None)
        elif isinstance(node.target, _ast.Name):
            if node.target.id == "__all__":
                self.exports += self._names.texts(node.value)
            elif node.target.id == "__path__":
                self._package_path(node.value, replaced=False)
            self._names.forget_text(node.target.id)
        else:
            self._act("call", f"{dotted or '?'} =")


_READERS: dict[type[_ast.stmt], Callable[[Reader, Any], None]] = {
    _ast.Expr: Reader._expression_statement,
    _ast.Import: Reader._import,
    _ast.ImportFrom: Reader._import_from,
    _ast.Assign: Reader._assignment,
    _ast.AnnAssign: Reader._annotated,
    _ast.AugAssign: Reader._augment,
    _ast.If: Reader._if,
    _ast.FunctionDef: Reader._function,
    _ast.AsyncFunctionDef: Reader._function,
    _ast.ClassDef: Reader._class_definition,
    _ast.Raise: Reader._raise,
    _ast.Return: Reader._return,
    _ast.Try: Reader._try,
    _ast.With: Reader._with,
    _ast.AsyncWith: Reader._with,
    _ast.For: Reader._for,
    _ast.AsyncFor: Reader._for,
    _ast.While: Reader._while,
    _ast.Assert: Reader._assert,
    _ast.Delete: Reader._delete,
    _ast.Match: Reader._match,
}


def _yields(node: _ast.FunctionDef | _ast.AsyncFunctionDef) -> bool:
    """Whether it is a generator, of which a call runs nothing yet."""
    parts: list[_ast.AST] = [*node.body]
    while parts:
        part = parts.pop()
        if isinstance(part, (_ast.Yield, _ast.YieldFrom)):
            return True
        if not isinstance(part, (_ast.FunctionDef, _ast.AsyncFunctionDef, _ast.Lambda, _ast.ClassDef)):
            for field in part._fields:
                value = getattr(part, field, None)
                parts += [
                    each for each in (value if isinstance(value, list) else [value]) if isinstance(each, _ast.AST)
                ]
    return False
