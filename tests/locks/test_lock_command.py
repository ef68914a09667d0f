"""What `envcheck lock` shows of a lock: to a person at 80 columns, and to a program."""

from __future__ import annotations

import importlib.resources
import io
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from envcheck.checks.registry import all_rules
from envcheck.cli.main import main
from envcheck.files.root import Files
from envcheck.locks.report import judge
from envcheck.reports import lock_json
from envcheck.reports.lock import write_lock
from locks.test_fuzz import FORMATS, write
from locks.test_quality import LINUX, NOW, SHA, uv

SCHEMA = json.loads(
    importlib.resources.files("envcheck.reports").joinpath("schema/lock-1.schema.json").read_text("utf-8")
)
SEVERITIES = {rule.id: rule.severity for rule in all_rules()}


def shown(path: Path, width: int = 80, **options: Any) -> str:
    files = Files()
    stream = io.StringIO()
    judged = judge(files, str(path), LINUX, **options)
    write_lock(judged, SEVERITIES, files.not_seen, stream, width=width, colour=False)
    return stream.getvalue()


def document(path: Path, **options: Any) -> Any:
    files = Files()
    judged = judge(files, str(path), LINUX, **options)
    text = lock_json.render(judged, SEVERITIES, files.not_seen, version="1", exit_code=0)
    assert text.isascii()
    found = json.loads(text)
    Draft202012Validator(SCHEMA).validate(found)
    return found


def test_a_sound_lock_is_a_few_calm_lines(tmp_path: Path) -> None:
    lock = uv(tmp_path, "alpha 1 alpha-1-py3-none-any.whl")
    lines = shown(lock).splitlines()
    assert lines[:4] == [
        "uv.lock · uv · 2 packages",
        "",
        "✔ Nothing needs a look for Python 3.12.1 on linux-x86_64-glibc2.36.",
        "  1 package is selected: no extras and no groups.",
    ]
    assert lines[4].startswith("  sha256 ")
    assert lines[5:] == [
        "  In no Git repository.",
        "",
        "Installing it builds nothing.",
        "No build is forbidden; this would forbid all others:",
        "    [tool.uv]",
        "    no-build = true",
    ]


def test_what_runs_code_is_listed_with_the_settings_that_forbid_all_else(tmp_path: Path) -> None:
    lock = uv(tmp_path, "docopt 1 docopt-1.tar.gz", "native 1 native-1.tar.gz native-1-cp312-cp312-win32.whl")
    assert shown(lock).splitlines()[-7:] == [
        "Runs code when it is installed",
        "  docopt  has no wheel: its archive's build code runs",
        "  native  has no wheel for this target: its archive's build code runs",
        "No build is forbidden; this would forbid all others:",
        "    [tool.uv]",
        "    no-build = true",
        '    no-binary-package = ["docopt", "native"]',
    ]


def test_names_of_unlike_length_are_a_column(tmp_path: Path) -> None:
    lock = uv(tmp_path, "a 1 a-1.tar.gz", f"{'long' * 6} 1 {'long' * 6}-1.tar.gz")
    assert f"  a{' ' * 25}has no wheel: its archive's build code runs" in shown(lock).splitlines()


def test_many_problems_of_a_rule_are_a_count_and_three(tmp_path: Path) -> None:
    text = shown(uv(tmp_path, *(f"name{n} 1 other-1-py3-none-any.whl" for n in range(7))))
    assert "MEDIUM    7 like these" in text
    assert text.count("is a wheel of another project") == 3
    assert "… 4 more: see --format json" in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_a_lock_that_names_no_archives_does_not_claim_to_build_nothing(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text("alpha==1\n")
    assert document(lock)["builds"]["known"] is False
    lock.write_text(f"alpha==1 --hash=sha256:{SHA}\n")
    assert "is not known: the lock does not name its archives" in " ".join(shown(lock).split())
    assert document(lock)["builds"]["known"] is False


def test_hostile_text_is_shown_safely(tmp_path: Path) -> None:
    text = shown(uv(tmp_path, "alpha 1\x1b[31m\u202e alpha-1-py3-none-any.whl".replace("\x1b", "\\u001b")))
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_the_document_has_every_selected_package_with_its_archives(tmp_path: Path) -> None:
    lock = uv(tmp_path, "docopt 1 docopt-1.tar.gz@2026-01-01T00:00:00Z", "alpha 2 alpha-2-py3-none-any.whl")
    found = document(lock, cooldown=7, now=NOW)
    assert [(p["name"], p["version"], p["builds"] is None) for p in found["selected"]] == [
        ("docopt", "1", False),
        ("alpha", "2", True),
    ]
    assert found["selected"][0]["archives"] == [
        {
            "filename": "docopt-1.tar.gz",
            "url": "https://files.index.example/docopt-1.tar.gz",
            "kind": "sdist",
            "hashes": [f"sha256:{SHA}"],
            "size": None,
            "upload_time": "2026-01-01T00:00:00Z",
        }
    ]
    assert found["builds"]["exempt"] == ["docopt"]
    assert found["builds"]["settings"][-1] == 'no-binary-package = ["docopt"]'
    assert [problem["rule"] for problem in found["problems"]] == ["lock-sdist", "lock-too-new", "lock-too-new"]
    assert found["problems"][0]["remedy"].startswith("forbid all other builds: [tool.uv]; no-build = true; ")


@pytest.mark.parametrize("name", FORMATS)
def test_the_document_of_every_format_is_valid_by_its_schema(tmp_path: Path, name: str) -> None:
    file, content = FORMATS[name]
    write(tmp_path / file, content)
    assert document(tmp_path / file)["lock"]["packages"] > 0


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_the_command_prints_either(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lock = uv(tmp_path, "docopt 1 docopt-1.tar.gz")
    arguments = ["lock", str(lock), "--python", "3.12", "--platform", LINUX[1]]
    assert main(arguments) == 0
    assert "✔" not in capsys.readouterr().out
    assert main([*arguments, "--format", "json", "--fail-on", "low"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["schema"], found["exit_code"]) == ("envcheck/lock/1", 1)
