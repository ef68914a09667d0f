"""Errors for people: what was wrong and what to do, on one or two lines, exit 2; never a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import envcheck as package
from support import scanning
from support.locks import hashed_requirements
from support.scanning import Ran, envcheck, scan
from support.venvs import Venv
from support.wheels import Wheel


def assert_error(ran: Ran, *words: str) -> None:
    assert ran.code == 2, ran
    assert ran.stdout == b""
    lines = ran.stderr.splitlines()
    assert 1 <= len(lines) <= 2, ran.stderr
    assert lines[0].startswith("envcheck: "), ran.stderr
    for word in words:
        assert word in ran.stderr, ran.stderr


# Targets


@pytest.mark.parametrize("command", ["scan", "verify"])
def test_a_target_that_does_not_exist(command: str, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("")
    assert_error(
        envcheck(command, "--lock", "requirements.txt", tmp_path / "none", cwd=tmp_path), str(tmp_path / "none")
    )


@pytest.mark.parametrize("content", [b"", b"#!/bin/sh\n", b"\x7fELF", b"\x00" * 100, b"text"])
def test_a_file_that_is_no_python(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "thing").write_bytes(content)
    (tmp_path / "thing").chmod(0o755)
    assert_error(envcheck("scan", tmp_path / "thing"), "thing")


def test_a_directory_that_is_no_environment(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "notes.txt").write_text("")
    assert_error(envcheck("scan", tmp_path / "src"), "src")


def test_an_empty_directory(tmp_path: Path) -> None:
    assert_error(envcheck("scan", tmp_path))


def test_an_empty_target() -> None:
    assert_error(envcheck("scan", "", cwd="/usr/share"))


def test_one_bad_target_among_good_ones(clean_env: Venv, tmp_path: Path) -> None:
    assert_error(envcheck("scan", clean_env.path, tmp_path / "none"), "none")


def test_a_device() -> None:
    assert_error(envcheck("scan", "/dev/null"), "/dev/null")


# Locks


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("uv.lock", "version = 1\n[[package]\n"),
        ("uv.lock", "version = 99\n"),
        ("uv.lock", ""),
        ("uv.lock", "version = 1\n[[package]]\nversion = '1'\n"),
        ("uv.lock", "package = 3\nversion = 1\n"),
        ("uv.lock", "\x00"),
        ("uv.lock", "version = 1\nx = " + "[" * 100_000),
    ],
)
def test_a_lock_that_does_not_parse(clean_env: Venv, tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    assert_error(envcheck("scan", "--lock", tmp_path / name, clean_env.path), name)


def test_a_lock_that_is_not_utf_8(clean_env: Venv, tmp_path: Path) -> None:
    (tmp_path / "uv.lock").write_bytes(b"version = 1\n# \xff\n")
    assert_error(envcheck("scan", "--lock", tmp_path / "uv.lock", clean_env.path), "uv.lock")


def test_a_lock_that_does_not_exist(clean_env: Venv, tmp_path: Path) -> None:
    assert_error(envcheck("scan", "--lock", tmp_path / "uv.lock", clean_env.path), "uv.lock")


def test_a_lock_that_is_a_directory(clean_env: Venv, tmp_path: Path) -> None:
    (tmp_path / "uv.lock").mkdir()
    assert_error(envcheck("scan", "--lock", tmp_path / "uv.lock", clean_env.path), "uv.lock")


def test_a_toml_error_names_its_line(clean_env: Venv, tmp_path: Path) -> None:
    (tmp_path / "uv.lock").write_text("version = 1\nrevision = 3\n[[package]\n")
    ran = envcheck("scan", "--lock", tmp_path / "uv.lock", clean_env.path)
    assert_error(ran)
    assert "uv.lock:3" in ran.stderr or "line 3" in ran.stderr, ran.stderr


def test_a_lock_with_another_sha256(clean_env: Venv, tmp_path: Path, colours: Wheel) -> None:
    lock = hashed_requirements(tmp_path / "requirements.txt", colours)
    assert_error(envcheck("scan", "--lock", lock, "--lock-sha256", "0" * 64, clean_env.path), "requirements.txt")


def test_verify_without_a_lock(clean_env: Venv, tmp_path: Path) -> None:
    assert_error(envcheck("verify", clean_env.path, cwd=tmp_path), "lock")


def test_a_lock_that_was_only_found_and_does_not_parse(clean_env: Venv, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'shop'\nversion = '1'\n")
    (tmp_path / "uv.lock").write_text("version = = 1\n")
    assert_error(envcheck("scan", clean_env.path, cwd=tmp_path), "uv.lock")


# Usage


@pytest.mark.parametrize(
    "arguments",
    [
        ["scna"],
        ["scan", "--frmat", "json"],
        ["scan", "--format", "xml"],
        ["scan", "--fail-on", "sometimes"],
        ["scan", "--python-flag=-c"],
        ["scan", "--python-flag=x"],
        ["scan", "--python-flag="],
        ["scan", "--environ=NAME"],
        ["scan", "--environ==x"],
        ["scan", "-o", "report.txt"],
        ["scan", "-o", ":x"],
        ["scan", "-o"],
        ["verify", "--startup-only"],
        ["--frobnicate"],
        ["explain"],
        ["explain", "startup-code-unwoned"],
        ["rules", "extra"],
    ],
    ids=" ".join,
)
def test_a_command_line_that_is_wrong(arguments: list[str], tmp_path: Path) -> None:
    assert_error(envcheck(*arguments, cwd=tmp_path))


@pytest.mark.parametrize(("typed", "meant"), [("scna", "envcheck scan"), ("verfy", "envcheck verify")])
def test_a_mistyped_command_is_answered_with_the_right_one(typed: str, meant: str) -> None:
    assert meant in envcheck(typed).stderr


def test_a_path_instead_of_a_command_is_answered_with_how_to_scan_it(clean_env: Venv) -> None:
    assert "envcheck scan" in envcheck(clean_env.path).stderr


def test_a_current_directory_that_is_gone(clean_env: Venv, tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    script = f"cd {tmp_path}/gone && rmdir ../gone && exec {sys.executable} -m envcheck scan {clean_env.path}"
    ran = envcheck(python=("/bin/sh", "-c", script))
    assert ran.code in (0, 2)


# Permissions


def test_a_file_that_cannot_be_read_is_told_and_the_scan_is_incomplete(
    clean_env: Venv, unprivileged: Callable[[list[str]], list[str]]
) -> None:
    module = clean_env.site / "colours" / "mix.py"
    module.chmod(0)
    found = scan(clean_env.path, python=unprivileged([sys.executable, "-m", "envcheck"]))
    assert found.code == 3, found.told()
    assert str(module) in found.not_seen
    assert found.document["scan"]["complete"] is False
    assert "scan-incomplete" in found.rules("medium")
    assert found.environment["files"]["unreadable"] == 1


def test_a_directory_that_cannot_be_read_is_told_and_the_scan_is_incomplete(
    clean_env: Venv, unprivileged: Callable[[list[str]], list[str]]
) -> None:
    directory = clean_env.site / "colours"
    directory.chmod(0)
    try:
        found = scan(clean_env.path, python=unprivileged([sys.executable, "-m", "envcheck"]))
    finally:
        directory.chmod(0o755)
    assert found.code == 3, found.told()
    assert any(path.startswith(str(directory)) for path in found.not_seen)
    assert not found.at_least("high"), found.told()


def test_a_startup_file_that_cannot_be_read_is_never_called_clean(
    clean_env: Venv, unprivileged: Callable[[list[str]], list[str]]
) -> None:
    pth = clean_env.site / "x.pth"
    pth.write_text("import os\n")
    pth.chmod(0)
    for more in ((), ("--startup-only",)):
        found = scan(*more, clean_env.path, python=unprivileged([sys.executable, "-m", "envcheck"]))
        assert found.code in (1, 3), found.told()
        assert str(pth) in found.not_seen


def test_findings_go_before_incompleteness(attacked: Venv, unprivileged: Callable[[list[str]], list[str]]) -> None:
    (attacked.site / "colours" / "mix.py").chmod(0)
    found = scan(attacked.path, python=unprivileged([sys.executable, "-m", "envcheck"]))
    assert found.code == 1
    assert found.not_seen


def test_a_target_that_may_not_be_entered(tmp_path: Path, unprivileged: Callable[[list[str]], list[str]]) -> None:
    closed = tmp_path / "closed"
    (closed / "env").mkdir(parents=True)
    closed.chmod(0)
    try:
        ran = envcheck("scan", closed / "env", python=unprivileged([sys.executable, "-m", "envcheck"]))
    finally:
        closed.chmod(0o700)
    assert_error(ran)


def test_a_lock_that_cannot_be_read(
    clean_env: Venv, tmp_path: Path, unprivileged: Callable[[list[str]], list[str]]
) -> None:
    (tmp_path / "uv.lock").write_text("version = 1\n")
    (tmp_path / "uv.lock").chmod(0)
    python = unprivileged([sys.executable, "-m", "envcheck"])
    assert_error(envcheck("scan", "--lock", tmp_path / "uv.lock", clean_env.path, python=python), "permission denied")


def test_an_unwritable_output(clean_env: Venv, tmp_path: Path) -> None:
    assert_error(envcheck("scan", "-o", f"json:{tmp_path}/none/report.json", clean_env.path), "report.json")


# Nothing of the user's account is needed


def test_without_a_home_directory(clean_env: Venv) -> None:
    environ = {"PATH": os.defpath, "LANG": "C"}
    assert scan(clean_env.path, env=environ).code == 0
    assert scan(clean_env.path, env={}).code == 0


@pytest.mark.parametrize("locale", ["C", "POSIX", "xx_YY.NONE", "C.UTF-8"])
def test_in_any_locale(attacked: Venv, locale: str) -> None:
    (attacked.site / "naïve.py").write_text("")
    environ = scanning.environ(LC_ALL=locale)
    terminal = envcheck("scan", attacked.path, env=environ)
    assert terminal.code == 1
    terminal.stdout.decode("utf-8")
    assert scan(attacked.path, env=environ).at(attacked.site / "naïve.py")


def test_a_requirements_file_of_which_nothing_can_be_read(tmp_path: Path, venv: Venv) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text("requests==\n%%%\n")
    ran = envcheck("scan", venv.path, "--lock", str(lock))
    assert ran.code == 2
    assert ran.stderr.splitlines()[0].startswith("envcheck: requirements.txt:1: ")


# The tool itself


def test_a_library_that_is_not_installed(venv: Venv, colours: Wheel, tmp_path: Path) -> None:
    lock = hashed_requirements(tmp_path / "requirements.txt", colours)
    main = Path(package.__file__).parent / "__main__.py"
    python = (sys.executable, "-I", "-S", str(main))
    assert_error(envcheck("scan", "--lock", lock, venv.path, python=python), "packaging")
