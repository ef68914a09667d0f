"""Whether a path lies in a directory, however the two are spelt."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from envcheck.files.inside import lies_in
from envcheck.files.root import Files


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "env" / "lib").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    return tmp_path


def test_as_it_is_spelt_and_as_links_resolve(place: Path) -> None:
    (place / "link").symlink_to(place / "env")
    (place / "env" / "out").symlink_to(place / "other")
    env = str(place / "env")
    for inside in ("env", "env/x", "env/lib/../x", "link/x", "other/../env/x", "env/out/x", "env/missing/x"):
        assert lies_in(Files(), f"{place}/{inside}", env), inside
    for outside in ("environment", "other/x", "env/../other", "missing"):
        assert not lies_in(Files(), f"{place}/{outside}", env), outside


def test_another_spelling_of_the_same_directory(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a file system does that takes upper and lower case for the same."""
    real = os.stat

    def stat(path: str | int, **options: bool) -> os.stat_result:
        return real(path.replace("/ENV", "/env") if isinstance(path, str) else path, **options)

    assert not lies_in(Files(), f"{place}/ENV/lib/x", str(place / "env"))
    monkeypatch.setattr(os, "stat", stat)
    assert lies_in(Files(), f"{place}/ENV/lib/x", str(place / "env"))
    assert lies_in(Files(), f"{place}/ENV", str(place / "env"))
    assert not lies_in(Files(), f"{place}/OTHER/x", str(place / "env"))


def test_links_without_end_lie_where_they_are(place: Path) -> None:
    (place / "loop").symlink_to(place / "loop")
    assert not lies_in(Files(), f"{place}/loop/x", str(place / "env"))
    (place / "env" / "loop").symlink_to(place / "loop")
    assert lies_in(Files(), f"{place}/env/loop", str(place / "env"))
