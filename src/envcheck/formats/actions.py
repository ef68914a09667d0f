"""Expressions and assignments turned into what evaluating them does to the import system, in evaluation order.

Only what is written literally is understood; everything else that might act is one ``call`` of something unknown.
"""

import _ast
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from envcheck.formats.syntax import Problem, parse
from envcheck.formats.values import IMPORTERS, Names, Value

ActionKind = Literal["import", "addsitedir", "path", "block", "raise", "exit", "call", "dynamic"]


class Action(NamedTuple):
    """One thing that the code does.

    ``import``: ``text`` the module, ``names`` what is taken from it (``from text import names``), ``level`` the dots.
    ``addsitedir``: ``text`` the directory. ``path``: ``text`` joins ``sys.path`` at ``position`` (``None``: at the
    end). ``block``: ``sys.modules[text] = None``. ``raise``: ``text`` the exception's name, if it has one. ``exit``:
    ``text`` the function that ends the process. ``call``: something unknown, its dotted name in ``text`` and literal
    arguments in ``names`` where it has them. ``dynamic``: ``text`` says which import or execution could not be
    followed.
    """

    kind: ActionKind
    text: str = ""
    names: tuple[str, ...] = ()
    level: int = 0
    position: int | None = None
    maybe: bool = False
    """Reached only under a condition."""
    guarded: bool = False
    """Inside a ``try`` (or ``with``): its failing need not end the code."""


class TooDeep(Exception):
    """The tree is deeper than this reader goes."""


MAX_DEPTH = 120

_EXECUTORS = frozenset({"exec", "eval", "builtins.exec", "builtins.eval"})
_ENDERS = frozenset(
    {"sys.exit", "os._exit", "os.abort"}
    | {f"os.exec{form}" for form in ("v", "ve", "vp", "vpe", "l", "le", "lp", "lpe")}
)
HARMLESS = frozenset(
    {
        "os.environ.get", "os.getenv", "os.getcwd", "os.fspath", "os.path.join", "os.path.dirname", "os.path.abspath",
        "os.path.basename", "os.path.exists", "os.path.isdir", "os.path.isfile", "os.path.normpath",
        "os.path.realpath", "sys._getframe", "sys.intern", "isinstance", "len", "bool", "int", "float", "bytes",
        "tuple", "list", "dict", "set", "frozenset", "range", "object", "property", "staticmethod", "classmethod",
        "logging.getLogger", "re.compile", "collections.namedtuple", "typing.TypeVar", "typing.cast",
        "typing.NewType", "os.fsdecode", "sys.path.copy", "sys.path.index", "platform.system",
    }
)  # fmt: skip
"""Calls that cannot change what a later import finds; anything else may."""
_INERT_TARGETS = frozenset({"os.environ", "sys.dont_write_bytecode"})
"""Assigning to these (or their items) changes no import."""


class Expressions:
    """Walks expressions in evaluation order and keeps what they do in ``actions``."""

    def __init__(self, version: tuple[int, int], names: Mapping[str, str], constants: Mapping[str, str]) -> None:
        self.actions: list[Action] = []
        self.bound: set[str] = set()
        self.exports: tuple[str, ...] = ()
        self.literals: dict[str, Value] = {}
        self._names = Names(version, names, constants)
        self._maybe = 0
        self._guarded = 0
        self._depth = 0
        self._class = 0

    def body(self, statements: Iterable[_ast.stmt]) -> None:
        """Read statements that run one after another."""
        raise NotImplementedError

    # Binding ----------------------------------------------------------------------------------------------------

    def _bind(self, name: str, dotted: str | None = None, constant: str | None = None) -> None:
        if not self._class and not self._maybe:
            self.bound.add(name)
        self._names.bind(name, dotted, constant, self._maybe > 0)

    def _assign(self, target: _ast.expr, value: _ast.expr | None) -> None:
        if isinstance(target, _ast.Name):
            if value is None:
                self._bind(target.id)
                return
            self._bind(target.id, self._names.dotted(value), self._names.text(value))
            if not self._class:
                self._literal(target.id, value)
        elif isinstance(target, (_ast.Tuple, _ast.List)):
            for element in target.elts:
                self._assign(element, None)
        elif isinstance(target, _ast.Starred):
            self._assign(target.value, None)
        elif isinstance(target, _ast.Subscript):
            self._assign_item(target, value)
        elif isinstance(target, _ast.Attribute):
            dotted = self._names.dotted(target)
            if dotted == "sys.path" and value is not None:
                self._act("dynamic", "sys.path is replaced")
            if dotted not in _INERT_TARGETS:
                self._act("call", f"{dotted or '?'} =")

    def _assign_item(self, target: _ast.Subscript, value: _ast.expr | None) -> None:
        dotted = self._names.dotted(target.value)
        if dotted == "sys.modules":
            name = self._names.text(target.slice)
            if name is not None and isinstance(value, _ast.Constant) and value.value is None:
                self._act("block", name)
                return
        if dotted == "sys.path" and isinstance(target.slice, _ast.Slice) and value is not None:
            position = 0 if self._is_zero(target.slice.upper) else None
            self._path_items(value, position)
            return
        if dotted not in _INERT_TARGETS:
            self._act("call", f"{dotted or '?'}[] =")

    def _literal(self, name: str, value: _ast.expr) -> None:
        if name == "__all__":
            self.exports = self._names.texts(value)
        elif name.isupper():
            found = self._names.literal(value)
            if found is not None:
                self.literals[name] = found

    # Expressions ------------------------------------------------------------------------------------------------

    def _expression(self, node: _ast.expr) -> None:
        """Read what evaluating an expression does, operands first."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise TooDeep
        if isinstance(node, _ast.Call):
            self._call(node)
        elif isinstance(node, _ast.BoolOp):
            self._expression(node.values[0])
            self._maybe += 1
            for value in node.values[1:]:
                self._expression(value)
            self._maybe -= 1
        elif isinstance(node, _ast.IfExp):
            self._expression(node.test)
            self._maybe += 1
            self._expression(node.body)
            self._expression(node.orelse)
            self._maybe -= 1
        elif isinstance(node, (_ast.ListComp, _ast.SetComp, _ast.GeneratorExp, _ast.DictComp)):
            self._comprehension(node)
        elif isinstance(node, _ast.NamedExpr):
            self._expression(node.value)
            self._assign(node.target, node.value)
        elif isinstance(node, _ast.BinOp):
            # A long chain of operators leans to the left: walk down it without recursion.
            chain: list[_ast.expr] = []
            left: _ast.expr = node
            while isinstance(left, _ast.BinOp):
                chain.append(left.right)
                left = left.left
            self._expression(left)
            for right in reversed(chain):
                self._expression(right)
        elif not isinstance(node, (_ast.Lambda, _ast.Constant, _ast.Name)):
            for child in _children(node):
                self._expression(child)
        self._depth -= 1

    def _comprehension(self, node: _ast.ListComp | _ast.SetComp | _ast.GeneratorExp | _ast.DictComp) -> None:
        outer, self._names = self._names, self._names.copy()
        bound = set(self.bound)
        self._expression(node.generators[0].iter)
        self._maybe += 1
        for generator in node.generators:
            self._assign(generator.target, None)
            for test in generator.ifs:
                self._expression(test)
        for generator in node.generators[1:]:
            self._expression(generator.iter)
        for part in (node.key, node.value) if isinstance(node, _ast.DictComp) else (node.elt,):
            self._expression(part)
        self._maybe -= 1
        self._names, self.bound = outer, bound

    def _call(self, node: _ast.Call) -> None:
        if isinstance(node.func, _ast.Lambda):
            self._expression(node.func.body)
        else:
            self._expression(node.func)
        for argument in node.args:
            self._expression(argument.value if isinstance(argument, _ast.Starred) else argument)
        for keyword in node.keywords:
            self._expression(keyword.value)
        dotted = self._names.dotted(node.func) or ""
        if dotted in IMPORTERS:
            self._dynamic_import(node, dotted)
        elif dotted in _EXECUTORS:
            self._execute(node, dotted)
        elif dotted in ("site.addsitedir", "addsitedir"):
            self._directory(node, "addsitedir", 0)
        elif dotted == "sys.path.insert":
            self._directory(node, "path", 1)
        elif dotted == "sys.path.append":
            self._directory(node, "path", 0)
        elif dotted == "sys.path.extend" and node.args:
            self._path_items(node.args[0], None)
        elif dotted in _ENDERS:
            self._act("exit", dotted)
        elif dotted not in HARMLESS:
            texts = [self._names.text(argument) for argument in node.args]
            self._act("call", dotted, tuple(text for text in texts if text is not None))
            if dotted in ("runpy.run_path", "runpy.run_module", "site.addpackage", "importlib.reload"):
                self._act("dynamic", dotted)

    def _dynamic_import(self, node: _ast.Call, dotted: str) -> None:
        name = self._names.text(node.args[0]) if node.args else None
        if name is None:
            self._act("dynamic", f"{dotted} of a name that is not literal")
            self._act("call", dotted)
            return
        level = len(name) - len(name.lstrip("."))
        if level and len(node.args) > 1:
            package = self._names.text(node.args[1])
            if package is not None:
                parts = package.split(".")
                base = parts[: len(parts) - level + 1]
                self._act("import", ".".join([*base, name[level:]]).rstrip("."))
                return
        self._act("import", name[level:], level=level)

    def _execute(self, node: _ast.Call, dotted: str) -> None:
        argument = node.args[0] if node.args else None
        if (
            isinstance(argument, _ast.Call)
            and self._names.dotted(argument.func) in ("compile", "builtins.compile")
            and argument.args
        ):
            argument = argument.args[0]
        text = None if argument is None else self._names.text(argument)
        if text is None:
            self._act("dynamic", f"{dotted} of text that is not literal")
            self._act("call", dotted)
            return
        # Of an expression, exec does the same as eval, which ignores blanks before it.
        tree = parse(text.lstrip(" \t") if dotted.endswith("eval") else text)
        if not isinstance(tree, Problem):
            self.body(tree)
        elif tree.refused:
            self._act("raise", "SyntaxError")
        else:
            self._act("dynamic", f"{dotted} of text that is {tree.why}")
            self._act("call", dotted)

    def _directory(self, node: _ast.Call, kind: Literal["addsitedir", "path"], place: int) -> None:
        text = self._names.text(node.args[place]) if len(node.args) > place else None
        if text is None:
            self._act("dynamic", f"{self._names.dotted(node.func)} of a directory that is not literal")
            self._act("call", self._names.dotted(node.func) or "")
            return
        position = None
        if place:
            first = node.args[0]
            position = first.value if isinstance(first, _ast.Constant) and isinstance(first.value, int) else 0
        self._act(kind, text, position=position)

    def _path_items(self, node: _ast.expr, position: int | None) -> None:
        texts = self._names.texts(node)
        if not texts or not isinstance(node, (_ast.List, _ast.Tuple)) or len(texts) != len(node.elts):
            self._act("dynamic", "sys.path is changed by entries that are not literal")
            self._act("call", "sys.path")
        for offset, text in enumerate(texts):
            self._act("path", text, position=None if position is None else position + offset)

    @staticmethod
    def _is_zero(node: _ast.expr | None) -> bool:
        return isinstance(node, _ast.Constant) and node.value == 0

    def _act(
        self,
        kind: ActionKind,
        text: str = "",
        names: tuple[str, ...] = (),
        level: int = 0,
        position: int | None = None,
    ) -> None:
        action = Action(kind, text, names, level, position, self._maybe > 0, self._guarded > 0)
        if kind == "call" and self.actions and self.actions[-1] == action:
            return
        self.actions.append(action)


def _children(node: _ast.AST) -> Iterable[_ast.expr]:
    for field in node._fields:
        value = getattr(node, field, None)
        if isinstance(value, _ast.expr):
            yield value
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, _ast.expr):
                    yield item
                elif isinstance(item, _ast.AST):
                    yield from _children(item)
