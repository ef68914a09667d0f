"""Marshalled bytecode in, plain values and code objects out: what compilers write, within bounds, never executed.

CPython's own reader (Python/marshal.c) trusts its input; this one does not. It takes what the compiler of one release
line writes and refuses every other form, so that no two readers can see two programs in one file.
"""

import struct

from envcheck.model.nouns import NamedTuple, TypeAlias

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import EllipsisType

MAX_DEPTH = 250
"""Objects within objects. CPython's parser allows 200 parentheses and 100 levels of indentation."""
MAX_OBJECTS = 2_000_000
MAX_BYTES = 32 << 20

_REF = 0x80
_INT = struct.Struct("<i")
_COUNTS_OLD = struct.Struct("<6i")
_COUNTS_NEW = struct.Struct("<5i")
_DOUBLE = struct.Struct("<d")


class MarshalError(Exception):
    """Bytes that no compiler of that version wrote; ``why`` is one clause, ``offset`` the byte where it shows."""

    def __init__(self, why: str, offset: int) -> None:
        super().__init__(f"{why}, at byte {offset:,}")
        self.why = why
        self.offset = offset


class OverBound(MarshalError):
    """Deeper, larger or more than is read."""


class FrozenSet(NamedTuple):
    """A set constant: its members in the order of the file, which means nothing."""

    members: "tuple[Value, ...]"


class Slice(NamedTuple):
    """A slice constant (3.14 and later)."""

    start: "Value"
    stop: "Value"
    step: "Value"


class Code(NamedTuple):
    """A code object: everything of it that execution can observe. ``None`` stands for what its version has not.

    Up to 3.10 ``varnames``, ``freevars`` and ``cellvars`` name the variables, ``nlocals`` counts them and
    ``linetable`` is ``co_lnotab`` (3.10: ``co_linetable``); from 3.11 ``localsplusnames`` and ``localspluskinds``.
    """

    argcount: int
    posonlyargcount: int
    kwonlyargcount: int
    nlocals: int | None
    stacksize: int
    flags: int
    code: bytes
    consts: "tuple[Value, ...]"
    names: tuple[str, ...]
    varnames: tuple[str, ...] | None
    freevars: tuple[str, ...] | None
    cellvars: tuple[str, ...] | None
    localsplusnames: tuple[str, ...] | None
    localspluskinds: bytes | None
    filename: str
    name: str
    qualname: str | None
    firstlineno: int
    linetable: bytes
    exceptiontable: bytes | None


Value: TypeAlias = (
    "bool | int | float | complex | str | bytes | EllipsisType | tuple[Value, ...] | FrozenSet | Slice | Code | None"
)


def read_code(data: bytes, minor: tuple[int, int], start: int = 0) -> Code:
    """The code object that a ``.pyc`` holds from ``start`` (the end of its header) to its end.

    Raises `MarshalError` for what the compiler of that release line (3.8 to 3.15) does not write, `OverBound` for what
    is over a bound.
    """
    if len(data) - start > MAX_BYTES:
        raise OverBound(f"larger than the bound of {MAX_BYTES:,} bytes", start)
    reader = _Reader(data, minor, start)
    try:
        found = reader.value(0)
    except struct.error:
        raise MarshalError("it ends in the middle", len(data)) from None
    except RecursionError:
        raise OverBound("nested too deeply", reader.at) from None
    if type(found) is not Code:
        raise MarshalError("it holds no code object", start)
    if reader.at != len(data):
        raise MarshalError(f"{len(data) - reader.at:,} bytes follow the code", reader.at)
    return found


class _Unfinished:
    """Stands in the list of references for an object whose parts are being read."""


_UNFINISHED = _Unfinished()


class _Reader:
    """One pass over the bytes; ``at`` is the next one."""

    def __init__(self, data: bytes, minor: tuple[int, int], start: int) -> None:
        self.at = start
        self._data = data
        self._end = len(data)
        self._refs: list[Value | _Unfinished] = []
        self._left = MAX_OBJECTS
        self._new = minor >= (3, 11)
        self._slices = minor >= (3, 14)

    def value(self, depth: int) -> Value:
        """The object that begins at ``at``. References are numbered as CPython does: objects when they begin."""
        at, data = self.at, self._data
        if at >= self._end:
            raise MarshalError("it ends in the middle", at)
        self._left -= 1
        if self._left < 0:
            raise OverBound(f"more than {MAX_OBJECTS:,} objects", at)
        kind = data[at]
        self.at = at = at + 1
        flagged = kind & _REF
        kind &= ~_REF
        found: Value
        if kind in b"zZ":
            size = data[at] if at < self._end else self._cut()
            found = self._take(at + 1, size).decode("latin-1")
        elif kind == 0x72:  # r
            (number,) = _INT.unpack_from(data, at)
            self.at = at + 4
            if not 0 <= number < len(self._refs):
                raise MarshalError("a reference to nothing", at)
            referred: Value | _Unfinished = self._refs[number]
            if isinstance(referred, _Unfinished):
                raise MarshalError("an object that contains itself", at)
            return referred
        elif kind in b")(":
            if kind == 0x29:
                count = data[at] if at < self._end else self._cut()
                self.at = at + 1
            else:
                count = self._size()
            return self._tuple(count, depth, flagged)
        elif kind in _SINGLES:
            # CPython gives these no number, even where the flag asks for one.
            return _SINGLES[kind]
        elif kind == 0x69:  # i
            (found,) = _INT.unpack_from(data, at)
            self.at = at + 4
        elif kind == 0x73:  # s
            found = self._take(self.at + 4, self._size())
        elif kind == 0x63:  # c
            return self._code(depth, flagged)
        elif kind in b"ut":
            found = self._text(self._take(self.at + 4, self._size()))
        elif kind in b"aA":
            found = self._take(self.at + 4, self._size()).decode("latin-1")
        elif kind == 0x67:  # g
            (found,) = _DOUBLE.unpack_from(data, at)
            self.at = at + 8
        elif kind == 0x6C:  # l
            found = self._long()
        elif kind == 0x79:  # y
            found = complex(*_DOUBLE.unpack_from(data, at), *_DOUBLE.unpack_from(data, at + 8))
            self.at = at + 16
        elif kind == 0x3E:  # >
            number = self._reserve(flagged)
            found = FrozenSet(self._tuple(self._size(), depth, 0))
            return self._insert(found, number)
        elif kind == 0x3A and self._slices:  # :
            number = self._reserve(flagged)
            return self._insert(Slice(*self._tuple(3, depth, 0)), number)
        else:
            raise MarshalError(f"a kind of object that no compiler of that version writes (0x{kind:02x})", at - 1)
        if flagged:
            self._refs.append(found)
        return found

    def _reserve(self, flagged: int) -> int:
        if not flagged:
            return -1
        self._refs.append(_UNFINISHED)
        return len(self._refs) - 1

    def _insert(self, found: Value, number: int) -> Value:
        if number >= 0:
            self._refs[number] = found
        return found

    def _tuple(self, count: int, depth: int, flagged: int) -> "tuple[Value, ...]":
        if depth >= MAX_DEPTH:
            raise OverBound(f"nested more than {MAX_DEPTH} deep", self.at)
        number = self._reserve(flagged)
        members: list[Value] = []
        for _ in range(count):
            members.append(self.value(depth + 1))
        found = tuple(members)
        if number >= 0:
            self._refs[number] = found
        return found

    def _code(self, depth: int, flagged: int) -> Code:
        if depth >= MAX_DEPTH:
            raise OverBound(f"nested more than {MAX_DEPTH} deep", self.at)
        number = self._reserve(flagged)
        begin = self.at
        nlocals: int | None = None
        varnames = freevars = cellvars = localsplusnames = None
        localspluskinds = qualname = exceptiontable = None
        inner = depth + 1
        if self._new:
            argcount, posonly, kwonly, stacksize, flags = _COUNTS_NEW.unpack_from(self._data, begin)
            self.at = begin + 20
        else:
            argcount, posonly, kwonly, nlocals, stacksize, flags = _COUNTS_OLD.unpack_from(self._data, begin)
            self.at = begin + 24
        code, consts, names = self._bytes(inner), self._constants(inner), self._names(inner)
        if self._new:
            localsplusnames, localspluskinds = self._names(inner), self._bytes(inner)
        else:
            varnames, freevars, cellvars = self._names(inner), self._names(inner), self._names(inner)
        filename, name = self._str(inner), self._str(inner)
        if self._new:
            qualname = self._str(inner)
        (firstlineno,) = _INT.unpack_from(self._data, self.at)
        self.at += 4
        linetable = self._bytes(inner)
        if self._new:
            exceptiontable = self._bytes(inner)
        found = Code(
            argcount,
            posonly,
            kwonly,
            nlocals,
            stacksize,
            flags,
            code,
            consts,
            names,
            varnames,
            freevars,
            cellvars,
            localsplusnames,
            localspluskinds,
            filename,
            name,
            qualname,
            firstlineno,
            linetable,
            exceptiontable,
        )
        if number >= 0:
            self._refs[number] = found
        return found

    def _bytes(self, depth: int) -> bytes:
        at = self.at
        found = self.value(depth)
        if type(found) is not bytes:
            raise MarshalError("a field of a code object is no bytes", at)
        return found

    def _str(self, depth: int) -> str:
        at = self.at
        found = self.value(depth)
        if type(found) is not str:
            raise MarshalError("a field of a code object is no text", at)
        return found

    def _constants(self, depth: int) -> "tuple[Value, ...]":
        at = self.at
        found = self.value(depth)
        if type(found) is not tuple:
            raise MarshalError("a field of a code object is no tuple", at)
        return found

    def _names(self, depth: int) -> tuple[str, ...]:
        at = self.at
        found = self._constants(depth)
        for name in found:
            if type(name) is not str:
                raise MarshalError("a name of a code object is no text", at)
        return found  # type: ignore[return-value]

    def _size(self) -> int:
        """A count of four bytes."""
        (size,) = _INT.unpack_from(self._data, self.at)
        if size < 0:
            raise MarshalError("a size below zero", self.at)
        self.at += 4
        return int(size)

    def _take(self, start: int, size: int) -> bytes:
        end = start + size
        if end > self._end:
            self._cut()
        self.at = end
        return self._data[start:end]

    def _cut(self) -> int:
        raise MarshalError("it ends in the middle", self._end)

    def _text(self, data: bytes) -> str:
        try:
            return data.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            raise MarshalError("text that is no UTF-8", self.at - len(data)) from None

    def _long(self) -> int:
        """An integer in digits of fifteen bits, least significant first; eight of them are fifteen bytes."""
        begin = self.at
        (count,) = _INT.unpack_from(self._data, begin)
        size = abs(count)
        raw = self._take(begin + 4, 2 * size)
        digits = struct.unpack(f"<{size}H", raw)
        if not size or not digits[-1] or max(digits) > 0x7FFF:
            raise MarshalError("an integer in a form that no compiler writes", begin)
        pieces = []
        for start in range(0, size, 8):
            piece = 0
            for place, digit in enumerate(digits[start : start + 8]):
                piece |= digit << 15 * place
            pieces.append(piece.to_bytes(15, "little"))
        number = int.from_bytes(b"".join(pieces), "little")
        return -number if count < 0 else number


_SINGLES: "dict[int, bool | EllipsisType | None]" = {
    ord("N"): None,
    ord("T"): True,
    ord("F"): False,
    ord("."): ...,
}
