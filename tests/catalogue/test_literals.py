"""Only what ``repr`` writes for plain data is read, and it is read as what it stands for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.catalogue.literals import NotLiteral, whole_literal

plain = st.recursive(
    st.text(max_size=20) | st.booleans() | st.none(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


def depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    if isinstance(value, (list, tuple)):
        return 1 + max(map(depth, value), default=0)
    return 0


@given(plain.filter(lambda value: depth(value) < 6))
def test_reads_back_whatever_repr_writes(value: object) -> None:
    assert whole_literal(repr(value)) == value


@given(st.sets(st.text(max_size=8), max_size=5))
def test_reads_sets_of_strings(value: set[str]) -> None:
    assert whole_literal(repr(value)) == value


@given(plain, st.integers(0, 200), st.sampled_from(["+", "(", "f", "x", "__import__('os')", "\n", " ", "\\", "#"]))
def test_text_put_into_a_literal_never_becomes_anything_but_string_content(
    value: object, place: int, extra: str
) -> None:
    text = repr(value)
    changed = text[:place] + extra + text[place:]
    try:
        read = whole_literal(changed)
    except NotLiteral:
        return
    assert eval(changed, {"__builtins__": {}}) == read


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')",
        "'a' 'b'",
        "'a' + 'b'",
        "f'a'",
        "b'a'",
        "r'a'",
        "[1]",
        "['a',]",
        "['a' , 'b']",
        "('a')",
        "{'a': 'b', **{}}",
        "{'a': 'b', 'a': 'c'}",
        "{'a', 'a'}",
        "{'a': 'b', 'c'}",
        "['a'",
        "'a\nb'",
        "'\\U00110000'",
        "'\\q'",
        "",
        " 'a'",
        "'a' ",
        "[x for x in ()]",
    ],
)
def test_refuses_anything_else(text: str) -> None:
    with pytest.raises(NotLiteral):
        whole_literal(text)


def test_refuses_deep_nesting_without_recursing_into_it() -> None:
    with pytest.raises(NotLiteral):
        whole_literal("[" * 100_000)
