"""How each CPython decodes, splits and classifies the lines of a ``.pth``."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.model.invocation import Invocation
from envcheck.startup.encoding import Codec, pth_codec
from envcheck.startup.pth import read
from envcheck.startup.rules import rules_of
from startup.test_rules import python

OLD, NEW, NEWEST = rules_of((3, 11, 7)), rules_of((3, 13, 0)), rules_of((3, 15, 2))
UTF8, ASCII = Codec("utf-8", True), Codec("ascii", True)


def kinds(data: bytes, rules=OLD, codec=UTF8) -> list[tuple[int, str, str]]:
    return [(line.number, line.kind, line.text) for line in read(data, rules, codec).lines]


@pytest.mark.parametrize("start", ["import os", "import\tos"])
def test_import_and_a_blank_or_a_tab_at_the_first_column_runs(start: str) -> None:
    assert kinds(start.encode()) == [(1, "import", start)]


@pytest.mark.parametrize(
    "text", ["from os import path", "import(os)", "import\x0cos", "import\xa0os", "IMPORT os", "exec('x')", "importos"]
)
@pytest.mark.parametrize("rules", [OLD, NEWEST])
def test_nothing_else_runs(text: str, rules: object) -> None:
    assert "import" not in [kind for _, kind, _ in kinds(text.encode(), rules)]


@pytest.mark.parametrize("blank", [" ", "\t", "\xa0", "\u3000", "\x1f"])
def test_a_leading_blank_protects_before_3_15_and_not_after(blank: str) -> None:
    line = f"{blank}import os".encode()
    assert kinds(line) == [(1, "dormant", "import os")]
    assert kinds(line, NEWEST) == [(1, "import", "import os")]


def test_comments_and_blank_lines_are_no_lines() -> None:
    assert kinds(b"# import os\n\n   \n\t\nlib\n") == [(5, "path", "lib")]


def test_an_indented_comment_is_a_path_before_3_15() -> None:
    assert kinds(b"  # x") == [(1, "path", "  # x")]
    assert kinds(b"  # x", NEWEST) == []


def test_lines_end_at_carriage_returns_too() -> None:
    assert kinds(b"a\rimport os\r\nb\n") == [(1, "path", "a"), (2, "import", "import os"), (3, "path", "b")]


@pytest.mark.parametrize("separator", ["\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"])
def test_a_comment_hides_code_behind_a_wide_separator_until_3_12_4(separator: str) -> None:
    data = f"# harmless{separator}import os".encode()
    (dormant,) = read(data, OLD, UTF8).lines
    assert (dormant.number, dormant.kind, dormant.text) == (1, "dormant", "import os")
    assert "line-separator" in dormant.notes
    (line,) = read(data, NEW, UTF8).lines
    assert (line.number, line.kind) == (2, "import") and "line-separator" in line.notes


def test_the_unit_separator_ends_no_line() -> None:
    assert kinds(b"# x\x1fimport os", NEW) == []


def test_a_byte_order_mark_makes_a_path_of_the_first_line_until_3_12_4() -> None:
    data = b"\xef\xbb\xbfimport os"
    assert [kind for _, kind, _ in kinds(data)] == ["path"]
    assert kinds(data, NEW) == [(1, "import", "import os")]


def test_what_cannot_be_decoded_is_lost_whole_from_3_12_4_on() -> None:
    content = read(b"import os\n\xff\nimport sys\n", NEW, UTF8)
    assert content.lines == () and content.undecodable and [line.number for line in content.lost] == [1, 2, 3]


def test_lines_in_earlier_chunks_run_before_the_decoder_fails() -> None:
    data = b"import os\n" + b"#\n" * 5000 + b"\xff\nimport sys\n"
    content = read(data, OLD, UTF8)
    assert [line.number for line in content.lines] == [1]
    assert [line.text for line in content.lost if line.kind == "import"] == ["import sys"]


def test_an_unknown_codec_loses_nothing_and_claims_nothing() -> None:
    content = read(b"import os\n\xff\n", OLD, Codec("utf-8", False))
    assert [line.number for line in content.lines] == [1, 2] and content.undecodable and not content.certain


def test_the_c_locale_decodes_as_ascii_on_3_11_even_in_utf8_mode() -> None:
    invocation = Invocation((), {"LC_ALL": "C"})
    linux = python("3.11.7")._replace(platform="linux-x86_64-glibc2.36")
    assert pth_codec(rules_of((3, 11, 7)), linux, invocation) == ASCII
    assert pth_codec(rules_of((3, 10, 13)), linux, invocation) == UTF8
    assert pth_codec(rules_of((3, 12, 1)), linux, Invocation((), {"LANG": "de_DE.ISO-8859-1"})).name == "iso-8859-1"


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("import os" + " " * 200 + "; x()", "off-screen"),
        ("import os; x\x1b[2K", "control-characters"),
        ("import os; \u202ex", "bidi"),
        ("import os; x\u200by", "zero-width"),
    ],
)
def test_what_hides_code_from_a_reader_is_noted(text: str, note: str) -> None:
    (line,) = read(text.encode(), NEW, UTF8).lines
    assert note in line.notes


def test_an_ordinary_line_has_no_notes() -> None:
    (line,) = read(b"import os; x = 'a  b'\r\n", OLD, UTF8).lines
    assert line.notes == ()


@given(st.binary(max_size=400), st.sampled_from([OLD, NEW, NEWEST]), st.sampled_from([UTF8, ASCII]))
def test_any_bytes_give_lines(data: bytes, rules: object, codec: Codec) -> None:
    content = read(data, rules, codec)
    numbers = [line.number for line in (*content.lines, *content.lost)]
    assert numbers == sorted(numbers)


@given(st.text(alphabet="import os;\n\r\x0c\x85#/ab \t", max_size=60))
def test_line_numbers_and_texts_are_those_of_the_interpreter(text: str) -> None:
    data = text.encode()
    expected = [
        (number, line)
        for number, line in enumerate(text.splitlines(), 1)
        if line.startswith(("import ", "import\t")) and not line.startswith("#")
    ]
    assert [(number, line) for number, kind, line in kinds(data, NEW) if kind == "import"] == expected
