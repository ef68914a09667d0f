"""What is folded is what Python itself gives; what Python refuses is not folded."""

from __future__ import annotations

import ast
import base64
import bz2
import codecs
import gzip
import lzma
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envcheck.behavior.budget import Budget
from envcheck.behavior.recorder import Recorder, Source
from envcheck.behavior.scopes import Scope
from envcheck.behavior.source import Layers
from envcheck.behavior.things import Thing, known
from envcheck.formats.syntax import Problem, parse

TEXTS = st.text(max_size=12)
LEAVES = st.one_of(
    st.integers(-300, 300).map(repr),
    TEXTS.map(repr),
    st.binary(max_size=12).map(repr),
    st.sampled_from(["True", "False", "None", "1.5"]),
)


def combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    two = st.tuples(inner, inner)
    operators = st.sampled_from("+ - * // % ^ & | << >> == != < in and or".split())
    methods = st.sampled_from(
        ["upper()", "strip()", "split()", "encode()", "decode()", "hex()", "swapcase()", "title()"]
    )
    functions = st.sampled_from("len str int ord chr bytes list tuple sorted reversed repr bool abs sum".split())
    return st.one_of(
        st.tuples(operators, two).map(lambda p: f"({p[1][0]} {p[0]} {p[1][1]})"),
        st.lists(inner, max_size=4).map(lambda items: f"[{', '.join(items)}]"),
        st.lists(inner, min_size=2, max_size=4).map(lambda items: f"({', '.join(items)})"),
        two.map(lambda p: f"({p[0]})[{p[1]}]"),
        inner.map(lambda x: f"({x})[::-1]"),
        st.tuples(inner, st.integers(-5, 5), st.integers(-5, 5)).map(lambda p: f"({p[0]})[{p[1]}:{p[2]}]"),
        st.tuples(inner, methods).map(lambda p: f"({p[0]}).{p[1]}"),
        st.tuples(functions, inner).map(lambda p: f"{p[0]}({p[1]})"),
        two.map(lambda p: f"({p[0]}).join({p[1]})"),
        st.tuples(inner, inner, inner).map(lambda p: f"({p[0]} if {p[1]} else {p[2]})"),
        inner.map(lambda x: f"[x for x in {x}]"),
        inner.map(lambda x: f"-{x}"),
        two.map(lambda p: f"f'{{{p[0]}!r}}' + str({p[1]})".replace("\\", "") if "'" not in p[0] else p[0]),
    )


EXPRESSIONS = st.recursive(LEAVES, combined, max_leaves=8)


def folded(text: str) -> Thing:
    tree = parse(text)
    assert not isinstance(tree, Problem)
    assert isinstance(tree[0], ast.Expr)
    return Layers(Recorder(Source(text)), Budget(), Scope()).eval(tree[0].value)


@settings(max_examples=600, deadline=None)
@given(EXPRESSIONS)
@pytest.mark.filterwarnings("ignore")
def test_a_literal_expression_is_folded_to_what_python_makes_of_it(text: str) -> None:
    try:
        ast.parse(text)
        expected = eval(text, {})
    except Exception:
        return
    thing = folded(text)
    if thing.known:
        assert plain(expected) == plain(thing.value)
        assert type(plain(expected)) is type(plain(thing.value))


def plain(value: object) -> object:
    """Iterators are folded to what they give, wherever they stand."""
    if type(value).__name__ in ("reversed", "list_reverseiterator", "map", "zip", "Iterated"):
        return ("iterator", *map(plain, value))  # type: ignore[call-overload]
    if isinstance(value, (list, tuple)):
        return type(value)(map(plain, value))
    return value


@pytest.mark.parametrize("iterator", ["reversed('')", "iter([])", "zip()", "enumerate('')", "(x for x in [])"])
def test_an_iterator_is_true_though_it_gives_nothing(iterator: str) -> None:
    assert folded(f"{iterator} and 'reached'").value == "reached"
    assert folded(f"'reached' if {iterator} != [] else ''").value == "reached"
    assert not folded(f"str([{iterator}])").known


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'a' + 'b' * 3", "abbb"),
        ("'%s-%d' % ('a', 5)", "a-5"),
        ("'{0}{1}{x}'.format(1, 'b', x=2)", "1b2"),
        ("f'{1 + 1}{\"a\"!r:>5}'", "2  'a'"),
        ("''.join(chr(ord(c) ^ 1) for c in 'bcd')", "cbe"),
        ("''.join([c for c in 'abcd' if c != 'b'])", "acd"),
        ("bytes(x ^ 7 for x in b'abc')", b"fed"),
        ("'abc'.translate(str.maketrans('abc', 'xyz'))", "xyz"),
        ("''.join({'a': 'b'}.get(c, c) for c in 'cab')", "cbb"),
        ("'a,b,c'.split(',')[1:]", ["b", "c"]),
        ("int('ff', 16).to_bytes(1, 'big')", b"\xff"),
        ("bytes.fromhex('616263').decode()", "abc"),
        ("(lambda a, b=2: a * b)('x')", "xx"),
        ("'cba'[::-1].upper()", "ABC"),
        ("sum(map(lambda x: x + 1, [1, 2]))", 5),
        ("[*'ab', *(1, 2)]", ["a", "b", 1, 2]),
        ("{'a': 'b', 'c': 'd'}['c']", "d"),
    ],
)
def test_the_usual_ways_to_hide_a_string_are_folded(text: str, value: object) -> None:
    thing = folded(text)
    assert thing.known
    assert thing.value == value


ENCODERS: dict[str, Callable[[bytes], bytes | str]] = {
    "__import__('base64').b64decode": base64.b64encode,
    "__import__('base64').urlsafe_b64decode": base64.urlsafe_b64encode,
    "__import__('base64').b32decode": base64.b32encode,
    "__import__('base64').b16decode": base64.b16encode,
    "__import__('base64').b85decode": base64.b85encode,
    "__import__('base64').a85decode": base64.a85encode,
    "__import__('base64').decodebytes": base64.encodebytes,
    "__import__('binascii').unhexlify": lambda data: data.hex().encode(),
    "bytes.fromhex": lambda data: data.hex(),
    "__import__('zlib').decompress": zlib.compress,
    "__import__('gzip').decompress": lambda data: gzip.compress(data, mtime=0),
    "__import__('bz2').decompress": bz2.compress,
    "__import__('lzma').decompress": lzma.compress,
    "(lambda d: __import__('codecs').decode(d, 'hex'))": lambda data: data.hex().encode(),
    "(lambda d: __import__('codecs').getdecoder('base64')(d)[0])": base64.encodebytes,
}


@pytest.mark.parametrize("decoder", ENCODERS)
@settings(max_examples=15, deadline=None)
@given(data=st.binary(max_size=300))
def test_what_an_encoder_made_is_decoded(decoder: str, data: bytes) -> None:
    thing = folded(f"{decoder}({ENCODERS[decoder](data)!r})")
    assert thing.known
    assert thing.value == data


@given(TEXTS)
def test_rot13_is_decoded(text: str) -> None:
    encoded = codecs.encode(text, "rot13")
    assert folded(f"__import__('codecs').decode({encoded!r}, 'rot_13')").value == text


@pytest.mark.parametrize(
    "text",
    [
        "'a' * 10 ** 9",
        "[1] * 10 ** 8",
        "9 ** 9 ** 9",
        "1 << 10 ** 9",
        "'%999999999d' % 1",
        "'%*d' % (10 ** 9, 1)",
        "'{:999999999}'.format(1)",
        "'{:{}}'.format(1, 10 ** 9)",
        "f'{1:999999999}'",
        "bytes(10 ** 9)",
        "'x'.zfill(10 ** 9)",
        "range(10 ** 9)",
        "pow(3, 10 ** 9)",
        "'x'.replace('', 'y' * 1000000) * 10",
    ],
)
def test_a_value_over_the_bound_is_not_made(text: str) -> None:
    assert not folded(text).known


def test_a_thing_that_is_known_says_so() -> None:
    assert known("x").known
    assert not Thing("os").known
