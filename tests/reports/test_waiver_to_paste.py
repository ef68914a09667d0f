"""The waiver that a report gives is TOML that says exactly the finding's place, whatever that is."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from envcheck.model.finding import Severity
from envcheck.reports.text import printable
from envcheck.reports.waiver import to_paste
from reports import samples


def check(place: str) -> None:
    told = samples.finding("file-unowned", Severity.HIGH, "x", None)._replace(place=place)
    text = to_paste(told)
    assert text.isascii()
    assert text.replace("\n", "").isprintable()
    assert "#" not in text
    (waiver,) = tomli.loads(text)["waivers"]
    assert (waiver["rule"], waiver["sha256"]) == ("file-unowned", samples.SHA)
    assert fnmatchcase(printable(place), waiver["path"])
    if not set(place) & set("*?["):
        assert waiver["path"] == printable(place)


@pytest.mark.parametrize(
    "place",
    ["a", "ü", "😀x", '"', "\\u0000", "\\", "a*[b]?", "##[error]", "\x7f", "\x00", "\n", "\udcff", "\\u0000001f"],
)
def test_any_name(place: str) -> None:
    check(place)


@given(st.text(st.characters(codec=None), max_size=30))
def test_any_text(place: str) -> None:
    check(place)


def test_what_has_no_content_cannot_be_waived() -> None:
    assert to_paste(samples.finding("x", Severity.LOW, "x", None)._replace(content=None)) == ""
