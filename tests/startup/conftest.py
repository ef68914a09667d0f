"""Fixtures of the startup tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from startup.rows import Row
from support.pythons import Interpreter
from support.venvs import copy_base, make_venv, warm


@pytest.fixture(scope="session")
def row_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Interpreter], Row]:
    """An empty venv over a copy of the base that holds no packages; one for each interpreter, emptied at each call."""
    made: dict[Interpreter, Row] = {}

    def row(interpreter: Interpreter) -> Row:
        if interpreter not in made:
            place = tmp_path_factory.mktemp("rows")
            base = warm(copy_base(place / "base", interpreter))
            path = str(base.bin / interpreter.name)
            made[interpreter] = Row(make_venv(place / "venv", interpreter._replace(path=path)).path, interpreter)
        return Row(made[interpreter].venv, interpreter)

    return row
