"""Which lock is compared with when none is named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from envcheck.files.root import Files
from envcheck.locks.find import NAMES, Found, choose

HASHED = "alpha==1.0 --hash=sha256:" + "0" * 64 + "\n"


def put(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that is a Git work tree."""
    (tmp_path / "project" / ".git").mkdir(parents=True)
    return tmp_path / "project"


def found(directory: Path, target: Path | None = None, home: Path | None = None) -> Found:
    return choose(Files(), str(directory), None if target is None else str(target), None if home is None else str(home))


def test_the_lock_of_the_nearest_directory_upwards(project: Path) -> None:
    lock = put(project / "uv.lock")
    (project / "src" / "deep").mkdir(parents=True)
    assert found(project / "src" / "deep").path == str(lock)


def test_uv_lock_before_requirements(project: Path) -> None:
    put(project / "requirements.txt", HASHED)
    lock = put(project / "uv.lock")
    assert found(project).path == str(lock)


def test_a_hashed_requirements_file_before_a_lock_further_up(project: Path) -> None:
    put(project / "uv.lock")
    lock = put(project / "service" / "requirements.txt", HASHED)
    assert found(project / "service").path == str(lock)


def test_a_requirements_file_without_hashes_only_where_nothing_better_is_found(project: Path) -> None:
    plain = put(project / "docs" / "requirements.txt", "alpha\n")
    assert found(project / "docs").path == str(plain)
    lock = put(project / "uv.lock")
    assert found(project / "docs").path == str(lock)


def test_the_search_ends_at_the_root_of_the_work_tree(project: Path) -> None:
    put(project.parent / "uv.lock")
    assert found(project).path is None


def test_the_search_ends_below_home(tmp_path: Path) -> None:
    put(tmp_path / "uv.lock")
    (tmp_path / "work" / "src").mkdir(parents=True)
    assert found(tmp_path / "work" / "src", home=tmp_path).path is None
    assert found(tmp_path, home=tmp_path).path == str(tmp_path / "uv.lock")


def test_the_search_ends_before_a_directory_that_anybody_may_write_to(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    put(shared / "uv.lock")
    (shared / "mine").mkdir()
    shared.chmod(0o777)
    assert found(shared / "mine").path is None


@pytest.mark.parametrize("name", [".venv", "venv"])
def test_the_project_that_the_target_is_the_environment_of(project: Path, tmp_path: Path, name: str) -> None:
    lock = put(project / "uv.lock")
    (project / name).mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert found(elsewhere, project / name).path == str(lock)


def test_the_project_one_stands_in_before_that_of_the_target(project: Path, tmp_path: Path) -> None:
    put(tmp_path / "other" / "uv.lock")
    (tmp_path / "other" / ".venv").mkdir()
    lock = put(project / "uv.lock")
    assert found(project, tmp_path / "other" / ".venv").path == str(lock)


def test_the_project_of_the_target_where_it_lies_inside_the_one_that_one_stands_in(project: Path) -> None:
    put(project / "uv.lock")
    lock = put(project / "service" / "uv.lock")
    (project / "service" / ".venv").mkdir()
    assert found(project, project / "service" / ".venv").path == str(lock)


@pytest.mark.parametrize("name", NAMES)
def test_a_lock_inside_the_scanned_environment_is_never_chosen(project: Path, name: str) -> None:
    put(project / ".venv" / name, HASHED)
    assert found(project / ".venv", project / ".venv") == Found(None, None)


def test_a_lock_inside_the_environment_is_passed_over_for_the_one_outside(project: Path) -> None:
    put(project / ".venv" / "lib" / "uv.lock")
    lock = put(project / "uv.lock")
    assert found(project / ".venv" / "lib", project / ".venv").path == str(lock)


def test_a_link_into_the_environment_is_not_chosen(project: Path) -> None:
    inside = put(project / ".venv" / "uv.lock")
    os.symlink(inside, project / "uv.lock")
    assert found(project, project / ".venv").path is None


def test_an_environment_reached_through_a_link_is_recognised(project: Path, tmp_path: Path) -> None:
    put(project / "env" / "uv.lock")
    os.symlink(project / "env", tmp_path / "link")
    assert found(project / "env", tmp_path / "link").path is None


def test_every_format_in_the_order_in_which_a_user_expects_it(project: Path) -> None:
    for name in reversed(NAMES):
        put(project / name, HASHED)
        assert found(project).path == str(project / name)


def test_a_second_lock_in_the_same_directory_is_told(project: Path) -> None:
    put(project / "uv.lock")
    put(project / "poetry.lock")
    put(project / "requirements.txt")
    assert found(project).note == (f"{project}: poetry.lock beside uv.lock is not compared with: name it with --lock")


def test_a_fifo_named_like_a_lock_hangs_nobody(project: Path) -> None:
    os.mkfifo(project / "requirements.txt")
    assert found(project).path == str(project / "requirements.txt")
