"""Which differences between two code objects are told, which are none, and how they are named."""

from __future__ import annotations

import marshal
import sys

import pytest

from envcheck.formats.codecompare import Difference, difference
from envcheck.formats.marshal import Code, FrozenSet, OverBound, Value, read_code

OWN = sys.version_info[:2]


def compiled(source: str, filename: str = "where") -> Code:
    return read_code(marshal.dumps(compile(source, filename, "exec", dont_inherit=True)), OWN)


def between(one: str, other: str) -> Difference | None:
    return difference(compiled(one), compiled(other), "mod")


CONSTANTS: list[Value] = [
    *(1, True, 1.0, 0, False, 0.0, -0.0, 1j, complex(0.0, 1.0), complex(-0.0, 1.0), None, ..., "1", b"1", ""),
    *(float("nan"), float("inf"), -float("inf"), 2**70, -(2**70), "caf\xe9", "cafe\u0301", (), (1,), (True,), ((1,),)),
    *(FrozenSet(()), FrozenSet((1,)), FrozenSet((True,)), FrozenSet((1.0,)), FrozenSet(("1", 1)), FrozenSet(((0.0,),))),
    *(FrozenSet(((-0.0,),)), FrozenSet((FrozenSet((1,)),))),
]


def test_every_constant_is_itself_and_no_other() -> None:
    base = compiled("x = 1")
    for i, one in enumerate(CONSTANTS):
        for j, other in enumerate(CONSTANTS):
            found = difference(base._replace(consts=(one,)), base._replace(consts=(other,)), "mod")
            same = i == j or repr(one) == repr(other)
            assert (found is None) is same, (one, other)


def test_what_may_differ() -> None:
    one = compiled("x = y in {1, 'a', (2, b'c')}", "here")
    other = compiled("x = y in {1, 'a', (2, b'c')}", "/else/where.py")
    (members,) = [const.members for const in other.consts if isinstance(const, FrozenSet)]
    turned = tuple(FrozenSet(members[::-1]) if isinstance(const, FrozenSet) else const for const in other.consts)
    assert difference(one, other._replace(consts=turned), "mod") is None


def test_equal_but_doubled_members_are_no_set_of_fewer() -> None:
    base = compiled("x = 1")
    one, other = FrozenSet((1, 2)), FrozenSet((1, 1))
    assert difference(base._replace(consts=(one,)), base._replace(consts=(other,)), "mod") is not None


@pytest.mark.parametrize(
    ("one", "other", "path", "words"),
    [
        ("def paint():\n return 'good'", "def paint():\n return 'evil'", "mod.paint.<consts[", "'evil', not 'good'"),
        ("class C:\n def f(self): return a", "class C:\n def f(self): return b", "mod.C.f.<names>", "('b',)"),
        ("def f(a): pass", "def f(a, b): pass", "mod.f.<argcount>", "argcount is 2, not 1"),
        ("def f(): pass", "def g(): pass", "mod.<names>", "('g',)"),
        ("x = 1", "x = 1\ny = 2", "mod.<names>", "('x', 'y')"),
        ("x = 1", "\n\nx = 1", "mod.<", "line"),
    ],
)
def test_a_difference_is_told_as_a_path_and_in_words(one: str, other: str, path: str, words: str) -> None:
    found = between(one, other)
    assert found is not None
    assert found.path.startswith(path)
    assert words in found.what


def test_instructions_alone_come_last_and_are_told_as_such() -> None:
    found = between("if a == b: c()", "if a != b: c()")
    assert found is not None
    assert found.instructions_only
    assert found.path == "mod.<code>"
    found = between("if a == b: c('x')", "if a != b: c('y')")
    assert found is not None
    assert not found.instructions_only


@pytest.mark.parametrize("field", [name for name in Code._fields if name != "filename"])
def test_every_field_counts(field: str) -> None:
    code = compiled("def f(a):\n return a")
    old = getattr(code, field)
    new = {bytes: b"?", int: 77, str: "?", tuple: ("?",), type(None): b"?"}[type(old)]
    found = difference(code, code._replace(**{field: new}), "mod")
    assert found is not None
    assert field in found.path


def test_a_nested_file_name_of_its_own_counts() -> None:
    code = compiled("def f(): pass")
    inner = next(const for const in code.consts if isinstance(const, Code))
    consts = tuple(const._replace(filename="other") if isinstance(const, Code) else const for const in code.consts)
    assert inner.filename == code.filename
    found = difference(code, code._replace(consts=consts), "mod")
    assert found is not None
    assert found.path == "mod.f.<filename>"


def test_words_are_short_whatever_the_values() -> None:
    huge = between("x = 'a'", "x = %r" % ("b" * 100_000))
    assert huge is not None and len(huge.what) < 300
    number = difference(compiled("x")._replace(consts=(1,)), compiled("x")._replace(consts=(1 << 100_000,)), "mod")
    assert number is not None and "integer of 100,001 bits" in number.what


def test_shared_parts_are_bounded() -> None:
    """Sets of 2**40 members' worth of shared parts, which equal honest ones only after that many steps."""
    value: Value = (1,)
    for _ in range(40):
        value = (value, value)
    base = compiled("x")._replace(consts=(FrozenSet((value, 1)),))
    with pytest.raises(OverBound):
        difference(base, base._replace(consts=(FrozenSet((value, 2)),)), "mod")
