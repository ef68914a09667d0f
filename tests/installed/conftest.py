"""Fixtures of the tests of what is installed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from installed.trees import Tree

# A slow machine is no failure.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """An empty venv laid out by hand."""
    return Tree(tmp_path)
