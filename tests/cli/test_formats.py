"""`--format` and `-o`, as a user types them."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from support.scanning import envcheck, environ
from support.venvs import Venv


def test_every_known_ending_tells_its_format(attacked: Venv, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    files = {name: out / name for name in ("r.json", "r.ndjson", "r.sarif", "r.html")}
    ran = envcheck("scan", "--startup-only", *(f"-o{path}" for path in files.values()), attacked.path)
    assert ran.code == 1, ran.stderr
    assert json.loads(files["r.json"].read_text())["schema"] == "envcheck/report/1"
    assert json.loads(files["r.ndjson"].read_text().splitlines()[0])["schema"] == "envcheck/events/1"
    assert json.loads(files["r.sarif"].read_text())["version"] == "2.1.0"
    assert files["r.html"].read_text().startswith("<!doctype html>")


def test_a_format_may_be_named_for_any_file(attacked: Venv, tmp_path: Path) -> None:
    path = tmp_path / "annotations.txt"
    assert envcheck("scan", "--startup-only", "-o", f"github:{path}", attacked.path).code == 1
    assert path.read_text().startswith("::error title=high%3A startup-code-unowned")


def test_an_unknown_ending_is_refused(clean_env: Venv) -> None:
    ran = envcheck("scan", "-o", "report.xml", clean_env.path)
    assert ran.code == 2
    assert "expected FORMAT:FILE with one of terminal, json, ndjson, sarif, github, html" in ran.stderr


def test_events_end_with_the_exit_code(attacked: Venv) -> None:
    ran = envcheck("scan", "--startup-only", "--format", "ndjson", attacked.path)
    last = json.loads(ran.stdout.splitlines()[-1])
    assert (last["event"], last["exit_code"]) == ("end", ran.code)


def test_events_of_targets_that_cannot_be_read_are_none(tmp_path: Path) -> None:
    ran = envcheck("scan", "--format", "ndjson", tmp_path / "nowhere")
    assert (ran.code, ran.stdout) == (2, b"")


def test_a_workflow_gets_a_summary_and_paths_from_its_checkout(attacked: Venv, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("what other steps said\n")
    workspace = str(attacked.path.parent)
    env = environ(GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary), GITHUB_WORKSPACE=workspace)
    ran = envcheck("scan", "--startup-only", "--format", "github", attacked.path, cwd=attacked.path.parent, env=env)
    relative = os.path.relpath(attacked.site / "x.pth", workspace)
    assert f",file={relative},line=1::" in ran.stdout.decode()
    text = summary.read_text()
    assert text.startswith("what other steps said\n## ✘ Code that no installed package accounts for")


def test_a_summary_is_never_written_into_the_target(attacked: Venv) -> None:
    inside = attacked.path / "summary.md"
    env = environ(GITHUB_STEP_SUMMARY=str(inside))
    ran = envcheck("scan", "--startup-only", "--format", "github", attacked.path, env=env)
    assert ran.code == 2
    assert not inside.exists()


def test_in_a_workflow_no_line_of_the_terminal_report_is_a_command(attacked: Venv) -> None:
    env = environ(GITHUB_ACTIONS="true")
    runs = [envcheck("scan", "--startup-only", attacked.path, env=env).stdout.decode().splitlines() for _ in range(2)]
    words = set()
    for lines in runs:
        assert lines[0].startswith("::stop-commands::")
        word = lines[0].removeprefix("::stop-commands::")
        assert lines[-1] == f"::{word}::"
        assert len(word) == 32
        words.add(word)
    assert len(words) == 2


def test_html_without_its_extra_is_one_line_before_anything_is_scanned(clean_env: Venv, tmp_path: Path) -> None:
    """As from an installation without it: only the standard library and envcheck itself can be imported."""
    import envcheck as package

    main = str(Path(package.__file__).parent / "__main__.py")
    base = getattr(sys, "_base_executable", sys.executable)
    ran = envcheck(
        "scan", "-o", tmp_path / "r.html", clean_env.path, python=(base, "-I", "-S", main), env={"LANG": "C.UTF-8"}
    )
    assert ran.code == 2
    assert ran.stderr == (
        "envcheck: the HTML report needs Jinja, which is not installed here\n"
        "  install envcheck with its extra: envcheck-scan[html]\n"
    )
    assert not (tmp_path / "r.html").exists()


def test_the_html_report_is_written_by_the_clean_process(attacked: Venv) -> None:
    pytest.importorskip("jinja2")
    ran = envcheck("scan", "--startup-only", "--format", "html", attacked.path)
    assert ran.code == 1, ran.stderr
    assert b"x.pth" in ran.stdout
