"""Our reader of marshalled code against the interpreters' own, and against bytes that nobody honest writes."""

from __future__ import annotations

import contextlib
import json
import marshal
import subprocess
import sys
from types import CodeType

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from envcheck.formats.marshal import (
    MAX_DEPTH,
    MAX_OBJECTS,
    Code,
    FrozenSet,
    MarshalError,
    OverBound,
    Slice,
    read_code,
)
from support.pythons import Interpreter, every_version
from support.venvs import quiet_environ

OWN = sys.version_info[:2]
MINORS = [(3, minor) for minor in range(8, 16)]
SOURCE = """
import os
LONG = -123456789012345678901234567890, 1 << 70, 2147483648, -2147483649, 32767, 32768
FLOATS = 1.0, -0.0, 0.0, 1e309, -1e309, 1j, -0.0j, 2.5e-300
TEXTS = "", "a", "caf\\xe9", "\\u4e2d", "\\U0001f600", "\\ud800", b"", b"\\x00\\xff", "x" * 300, "name"
def f(a, /, b=(1, (2, (3,))), *c, d: int = ..., **e):
    "doc"
    try:
        return [x for x in c if x in {1, "a", (2, b"b"), None}]
    except (ValueError, OSError) as error:
        with open(os.devnull) as g, open(os.devnull):
            def inner(): return a, error, e, g
            return inner
    finally:
        del d
class C(Exception):
    attribute: int = 1
    async def m(self): return [super() async for _ in self], __class__
    def n(self): yield from (lambda y: (yield y))(self)
x = f[1:2], f[::2], f[None:None:None]
"""
ASK = """
import marshal, sys, types, json
def show(v):
    if isinstance(v, types.CodeType):
        new = sys.version_info >= (3, 11)
        fields = {n: getattr(v, "co_" + n) for n in ("argcount", "posonlyargcount", "kwonlyargcount", "stacksize",
            "flags", "code", "names", "filename", "name", "firstlineno", "consts")}
        fields["linetable"] = v.co_linetable if sys.version_info >= (3, 10) else v.co_lnotab
        if new:
            fields["qualname"], fields["exceptiontable"] = v.co_qualname, v.co_exceptiontable
        else:
            fields["nlocals"] = v.co_nlocals
            fields.update((n, getattr(v, "co_" + n)) for n in ("varnames", "freevars", "cellvars"))
        if new:
            fields["variables"] = tuple(dict.fromkeys(v.co_varnames + v.co_cellvars + v.co_freevars))
        return {"code": {n: show(w) for n, w in sorted(fields.items())}}
    if isinstance(v, tuple): return {"tuple": [show(w) for w in v]}
    if isinstance(v, frozenset): return {"set": sorted((show(w) for w in v), key=repr)}
    if isinstance(v, slice): return {"slice": [show(v.start), show(v.stop), show(v.step)]}
    return {type(v).__name__: ascii(v)}
source = sys.stdin.buffer.read()
code = compile(source, "where", "exec", dont_inherit=True)
data = marshal.dumps(code)
json.dump({"data": data.hex(), "shown": show(marshal.loads(data))}, sys.stdout)
"""


def show(value: object) -> object:
    """The same of what our reader gives."""
    if isinstance(value, Code):
        fields = {name: field for name, field in value._asdict().items() if field is not None}
        if value.localsplusnames is not None:
            fields["variables"] = fields.pop("localsplusnames")
            del fields["localspluskinds"]
        return {"code": {name: show(field) for name, field in sorted(fields.items())}}
    if isinstance(value, FrozenSet):
        return {"set": sorted((show(member) for member in value.members), key=repr)}
    if isinstance(value, Slice):
        return {"slice": [show(part) for part in value]}
    if isinstance(value, tuple):
        return {"tuple": [show(part) for part in value]}
    return {type(value).__name__: ascii(value)}


@pytest.mark.parametrize("interpreter", every_version())
def test_it_reads_what_each_interpreter_reads(interpreter: Interpreter) -> None:
    done = subprocess.run(
        [interpreter.path, "-I", "-S", "-W", "ignore", "-c", ASK],
        input=SOURCE.encode(),
        env=quiet_environ(),
        capture_output=True,
        check=True,
    )
    told = json.loads(done.stdout)
    assert json.loads(json.dumps(show(read_code(bytes.fromhex(told["data"]), interpreter.minor)))) == told["shown"]


def dumped(source: str = SOURCE) -> bytes:
    return marshal.dumps(compile(source, "where", "exec", dont_inherit=True))


@given(st.binary(max_size=200), st.sampled_from(MINORS))
@example(b"\xe3" + bytes(20) + b"r\0\0\0\0", (3, 11))
def test_any_bytes_are_refused_with_a_typed_error_or_read(data: bytes, minor: tuple[int, int]) -> None:
    with contextlib.suppress(MarshalError):
        assert isinstance(read_code(data, minor), Code)


@settings(max_examples=400)
@given(st.data())
def test_damaged_code_is_read_as_cpython_reads_it_or_refused(data: st.DataObject) -> None:
    """Where both take it, both see the same constants: no file is one program to us and another to CPython."""
    whole = bytearray(dumped("x = (1, 'a', (2.5, b'c')), 'a', f(1, key='a'), {1, 2} == x"))
    for _ in range(data.draw(st.integers(1, 3))):
        # Not the fields of the code object itself: CPython crashes on some of those.
        index = data.draw(st.integers(whole.index(b"\xa9"[0:1]) if b"\xa9" in whole else 40, len(whole) - 1))
        whole[index] = data.draw(st.sampled_from(list(b"NTF.zZ)(isr\x00\x01\x02\x81\xe9\xa9\xfa\xda\xf3rugl>c")))
    try:
        ours = read_code(bytes(whole), OWN)
    except MarshalError:
        return
    theirs = _constants_of(bytes(whole))
    assert theirs is None or json.loads(json.dumps(show(ours.consts))) == theirs


_LOAD = """
import marshal, sys, json
{show}
for line in sys.stdin:
    try:
        code = marshal.loads(bytes.fromhex(line))
        json.dump(show(code.co_consts), sys.stdout)
    except Exception as error:
        print("null", end="")
    print(flush=True)
"""
_loader: list[subprocess.Popen[str]] = []


def _constants_of(data: bytes) -> object:
    """As CPython reads them, in a process of its own; ``None`` where it refuses, or dies of it."""
    if not _loader or _loader[0].poll() is not None:
        program = _LOAD.replace("{show}", ASK[: ASK.index("source = ")])
        command = [sys.executable, "-I", "-S", "-c", program]
        _loader[:] = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)]
    process = _loader[0]
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(data.hex() + "\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    return json.loads(answer) if answer.strip() else None


@pytest.fixture(autouse=True, scope="module")
def _no_loader_is_left() -> object:
    yield
    for process in _loader:
        process.kill()
        process.communicate()


def module(consts: bytes, minor: tuple[int, int] = (3, 11)) -> bytes:
    """A code object with these constants."""
    if minor >= (3, 11):
        return (
            b"c"
            + bytes(20)
            + b"s\0\0\0\0"
            + consts
            + b")\0" * 2
            + b"s\0\0\0\0"
            + b"z\0" * 3
            + bytes(4)
            + b"s\0\0\0\0" * 2
        )
    return b"c" + bytes(24) + b"s\0\0\0\0" + consts + b")\0" * 4 + b"z\0" * 2 + bytes(4) + b"s\0\0\0\0"


@pytest.mark.parametrize("minor", MINORS)
def test_references_are_numbered_as_cpython_does(minor: tuple[int, int]) -> None:
    # None and its like get no number, whatever their flag says; a tuple gets its own before its members do.
    consts = b"\xa9\x04" + b"\xce" + b"\xfa\x01a" + b"r\x01\0\0\0" + b"\xd4"
    assert read_code(module(consts, minor), minor).consts == (None, "a", "a", True)


REFUSED = {
    "nothing": b"",
    "an end in the middle": dumped()[:-1],
    "bytes after the code": dumped() + b"N",
    "no code": b"N",
    "a reference to nothing": module(b")\x01r\0\0\0\0"),
    "a reference below zero": module(b")\x01r\xff\xff\xff\xff"),
    "a tuple in itself": module(b"\xa9\x01r\0\0\0\0"),
    "a set in itself": module(b")\x01\xbe\x01\0\0\0r\0\0\0\0"),
    "a list": module(b")\x01[\0\0\0\0"),
    "a dict": module(b")\x01{0"),
    "a set that changes": module(b")\x01<\0\0\0\0"),
    "a number as text": module(b")\x01f\x011"),
    "an old integer": module(b")\x01I" + bytes(8)),
    "StopIteration": module(b")\x01S"),
    "a null": module(b")\x010"),
    "an integer that is not normal": module(b")\x01l\x02\0\0\0\x01\0\0\0"),
    "an integer with too large a digit": module(b")\x01l\x01\0\0\0\xff\xff"),
    "a size below zero": module(b"(\xff\xff\xff\xff"),
    "a size of two thousand millions": module(b"(\xff\xff\xff\x7f"),
    "text of that size": module(b")\x01u\xff\xff\xff\x7f"),
    "text that is no UTF-8": module(b")\x01u\x01\0\0\0\xff"),
    "constants that are no tuple": module(b"z\0"),
    "a slice before 3.14": module(b")\x01:NNN"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_no_compiler_writes_is_refused(case: str) -> None:
    with pytest.raises(MarshalError):
        read_code(REFUSED[case], (3, 11) if REFUSED[case][:1] != b"\xe3" else OWN)


def test_depth_is_bounded() -> None:
    with pytest.raises(OverBound):
        read_code(module(b")\x01" * (MAX_DEPTH + 10) + b"N"), (3, 11))
    with pytest.raises(OverBound):
        read_code(module(b")\x01" * 1_000_000 + b"N"), (3, 11))
    nested = "(" * 90 + "1," + ")," * 90
    assert read_code(dumped("x = " + nested), OWN)


def test_the_number_of_objects_is_bounded() -> None:
    many = (MAX_OBJECTS + 1).to_bytes(4, "little")
    with pytest.raises(OverBound):
        read_code(module(b"(" + many + b"N" * (MAX_OBJECTS + 1)), (3, 11))


def test_shared_constants_cost_what_the_file_costs() -> None:
    """Forty levels of two references each: a tuple of 2**40 members, in a few hundred bytes."""
    levels = b"\xa9\x01N"
    for number in range(40):
        reference = b"r" + number.to_bytes(4, "little")
        levels += b"\xa9\x02" + reference * 2
    found = read_code(module(b")\x29" + levels), (3, 11))
    assert len(found.consts) == 41


@given(st.integers(-(2**200), 2**200))
def test_integers(number: int) -> None:
    data = module(b")\x01" + marshal.dumps(number, 2))
    assert read_code(data, (3, 11)).consts == (number,)


def test_it_is_not_unmarshalled_by_python() -> None:
    assert isinstance(marshal.loads(dumped()), CodeType)
    assert "marshal" not in vars(sys.modules["envcheck.formats.marshal"])
