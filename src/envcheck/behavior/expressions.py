"""Operators, displays, comprehensions and calls into things: values where they can be folded by Python itself."""

from __future__ import annotations

import _ast

from envcheck.behavior import folding
from envcheck.behavior.budget import TooLarge
from envcheck.behavior.folding import Unfolded
from envcheck.behavior.names import Names, joined
from envcheck.behavior.scopes import Scope
from envcheck.behavior.things import DECODED, PIECED, Thing, known, mixed, parts_of, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Expressions(Names):
    """Evaluates expressions."""

    # Operators ----------------------------------------------------------------------------------------------------

    def _binary(self, node: _ast.BinOp) -> Thing:
        # A long chain of operators leans to the left: walk down it without recursion.
        chain: list[_ast.BinOp] = []
        left: _ast.expr = node
        while isinstance(left, _ast.BinOp):
            chain.append(left)
            left = left.left
        thing = self.eval(left)
        for operation in reversed(chain):
            self.budget.step()
            thing = self.operated(type(operation.op), thing, self.eval(operation.right))
        return thing

    def operated(self, kind: type[_ast.operator], a: Thing, b: Thing) -> Thing:
        """``a + b`` and its like."""
        source = a.source | b.source
        how = a.how or b.how
        if a.known and b.known:
            try:
                value = folding.binary(kind, a.value, b.value, self.budget)
            except (Unfolded, TooLarge):
                return mixed([a, b])
            if isinstance(value, (str, bytes)) and kind in (_ast.Add, _ast.Mod):
                source |= PIECED
            if kind is _ast.BitXor and isinstance(value, int):
                source |= DECODED
                how = how if "xor" in how else (*how, "xor")
            return known(value, source, how)
        if kind is _ast.Add and a.items is not None and b.items is not None:
            made = mixed([a, b])
            made.items = [*a.items, *b.items]
            return made
        if kind is _ast.Add and (a.items is not None or b.items is not None):
            left, right = parts_of(a), parts_of(b)
            if left is not None and right is not None:
                made = mixed([a, b])
                made.items = [*left, *right]
                return made
        # A path goes on with ``/``.
        return mixed([a, b], a.name if kind is _ast.Div else None)

    def _unary(self, node: _ast.UnaryOp) -> Thing:
        # `- - - x` may be long, too.
        operations: list[type[_ast.unaryop]] = []
        inner: _ast.expr = node
        while isinstance(inner, _ast.UnaryOp):
            operations.append(type(inner.op))
            inner = inner.operand
        thing = self.eval(inner)
        for kind in reversed(operations):
            self.budget.step()
            if not thing.known:
                return mixed([thing])
            try:
                thing = known(folding.unary(kind, thing.value), thing.source, thing.how)
            except Unfolded:
                return mixed([thing])
        return thing

    def _compare(self, node: _ast.Compare) -> Thing:
        things = [self.eval(one) for one in (node.left, *node.comparators)]
        for thing in things:
            if thing.name is not None and thing.name.startswith(_DATES) and thing.name.endswith(("()", "[]", ".year")):
                self.recorder.use("anti-analysis", node, f"compares {thing.name.removesuffix('()')} with something")
            elif thing.name == "sys.gettrace()":
                self.recorder.use("anti-analysis", node, "asks for a debugger")
        result: Thing = known(True)
        for kind, a, b in zip(node.ops, things, things[1:], strict=False):
            if not (a.known and b.known):
                return mixed(things)
            try:
                if not folding.compared(type(kind), a.value, b.value, self.budget):
                    result = known(False)
            except Unfolded:
                return mixed(things)
        return result

    def _boolean(self, node: _ast.BoolOp) -> Thing:
        found: list[Thing] = []
        for value in node.values:
            thing = self.eval(value)
            if thing.known and isinstance(node.op, _ast.Or) != bool(thing.value) and value is not node.values[-1]:
                continue
            found.append(thing)
            if thing.known:
                break
        return joined(found)

    def _conditional(self, node: _ast.IfExp) -> Thing:
        test = self.eval(node.test)
        if test.known:
            return self.eval(node.body if test.value else node.orelse)
        return joined([self.eval(node.body), self.eval(node.orelse)])

    def _walrus(self, node: _ast.NamedExpr) -> Thing:
        thing = self.eval(node.value)
        self.bind_target(node.target, thing)
        return thing

    # Displays -----------------------------------------------------------------------------------------------------

    def _sequence(self, node: _ast.List | _ast.Tuple | _ast.Set) -> Thing:
        elements = node.elts
        if len(elements) > 32 and all(
            isinstance(one, _ast.Constant) and type(one.value) in (int, float, str, bytes) and len(str(one.value)) < 16
            for one in elements
        ):
            self.budget.step(len(elements) // 4)
            values = [one.value for one in elements if isinstance(one, _ast.Constant)]
            return known(tuple(values) if isinstance(node, _ast.Tuple) else values)  # type: ignore[arg-type]
        return self.sequence(self.arguments(elements), isinstance(node, _ast.Tuple))

    def sequence(self, items: list[Thing], frozen: bool = False) -> Thing:
        """A list or tuple of things: a value where all are."""
        made = mixed(items)
        if all(item.known for item in items):
            made.known = True
            made.value = tuple(item.value for item in items) if frozen else [item.value for item in items]
        else:
            made.items = items
        return made

    def arguments(self, nodes: Sequence[_ast.expr]) -> list[Thing]:
        """Elements of a display or arguments of a call, starred ones unpacked where they are known."""
        items: list[Thing] = []
        for node in nodes:
            if isinstance(node, _ast.Starred):
                thing = self.eval(node.value)
                parts = parts_of(thing)
                items += [mixed([thing])] if parts is None or len(parts) > folding.MAX_ITEMS else parts
            else:
                items.append(self.eval(node))
        return items

    def _dict(self, node: _ast.Dict) -> Thing:
        made = Thing()
        values: dict[object, object] = {}
        attributes: dict[str, Thing] = {}
        whole = True
        for key_node, value_node in zip(node.keys, node.values, strict=True):
            value = self.eval(value_node)
            made.source |= value.source
            if key_node is None:
                attributes.update(value.attributes or {})
                whole = False
                continue
            key = self.eval(key_node)
            text = text_of(key)
            if text is not None:
                attributes[text] = value
            if whole and key.known and value.known and isinstance(key.value, (str, bytes, int, float)):
                values[key.value] = value.value
            else:
                whole = False
        if whole:
            made.known, made.value = True, values  # type: ignore[assignment]
        made.attributes = attributes
        return made

    def _fstring(self, node: _ast.JoinedStr) -> Thing:
        pieces = [self.eval(value) for value in node.values]
        if all(isinstance(piece.value, str) and piece.known for piece in pieces):
            try:
                total = sum(len(str(piece.value)) for piece in pieces)
                self.budget.take(total)
                made = mixed(pieces)
                made.known, made.value = True, "".join(str(piece.value) for piece in pieces)
                made.source |= PIECED * (len(pieces) > 1)
                return made
            except TooLarge:
                pass
        return mixed(pieces)

    def _formatted(self, node: _ast.FormattedValue) -> Thing:
        thing = self.eval(node.value)
        spec = known("") if node.format_spec is None else self.eval(node.format_spec)
        if not (thing.known and spec.known) or isinstance(thing.value, (bytes, list, tuple, dict)):
            return mixed([thing, spec])
        try:
            value: folding.Plain = thing.value
            if node.conversion in (ord("s"), ord("r"), ord("a")):
                value = folding.builtin(
                    {"s": "str", "r": "repr", "a": "ascii"}[chr(node.conversion)], [value], self.budget
                )
            found = folding.builtin("format", [value, spec.value], self.budget)
        except (Unfolded, TooLarge):
            return mixed([thing, spec])
        return known(found, thing.source, thing.how)

    def _comprehension(self, node: _ast.ListComp | _ast.SetComp | _ast.GeneratorExp | _ast.DictComp) -> Thing:
        outer, self.scope = self.scope, Scope(self.scope)
        found: list[Thing] = []
        try:
            certain = self._generated(node, 0, found)
        finally:
            self.scope = outer
        if isinstance(node, _ast.DictComp):
            return self._paired(found) if certain else mixed(found)
        made = self.sequence(found) if certain else mixed(found)
        if isinstance(node, _ast.GeneratorExp) and made.known and isinstance(made.value, list):
            made.value = folding.Iterated(made.value)
        return made

    def _paired(self, found: list[Thing]) -> Thing:
        made = mixed(found)
        made.known, made.value = True, {}
        for pair in found:
            if not pair.known or not isinstance(pair.value, tuple) or not isinstance(pair.value[0], (str, int, bytes)):
                return mixed(found)
            made.value[pair.value[0]] = pair.value[1]
        return made

    def _generated(
        self, node: _ast.ListComp | _ast.SetComp | _ast.GeneratorExp | _ast.DictComp, index: int, found: list[Thing]
    ) -> bool:
        """Add what the generators from ``index`` on give; whether that is all, and known to be."""
        if index == len(node.generators):
            if isinstance(node, _ast.DictComp):
                found.append(self.sequence([self.eval(node.key), self.eval(node.value)], frozen=True))
            else:
                found.append(self.eval(node.elt))
            return True
        generator = node.generators[index]
        iterated = self.eval(generator.iter)
        parts = parts_of(iterated)
        certain = parts is not None and len(parts) <= folding.MAX_ITEMS
        if parts is None or not certain:
            parts = [mixed([iterated])]
        for number, part in enumerate(parts):
            if number and not self.budget.may_repeat:
                return False
            if not part.source & iterated.source:
                part.source |= iterated.source
            self.bind_target(generator.target, part)
            tests = [self.eval(test) for test in generator.ifs]
            if any(test.known and not test.value for test in tests):
                continue
            certain = certain and all(test.known for test in tests)
            certain = self._generated(node, index + 1, found) and certain
        return certain

    def _function(self, node: _ast.Lambda) -> Thing:
        for default in (*node.args.defaults, *(one for one in node.args.kw_defaults if one is not None)):
            self.eval(default)
        made = Thing()
        made.function, made.scope = node, self.scope
        self.later.append((node, self.scope))
        return made

    def _called(self, node: _ast.Call) -> Thing:
        function = self.eval(node.func, called=True)
        arguments = self.arguments(node.args)
        named: dict[str, Thing] = {}
        for keyword in node.keywords:
            thing = self.eval(keyword.value)
            if keyword.arg is not None:
                named[keyword.arg] = thing
            else:
                named.update(thing.attributes or {"**": thing})
        return self.apply(function, arguments, named, node)

    def _inner(self, node: _ast.Await | _ast.Starred | _ast.YieldFrom) -> Thing:
        return self.eval(node.value)


_DATES = ("datetime.datetime.", "datetime.date.", "time.localtime", "time.gmtime", "time.strftime")

Expressions.readers = {
    _ast.Constant: Expressions._constant,
    _ast.Name: Expressions._name,
    _ast.Attribute: Expressions._attribute,
    _ast.Subscript: Expressions._subscript,
    _ast.BinOp: Expressions._binary,
    _ast.UnaryOp: Expressions._unary,
    _ast.Compare: Expressions._compare,
    _ast.BoolOp: Expressions._boolean,
    _ast.IfExp: Expressions._conditional,
    _ast.NamedExpr: Expressions._walrus,
    _ast.List: Expressions._sequence,
    _ast.Tuple: Expressions._sequence,
    _ast.Set: Expressions._sequence,
    _ast.Dict: Expressions._dict,
    _ast.JoinedStr: Expressions._fstring,
    _ast.FormattedValue: Expressions._formatted,
    _ast.ListComp: Expressions._comprehension,
    _ast.SetComp: Expressions._comprehension,
    _ast.GeneratorExp: Expressions._comprehension,
    _ast.DictComp: Expressions._comprehension,
    _ast.Lambda: Expressions._function,
    _ast.Call: Expressions._called,
    _ast.Await: Expressions._inner,
    _ast.Starred: Expressions._inner,
    _ast.YieldFrom: Expressions._inner,
}
