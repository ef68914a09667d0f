"""``--plan``: the start as a numbered walk-through that a responder can defend."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from envcheck.startup.rules import source
from support.pythons import Interpreter, every_version, of_minor
from support.scanning import envcheck, environ, scan
from support.venvs import Venv, make_venv


def walk(venv: Venv | Path, *options: str, columns: int = 160, **env: str) -> str:
    target = venv.path if isinstance(venv, Venv) else venv
    ran = envcheck("scan", "--plan", "--startup-only", *options, target, env=environ(COLUMNS=str(columns), **env))
    assert ran.code in (0, 1, 3), ran.stderr
    return ran.stdout.decode()


def titles(text: str) -> list[str]:
    return [found[1].strip() for found in re.finditer(r"^ ?\d+\. (.*?)(?:  .*)?$", text, re.M)]


def step(text: str, title: str) -> str:
    """The text below a title, up to the next."""
    _, _, rest = text.partition(title)
    return re.split(r"\n\n ?\d+\. ", rest)[0]


@pytest.fixture
def attacked(tmp_path: Path) -> Venv:
    venv = make_venv(tmp_path / "venv", of_minor((3, 12)))
    (venv.site / "a.pth").write_text("/\nimport helper\n")
    (venv.site / "helper.py").write_text("import second_helper\n")
    (venv.site / "second_helper.py").write_text("")
    (venv.site / "sitecustomize.py").write_text("")
    (venv.site / "z.pth").write_text("# comment\x0cimport helper\n")
    return venv


def test_the_steps_stand_in_the_order_in_which_the_interpreter_takes_them(attacked: Venv) -> None:
    text = walk(attacked)
    expected = [
        "The interpreter finds itself", "pyvenv.cfg is read, by two parsers", "Redirectors are looked for",
        "sys.path is made", "Codecs are imported", "Warning options are read", "site is imported",
        f"Site directory {attacked.site}", f"Site directory {attacked.site}, pass 2", "sitecustomize is imported",
        "usercustomize is imported", "Your code begins", "What does not run here",
    ]  # fmt: skip
    assert titles(text) == expected
    numbers = [int(number) for number in re.findall(r"^ ?(\d+)\. ", text, re.M)]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("interpreter", every_version())
def test_every_version_has_its_own_passes_and_sources(interpreter: Interpreter, tmp_path: Path) -> None:
    venv = make_venv(tmp_path / "venv", interpreter)
    (venv.site / "a.pth").write_text("import sys\n")
    text = walk(venv)
    if interpreter.minor >= (3, 15):
        assert "Import lines run" in titles(text)
        assert "Entry points of .start files are called" in titles(text)
        assert "PEP 829" in text
        assert text.count("a.pth:1 runs") == 1
    else:
        assert "gh-75723" in text
        assert text.count("a.pth:1 runs") == 2
    assert ("Modules/getpath.py" in text) == (interpreter.minor >= (3, 11))
    assert interpreter.text in text


def test_a_line_is_shown_with_its_code_and_every_module_that_it_loads(attacked: Venv) -> None:
    first = step(walk(attacked), f"Site directory {attacked.site}")
    assert "a.pth:1 puts / on sys.path" in first
    assert "a.pth:2 runs (no owner, unrecorded)" in first
    assert "import helper" in first
    assert first.index("loads helper.py") < first.index("loads second_helper.py")
    second = step(walk(attacked), "pass 2")
    assert "a.pth:1 names /, which is there already" in second
    assert "a.pth:2 runs" in second
    assert "loads helper.py" not in second


def test_what_does_not_run_says_why_where_it_would_and_by_which_rule(attacked: Venv) -> None:
    last = step(walk(attacked), "What does not run here")
    assert "z.pth:1" in last
    assert f"it would run on Python 3.12.4 and later ({source('wide_lines')})" in " ".join(last.split())


def test_flags_and_variables_change_the_walk(attacked: Venv, tmp_path: Path) -> None:
    without = walk(attacked, "--python-flag=-S")
    assert "no .pth file and no customize module counts" in without
    assert "sitecustomize is imported" not in titles(without)
    isolated = walk(attacked, "--python-flag=-I", PYTHONPATH="/srv/modules")
    assert "PYTHONPATH is set, and ignored" in step(isolated, "sys.path is made")
    assert "no directory of the script's joins" in step(isolated, "Your code begins")
    (tmp_path / "cat.py").write_text("")
    (tmp_path / "rc.py").write_text("import helper\n")
    more = walk(
        attacked, "--python-flag=-Wignore::cat.C", PYTHONPATH=f":{tmp_path}", PYTHONSTARTUP=str(tmp_path / "rc.py")
    )
    assert "the current directory, whichever that is" in step(more, "sys.path is made")
    assert f"{tmp_path}/cat.py runs" in step(more, "Warning options are read")
    assert f"{tmp_path}/rc.py runs" in step(more, "Only in an interactive session")


def test_a_start_that_fails_and_a_redirector_are_steps(attacked: Venv) -> None:
    (attacked.site / "bad.pth").write_bytes(b"\xff\xfe")
    (attacked.bin / "python._pth").write_text("import site\n")
    text = walk(attacked)
    assert "python._pth" in step(text, "Redirectors are looked for")
    assert "cannot be decoded" in step(text, "The start fails")


@pytest.mark.parametrize("columns", [80, 160])
def test_the_walk_fits_the_terminal_and_hostile_text_stays_text(columns: int, attacked: Venv) -> None:
    name = "\x1b[2J\u202etxt\x07.pth"
    (attacked.site / name).write_text("import helper; x = '\x1b]0;owned\x07\u202e'" + " " * 300 + "; y = 1\n")
    (attacked.site / "b.pth").write_text("\x1b[31m\n")
    text = walk(attacked, columns=columns)
    assert max(map(len, text.splitlines())) <= columns
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    assert "⟨U+202E⟩" in text
    assert "spaces⟩" in text
    whole = walk(attacked, "--show-all", columns=columns)
    assert "y = 1" in whole
    assert max(map(len, whole.splitlines())) <= columns


def test_the_walk_ends_with_the_scans_own_exit_code(attacked: Venv) -> None:
    plain = envcheck("scan", "--startup-only", attacked.path)
    assert envcheck("scan", "--plan", "--startup-only", attacked.path).code == plain.code == 1


def test_another_implementation_has_no_steps(tmp_path: Path) -> None:
    site = tmp_path / "lib" / "pypy3.9" / "site-packages"
    site.mkdir(parents=True)
    (site / "thing-1.dist-info").mkdir()
    (site / "thing-1.dist-info" / "METADATA").write_text("Name: thing\nVersion: 1\n")
    assert titles(walk(site)) == ["The start is not known"]


def test_the_document_has_everything_that_the_walk_shows(attacked: Venv) -> None:
    found = scan("--startup-only", attacked.path).environment
    assert found["pyvenv"]["path"] == str(attacked.path / "pyvenv.cfg")
    assert found["pyvenv"]["include_system_site"] is False
    assert found["site_sequence"] == [str(attacked.site)] * 2
    assert found["initial_sys_path"] == found["sys_path"][: len(found["initial_sys_path"])]
    assert [line["directory"] for line in found["path_lines"]] == ["/"]
    assert (found["aborts"], found["redirectors"]) == ([], [])
    line = next(entry for entry in found["startup"] if entry["line"] == 2)
    assert line["rule"]
    assert [file["order"] for file in line["closure_files"]] == [line["occurrences"][0]["order"]] * 2
