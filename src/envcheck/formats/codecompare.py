"""Two code objects in, the first difference that execution could observe out, as a path and in words.

What may differ: the file name that the compiler was told, which strings are interned and which objects shared, and the
order of a set's members. Nothing else: ``1``, ``True`` and ``1.0`` are three constants, ``0.0`` and ``-0.0`` are two.
"""

import struct
from collections.abc import Iterator

from envcheck.formats.marshal import Code, FrozenSet, OverBound, Value
from envcheck.model.nouns import NamedTuple

_LONGEST = 60
"""Characters of a value that are shown."""
_STEPS = 5_000_000
"""Values looked at in one comparison: shared parts of hostile constants can stand for any number of them."""

INSTRUCTIONS = frozenset({"code", "linetable", "exceptiontable", "stacksize"})
"""What another patch release of one compiler may write differently, with the same magic number: the instructions, and
what is counted along them."""

_FIELDS = (
    *("argcount", "posonlyargcount", "kwonlyargcount", "nlocals", "flags", "names", "varnames", "freevars", "cellvars"),
    *("localsplusnames", "localspluskinds", "name", "qualname", "firstlineno"),
    *("code", "exceptiontable", "linetable", "stacksize"),
)
_WORDS = {
    "code": "the instructions differ",
    "linetable": "the table of line numbers differs",
    "exceptiontable": "the table of exception handlers differs",
    "localspluskinds": "the kinds of its variables differ",
}


class Difference(NamedTuple):
    """Where, and what. ``path`` is ``module.function.<consts[3]>``."""

    path: str
    what: str
    instructions_only: bool = False
    """Everything is the same but instructions: names, constants and the rest of every code object."""


def difference(expected: Code, found: Code, module: str) -> Difference | None:
    """The first difference of ``found`` from ``expected``; one beyond instructions before any other.

    ``module`` begins the path. Raises `OverBound` where there is too much to compare.
    """
    comparison = _Comparison()
    first: Difference | None = None
    try:
        for one in comparison.codes(expected, found, module, found.filename):
            if not one.instructions_only:
                return one
            first = first or one
    except RecursionError:
        raise OverBound("nested too deeply", 0) from None
    return first


class _Comparison:
    def __init__(self) -> None:
        self._steps = _STEPS

    def codes(self, expected: Code, found: Code, path: str, filename: str) -> Iterator[Difference]:
        """Every difference of two code objects and of those among their constants; one file name stands in all."""
        self._step()
        for field in _FIELDS:
            one, other = getattr(expected, field), getattr(found, field)
            if one != other:
                words = _WORDS.get(field) or f"{field} is {_show(other)}, not {_show(one)}"
                yield Difference(f"{path}.<{field}>", words, field in INSTRUCTIONS)
        if found.filename != filename:
            words = f"filename is {_show(found.filename)}, not the module's {_show(filename)}"
            yield Difference(f"{path}.<filename>", words)
        if len(expected.consts) != len(found.consts):
            words = f"it has {len(found.consts):,} constants, not {len(expected.consts):,}"
            yield Difference(f"{path}.<consts>", words)
        for index, (mine, theirs) in enumerate(zip(expected.consts, found.consts, strict=False)):
            if type(mine) is Code and type(theirs) is Code:
                yield from self.codes(mine, theirs, f"{path}.{_short(mine.name)}", filename)
            elif not self.same(mine, theirs):
                yield Difference(f"{path}.<consts[{index}]>", f"it is {_show(theirs)}, not {_show(mine)}")

    def same(self, one: Value, other: Value) -> bool:
        """Whether two constants are the same to a program."""
        self._step()
        if type(one) is not type(other):
            return False
        if isinstance(one, (float, complex)):
            return _bits(one) == _bits(other)
        if type(one) is FrozenSet:
            assert type(other) is FrozenSet
            if len(one.members) != len(other.members):
                return False
            return sorted(map(self._key, one.members)) == sorted(map(self._key, other.members))
        if isinstance(one, Code):
            assert isinstance(other, Code)
            return next(self.codes(one, other, "", other.filename), None) is None
        if isinstance(one, tuple):
            assert isinstance(other, tuple)
            return len(one) == len(other) and all(map(self.same, one, other))
        return one == other

    def _key(self, value: Value) -> bytes:
        """A text that equal constants share and others do not, for members of sets."""
        self._step()
        if value is None or isinstance(value, (bool, type(...))):
            return repr(value).encode()
        if isinstance(value, int):
            data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
            return b"i%d:%b" % (len(data), data)
        if isinstance(value, (float, complex)):
            return type(value).__name__.encode() + _bits(value)
        if isinstance(value, str):
            data = value.encode("utf-8", "surrogatepass")
            return b"u%d:%b" % (len(data), data)
        if isinstance(value, bytes):
            return b"s%d:%b" % (len(value), value)
        if isinstance(value, Code):
            raise OverBound("code inside a set", 0)
        parts = [self._key(part) for part in (value.members if isinstance(value, FrozenSet) else value)]
        if isinstance(value, FrozenSet):
            parts.sort()
        self._steps -= sum(map(len, parts)) >> 2
        return b"%b%d(%b)" % (type(value).__name__.encode(), len(parts), b"".join(parts))

    def _step(self) -> None:
        self._steps -= 1
        if self._steps < 0:
            raise OverBound(f"more than {_STEPS:,} values to compare", 0)


def _bits(value: object) -> bytes:
    if isinstance(value, complex):
        return struct.pack("<dd", value.real, value.imag)
    assert isinstance(value, float)
    return struct.pack("<d", value)


def _show(value: object) -> str:
    """A value in a few words, whatever its size."""
    if isinstance(value, Code):
        return f"the code of {_short(value.name)}"
    if isinstance(value, int) and value.bit_length() > 64:
        return f"an integer of {value.bit_length():,} bits"
    if isinstance(value, (str, bytes)):
        return repr(value) if len(value) <= _LONGEST else f"{value[:_LONGEST]!r}… (of {len(value):,})"
    if isinstance(value, FrozenSet):
        return f"a set of {len(value.members):,}"
    if isinstance(value, tuple):
        if len(value) <= 8 and all(isinstance(part, str) and len(part) <= _LONGEST for part in value):
            return _short(repr(value))
        return f"a tuple of {len(value):,}"
    return repr(value)


def _short(text: str) -> str:
    return text if len(text) <= 2 * _LONGEST else text[: 2 * _LONGEST] + "…"
