"""The command's contract: exit codes, reports on paper and in files, which target is taken, being interrupted."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

import envcheck as package
from support import scanning
from support.locks import hashed_requirements, uv_lock
from support.pythons import Interpreter
from support.scanning import envcheck, scan
from support.venvs import Venv, make_venv
from support.wheels import Wheel

# Exit codes


def test_nothing_found_is_0(clean_env: Venv) -> None:
    assert scan(clean_env.path).code == 0


def test_a_finding_is_1(attacked: Venv) -> None:
    assert scan(attacked.path).code == 1


@pytest.mark.parametrize(
    ("threshold", "code"), [("critical", 0), ("high", 1), ("medium", 1), ("low", 1), ("info", 1), ("never", 0)]
)
def test_the_threshold_decides(attacked: Venv, threshold: str, code: int) -> None:
    assert scan("--fail-on", threshold, attacked.path).code == code


def test_scan_tells_drift_and_verify_fails_for_it(
    clean_env: Venv, tmp_path: Path, colours: Wheel, shapes: Wheel
) -> None:
    whole = hashed_requirements(tmp_path / "whole.txt", colours, shapes)
    half = hashed_requirements(tmp_path / "half.txt", colours)
    assert scan("--lock", half, clean_env.path).code == 0
    assert scan("verify", "--lock", half, clean_env.path).code == 1
    assert scan("verify", "--lock", half, "--ignore", "Shapes", clean_env.path).code == 0
    assert scan("verify", "--lock", whole, clean_env.path).code == 0


def test_several_targets_are_one_report_with_the_worst_exit_code(attacked: Venv, interpreter: Interpreter) -> None:
    other = make_venv(attacked.path.parent / "other", interpreter)
    found = scan(other.path, attacked.path)
    assert [environment["path"] for environment in found.document["environments"]] == [
        str(other.path),
        str(attacked.path),
    ]
    assert found.code == 1


@pytest.mark.parametrize("arguments", [["--help"], ["scan", "--help"], ["verify", "--help"], ["-h"], [], ["--version"]])
def test_help_and_version_are_answers(arguments: list[str]) -> None:
    ran = envcheck(*arguments)
    assert ran.code == 0
    assert b"envcheck" in ran.stdout
    assert ran.stderr == ""


def test_every_rule_is_explained() -> None:
    rules = [line.split()[0] for line in envcheck("rules").stdout.decode().splitlines()]
    assert "startup-code-unowned" in rules
    assert rules == sorted(rules)
    for rule in ("startup-code-unowned", "lock-extra", "file-modified"):
        explained = envcheck("explain", rule)
        assert explained.code == 0
        assert rule in explained.stdout.decode()


# The report


def test_two_scans_give_the_same_bytes_but_for_the_timing(attacked: Venv, tmp_path: Path, colours: Wheel) -> None:
    lock = uv_lock(tmp_path / "project", colours)
    texts = []
    for seed in ("1", "2"):
        ran = envcheck(
            "scan", "--format", "json", "--lock", lock, attacked.path, env=scanning.environ(PYTHONHASHSEED=seed)
        )
        document = json.loads(ran.stdout)
        document["scan"]["environ"].pop("PYTHONHASHSEED")
        assert set(document["scan"]["timing"]) >= {"started", "seconds"}
        document["scan"]["timing"] = None
        texts.append(json.dumps(document))
    assert texts[0] == texts[1]


def test_the_bytes_themselves_differ_in_the_timing_only(attacked: Venv) -> None:
    one, other = (envcheck("scan", "--format", "json", attacked.path).stdout.splitlines() for _ in range(2))
    differing = [a for a, b in zip(one, other, strict=True) if a != b]
    assert all(b'"timing"' in line for line in differing)


@pytest.mark.parametrize("state", ["clean", "attacked", "startup only", "locked", "incomplete"])
def test_the_json_report_is_what_its_schema_says(venv: Venv, tmp_path: Path, colours: Wheel, state: str) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed beside the tests")
    schemas = [
        json.loads(path.read_text())
        for path in resources.files(package).joinpath("reports", "schema").iterdir()
        if path.name.startswith("report-")
    ]
    (schema,) = schemas
    arguments: list[str] = []
    if state in ("attacked", "incomplete"):
        (venv.site / "x.pth").write_text("import os\n/nowhere\n")
        (venv.site / "sitecustomize.py").write_text("import colours.mix\n")
    if state == "incomplete":
        os.mkfifo(venv.site / "y.pth")
    if state == "startup only":
        arguments = ["--startup-only"]
    if state == "locked":
        arguments = ["--lock", str(uv_lock(tmp_path / "project", colours))]
    found = scan(*arguments, venv.path)
    jsonschema.validate(found.document, schema, cls=jsonschema.Draft202012Validator)
    jsonschema.Draft202012Validator.check_schema(schema)


def test_the_document_has_the_contracts_keys(attacked: Venv) -> None:
    found = scan(attacked.path)
    assert found.document["schema"] == "envcheck/report/1"
    assert found.document["tool"] == {"name": "envcheck", "version": package.__version__}
    assert {"clean_room", "python_flags", "environ", "root", "complete", "config", "timing"} <= set(
        found.document["scan"]
    )
    assert {
        *("path", "kind", "python", "site_dirs", "sys_path", "startup", "lock", "distributions", "files"),
        *("not_seen", "findings"),
    } <= set(found.environment)
    (entry,) = found.startup
    assert {
        *("kind", "path", "line", "code", "loads", "closure", "closure_files", "unresolved", "runs", "occurrences"),
        *("reason", "when", "shadowed_by", "owner", "assurance", "sha256", "verdict", "capabilities"),
    } <= set(entry)
    (finding,) = (finding for finding in found.findings if finding["severity"] == "high")
    assert set(finding) >= {
        *("rule", "severity", "message", "path", "line", "evidence", "remedy", "fingerprint", "waived"),
    }


def test_a_fingerprint_survives_a_move(attacked: Venv, tmp_path: Path) -> None:
    before = {finding["rule"]: finding["fingerprint"] for finding in scan(attacked.path).findings}
    moved = tmp_path / "moved"
    attacked.path.rename(moved)
    after = {finding["rule"]: finding["fingerprint"] for finding in scan(moved).findings}
    moved.rename(attacked.path)
    assert before["startup-code-unowned"] == after["startup-code-unowned"]


def test_a_startup_only_scan_tells_the_same_plan(attacked: Venv) -> None:
    whole, light = scan(attacked.path), scan("--startup-only", attacked.path)
    assert whole.startup == light.startup
    assert light.environment["distributions"] == []
    assert light.code == whole.code == 1


def test_modelled_flags_and_variables_are_in_the_report(clean_env: Venv) -> None:
    (clean_env.site / "x.pth").write_text("import os\n")
    found = scan("--python-flag=-S", "--no-inherit-environ", "--environ=LC_ALL=C", clean_env.path)
    assert found.document["scan"]["python_flags"] == ["-S"]
    assert found.document["scan"]["environ"] == {"LC_ALL": "C"}
    assert found.ran() == []
    assert scan("--python-flag=-I", clean_env.path).ran() == [("x.pth", 1)]


# Terminal


def on_a_terminal(command: list[str], env: dict[str, str]) -> tuple[int, bytes]:
    """Run with a terminal as standard output and standard error; exit code and everything written."""
    pty = pytest.importorskip("pty", reason="pty is missing here")
    master, slave = pty.openpty()
    process = subprocess.Popen(command, env=env, cwd="/", stdin=subprocess.DEVNULL, stdout=slave, stderr=slave)
    os.close(slave)
    output = b""
    while True:
        try:
            chunk = os.read(master, 65536)
        except OSError:
            break
        if not chunk:
            break
        output += chunk
    os.close(master)
    return process.wait(), output


def test_no_escape_where_output_is_no_terminal(attacked: Venv) -> None:
    for environ in (scanning.environ(), scanning.environ(TERM="xterm-256color", COLORTERM="truecolor")):
        ran = envcheck("scan", attacked.path, env=environ)
        assert b"\x1b" not in ran.stdout
        assert ran.stderr == ""


def test_no_escape_on_a_terminal_with_no_color(attacked: Venv) -> None:
    environ = scanning.environ(TERM="xterm-256color", NO_COLOR="1")
    code, output = on_a_terminal([sys.executable, "-m", "envcheck", "scan", str(attacked.path)], environ)
    assert code == 1
    assert b"\x1b" not in output


def test_colour_on_a_terminal_and_only_colour(attacked: Venv) -> None:
    environ = scanning.environ(TERM="xterm-256color")
    code, output = on_a_terminal([sys.executable, "-m", "envcheck", "scan", str(attacked.path)], environ)
    assert code == 1
    assert b"\x1b[" in output
    assert b"\x1b" not in re.sub(rb"\x1b\[[0-9;]*m", b"", output)
    assert "x.pth" in output.decode()


@pytest.mark.parametrize("columns", [40, 80, 160])
def test_lines_keep_within_the_terminals_width(attacked: Venv, columns: int) -> None:
    (attacked.site / "colours" / "mix.py").write_text("changed")
    ran = envcheck("scan", attacked.path, env=scanning.environ(COLUMNS=str(columns)))
    long = [line for line in ran.stdout.decode().splitlines() if len(line) > columns and " " in line.strip()]
    assert not long, "\n".join(long)


def test_the_first_lines_say_what_matters(attacked: Venv, clean_env: Venv) -> None:
    text = envcheck("scan", attacked.path).stdout.decode()
    assert "x.pth:1" in text
    assert "startup-code-unowned" in text
    assert "import os" in text


# Files


def test_reports_into_files(attacked: Venv, tmp_path: Path) -> None:
    ran = envcheck(
        "scan", "-o", "one.json", "-o", "json:two.txt", "-o", "terminal:three.txt", attacked.path, cwd=tmp_path
    )
    assert ran.code == 1
    one = json.loads((tmp_path / "one.json").read_text())
    assert one["exit_code"] == 1
    assert json.loads((tmp_path / "two.txt").read_text())["environments"] == one["environments"]
    assert "x.pth:1" in (tmp_path / "three.txt").read_text()
    assert b"x.pth:1" in ran.stdout


@pytest.mark.parametrize("how", ["straight", "relative", "link to a directory", "link to a file", "interpreter"])
def test_a_report_into_the_target_is_refused(attacked: Venv, tmp_path: Path, how: str) -> None:
    path = f"{attacked.site}/report.json"
    target = attacked.python if how == "interpreter" else attacked.path
    cwd = tmp_path
    if how == "relative":
        path, cwd = "report.json", attacked.site
    if how == "link to a directory":
        (tmp_path / "in").symlink_to(attacked.site)
        path = f"{tmp_path}/in/report.json"
    if how == "link to a file":
        (attacked.site / "report.json").write_text("kept")
        (tmp_path / "out.json").symlink_to(attacked.site / "report.json")
        path = f"{tmp_path}/out.json"
    before = sorted(os.listdir(attacked.site))
    ran = envcheck("scan", "-o", f"json:{path}", target, cwd=cwd)
    assert ran.code == 2, ran
    assert len(ran.stderr.splitlines()) <= 2
    assert sorted(os.listdir(attacked.site)) == before
    if how == "link to a file":
        assert (attacked.site / "report.json").read_text() == "kept"


# Which target


def test_the_projects_venv_is_the_default(tmp_path: Path, interpreter: Interpreter) -> None:
    make_venv(tmp_path / "project" / ".venv", interpreter)
    make_venv(tmp_path / "other", interpreter)
    environ = scanning.environ(VIRTUAL_ENV=str(tmp_path / "other"))
    (tmp_path / "project" / "pyproject.toml").write_text("[project]\nname = 'shop'\nversion = '1'\n")
    for directory in ("", "src/shop"):
        (tmp_path / "project" / directory).mkdir(parents=True, exist_ok=True)
        found = scan(cwd=tmp_path / "project" / directory, env=environ)
        assert found.environment["path"] == str(tmp_path / "project" / ".venv"), directory


def test_else_the_active_environment(tmp_path: Path, interpreter: Interpreter) -> None:
    make_venv(tmp_path / "active", interpreter)
    found = scan(cwd="/", env=scanning.environ(VIRTUAL_ENV=str(tmp_path / "active")))
    assert found.environment["path"] == str(tmp_path / "active")


def test_else_the_python3_on_path(tmp_path: Path, interpreter: Interpreter) -> None:
    venv = make_venv(tmp_path / "first", interpreter)
    (tmp_path / "empty").mkdir()
    path = os.pathsep.join([str(tmp_path / "empty"), str(venv.bin), os.defpath])
    found = scan(cwd="/", env={**scanning.environ(), "PATH": path})
    assert found.environment["path"] == str(venv.path)


def test_else_an_error_that_says_what_was_looked_for(tmp_path: Path) -> None:
    ran = envcheck("scan", cwd="/", env={**scanning.environ(), "PATH": str(tmp_path)})
    assert ran.code == 2
    assert len(ran.stderr.splitlines()) <= 2


def test_nothing_on_path_is_started(tmp_path: Path, interpreter: Interpreter) -> None:
    """Not even to ask it what it is: a `python3` that is a script stands first."""
    directory = tmp_path / "bin"
    directory.mkdir()
    for name in ("python3", "python", "uv", "pip", "git", "ldd", "sh", "uname", "ldconfig", "gcc"):
        (directory / name).write_text(f"#!/bin/sh\necho {name} >> {tmp_path}/marks\n")
        (directory / name).chmod(0o755)
    venv = make_venv(tmp_path / "env", interpreter)
    environ = {**scanning.environ(), "PATH": f"{directory}{os.pathsep}{os.defpath}"}
    scan(venv.path, env=environ)
    envcheck("scan", cwd="/", env=environ)
    assert not (tmp_path / "marks").exists()


# Being cut short


@pytest.mark.parametrize("form", ["json", "terminal"])
def test_a_reader_that_goes_away_is_no_error(attacked: Venv, form: str) -> None:
    for number in range(3000):
        (attacked.site / f"module{number}.py").write_text("")
    process = subprocess.Popen(
        [sys.executable, "-m", "envcheck", "scan", "--format", form, "--show-all", str(attacked.path)],
        env=scanning.environ(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(scanning.TIMEOUT) == 141


def test_full_output_is_told(attacked: Venv) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("/dev/full is missing here")
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "envcheck", "scan", str(attacked.path)],
            env=scanning.environ(),
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=scanning.TIMEOUT,
        )
    assert done.returncode not in (0, 1)
    assert b"Traceback" not in done.stderr


def test_an_interrupt_ends_quietly(clean_env: Venv) -> None:
    """While one file of many gigabytes is hashed: what ends by itself would end with success."""
    with open(clean_env.site / "colours" / "mix.py", "r+b") as stream:
        stream.truncate(12 << 30)
    process = subprocess.Popen(
        [sys.executable, "-m", "envcheck", "scan", str(clean_env.path)],
        env=scanning.environ(),
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # Whoever started the tests in the background of a shell passes on that the signal is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        wait_until_open(process, "colours/mix.py")
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=scanning.TIMEOUT)
    finally:
        process.kill()
        process.wait()
    assert process.returncode in (130, -signal.SIGINT)
    assert stdout == stderr == b""


def wait_until_open(process: subprocess.Popen[bytes], name: str) -> None:
    """Until a process has a file open."""
    place = f"/proc/{process.pid}/fd"
    while process.poll() is None:
        try:
            if any(os.readlink(f"{place}/{fd}").endswith(name) for fd in os.listdir(place)):
                return
        except OSError:
            pass
        time.sleep(0.01)
    raise AssertionError(f"{name} was never opened")


# The library


def test_the_library_is_what_the_command_calls(attacked: Venv) -> None:
    from envcheck.model.report import Report

    report: Any = package.scan(str(attacked.path))
    assert isinstance(report, Report)
    assert report.exit_code == 1
    assert [finding.rule for finding in report.findings] == ["startup-code-unowned"]


def test_the_library_says_what_is_no_environment(tmp_path: Path) -> None:
    from envcheck.model.errors import TargetError

    with pytest.raises(TargetError, match="none"):
        package.scan(str(tmp_path / "none"))
