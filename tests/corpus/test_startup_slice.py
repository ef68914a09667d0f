"""A slice of the startup files of real packages, really installed: silent when intact, told after any changed byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus import startup
from corpus.makers import Workshop
from corpus.slice import nearest_startup


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    wheels = nearest_startup()
    if not wheels.complete:
        pytest.skip("the wheels with startup files are not in .venvs (make test, or make corpus, downloads them)")
    shop = Workshop(tmp_path_factory.mktemp("startup"), wheels)
    (made,) = startup.packages(*startup.SLICE)(shop, shop.folder)
    return made


def test_intact_packages_are_expected_and_no_finding(prefix: Path) -> None:
    report = startup.scanned(prefix)
    assert startup.alarms(report) == []
    assert len(startup.owners(report)) >= 12


def test_one_changed_byte_of_whatever_starts_is_told(prefix: Path) -> None:
    """A startup file, or what one loads."""
    changes = list(startup.changes(prefix, rounds=3, alone=False))
    assert len({change.path for change in changes}) > 30
    assert [change for change in changes if not change.told] == []


def test_the_lock_names_as_many_packages_as_are_promised() -> None:
    names = [line for line in startup.LOCK.read_text().splitlines() if "==" in line]
    assert len(names) >= 60
