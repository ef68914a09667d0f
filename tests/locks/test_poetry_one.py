"""Locks that Poetry 1 wrote (1.8, and 1.1 with `[metadata.files]`), and what it would install from them itself.

`tests/tools/make_poetry_locks.py` made them: what `poetry install --dry-run` said of each, by interpreter and choice.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from envcheck.files.root import Files
from envcheck.locks.markers import for_python
from envcheck.locks.read import read_lock
from envcheck.locks.select import chosen, default_members, index, select
from envcheck.model.environment import Python

FIXTURES = Path(__file__).parents[2] / "fixtures" / "locks"
RELEASES = sorted(place.name for place in FIXTURES.glob("poetry-*"))


@pytest.fixture(params=RELEASES)
def place(request: pytest.FixtureRequest) -> Path:
    return FIXTURES / str(request.param)


def answers(place: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((place / "answers.json").read_text())
    return found


def test_there_are_both_forms() -> None:
    texts = [(FIXTURES / name / "poetry.lock").read_text() for name in RELEASES]
    assert [("[metadata.files]" in text, 'lock-version = "1.1"' in text) for text in texts] == [
        (True, True),
        (False, False),
    ]


def test_every_package_has_its_archives_with_their_hashes(place: Path) -> None:
    lock = read_lock(Files(), str(place / "poetry.lock"))
    assert (lock.format, lock.graph, lock.selectable) == ("poetry", True, True)
    assert len(lock.packages) > 15
    for package in lock.packages:
        (archive,) = package.artifacts
        assert archive.filename == f"{package.name.replace('-', '_')}-{package.version}-py3-none-any.whl"
        assert [(algorithm, len(digest)) for algorithm, digest in archive.hashes] == [("sha256", 64)]
        assert (package.source_kind, package.source) == ("registry", "https://index.example/simple")


def test_it_selects_what_poetry_itself_would_install(place: Path) -> None:
    lock = read_lock(Files(), str(place / "poetry.lock"))
    packages = index(lock)
    cases = answers(place)["answers"]
    assert len(cases) >= 5
    for case in cases:
        minor = "".join(case["python"].split(".")[:2])
        python = Python(case["python"], "binary", "cpython", f"cp{minor}", "linux-x86_64-glibc2.36", None, "")
        markers = for_python(python)
        assert markers is not None
        groups = [*case["groups"], *(["dev"] if case["development"] else [])]
        choice = chosen(lock, default_members(lock, packages), case["extras"], groups, no_default_groups=True)
        ours = {(package.name, package.version) for package in select(lock, markers, choice, packages).packages}
        assert ours == {tuple(pair) for pair in case["packages"]}, case


def test_its_content_hash_is_understood(place: Path, tmp_path: Path) -> None:
    """It was made where the index had another address, which is part of what is hashed."""
    shutil.copy(place / "poetry.lock", tmp_path)
    text = (place / "pyproject.toml").read_text().replace("https://index.example/simple", answers(place)["index"])
    project = tmp_path / "pyproject.toml"
    project.write_text(text)
    assert [problem.rule for problem in read_lock(Files(), str(tmp_path / "poetry.lock")).problems] == []
    project.write_text(text.replace('alpha = "*"', 'alpha = "<2"'))
    assert [p.rule for p in read_lock(Files(), str(tmp_path / "poetry.lock")).problems] == ["lock-stale"]


def test_without_the_project_it_says_that_it_cannot_select(place: Path, tmp_path: Path) -> None:
    shutil.copy(place / "poetry.lock", tmp_path)
    lock = read_lock(Files(), str(tmp_path / "poetry.lock"))
    assert not lock.selectable
    assert len(lock.packages) > 15
