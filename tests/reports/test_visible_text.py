"""Text of an attacker's is shown so that nothing of it acts, hides or passes for something else."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.reports.text import pieces, printable, shorten, visible
from support.work import calls

ANY_TEXT = st.text(st.characters(codec=None))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain/path-1.0.py", "plain/path-1.0.py"),
        ("a\x1b[31mred", "a⟨ESC⟩[31mred"),
        ("a\rb", "a⟨CR⟩b"),
        ("a\nb", "a⟨LF⟩b"),
        ("a\vb\fc", "a⟨VT⟩b⟨FF⟩c"),
        ("a\x85b\u2028c\u2029d", "a⟨NEL⟩b⟨LS⟩c⟨PS⟩d"),
        ("a\tb", "a⟨tab⟩b"),
        ("a\0b", "a⟨NUL⟩b"),
        ("a\x07\x08\x7f\x9b", "a⟨U+0007⟩⟨U+0008⟩⟨U+007F⟩⟨U+009B⟩"),
        ("\u202egpj.exe", "⟨U+202E⟩gpj.exe"),
        ("\u2066a\u2069\u200f\u061c", "⟨U+2066⟩a⟨U+2069⟩⟨U+200F⟩⟨U+061C⟩"),
        ("o\u200bs\ufeff\u2060", "o⟨U+200B⟩s⟨U+FEFF⟩⟨U+2060⟩"),
        ("a\u00adb", "a⟨U+00AD⟩b"),
        ("a\u00a0b\u3000c", "a⟨U+00A0⟩b⟨U+3000⟩c"),
        ("\u3164 \u115f \u2800", "⟨U+3164⟩ ⟨U+115F⟩ ⟨U+2800⟩"),
        ("a\ufe0fb\U000e0101", "a⟨U+FE0F⟩b⟨U+E0101⟩"),
        ("\U000e0041\ue000\U0010ffff", "⟨U+E0041⟩⟨U+E000⟩⟨U+10FFFF⟩"),
        ("caf\udce9", "caf⟨byte E9⟩"),
        ("\ud800", "⟨U+D800⟩"),
        ("naïve-Ω-日本語-שלום", "naïve-Ω-日本語-שלום"),
        ("x" + " " * 11 + "y", "x" + " " * 11 + "y"),
        ("x" + " " * 40 + "y", "x⟨40 spaces⟩y"),
        ("x" + " " * 1_234_567 + "y", "x⟨1,234,567 spaces⟩y"),
        ("\t" * 30 + "x", "⟨30 × tab⟩x"),
        ("\u200b" * 10_000, "⟨10,000 × U+200B⟩"),
        ("⟨ESC⟩", "⟨U+27E8⟩ESC⟩"),
    ],
)
def test_what_does_not_show_by_itself_is_marked(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_combining_marks_stay_on_letters_and_floods_are_counted() -> None:
    assert visible("ệ" + "e\u0302\u0323") == "ệe\u0302\u0323"
    assert visible("Z" + "\u0335\u0336\u0337\u0338") == "Z\u0335\u0336\u0337⟨U+0338⟩"
    assert visible("Z" + "\u0335" * 500) == "Z\u0335\u0335\u0335⟨497 × U+0335⟩"


@pytest.mark.parametrize("before", ["", " ", "\x1b", "⟨"])
def test_a_combining_mark_never_lands_on_something_of_ours(before: str) -> None:
    assert visible(f"{before}\u0338").endswith("⟨U+0338⟩")


@given(ANY_TEXT)
def test_everything_shown_is_printable(text: str) -> None:
    shown = visible(text)
    assert shown.isprintable()
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for c in shown)
    shown.encode("utf-8")


@given(ANY_TEXT)
def test_pieces_account_for_every_character(text: str) -> None:
    assert sum(count for _, count in pieces(text)) == len(text)
    assert "".join(shown for shown, _ in pieces(text)) == visible(text)


@given(ANY_TEXT, ANY_TEXT)
def test_two_texts_never_look_the_same(one: str, other: str) -> None:
    assert (visible(one) == visible(other)) == (one == other)


@given(ANY_TEXT, st.sampled_from(["ascii", "latin-1", "cp1252", "cp437", "koi8-r"]))
def test_every_encoding_can_hold_what_is_shown(text: str, encoding: str) -> None:
    visible(text, encoding).encode(encoding)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1bb", "a<ESC>b"),
        ("é", "<U+00E9>"),
        ("\t" * 9, "<9 x tab>"),
        ("a < b > c", "a < b > c"),
        ("<U+202E>", "<U+003C>U+202E>"),
        ("<40 spaces>", "<U+003C>40 spaces>"),
        ("<ESC>", "<U+003C>ESC>"),
        ("<byte FF>", "<U+003C>byte FF>"),
    ],
)
def test_ascii_output_has_the_same_marks_in_its_own_brackets(text: str, shown: str) -> None:
    assert visible(text, "ascii") == shown


def test_an_unknown_encoding_is_taken_as_ascii() -> None:
    assert visible("é", "no-such-encoding") == "<U+00E9>"


def test_shortened_text_says_how_much_is_left_out() -> None:
    assert shorten("x" * 5000, 10) == "x" * 10 + "… (4,990 more characters)"
    assert shorten("x" * 10, 10) == "x" * 10
    assert shorten(" " * 5000, 20) == "⟨5,000 spaces⟩"


def test_long_hostile_text_costs_only_what_is_shown() -> None:
    head, whole = ("\u200b \x1b" * length for length in (10_000, 10_000_000))
    assert calls(lambda: shorten(whole, 1000)) == calls(lambda: shorten(head, 1000)) < 5000
    # A run of blanks is counted, by steps that double.
    assert calls(lambda: shorten(" " * 30_000_000 + "x", 1000)) < 200


def test_machine_readable_text_keeps_everything_but_lone_surrogates() -> None:
    assert printable("a\x1b\u202e😀") == "a\x1b\u202e😀"
    assert printable("caf\udce9/\udc00\ud83d") == "caf\\xe9/\\udc00\\ud83d"
