"""Which release does what: the table, and what is made of it."""

from __future__ import annotations

import re

import pytest

from envcheck.model.environment import Python
from envcheck.startup.rules import ROWS, holds, row, rules_for, rules_of


def python(version: str) -> Python:
    return Python(version, "directory", "cpython", "cp3", "linux-x86_64", None, "/usr")


@pytest.mark.parametrize(
    ("release", "skipped"),
    [
        ((3, 8, 18), False), ((3, 8, 19), True), ((3, 11, 7), False), ((3, 11, 8), True),
        ((3, 12, 1), False), ((3, 12, 2), True), ((3, 13, 0), True), ((3, 15, 0), True), ((3, 7, 17), False),
    ],
)  # fmt: skip
def test_hidden_files_are_skipped_from_a_patch_level_of_each_branch(
    release: tuple[int, int, int], skipped: bool
) -> None:
    assert holds(row("hidden_skipped"), release) is skipped


@pytest.mark.parametrize(("release", "wide"), [((3, 12, 3), False), ((3, 12, 4), True), ((3, 11, 14), False)])
def test_lines_end_at_more_characters_from_3_12_4_on(release: tuple[int, int, int], wide: bool) -> None:
    assert rules_of(release).wide_lines is wide


def test_a_known_patch_level_gives_one_set_of_rules() -> None:
    (rules,) = rules_for(python("3.12.4"))
    assert rules.when is None and rules.wide_lines


def test_an_unknown_patch_level_gives_each_side_of_every_boundary_in_words() -> None:
    sides = rules_for(python("3.12"))
    assert [side.when for side in sides] == [
        "Python before 3.12.2", "Python 3.12.2 to 3.12.3", "Python 3.12.4 or later",
    ]  # fmt: skip
    assert [(side.hidden_skipped, side.wide_lines) for side in sides] == [(False, False), (True, False), (True, True)]


def test_a_branch_without_boundaries_needs_no_patch_level() -> None:
    assert [side.when for side in rules_for(python("3.14"))] == [None]


def test_every_row_names_its_source() -> None:
    for found in ROWS:
        assert re.match(r"gh-\d+|bpo-\d+|PEP \d+|Lib/", found.source), found.name
        assert found.what
