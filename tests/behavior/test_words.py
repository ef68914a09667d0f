"""The words that are searched for before the patterns are: no pattern matches where none of them is."""

from __future__ import annotations

import re
from typing import Any

import pytest

from envcheck.behavior import strings
from envcheck.model.behavior import Capability

# Python's own parser of patterns, by the names that it has from 3.11.
kinds = pytest.importorskip("re._constants")
parser = pytest.importorskip("re._parser")


def texts_of(items: Any) -> list[str]:
    """For each way through a pattern, the literal characters that it needs, with a gap where others may stand."""
    ways = [""]
    for kind, value in items:
        if kind is kinds.LITERAL:
            ways = [way + chr(value).lower() for way in ways]
        elif kind is kinds.BRANCH:
            ways = [way + more for way in ways for branch in value[1] for more in texts_of(branch)]
        elif kind is kinds.SUBPATTERN:
            ways = [way + more for way in ways for more in texts_of(value[3])]
        elif kind is kinds.MAX_REPEAT and value[:2] == (0, 1):
            ways = [way + more for way in ways for more in ["", *texts_of(value[2])]]
        elif kind is kinds.AT and value in (kinds.AT_BEGINNING, kinds.AT_BOUNDARY, kinds.AT_END):
            continue
        else:
            ways = [way + "\0" for way in ways]
    return ways


@pytest.mark.parametrize(("capability", "pattern"), strings._HINTS, ids=[name for name, _ in strings._HINTS])
def test_every_way_through_a_pattern_needs_a_word(capability: Capability, pattern: re.Pattern[str]) -> None:
    ways = texts_of(parser.parse(pattern.pattern, pattern.flags))
    assert len(ways) > 20
    assert not [way for way in ways if not any(word in way for word in strings.WORDS)]


def test_all_strings_with_a_hint_are_found_at_once() -> None:
    texts = ["nothing", "~/.SSH/config", "", "a qemu and a .bashrc", "site", "customize.pyc", "x.pth", "~/.aws"]
    assert {number for number, text in enumerate(texts) if strings.hints(text)} <= set(strings.hinting(texts))
    assert strings.hinting(texts[:1]) == []
