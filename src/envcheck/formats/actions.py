"""Expressions and assignments turned into what evaluating them does to the import system, in evaluation order.

Only what is written literally is understood; everything else that might act is one ``call`` of something unknown.
"""

import _ast
import sys
from collections.abc import Iterable, Mapping

from envcheck.formats.syntax import Problem, parse
from envcheck.formats.values import IMPORTERS, Names, Value
from envcheck.model.nouns import Literal, NamedTuple

ActionKind = Literal[
    "import", "addsitedir", "path", "unpath", "package-path", "block", "bind", "forget", "raise", "exit", "call",
    "dynamic",
]  # fmt: skip


class Action(NamedTuple):
    """One thing that the code does.

    ``import``: ``text`` the module, ``names`` what is taken from it (``from text import names``), ``level`` the dots.
    ``addsitedir``: ``text`` the directory. ``path``: ``text`` joins ``sys.path`` at ``position`` (``None``: at the
    end). ``unpath``: ``sys.path`` loses its item ``text``, or the one at ``position``, or (``text`` is ``*``) changes
    in a way that was not followed. ``package-path``: ``__path__`` gets the items ``names``, or (``text`` is
    ``extend_path``) those of ``pkgutil.extend_path``. ``block``: ``sys.modules[text] = None``; ``bind``: the same with
    something else; ``forget``: ``sys.modules`` loses it. ``raise``: ``text`` the exception's name, if it has one.
    ``exit``: ``text`` the function that ends the process. ``call``: something unknown, its dotted name in ``text``,
    literal arguments in ``names``, every argument (``None`` for one that is not literal) in ``arguments``, and dotted
    names that it is given in ``passed``. ``dynamic``: ``text`` says which import or execution could not be followed.
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
    arguments: tuple[str | None, ...] = ()
    passed: tuple[str, ...] = ()


class TooDeep(Exception):
    """The tree is deeper than this reader goes."""


MAX_DEPTH = 120

_EXECUTORS = frozenset({"exec", "eval", "builtins.exec", "builtins.eval"})
_ENDERS = frozenset(
    {"sys.exit", "os._exit", "os.abort"}
    | {f"os.exec{form}" for form in ("v", "ve", "vp", "vpe", "l", "le", "lp", "lpe")}
)
_LOADERS = frozenset(
    {
        "runpy.run_path", "runpy.run_module", "site.addpackage", "importlib.reload",
        "importlib.util.spec_from_file_location", "importlib.machinery.SourceFileLoader",
        "importlib.machinery.SourcelessFileLoader", "importlib.machinery.ExtensionFileLoader", "imp.load_source",
        "imp.load_compiled", "imp.load_dynamic", "imp.load_module", "pkgutil.resolve_name",
        "pickle.load", "pickle.loads", "marshal.load", "marshal.loads",
        "logging.config.dictConfig", "logging.config.fileConfig",
    }
)  # fmt: skip
"""Calls that load code, by ways that are not followed: they are listed."""
_FINDERS = frozenset({"importlib.util.find_spec", "importlib.find_loader", "pkgutil.find_loader", "pkgutil.get_loader"})
"""Calls that import what a module lies in, to look for it there."""
HARMLESS = frozenset(
    {
        "os.environ.get", "os.getenv", "os.getcwd", "os.fspath", "os.path.join", "os.path.dirname", "os.path.abspath",
        "os.path.basename", "os.path.exists", "os.path.isdir", "os.path.isfile", "os.path.normpath",
        "os.path.realpath", "sys._getframe", "sys.intern", "isinstance", "len", "bool", "int", "float", "bytes",
        "tuple", "list", "dict", "set", "frozenset", "range", "object", "property", "staticmethod", "classmethod",
        "logging.getLogger", "re.compile", "collections.namedtuple", "typing.TypeVar", "typing.cast",
        "typing.NewType", "os.fsdecode", "sys.path.copy", "pkgutil.extend_path", "sys.path.index", "platform.system",
    }
)  # fmt: skip
"""Calls that cannot change what a later import finds; anything else may."""
_PATH_METHODS = frozenset(f"sys.path.{name}" for name in ("pop", "remove", "clear", "reverse", "sort", "__delitem__"))
_INERT_TARGETS = frozenset({"os.environ", "sys.dont_write_bytecode"})
"""Assigning to these (or their items) changes no import."""


class Expressions:
    """Walks expressions in evaluation order and keeps what they do in ``actions``."""

    def __init__(
        self, version: tuple[int, int], names: Mapping[str, str], constants: Mapping[str, str], decided: bool = True
    ) -> None:
        self.actions: list[Action] = []
        self.bound: set[str] = set()
        self.possible: set[str] = set()
        """What is bound, also where that hangs on a condition."""
        self.exports: tuple[str, ...] = ()
        self.literals: dict[str, Value] = {}
        self._names = Names(version, names, constants, decided)
        self._maybe = 0
        self._guarded = 0
        self._depth = 0
        self._class = 0
        self._version = version
        self._at_hand: dict[str, _ast.FunctionDef | _ast.AsyncFunctionDef] = {}
        """Functions defined in code that is read with their bodies, by name: a call of one is read where it stands."""
        self._whole = False
        """The bodies of functions are there: no skeleton was made of the text."""
        self._annotations_later = version >= (3, 14)

    def body(self, statements: Iterable[_ast.stmt]) -> None:
        """Read statements that run one after another."""
        raise NotImplementedError

    def _called(self, dotted: str, arguments: tuple[str | None, ...]) -> bool:
        """Read the body of a function that is at hand; whether it is."""
        raise NotImplementedError

    @property
    def names(self) -> Names:
        """What is bound now."""
        return self._names

    # Binding ----------------------------------------------------------------------------------------------------

    def _bind(self, name: str, dotted: str | None = None, constant: str | None = None) -> None:
        self.possible.add(name)
        if not self._class and not self._maybe:
            self.bound.add(name)
        self._names.bind(name, dotted, constant, self._maybe > 0)

    def _assign(self, target: _ast.expr, value: _ast.expr | None) -> None:
        if isinstance(target, _ast.Name):
            if value is None:
                self._bind(target.id)
                return
            # A package's own path stays that, whatever it was made by.
            dotted = None if target.id == "__path__" else self._names.dotted(value)
            self._bind(target.id, dotted, self._names.text(value))
            if not self._class:
                self._literal(target.id, value)
                if target.id == "__path__":
                    self._package_path(value, replaced=True)
        elif isinstance(target, (_ast.Tuple, _ast.List)):
            for element in target.elts:
                self._assign(element, None)
        elif isinstance(target, _ast.Starred):
            self._assign(target.value, None)
        elif isinstance(target, _ast.Subscript):
            self._assign_item(target, value)
        elif isinstance(target, _ast.Attribute):
            dotted = self._names.dotted(target)
            if dotted == "sys.path":
                self._path_replaced(value)
            elif dotted not in _INERT_TARGETS:
                self._act("call", f"{dotted or '?'} =")

    def _assign_item(self, target: _ast.Subscript, value: _ast.expr | None) -> None:
        dotted = self._names.dotted(target.value)
        if dotted == "sys.modules":
            name = self._names.text(target.slice)
            if name is not None:
                nothing = isinstance(value, _ast.Constant) and value.value is None
                self._act("block" if nothing else "bind", name)
                if nothing:
                    return
        if dotted == "sys.path":
            self._path_items_replaced(target.slice, value)
        elif dotted not in _INERT_TARGETS:
            self._act("call", f"{dotted or '?'}[] =")

    def _path_items_replaced(self, place: _ast.expr, value: _ast.expr | None) -> None:
        """``sys.path[place] = value``."""
        if isinstance(place, _ast.Slice) and value is not None:
            if place.lower is None and place.upper is None and place.step is None:
                self._path_replaced(value)
                return
            if (place.lower is None or self._is_zero(place.lower)) and self._is_zero(place.upper):
                self._path_items(value, 0)
                return
            self._act("unpath", "*")
            self._path_items(value, 0)
            return
        self._act("unpath", "*")
        text = None if value is None else self._names.text(value)
        if text is not None:
            self._act("path", text, position=0)
        else:
            self._act("dynamic", "sys.path is changed by an entry that is not literal")

    def _path_replaced(self, value: _ast.expr | None) -> None:
        """``sys.path = value``, where the old one with literal items before or behind it is understood."""
        parts: list[_ast.expr] = []
        node = value
        while isinstance(node, _ast.BinOp) and isinstance(node.op, _ast.Add):
            parts.insert(0, node.right)
            node = node.left
        if node is not None:
            parts.insert(0, node)
        old = [index for index, part in enumerate(parts) if self._is_path(part)]
        if len(old) == 1:
            for part in reversed(parts[: old[0]]):
                self._path_items(part, 0)
            for part in parts[old[0] + 1 :]:
                self._path_items(part, None)
            return
        self._act("unpath", "*")
        for part in reversed(parts):
            if not self._is_path(part):
                self._path_items(part, 0)
        if not parts:
            self._act("dynamic", "sys.path is replaced")

    def _is_path(self, node: _ast.expr) -> bool:
        """``sys.path``, ``sys.path[:]`` or ``list(sys.path)``."""
        if isinstance(node, _ast.Subscript) and isinstance(node.slice, _ast.Slice):
            whole = node.slice.lower is None and node.slice.upper is None and node.slice.step is None
            return whole and self._names.dotted(node.value) == "sys.path"
        if isinstance(node, _ast.Call) and len(node.args) == 1 and self._names.dotted(node.func) == "list":
            node = node.args[0]
        return self._names.dotted(node) == "sys.path"

    def _package_path(self, value: _ast.expr, replaced: bool) -> None:
        """``__path__`` of a package is bound (``replaced``) or extended: with what is literal."""
        if isinstance(value, _ast.Call) and self._names.dotted(value.func) == "pkgutil.extend_path":
            self._act("package-path", "extend_path")
            return
        parts = [value]
        while isinstance(parts[0], _ast.BinOp) and isinstance(parts[0].op, _ast.Add):
            parts[:1] = [parts[0].left, parts[0].right]
        known = [part for part in parts if isinstance(part, (_ast.List, _ast.Tuple))]
        keeps = sum(self._names.dotted(part) in ("__path__", "<local>.__path__") for part in parts)
        literal = all(len(self._names.texts(part)) == len(part.elts) for part in known)
        texts = tuple(text for part in known for text in self._names.texts(part))
        if not literal or len(known) + keeps < len(parts):
            self._act("dynamic", "__path__ is extended by entries that are not literal")
            self._act("call", "__path__")
        self._act("package-path", "", texts)

    def _target(self, node: _ast.expr) -> None:
        """What an assignment's target evaluates."""
        if isinstance(node, (_ast.Tuple, _ast.List)):
            for element in node.elts:
                self._target(element)
        elif isinstance(node, (_ast.Starred, _ast.Attribute)):
            self._target(node.value) if isinstance(node, _ast.Starred) else self._expression(node.value)
        elif isinstance(node, _ast.Subscript):
            self._expression(node.value)
            self._expression(node.slice)

    def _remove(self, target: _ast.expr) -> None:
        """``del target``."""
        if isinstance(target, _ast.Subscript):
            dotted = self._names.dotted(target.value)
            if dotted == "sys.path":
                number = _number(target.slice)
                self._act("unpath", "*" if number is None else "", position=number)
                return
            if dotted == "sys.modules":
                name = self._names.text(target.slice)
                if name is not None:
                    self._act("forget", name)
                    return
            if dotted in _INERT_TARGETS:
                return
        self._act("call", "del")

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
        if isinstance(node, (_ast.Constant, _ast.Name)):
            return
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
        elif isinstance(node, _ast.Lambda):
            self._lambda(node)
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
        else:
            for child in _children(node):
                self._expression(child)
        self._depth -= 1

    def _defaults(self, arguments: _ast.arguments) -> None:
        for default in (*arguments.defaults, *arguments.kw_defaults):
            if default is not None:
                self._expression(default)

    def _lambda(self, node: _ast.Lambda) -> None:
        """Whether it is called, and when, is not known."""
        self._defaults(node.args)
        outer, self._names = self._names, self._names.copy()
        bound = set(self.bound)
        arguments = node.args
        self._maybe += 1
        for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg):
            if each is not None:
                self._names.bind(each.arg)
        self._expression(node.body)
        self._maybe -= 1
        self._names, self.bound = outer, bound

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
            self._defaults(node.func.args)
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
        elif dotted in _FINDERS:
            self._finder_call(node, dotted)
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
        elif dotted in _PATH_METHODS:
            self._path_method(node, dotted.rpartition(".")[2])
        elif dotted in ("__path__.append", "<local>.__path__.append", "__path__.insert", "<local>.__path__.insert"):
            text = self._names.text(node.args[-1]) if node.args else None
            self._act("package-path", "", () if text is None else (text,))
            if text is None:
                self._act("dynamic", "__path__ is extended by an entry that is not literal")
        elif dotted in ("sys.modules.pop", "sys.modules.__delitem__") and self._first_text(node) is not None:
            self._act("forget", self._first_text(node) or "")
        elif dotted in _ENDERS:
            self._act("exit", dotted)
        elif dotted not in HARMLESS:
            self._unknown_call(node, dotted)
            if dotted in _LOADERS:
                self._act("dynamic", dotted)

    def _unknown_call(self, node: _ast.Call, dotted: str) -> None:
        texts = [self._names.text(argument) for argument in node.args]
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        passed = [self._names.dotted(each) for each in given if isinstance(each, (_ast.Name, _ast.Attribute))]
        starred = any(isinstance(argument, _ast.Starred) for argument in node.args)
        arguments = () if starred else tuple(texts)
        if self._called(dotted, arguments):
            dotted = f"<body>.{dotted}"
        self._act(
            "call", dotted, tuple(text for text in texts if text is not None),
            arguments=arguments, passed=tuple(each for each in passed if each is not None and "." in each),
        )  # fmt: skip

    def _first_text(self, node: _ast.Call) -> str | None:
        return self._names.text(node.args[0]) if node.args else None

    def _path_method(self, node: _ast.Call, method: str) -> None:
        """``sys.path`` loses items."""
        text, number = self._first_text(node), _number(node.args[0]) if node.args else -1
        if method == "remove" and text is not None:
            self._act("unpath", text)
        elif method in ("pop", "__delitem__") and number is not None:
            self._act("unpath", "", position=number)
        else:
            self._act("unpath", "*")

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

    def _finder_call(self, node: _ast.Call, dotted: str) -> None:
        name = self._first_text(node)
        self._unknown_call(node, dotted)
        if name is None:
            self._act("dynamic", f"{dotted} of a name that is not literal")
        elif "." in name.lstrip("."):
            self._guarded += 1
            self._act("import", name.lstrip(".").rpartition(".")[0], level=len(name) - len(name.lstrip(".")))
            self._guarded -= 1

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
        # Namespaces of its own may give any name another meaning.
        apart = len(node.args) + len(node.keywords) > 1
        self._guarded += apart
        if not isinstance(tree, Problem):
            outer, self._whole = self._whole, True
            self.body(tree)
            self._whole = outer
        elif tree.refused and sys.version_info[:2] == self._version:
            self._act("raise", "SyntaxError")
        else:
            self._act("dynamic", f"{dotted} of text that is not understood ({tree.why})")
            self._act("call", dotted)
        self._guarded -= apart

    def _directory(self, node: _ast.Call, kind: Literal["addsitedir", "path"], place: int) -> None:
        text = self._names.text(node.args[place]) if len(node.args) > place else None
        if text is None:
            self._act("dynamic", f"{self._names.dotted(node.func)} of a directory that is not literal")
            self._act("call", self._names.dotted(node.func) or "")
            return
        position = None
        if place:
            first = node.args[0]
            number = _number(first)
            if number is None:
                self._act("unpath", "*")
            position = number or 0
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
        arguments: tuple[str | None, ...] = (),
        passed: tuple[str, ...] = (),
    ) -> None:
        maybe, guarded = self._maybe > 0, self._guarded > 0
        action = Action(kind, text, names, level, position, maybe, guarded, arguments, passed)
        if kind == "call" and self.actions and self.actions[-1] == action:
            return
        self.actions.append(action)


def _number(node: _ast.expr) -> int | None:
    """A literal whole number."""
    if isinstance(node, _ast.UnaryOp) and isinstance(node.op, _ast.USub):
        number = _number(node.operand)
        return None if number is None else -number
    return node.value if isinstance(node, _ast.Constant) and isinstance(node.value, int) else None


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
