"""`envcheck explain FILE`: each line, what it does, whose it is, why the verdict; safe to print."""

from __future__ import annotations

from pathlib import Path

import pytest

from envcheck.cli.explain import run
from envcheck.model.errors import UsageError
from support.pythons import own
from support.venvs import Venv, make_venv

CODE = "import base64; exec(base64.b64decode('aW1wb3J0IG9zOyBvcy5zeXN0ZW0oJ3gnKQ=='))"


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """No line is broken, but where a test asks for another width."""
    monkeypatch.setenv("COLUMNS", "400")


@pytest.fixture
def venv(tmp_path: Path) -> Venv:
    return make_venv(tmp_path / "venv", own())


def explained(path: Path, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    assert run([str(path), *more]) == 0
    return capsys.readouterr().out


def test_a_line_is_told_with_what_it_does_and_the_code_inside(venv: Venv, capsys: pytest.CaptureFixture[str]) -> None:
    pth = venv.site / "helper.pth"
    pth.write_text(f"# a comment\n{CODE}\n")
    text = explained(pth, capsys)
    assert "Line 2 runs" in text
    assert ": hostile." in text
    assert "no installed package lists it" in text
    # Lines are broken at the terminal's width, wherever the path of the environment leaves room.
    assert "it executes what it decodes" in " ".join(text.split())
    assert f"    2 | {CODE}" in text
    assert "Inside, by base64, exec: 25 bytes" in text
    assert "| import os; os.system('x')" in text


def test_a_module_that_a_line_loads_is_told_by_who_loads_it(venv: Venv, capsys: pytest.CaptureFixture[str]) -> None:
    (venv.site / "helper.pth").write_text("import helper_module\n")
    module = venv.site / "helper_module.py"
    module.write_text("import os\nos.system('x')\n")
    text = explained(module, capsys)
    assert "Loaded at every start by" in text
    assert "helper.pth:1" in text
    assert "    2 | os.system('x')\n      = starts a process: os.system" in text


def test_hostile_text_reaches_the_terminal_only_made_visible(venv: Venv, capsys: pytest.CaptureFixture[str]) -> None:
    pth = venv.site / "helper.pth"
    pth.write_text("import os; os.system('\x1b[2J\u202e\u200b')\n")
    text = explained(pth, capsys)
    assert not {"\x1b", "\u202e", "\u200b"} & set(text)


def test_a_file_of_no_environment_is_told_by_what_it_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "sitecustomize.py"
    file.write_text(CODE)
    text = explained(file, capsys)
    assert "No startup entry" in text
    assert "decodes data" in text


def test_what_cannot_be_read_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        run([str(tmp_path / "none.pth")])
    assert "no such file" in error.value.message


def test_no_line_is_wider_than_the_terminal_and_code_stays_behind_its_rule(
    venv: Venv, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A terminal would break a long line at its left edge, where only our own words stand."""
    pth = venv.site / "helper.pth"
    pth.write_text(f"{CODE}{' ' * 300}; x = '{'Line 2 runs once: expected. ' * 20}'\n")
    monkeypatch.setenv("COLUMNS", "80")
    lines = explained(pth, capsys).splitlines()
    assert max(map(len, lines[1:])) <= 80
    assert [line for line in lines if "expected" in line and not line.startswith((" ", "Inside"))] == []
    assert "hidden" in "".join(lines) and "beyond the right edge" in " ".join(" ".join(lines).split())
