"""Fixtures of the tests of what is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from installed.trees import Tree


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """An empty venv laid out by hand."""
    return Tree(tmp_path)
