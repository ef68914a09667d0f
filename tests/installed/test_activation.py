"""Activate scripts, pyvenv.cfg and interpreters of real environments, changed in the ways an attacker would."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from envcheck.environments.discover import find_environment
from envcheck.files.root import Files
from envcheck.installed.inventory import Installed
from envcheck.model.inventory import Deviation
from envcheck.model.invocation import Invocation
from support.pythons import Interpreter
from support.venvs import Venv, install, make_venv, make_with_uv, make_with_virtualenv
from support.wheels import Wheel, build_wheel


def deviations(path: Path) -> tuple[Deviation, ...]:
    files = Files()
    found = Installed(files, find_environment(files, str(path), Invocation()), 1).inventory().deviations
    assert files.not_seen == ()
    return found


def problems(path: Path) -> set[tuple[str, str]]:
    return {(found.problem, Path(found.path).name) for found in deviations(path)}


@pytest.fixture(params=[make_venv, make_with_virtualenv, make_with_uv], ids=["venv", "virtualenv", "uv"])
def made(request: pytest.FixtureRequest, tmp_path: Path, interpreter: Interpreter) -> Venv:
    make: Callable[..., Venv] = request.param
    options = {make_venv: ("--without-pip",), make_with_virtualenv: ("--no-seed",)}.get(make, ())
    return make(tmp_path / "env", interpreter, *options)


def test_a_new_environment_is_clean(made: Venv) -> None:
    assert deviations(made.path) == ()


def test_a_line_in_any_activate_script_is_told(made: Venv) -> None:
    names = [path for path in made.bin.iterdir() if "activate" in path.name.lower() and path.suffix != ".py"]
    for path in names:
        with path.open("ab") as file:
            file.write(b"evil\n")
    found = deviations(made.path)
    assert {(one.problem, one.path) for one in found} == {("activate-modified", str(path)) for path in names}
    assert all(one.line and "evil" in (one.detail or "") for one in found)


def test_a_link_in_place_of_an_activate_script_is_told(made: Venv, tmp_path: Path) -> None:
    (made.bin / "activate").rename(tmp_path / "elsewhere")
    (made.bin / "activate").symlink_to(tmp_path / "elsewhere")
    assert problems(made.path) == {("activate-modified", "activate")}


def test_another_environments_activate_script_is_told(made: Venv, tmp_path: Path, interpreter: Interpreter) -> None:
    other = make_venv(tmp_path / "other", interpreter)
    shutil.copy(other.bin / "activate", made.bin / "activate")
    (found,) = deviations(made.path)
    assert (found.problem, found.detail) == (
        "activate-modified",
        f"it activates {other.path}, not this environment",
    )


def test_a_prompt_that_a_shell_expands_is_told(tmp_path: Path, interpreter: Interpreter) -> None:
    venv = make_with_virtualenv(tmp_path / "env", interpreter, "--no-seed", "--prompt", "$(evil)")
    assert ("activate-modified", "activate") in problems(venv.path)


def test_known_lines_in_another_order_are_unproven_only(made: Venv) -> None:
    lines = (made.bin / "activate").read_bytes().split(b"\n")
    (made.bin / "activate").write_bytes(b"\n".join([*lines[20:], *lines[:20]]))
    assert problems(made.path) == {("activate-unproven", "activate")}


# Moved environments ---------------------------------------------------------------------------------------------------


@pytest.fixture
def demo(tmp_path: Path) -> Wheel:
    return build_wheel(tmp_path / "wheels", "demo", "1.0", {"demo.py": "def main(): pass\n"}, console_scripts={
        "demo": "demo:main", "demo2": "demo:main"
    })  # fmt: skip


@pytest.fixture
def movable(tmp_path: Path, newest: Interpreter, demo: Wheel) -> Venv:
    venv = make_venv(tmp_path / "old" / "env", newest)
    install(venv, [demo])
    assert deviations(venv.path) == ()
    return venv


@pytest.fixture
def newest() -> Interpreter:
    """An interpreter whose venv writes ``command`` into pyvenv.cfg (3.11 and later)."""
    from support.pythons import interpreter_where

    return interpreter_where(
        "CPython 3.11 or later with venv",
        lambda found: (
            found.minor >= (3, 11) and (Path(found.path).parent.parent / "lib" / found.name / "venv").is_dir()
        ),
    )


def test_a_moved_environment_is_one_note(movable: Venv, tmp_path: Path) -> None:
    new = tmp_path / "new"
    movable.path.rename(new)
    (found,) = deviations(new)
    assert (found.problem, found.path) == ("venv-moved", str(new))
    assert "2 of its commands" in (found.detail or "")


def test_a_moved_environment_is_more_where_something_is_at_its_old_place(movable: Venv, tmp_path: Path) -> None:
    new = tmp_path / "new"
    movable.path.rename(new)
    (movable.path / "bin").mkdir(parents=True)
    assert {problem for problem, _ in problems(new)} == {"activate-modified", "script-modified"}


def test_a_moved_environment_is_more_where_others_may_make_its_old_place(movable: Venv, tmp_path: Path) -> None:
    new = tmp_path / "new"
    movable.path.rename(new)
    movable.path.parent.chmod(0o1777)
    assert {problem for problem, _ in problems(new)} == {"activate-modified", "script-modified"}


def test_commands_that_alone_name_another_place_are_changed(movable: Venv) -> None:
    for name in ("demo", "demo2"):
        text = (movable.bin / name).read_text()
        (movable.bin / name).write_text(text.replace(str(movable.path), "/nowhere/env"))
    assert problems(movable.path) == {("script-modified", "demo"), ("script-modified", "demo2")}


def test_commands_and_activate_scripts_without_pyvenv_cfg_are_changed(movable: Venv) -> None:
    for path in movable.bin.iterdir():
        if path.is_file() and not path.is_symlink():
            path.write_bytes(path.read_bytes().replace(bytes(movable.path), b"/nowhere/env"))
    assert {problem for problem, _ in problems(movable.path)} == {"activate-modified", "script-modified"}


# pyvenv.cfg and interpreters ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("home = ", "home = {other}\nignored = "),
        ("version = 3.", "version = 3.99\nignored = "),
        ("include-system", "include-system-site-packages = true\ninclude-system"),
    ],
)
def test_contradictory_keys_of_pyvenv_cfg_are_told(
    movable: Venv, tmp_path: Path, old: str, new: str, newest: Interpreter
) -> None:
    other = tmp_path / "other" / "bin"
    other.mkdir(parents=True)
    shutil.copy2(newest.path, other / newest.name)
    cfg = movable.path / "pyvenv.cfg"
    assert old in cfg.read_text()
    cfg.write_text(cfg.read_text().replace(old, new.format(other=other)))
    assert ("home-moved", "pyvenv.cfg") in problems(movable.path)


def test_unknown_keys_of_pyvenv_cfg_are_nothing(made: Venv) -> None:
    with (made.path / "pyvenv.cfg").open("a") as file:
        file.write("\ncreated-by-tool = yes\n")
    assert deviations(made.path) == ()


def test_an_interpreter_is_looked_at_where_its_base_is_gone(made: Venv) -> None:
    cfg = made.path / "pyvenv.cfg"
    cfg.write_text("home = /nowhere/bin\n")
    (made.bin / "python3").unlink()
    (made.bin / "python3").write_text("#!/bin/sh\n")
    assert ("interpreter-replaced", "python3") in problems(made.path)
