"""Operations of Python on values that are known, done by Python itself: only those that are harmless and bounded.

Each is a plain value in, a plain value out. What is not listed, or would grow over a bound, is `Unfolded`.
"""

from __future__ import annotations

import _ast
import operator
import re
from collections.abc import Callable, Mapping, Sequence

from envcheck.behavior.budget import MAX_VALUE, Budget
from envcheck.behavior.decoders import text_codec
from envcheck.formats.syntax import Problem, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from envcheck.model.nouns import TypeAlias

Plain: TypeAlias = "str | bytes | int | float | complex | list[Plain] | tuple[Plain, ...] | dict[Plain, Plain] | None"

MAX_BITS = 1 << 16
MAX_ITEMS = 100_000
FAILURES = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, MemoryError, RecursionError)


class Unfolded(Exception):
    """The operation is none that is done here."""


class Iterated(list[Any] if TYPE_CHECKING else list):  # type: ignore[misc]
    """What an iterator would give. It is true though it gives nothing, equal to nothing else, and has no text."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return self is other

    def __ne__(self, other: object) -> bool:
        return self is not other

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        raise Unfolded


def size_of(value: object) -> int:
    """About how much a value holds: characters, bytes or items; 0 for numbers."""
    return len(value) if isinstance(value, (str, bytes, list, tuple, dict)) else 0


def _text_plus(a: Plain, b: Plain) -> bool:
    return any(isinstance(a, kind) and isinstance(b, kind) for kind in (str, bytes, list, tuple))


_OPERATORS: dict[type[_ast.operator], Callable[[Any, Any], object]] = {
    _ast.Add: operator.add,
    _ast.Sub: operator.sub,
    _ast.Mult: operator.mul,
    _ast.Div: operator.truediv,
    _ast.FloorDiv: operator.floordiv,
    _ast.Mod: operator.mod,
    _ast.Pow: operator.pow,
    _ast.LShift: operator.lshift,
    _ast.RShift: operator.rshift,
    _ast.BitOr: operator.or_,
    _ast.BitXor: operator.xor,
    _ast.BitAnd: operator.and_,
}
_COMPARISONS: dict[type[_ast.cmpop], Callable[[Any, Any], object]] = {
    _ast.Eq: operator.eq,
    _ast.NotEq: operator.ne,
    _ast.Lt: operator.lt,
    _ast.LtE: operator.le,
    _ast.Gt: operator.gt,
    _ast.GtE: operator.ge,
    _ast.In: lambda a, b: a in b,
    _ast.NotIn: lambda a, b: a not in b,
    _ast.Is: operator.is_,
    _ast.IsNot: operator.is_not,
}


def _bits(value: object) -> int:
    return value.bit_length() if isinstance(value, int) else 0


def binary(kind: type[_ast.operator], a: Plain, b: Plain, budget: Budget) -> Plain:
    """``a + b`` and its like. Raises `Unfolded`, `TooLarge`, `Spent`."""
    sizes = size_of(a) + size_of(b)
    budget.step(1 + sizes // 512)
    if kind is _ast.Add and sizes:
        budget.take(sizes)
    elif kind is _ast.Mult and sizes:
        if sizes and (size_of(a) and size_of(b)):
            raise Unfolded
        factor = b if size_of(a) else a
        if not isinstance(factor, int):
            raise Unfolded
        budget.take(sizes * max(factor, 0))
        if not isinstance(a if size_of(a) else b, (str, bytes)) and sizes * factor > MAX_ITEMS:
            raise Unfolded
    elif kind is _ast.Mod and isinstance(a, (str, bytes)):
        pattern = a if isinstance(a, str) else a.decode("latin-1")
        if re.search(r"\d{5}|\*", pattern) or (isinstance(b, dict) and size_of(b) > MAX_ITEMS):
            raise Unfolded
        inner = sum(size_of(item) for item in b) if isinstance(b, tuple) else size_of(b)
        budget.take(size_of(a) + pattern.count("%") * (inner + 10_000 * bool(re.search(r"\d", pattern))))
    elif kind is _ast.Mult and _bits(a) + _bits(b) > MAX_BITS:
        raise Unfolded
    elif kind is _ast.Pow:
        if not isinstance(b, (int, float)) or (isinstance(b, int) and _bits(a) * abs(b) > MAX_BITS):
            raise Unfolded
    elif kind is _ast.LShift and (not isinstance(b, int) or b > MAX_BITS or _bits(a) > MAX_BITS):
        raise Unfolded
    found = _done(_OPERATORS.get(kind), a, b)
    return found


def compared(kind: type[_ast.cmpop], a: Plain, b: Plain, budget: Budget) -> bool:
    """``a < b`` and its like. Raises `Unfolded`, `Spent`."""
    budget.step(1 + (size_of(a) + size_of(b)) // 512)
    if kind in (_ast.Is, _ast.IsNot) and not (a is None or b is None or isinstance(a, bool) or isinstance(b, bool)):
        raise Unfolded
    return bool(_done(_COMPARISONS.get(kind), a, b))


def unary(kind: type[_ast.unaryop], a: Plain) -> Plain:
    """``-a`` and its like. Raises `Unfolded`."""
    functions: dict[type[_ast.unaryop], Callable[[Any], object]] = {
        _ast.USub: operator.neg,
        _ast.UAdd: operator.pos,
        _ast.Invert: operator.invert,
        _ast.Not: operator.not_,
    }
    if kind is _ast.Invert and isinstance(a, bool):
        raise Unfolded  # deprecated: a warning of our own
    return _done(functions.get(kind), a)


def _done(function: Callable[..., object] | None, *values: object) -> Plain:
    if function is None:
        raise Unfolded
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = function(*values)
    except FAILURES:
        raise Unfolded from None
    return _plain(found)


def _plain(value: object) -> Plain:
    """The value, where it is of a kind that is followed."""
    if isinstance(value, bytearray):
        return bytes(value)
    if value is None or type(value) in (str, bytes, int, bool, float, complex, list, tuple, dict, Iterated):
        return value  # type: ignore[return-value]
    raise Unfolded


def item(value: Plain, key: Plain, budget: Budget) -> Plain:
    """``value[key]``. Raises `Unfolded`."""
    if not isinstance(value, (str, bytes, list, tuple, dict)):
        raise Unfolded
    budget.step()
    return _done(operator.getitem, value, key)


def part(value: Plain, lower: Plain, upper: Plain, step: Plain, budget: Budget) -> Plain:
    """``value[lower:upper:step]``. Raises `Unfolded`, `TooLarge`."""
    if not isinstance(value, (str, bytes, list, tuple)):
        raise Unfolded
    for number in (lower, upper, step):
        if number is not None and not isinstance(number, int):
            raise Unfolded
    place = slice(lower, upper, step)
    budget.take(len(value))
    budget.step(1 + len(value) // 512)
    return _done(operator.getitem, value, place)


# Methods ----------------------------------------------------------------------------------------------------------

_TEXT = frozenset(
    """
    join replace split rsplit strip lstrip rstrip lower upper swapcase title capitalize casefold translate partition
    rpartition splitlines startswith endswith find rfind index rindex count removeprefix removesuffix zfill ljust rjust
    center isdigit isalpha isalnum isupper islower isspace
    """.split()
)
_OF: dict[type, frozenset[str]] = {
    str: _TEXT | {"encode", "format", "isidentifier"},
    bytes: _TEXT | {"decode", "hex"},
    int: frozenset({"to_bytes", "bit_length"}),
    list: frozenset({"append", "extend", "insert", "reverse", "pop", "index", "copy", "count", "clear", "remove"}),
    tuple: frozenset({"index", "count"}),
    dict: frozenset({"get", "keys", "values", "items", "copy", "pop", "update", "setdefault"}),
}


def method(value: Plain, name: str, arguments: Sequence[Plain], named: Mapping[str, Plain], budget: Budget) -> Plain:
    """``value.name(*arguments)``. Raises `Unfolded`, `TooLarge`, `Spent`."""
    allowed = _OF.get(int if isinstance(value, bool) else type(value))
    if allowed is None or name not in allowed:
        raise Unfolded
    size = size_of(value)
    budget.step(1 + size // 512)
    budget.take(size)
    given = list(arguments)
    if name in ("encode", "decode"):
        return _recoded(value, name, given, named, budget)
    if name == "join" and given and isinstance(given[0], (str, list, tuple, bytes)):
        pieces = given[0]
        budget.step(len(pieces) // 64)
        total = len(pieces) if isinstance(pieces, (str, bytes)) else sum(size_of(piece) for piece in pieces)
        budget.take(total + size * len(pieces))
    elif name == "replace" and len(given) > 1 and isinstance(value, (str, bytes)):
        if type(given[0]) is not type(value) or type(given[1]) is not type(value):
            raise Unfolded
        budget.take(value.count(given[0]) * size_of(given[1]))  # type: ignore[arg-type]
    elif name in ("split", "rsplit", "splitlines"):
        pieces_most = size + 1 if not given or given[0] is None else value.count(given[0]) + 1  # type: ignore[arg-type, union-attr]
        if pieces_most > 4 * MAX_ITEMS:
            raise Unfolded
        budget.take(pieces_most * 8)
    elif name in ("zfill", "ljust", "rjust", "center", "to_bytes"):
        if not given or not isinstance(given[0], int) or given[0] > MAX_VALUE:
            raise Unfolded
        budget.take(max(given[0], 0))
    elif name == "format":
        assert isinstance(value, str)
        # No attributes or items of the arguments, no widths that make gigabytes, no fields in a field.
        if re.search(r"\d{5}|\{[^{}]*[.\[]|\{[^{}]*:[^{}]*\{", value.replace("{{", "").replace("}}", "")):
            raise Unfolded
        inner = sum(size_of(one) for one in (*given, *named.values()))
        budget.take(size + value.count("{") * (inner + 10_000 * bool(re.search(r":[^}]*\d", value))))
    elif (name in ("append", "extend", "insert", "update", "setdefault") and size > MAX_ITEMS) or (
        name == "extend" and given and size_of(given[0]) > MAX_ITEMS
    ):
        raise Unfolded
    found = _done(lambda: _listed(getattr(value, name)(*given, **named)))
    return found


def _listed(found: object) -> object:
    return list(found) if type(found).__name__ in ("dict_keys", "dict_values", "dict_items") else found  # type: ignore[call-overload]


def _recoded(value: Plain, name: str, given: list[Plain], named: Mapping[str, Plain], budget: Budget) -> Plain:
    codec = given[0] if given else named.get("encoding", "utf-8")
    errors = given[1] if len(given) > 1 else named.get("errors", "strict")
    if not isinstance(codec, str) or errors not in _ERRORS:
        raise Unfolded
    plain = text_codec(codec, size_of(value))
    if plain is None:
        raise Unfolded
    budget.take(4 * size_of(value))
    return _done(getattr(value, name), plain, errors)


_ERRORS = ("strict", "ignore", "replace", "surrogateescape", "surrogatepass", "backslashreplace")


# Built-in functions -----------------------------------------------------------------------------------------------


def _range(*numbers: int) -> list[int]:
    found = range(*numbers)
    if len(found) > MAX_ITEMS:
        raise ValueError
    return list(found)


def _bytes(value: Plain = b"", codec: Plain = None, *_: Plain) -> bytes:
    if isinstance(value, int):
        if not 0 <= value <= MAX_VALUE:
            raise ValueError
        return bytes(value)
    if isinstance(value, str):
        if not isinstance(codec, str) or text_codec(codec, len(value)) is None:
            raise ValueError
        return value.encode(codec)
    return bytes(value)  # type: ignore[arg-type]


def _str(value: Plain = "", codec: Plain = None, *_: Plain) -> str:
    if codec is not None:
        if not isinstance(codec, str) or not isinstance(value, bytes) or text_codec(codec, len(value)) is None:
            raise ValueError
        return value.decode(codec)
    if isinstance(value, bytes):
        raise ValueError  # a warning under -b, and nothing that code relies on
    return str(value)


def _int(value: Plain = 0, base: Plain = None) -> int:
    if isinstance(value, (str, bytes)) and len(value) > 4300:
        raise ValueError
    return int(value) if base is None else int(value, base)  # type: ignore[arg-type]


def _pow(a: int, b: int, modulus: int | None = None) -> object:
    if max(_bits(a), _bits(b), _bits(modulus)) > 4096 or (modulus is None and _bits(a) * abs(b) > MAX_BITS):
        raise ValueError
    return pow(a, b, modulus)


def _format(value: Plain, spec: str = "") -> str:
    if re.search(r"\d{5}", spec):
        raise ValueError
    return format(value, spec)


_BUILTINS: dict[str, Callable[..., object]] = {
    "chr": chr,
    "ord": ord,
    "int": _int,
    "str": _str,
    "bytes": _bytes,
    "bytearray": _bytes,
    "len": len,
    "list": list,
    "tuple": tuple,
    "iter": Iterated,
    "dict": dict,
    "set": lambda value=(): list(dict.fromkeys(value)),
    "hex": hex,
    "oct": oct,
    "bin": bin,
    "range": _range,
    "reversed": lambda value: Iterated(reversed(value)),
    "sorted": lambda value: sorted(value),
    "zip": lambda *values: Iterated(zip(*values)),  # noqa: B905
    "enumerate": lambda value, start=0: Iterated(enumerate(value, start)),
    "sum": sum,
    "min": min,
    "max": max,
    "abs": abs,
    "bool": bool,
    "float": float,
    "format": _format,
    "repr": repr,
    "ascii": ascii,
    "any": any,
    "all": all,
    "round": round,
    "divmod": divmod,
    "pow": _pow,
    "int.from_bytes": lambda value, order="big": int.from_bytes(value[:8192], order),
    "str.join": lambda value, pieces: value.join(pieces),
    "bytes.join": lambda value, pieces: value.join(pieces),
    "str.maketrans": str.maketrans,
    "bytes.maketrans": bytes.maketrans,
    "urllib.parse.unquote": lambda value: _unquoted(value),
    "html.unescape": lambda value: _unescaped(value),
    "json.loads": lambda value: _loaded(value),
    "ast.literal_eval": lambda value: _literal(value),
    "struct.pack": lambda form, *values: _packed(form, values),
    "binascii.hexlify": lambda value: value.hex().encode(),
    "operator.add": operator.add,
    "operator.xor": operator.xor,
}


def _unquoted(value: str) -> str:
    from urllib.parse import unquote

    return unquote(value)


def _unescaped(value: str) -> str:
    from html import unescape

    return unescape(value)


def _loaded(value: str) -> object:
    import json

    if len(value) > MAX_ITEMS:
        raise ValueError
    return json.loads(value)


def _literal(value: str) -> object:
    tree = parse(value.strip())
    if isinstance(tree, Problem) or len(tree) != 1 or not isinstance(tree[0], _ast.Expr):
        raise ValueError
    if not isinstance(tree[0].value, _ast.Constant):
        raise ValueError
    return tree[0].value.value


def _packed(form: str | bytes, values: Sequence[Plain]) -> bytes:
    import struct

    if struct.calcsize(form) > MAX_VALUE:
        raise ValueError
    try:
        return struct.pack(form, *values)
    except struct.error:
        raise ValueError from None


DECODERS = frozenset({"urllib.parse.unquote", "html.unescape", "struct.pack"})
"""Of those, what makes text or bytes of something that does not look like them."""
_MAKE_LISTS = frozenset({"list", "tuple", "iter", "set", "reversed", "sorted", "zip", "enumerate", "dict"})
FOLDED = frozenset(_BUILTINS)


def builtin(name: str, arguments: Sequence[Plain], budget: Budget) -> Plain:
    """``name(*arguments)``. Raises `Unfolded`, `TooLarge`, `Spent`."""
    function = _BUILTINS.get(name)
    if function is None:
        raise Unfolded
    total = sum(size_of(one) for one in arguments)
    if name in ("str", "repr", "ascii", "format") and arguments and isinstance(arguments[0], (list, tuple, dict)):
        raise Unfolded
    if name.endswith(".join") and len(arguments) == 2:
        total += sum(size_of(piece) for piece in arguments[1] or ()) + size_of(arguments[0]) * size_of(arguments[1])  # type: ignore[misc, union-attr]
    if name in _MAKE_LISTS and total > 4 * MAX_ITEMS:
        raise Unfolded
    budget.step(1 + total // 64)
    budget.take(total * (10 if name in ("repr", "ascii") else 1))
    return _done(lambda: function(*arguments))
