"""Names that a reader takes for a known one."""

from __future__ import annotations

import pytest

from envcheck.catalogue.similar import looks_like
from envcheck.catalogue.startup_files import STARTUP_FILES


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("distutils-precedance.pth", "distutils-precedence.pth"),
        ("distutils-precedenc.pth", "distutils-precedence.pth"),
        ("distutils_precedence.pth", "distutils-precedence.pth"),
        ("dіstutils-precedence.pth", "distutils-precedence.pth"),  # a Cyrillic letter
        ("distutils-precedence\u200b.pth", "distutils-precedence.pth"),
        ("Distutils-Precedence.pth", "distutils-precedence.pth"),
        ("_virtualevn.pth", "_virtualenv.pth"),
        ("_virtua1env.pth", "_virtualenv.pth"),
        ("a1_coverag.pth", "a1_coverage.pth"),
        ("ѕitecustomize.py", "sitecustomize.py"),
    ],
)
def test_a_look_alike_is_told(name: str, known: str) -> None:
    assert looks_like(name) == known


@pytest.mark.parametrize(
    "name", [*(name.rpartition("/")[2] for name in STARTUP_FILES), "shop.pth", "x.pth", "my_tool.pth"]
)
def test_a_name_of_its_own_is_none(name: str) -> None:
    assert looks_like(name) is None
