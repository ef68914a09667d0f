"""What an expression of some source stands for: a dotted name, a string, a truth value, as far as files tell.

Names are followed through imports and assignments (``from os.path import join as j``), and strings through
concatenation, plain f-strings and the path functions that turn up in startup code.
"""

from __future__ import annotations

import _ast
import posixpath
from collections.abc import Mapping

from envcheck.model.nouns import TypeAlias

Value: TypeAlias = "str | list[Value] | dict[str, Value]"
"""A literal made of strings."""

IMPORTERS = frozenset({"__import__", "builtins.__import__", "importlib.__import__", "importlib.import_module"})


class Names:
    """The names bound at one moment, and what expressions made of them give."""

    def __init__(
        self, version: tuple[int, int], names: Mapping[str, str], constants: Mapping[str, str], decided: bool = True
    ) -> None:
        self._version = version
        self._decided = decided
        self._names = dict(names)
        self._constants = dict(constants)
        self._own: set[str] = set()
        self.rebound: set[str] = set()
        """Names of the code's own that stand for one thing after another."""

    def copy(self) -> Names:
        """The same names, to be changed on their own."""
        return Names(self._version, self._names, self._constants, self._decided)

    def bindings(self) -> tuple[dict[str, str], dict[str, str]]:
        """What names stand for, and those that hold a known string."""
        return self._names, self._constants

    def bind(self, name: str, dotted: str | None = None, constant: str | None = None, maybe: bool = False) -> None:
        """Bind a name to what a dotted name stands for, to a string, or to something unknown.

        Under a condition (``maybe``) the name keeps what it stood for, and is no known string any more.
        """
        self._constants.pop(name, None)
        if name in self._own:
            self.rebound.add(name)
        self._own.add(name)
        if maybe:
            if dotted is not None:
                self._names.setdefault(name, dotted)
            return
        # What is bound to something of the code's own no longer means the builtin or the known module.
        self._names[name] = f"<local>.{name}" if dotted is None else dotted
        if constant is not None:
            self._constants[name] = constant

    def forget_text(self, name: str) -> None:
        """A name is no known string any more."""
        self._constants.pop(name, None)
        self.rebound.add(name)

    def text(self, node: _ast.expr) -> str | None:
        """The string that an expression gives, where it is literal or made of known strings."""
        if isinstance(node, _ast.Constant):
            if isinstance(node.value, bytes):
                try:
                    return node.value.decode("utf-8")
                except UnicodeDecodeError:
                    return None
            return node.value if isinstance(node.value, str) else None
        if isinstance(node, _ast.BinOp):
            return self._sum(node)
        if isinstance(node, _ast.JoinedStr):
            pieces = [self._formatted(value) for value in node.values]
            return None if None in pieces else "".join(piece for piece in pieces if piece is not None)
        if isinstance(node, _ast.Call):
            return self._called_text(node)
        if isinstance(node, _ast.Subscript):
            # sys._getframe(1).f_locals['sitedir']: the loader's own locals.
            if (
                isinstance(node.value, _ast.Attribute)
                and node.value.attr == "f_locals"
                and isinstance(node.slice, _ast.Constant)
                and isinstance(node.slice.value, str)
            ):
                return self._constants.get(node.slice.value)
            return None
        if isinstance(node, _ast.Name):
            return self._constants.get(node.id)
        dotted = self.dotted(node)
        return None if dotted is None else self._constants.get(dotted)

    def _sum(self, node: _ast.expr) -> str | None:
        """A chain of ``+``, which leans to the left and may be long: no recursion."""
        pieces: list[str] = []
        while isinstance(node, _ast.BinOp) and isinstance(node.op, _ast.Add):
            right = self.text(node.right)
            if right is None:
                return None
            pieces.append(right)
            node = node.left
        first = None if isinstance(node, _ast.BinOp) else self.text(node)
        return None if first is None else first + "".join(reversed(pieces))

    def _formatted(self, node: _ast.expr) -> str | None:
        if isinstance(node, _ast.FormattedValue):
            return self.text(node.value) if node.conversion == -1 and node.format_spec is None else None
        return self.text(node)

    def _called_text(self, node: _ast.Call) -> str | None:
        """``os.path.join(sitedir, 'extra')`` and the other functions of known strings that turn up in the field."""
        dotted = self.dotted(node.func)
        texts = [self.text(argument) for argument in node.args]
        known = [text for text in texts if text is not None]
        if node.keywords or not known or len(known) != len(texts):
            return None
        if dotted == "os.path.join":
            return posixpath.join(*known)
        if dotted == "os.path.dirname":
            return posixpath.dirname(known[0])
        if dotted in ("os.path.abspath", "os.path.normpath") and known[0].startswith("/"):
            return posixpath.normpath(known[0])
        if dotted in ("str", "os.fsdecode"):
            return known[0]
        return None

    def texts(self, node: _ast.expr) -> tuple[str, ...]:
        """The known strings of a list, tuple or set that is written out."""
        if not isinstance(node, (_ast.List, _ast.Tuple, _ast.Set)):
            return ()
        texts = (self.text(element) for element in node.elts)
        return tuple(text for text in texts if text is not None)

    def dotted(self, node: _ast.expr) -> str | None:
        """What a name or attribute stands for: ``os.path.join`` for ``join`` after ``from os.path import join``.

        What calling it gives is ``name()``.
        """
        attributes: list[str] = []
        while isinstance(node, _ast.Attribute):
            attributes.append(node.attr)
            node = node.value
        if isinstance(node, _ast.Name):
            base = self._names.get(node.id, node.id)
        elif isinstance(node, _ast.Call) and self.dotted(node.func) in IMPORTERS and node.args:
            name = self.text(node.args[0])
            if name is None:
                return None
            whole = self.dotted(node.func) == "importlib.import_module" or len(node.args) > 3
            base = name if whole else name.partition(".")[0]
        elif isinstance(node, _ast.Subscript) and self.dotted(node.value) == "sys.modules":
            name = self.text(node.slice)
            if name is None:
                return None
            base = name
        elif isinstance(node, _ast.Call):
            if self.dotted(node.func) in ("getattr", "builtins.getattr") and len(node.args) > 1:
                owner, name = self.dotted(node.args[0]), self.text(node.args[1])
                return None if owner is None or name is None else ".".join([owner, name, *reversed(attributes)])
            return self._made(node, attributes)
        else:
            return None
        return ".".join([base, *reversed(attributes)])

    def _made(self, node: _ast.Call, attributes: list[str]) -> str | None:
        """An attribute of what a call of a plain name gives: no call of a call, whose chain may be long."""
        if not isinstance(node.func, (_ast.Name, _ast.Attribute)) or self._calls_within(node.func):
            return None
        made = self.dotted(node.func)
        return None if made is None else ".".join([f"{made}()", *reversed(attributes)])

    @staticmethod
    def _calls_within(node: _ast.expr) -> bool:
        while isinstance(node, _ast.Attribute):
            node = node.value
        return not isinstance(node, _ast.Name)

    def literal(self, node: _ast.expr) -> Value | None:
        """A string, or lists and dicts of them, written out."""
        if isinstance(node, _ast.Dict):
            pairs: dict[str, Value] = {}
            for key, value in zip(node.keys, node.values, strict=True):
                text = None if key is None else self.text(key)
                found = self.literal(value)
                if text is None or found is None:
                    return None
                pairs[text] = found
            return pairs
        if isinstance(node, (_ast.List, _ast.Tuple)):
            items = [self.literal(element) for element in node.elts]
            return None if None in items else [item for item in items if item is not None]
        return self.text(node)

    def truth(self, test: _ast.expr) -> bool | None:
        """What a test gives in that CPython, where files alone decide it."""
        if isinstance(test, _ast.Constant):
            return bool(test.value)
        if isinstance(test, _ast.UnaryOp) and isinstance(test.op, _ast.Not):
            truth = self.truth(test.operand)
            return None if truth is None else not truth
        if not self._decided:
            return None
        if self.dotted(test) == "typing.TYPE_CHECKING":
            return False
        if isinstance(test, _ast.Compare) and len(test.ops) == 1:
            if self.dotted(test.left) == "__name__" and self.text(test.comparators[0]) == "__main__":
                return isinstance(test.ops[0], _ast.NotEq)
            return self._version_test(test)
        return None

    def _version_test(self, test: _ast.Compare) -> bool | None:
        """``sys.version_info >= (3, 8)`` and its like."""
        if self.dotted(test.left) != "sys.version_info" or not isinstance(test.comparators[0], _ast.Tuple):
            return None
        numbers = [e.value if isinstance(e, _ast.Constant) else None for e in test.comparators[0].elts]
        wanted = tuple(n for n in numbers if isinstance(n, int))
        if len(wanted) != len(numbers) or len(wanted) > 2 or len(wanted) < 1:
            return None
        # version_info has five items, so it is larger than any of its own beginnings.
        own = (*self._version, 0)
        if isinstance(test.ops[0], (_ast.GtE, _ast.Gt)):
            return own > wanted
        if isinstance(test.ops[0], (_ast.Lt, _ast.LtE)):
            return own < wanted
        return None
