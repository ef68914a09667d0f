"""``.start`` files (PEP 829)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.startup.entrypoints import read


@pytest.mark.parametrize("line", ["m:f", "p.m:f", "m:K.s", "  p.m:f  ", "módulo:función"])
def test_a_module_and_a_callable_are_an_entry_point(line: str) -> None:
    (point,) = read(line.encode()) or ()
    assert f"{point.module}:{point.attribute}" == line.strip()


@pytest.mark.parametrize(
    "line", ["m", "m:", ":f", "m : f", "m:f()", "m:f[x]", "m:f # c", "m:f, n:g", "m:f;g", "import m", ".rel:f", "a:b:c"]
)
def test_everything_else_is_refused(line: str) -> None:
    (point,) = read(line.encode()) or ()
    assert point.module is None and point.attribute is None


def test_comments_blanks_and_a_byte_order_mark_are_nothing() -> None:
    assert read(b"\xef\xbb\xbf# x\n\n  # y\n   \n") == ()


def test_a_file_that_is_not_utf8_is_ignored_whole() -> None:
    assert read(b"m:f\n\xff") is None


def test_lines_end_as_in_pth_files() -> None:
    points = read("a:b\x0cc:d\u2028e:f".encode()) or ()
    assert [(point.number, point.text) for point in points] == [(1, "a:b"), (2, "c:d"), (3, "e:f")]


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    read(data)
