"""Waivers, baselines and configuration, as a team uses them and as an attacker would."""

from __future__ import annotations

import json
import os
import textwrap
from pathlib import Path
from typing import Any

import pytest

from support.scanning import Scan, envcheck, environ, scan
from support.venvs import Venv


@pytest.fixture
def project(venv: Venv) -> Path:
    """The directory that holds the environment, with what earlier tests left taken away."""
    directory = venv.path.parent
    for name in ("pyproject.toml", "envcheck.toml", "base.json", "uv.lock", "envcheck.anchors"):
        (directory / name).unlink(missing_ok=True)
    (directory / ".git").mkdir(exist_ok=True)  # no configuration above it is looked for
    return directory


def plant(venv: Venv, code: str = "import helper\n") -> None:
    """Startup code that nobody owns, and the module that it loads."""
    (venv.site / "hook.pth").write_text(code)
    (venv.site / "helper.py").write_text("VALUE = 1\n")


def waiver(found: Scan, rule: str, name: str, expires: str = "2999-12-31") -> str:
    """The waiver that the report gives, filled in."""
    (told,) = [f for f in found.findings if f["rule"] == rule and (f["place"] or "").endswith(name)]
    return textwrap.dedent(
        f"""
        [[waivers]]
        rule = "{rule}"
        path = "{told["place"]}"
        sha256 = "{told["content"]}"
        reason = "ours"
        expires = "{expires}"
        """
    )


def waive_all(found: Scan) -> str:
    return "".join(waiver(found, finding["rule"], finding["place"]) for finding in found.at_least("high"))


def look(project: Path, venv: Venv, *options: str | Path, **more: Any) -> Scan:
    return scan("--no-lock", *options, venv.path, cwd=project, **more)


def test_a_waiver_holds_for_exactly_what_it_accepts(venv: Venv, project: Path) -> None:
    plant(venv)
    found = look(project, venv)
    assert found.code == 1
    (project / "envcheck.toml").write_text(waive_all(found))
    again = look(project, venv)
    assert again.code == 0, again.told()
    assert again.document["summary"]["waived"] == len(found.at_least("high"))
    assert again.document["scan"]["config"] == str(project / "envcheck.toml")
    assert {f["waived"] for f in again.at_least("high")} == {"ours"}


@pytest.mark.parametrize("name", ["hook.pth", "helper.py"])
def test_a_change_of_the_code_or_of_a_module_that_it_loads_opens_it_again(venv: Venv, project: Path, name: str) -> None:
    plant(venv)
    (project / "envcheck.toml").write_text(waive_all(look(project, venv)))
    with (venv.site / name).open("a") as file:
        file.write("# one line more\n")
    again = look(project, venv)
    assert again.code == 1
    assert "startup-code-unowned" in {f["rule"] for f in again.at_least("high") if f["waived"] is None}
    assert "waiver-expired" in again.rules("low")


def test_a_module_that_the_loaded_module_begins_to_load_opens_it_again(venv: Venv, project: Path) -> None:
    plant(venv)
    (venv.site / "helper.py").write_text("import further\n")
    (venv.site / "further.py").write_text("")
    (project / "envcheck.toml").write_text(waive_all(look(project, venv)))
    assert look(project, venv).code == 0
    (venv.site / "further.py").write_text("import os\n")
    assert look(project, venv).code == 1


def test_after_its_day_a_waiver_holds_no_more(venv: Venv, project: Path) -> None:
    plant(venv)
    text = waive_all(look(project, venv))
    (project / "envcheck.toml").write_text(text.replace("2999-12-31", "2020-01-31"))
    again = look(project, venv)
    assert again.code == 1
    (told, *_) = [f for f in again.findings if f["rule"] == "waiver-expired"]
    assert "it held until 2020-01-31" in told["message"]


def test_what_the_html_report_gives_to_paste_is_a_waiver(venv: Venv, project: Path, tmp_path: Path) -> None:
    plant(venv)
    look(project, venv, "-o", tmp_path / "r.html")
    import html
    import re

    page = html.unescape((tmp_path / "r.html").read_text())
    text = "".join(re.findall(r"\[\[waivers\]\].*?expires = \"\"\n", page, re.DOTALL))
    assert text
    (project / "envcheck.toml").write_text(text)
    refused = envcheck("scan", "--no-lock", venv.path, cwd=project)
    assert refused.code == 2
    assert "waivers[0].reason: expected a string that is not empty" in refused.stderr
    filled = text.replace('reason = ""', 'reason = "ours"').replace('expires = ""', 'expires = "2999-12-31"')
    (project / "envcheck.toml").write_text(filled)
    assert look(project, venv).code == 0


def test_the_waiver_of_the_json_report_is_valid_but_for_what_a_person_must_say(venv: Venv, project: Path) -> None:
    plant(venv)
    found = look(project, venv)
    text = "".join(f["waiver"] for f in found.at_least("high"))
    filled = text.replace('reason = ""', 'reason = "ours"').replace('expires = ""', 'expires = "2999-12-31"')
    (project / "envcheck.toml").write_text(filled)
    assert look(project, venv).code == 0


def test_a_rule_may_be_raised_lowered_or_switched_off_and_the_report_says_so(venv: Venv, project: Path) -> None:
    plant(venv)
    (project / "pyproject.toml").write_text(
        '[tool.envcheck.rules]\nstartup-code-unowned = "low"\nfile-unowned = "off"\n'
    )
    found = look(project, venv)
    assert found.code == 0, found.told()
    assert {f["severity"] for f in found.findings if f["rule"] == "startup-code-unowned"} == {"low"}
    assert all("switched off" in f["waived"] for f in found.findings if f["rule"] == "file-unowned")


def test_what_is_incomplete_can_neither_be_waived_nor_switched_off(venv: Venv, project: Path) -> None:
    os.mkfifo(venv.site / "pipe.pth")
    (project / "envcheck.toml").write_text('[rules]\nscan-incomplete = "off"\n')
    found = look(project, venv)
    if found.not_seen:
        assert found.code == 3
        assert [f["waived"] for f in found.findings if f["rule"] == "scan-incomplete"] == [None]


def test_startup_code_that_is_not_expected_is_a_finding(venv: Venv, project: Path) -> None:
    plant(venv)
    found = look(project, venv)
    (project / "envcheck.toml").write_text(waive_all(found) + '\n[[expected]]\npath = "*/other.pth"\n')
    again = look(project, venv)
    assert again.code == 1
    assert "startup-entry-new" in again.rules("high")
    (project / "envcheck.toml").write_text(waive_all(found) + '\n[[expected]]\npath = "*/hook.pth"\n')
    assert look(project, venv).code == 0


# A baseline


def write_baseline(project: Path, venv: Venv) -> Path:
    path = project / "base.json"
    ran = envcheck("baseline", "write", "--no-lock", "--baseline", path, venv.path, cwd=project)
    assert ran.code == 0, ran.stderr
    return path


def test_only_what_is_new_fails(venv: Venv, project: Path) -> None:
    plant(venv)
    base = write_baseline(project, venv)
    assert look(project, venv, "--baseline", base).code == 0
    assert envcheck("baseline", "check", "--no-lock", "--baseline", base, venv.path, cwd=project).code == 0
    (venv.site / "second.pth").write_text("import sys\n")
    found = look(project, venv, "--baseline", base)
    assert found.code == 1
    assert {Path(f["path"]).name for f in found.at_least("high") if f["waived"] is None} == {"second.pth"}
    assert {f["rule"] for f in found.at_least("high") if f["waived"] is None} == {
        "startup-code-unowned",
        "startup-entry-new",
    }
    checked = envcheck("baseline", "check", "--no-lock", "--baseline", base, venv.path, cwd=project)
    assert checked.code == 1
    assert checked.stdout.decode().count("+ ") == 2
    updated = envcheck("baseline", "update", "--no-lock", "--baseline", base, venv.path, cwd=project)
    assert updated.code == 0
    assert look(project, venv, "--baseline", base).code == 0


def test_a_changed_module_behind_an_accepted_entry_is_new(venv: Venv, project: Path) -> None:
    plant(venv)
    base = write_baseline(project, venv)
    (venv.site / "helper.py").write_text("VALUE = 2\n")
    assert look(project, venv, "--baseline", base).code == 1


def test_a_baseline_is_the_same_text_wherever_the_environment_stands(venv: Venv, project: Path, tmp_path: Path) -> None:
    plant(venv)
    text = write_baseline(project, venv).read_text()
    assert str(project) not in text
    assert text == write_baseline(project, venv).read_text()
    rows = [line for line in text.splitlines() if line.startswith(" {")]
    assert rows == [*sorted(r for r in rows if "fingerprint" in r), *[r for r in rows if "fingerprint" not in r]]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": "envcheck/baseline/1", "findings": [1], "startup": []}'])
def test_a_baseline_that_is_none_is_refused(venv: Venv, project: Path, text: str) -> None:
    (project / "base.json").write_text(text)
    ran = envcheck("scan", "--baseline", project / "base.json", venv.path, cwd=project)
    assert ran.code == 2
    assert "base.json" in ran.stderr


def test_a_baseline_of_what_could_not_be_read_is_not_written(venv: Venv, project: Path) -> None:
    os.mkfifo(venv.site / "pipe.py")
    (venv.site / "hook.pth").write_text("import pipe\n")
    ran = envcheck("baseline", "write", "--no-lock", "--baseline", project / "base.json", venv.path, cwd=project)
    assert (ran.code == 3) == (not (project / "base.json").exists())


# What an attacker writes


SILENCE = """
fail-on = "never"
no-lock = true
startup-only = true
python-flag = ["-S"]
no-inherit-environ = true
ignore = ["evil"]
trusted-python = ["/bin/sh"]

[rules]
startup-code-unowned = "off"
file-unowned = "info"
"""


@pytest.mark.parametrize("name", ["envcheck.toml", "pyproject.toml"])
def test_configuration_inside_the_environment_silences_nothing(venv: Venv, project: Path, name: str) -> None:
    """Whoever stands in the environment (a container whose work directory it is) is given no orders by it."""
    plant(venv)
    found = look(project, venv)
    text = SILENCE + waive_all(found)
    if name == "pyproject.toml":
        text = text.replace("[rules]", "[tool.envcheck.rules]").replace("[[waivers]]", "[[tool.envcheck.waivers]]")
        text = "[tool.envcheck]\n" + text
    (venv.site / name).write_text(text)
    inside = scan("--no-lock", venv.path, cwd=venv.site)
    assert inside.code == 1
    assert [f for f in inside.findings if f["waived"] is not None] == []
    assert "startup-code-unowned" in inside.rules("high")
    assert inside.document["scan"]["python_flags"] == []
    assert "may only tighten" in inside.stderr
    for key in ("fail-on", "no-lock", "python-flag", "trusted-python", "waivers", "rules.startup-code-unowned"):
        assert key in inside.stderr or key == "fail-on"


def test_configuration_inside_the_environment_may_tighten(venv: Venv, project: Path) -> None:
    (venv.site / "envcheck.toml").write_text('fail-on = "low"\n[rules]\nfile-unowned = "critical"\n')
    (venv.site / "data.txt").write_text("x\n")
    inside = scan("--no-lock", venv.path, cwd=venv.site)
    assert inside.code == 1
    assert {f["severity"] for f in inside.findings if f["rule"] == "file-unowned"} == {"critical"}


def test_a_link_into_the_environment_is_configuration_inside_it(venv: Venv, project: Path) -> None:
    plant(venv)
    (venv.path / "kept.toml").write_text('[rules]\nstartup-code-unowned = "off"\nfile-unowned = "off"\n')
    (project / "envcheck.toml").symlink_to(venv.path / "kept.toml")
    assert look(project, venv).code == 1


def test_configuration_of_the_project_that_a_target_belongs_to_is_not_read_from_elsewhere(
    venv: Venv, project: Path, tmp_path: Path
) -> None:
    plant(venv)
    (project / "pyproject.toml").write_text('[tool.envcheck.rules]\nstartup-code-unowned = "off"\n')
    found = scan("--no-lock", venv.path, cwd=tmp_path)
    assert found.code == 1
    assert found.document["scan"]["config"] is None


@pytest.mark.parametrize("option", ["--config", "--baseline"])
def test_a_file_inside_the_environment_is_refused_even_where_it_is_named(
    venv: Venv, project: Path, option: str
) -> None:
    plant(venv)
    base = write_baseline(project, venv)
    inside = venv.site / "kept"
    inside.write_text(base.read_text() if option == "--baseline" else SILENCE)
    ran = envcheck("scan", option, inside, venv.path, cwd=project)
    assert ran.code == 2
    assert "which is scanned" in ran.stderr


@pytest.mark.parametrize("line", ['trusted-python = ["./python"]', 'output = ["json:/etc/x"]', "allow-self = true"])
def test_a_cloned_repository_cannot_have_anything_started_or_written(venv: Venv, project: Path, line: str) -> None:
    (project / "pyproject.toml").write_text(f"[tool.envcheck]\n{line}\n")
    ran = envcheck("scan", "--no-lock", venv.path, cwd=project)
    assert ran.code == 2
    assert "not in a project's configuration" in ran.stderr


def test_configuration_that_anybody_may_write_is_not_heeded(venv: Venv, project: Path, tmp_path: Path) -> None:
    plant(venv)
    place = tmp_path / "shared"
    place.mkdir()
    (place / "envcheck.toml").write_text('[rules]\nstartup-code-unowned = "off"\nfile-unowned = "off"\n')
    assert scan("--no-lock", venv.path, cwd=place).code == 0
    place.chmod(0o1777)
    found = scan("--no-lock", venv.path, cwd=place)
    assert found.code == 1
    assert "anybody may write it" in found.stderr
    assert scan("--no-lock", "--config", place / "envcheck.toml", venv.path, cwd=place).code == 0


def test_a_uv_lock_and_anchors_inside_the_environment_are_not_heeded(venv: Venv, project: Path) -> None:
    plant(venv)
    before = scan(venv.path, cwd=venv.site)
    (venv.site / "uv.lock").write_text('version = 1\nrevision = 3\nrequires-python = ">=3.8"\n')
    (venv.site / "envcheck.anchors").write_text("{}")
    found = scan(venv.path, cwd=venv.site)
    assert found.code == 1
    assert found.environment["lock"] is None
    assert "startup-code-unowned" in found.rules("high")
    assert before.rules("high") <= found.rules("high")


# Where values come from


def test_the_users_file_then_the_projects_then_the_command_line(venv: Venv, project: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / ".config" / "envcheck").mkdir(parents=True)
    (home / ".config" / "envcheck" / "envcheck.toml").write_text('fail-on = "low"\ncooldown = 3\ndeep = true\n')
    (project / "pyproject.toml").write_text('[tool.envcheck]\nfail-on = "medium"\nlock = "uv.lock"\n')
    ran = envcheck("config", "--cooldown", "9", venv.path, cwd=project, env=environ(home))
    lines = {line.split(" = ")[0]: line.split() for line in ran.stdout.decode().splitlines() if " = " in line}
    assert lines["fail-on"][2:] == ["medium", str(project / "pyproject.toml")]
    assert lines["deep"][2] == "true" and lines["deep"][-1].endswith("envcheck/envcheck.toml")
    assert lines["cooldown"][2:] == ["9", "command", "line"]
    assert lines["lock"][2] == str(project / "uv.lock")


def test_config_and_no_config(venv: Venv, project: Path, tmp_path: Path) -> None:
    (project / "envcheck.toml").write_text('fail-on = "never"\n')
    plant(venv)
    assert look(project, venv).code == 0
    assert look(project, venv, "--no-config").code == 1
    (tmp_path / "ci.toml").write_text('fail-on = "critical"\n')
    assert look(project, venv, "--config", tmp_path / "ci.toml").document["scan"]["config"] == str(tmp_path / "ci.toml")
    both = envcheck("scan", "--no-config", "--config", tmp_path / "ci.toml", venv.path, cwd=project)
    assert both.code == 2


def test_a_configuration_serves_both_commands(venv: Venv, project: Path) -> None:
    (project / "envcheck.toml").write_text("no-lock = true\n")
    assert envcheck("scan", venv.path, cwd=project).code == 0
    assert json.loads(envcheck("scan", "--format", "json", venv.path, cwd=project).stdout)["exit_code"] == 0
