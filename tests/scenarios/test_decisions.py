"""Waivers, baselines and configuration, as a team uses them and as an attacker would."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from envcheck.cli.scan import new_parser as scan_parser
from envcheck.cli.settings import settings_of
from envcheck.cli.verify import new_parser as verify_parser
from support.deciding import look, plant, waive_all, write_baseline
from support.scanning import envcheck, environ
from support.venvs import Venv
from support.wheels import Wheel


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


def test_every_value_in_force_is_printed_with_where_it_came_from(venv: Venv, project: Path, tmp_path: Path) -> None:
    (project / "envcheck.toml").write_text(
        'ignore = ["shop"]\nexcept = ["shop"]\n[rules]\nstartup-dormant = "high"\nstartup-unresolved = "off"\n'
        '[[expected]]\nowner = "colours"\n'
        f'[[waivers]]\nrule = "file-unowned"\npath = "x"\nsha256 = "{"ab" * 32}"\n'
        'reason = "ours"\nexpires = 2999-01-31\n'
    )
    where = str(project / "envcheck.toml")
    for options, parser in (((), scan_parser()), (("--verify",), verify_parser())):
        ran = envcheck("config", *options, "--ignore", "toys", venv.path, cwd=project)
        lines = ran.stdout.decode().splitlines()
        told = dict(line.split(" = ", 1) for line in lines if " = " in line)
        assert set(settings_of(parser)) <= set(told)
        assert told["ignore"].split(" ", 2)[:2] == ["shop,", "toys"]
        assert told["ignore"].endswith(f"{where}, command line")
        assert told["deep"].split() == ["false", "default"]
        assert told["rules.startup-dormant"].split() == ["high", where]
        assert told["rules.startup-unresolved"].split() == ["off", where]
        assert any(line.startswith("expected at startup: colours") and line.endswith(where) for line in lines)
        assert any(line.startswith("waiver of file-unowned at x until 2999-01-31: ours") for line in lines)
    assert told["except"].split() == ["shop", where]


def test_lists_of_all_sources_are_put_together(venv: Venv, project: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / ".config" / "envcheck").mkdir(parents=True)
    (home / ".config" / "envcheck" / "envcheck.toml").write_text('ignore = ["a"]\n')
    (project / "envcheck.toml").write_text('ignore = ["b"]\n')
    ran = envcheck("config", "--ignore=c", venv.path, cwd=project, env=environ(home))
    assert b"ignore = a, b, c " in ran.stdout


def test_exceptions_of_the_project_hold_for_the_anchors_file_too(venv: Venv, project: Path, colours: Wheel) -> None:
    (project / "requirements.txt").write_text(f"{colours.requirement}\nshop==1.0 --hash=sha256:{'0' * 64}\n")
    write = ("anchor", "--lock", "requirements.txt", "--wheels", str(colours.path.parent))
    assert envcheck(*write, cwd=project).code == 0
    check = ("anchor", "--lock", "requirements.txt", "--check")
    assert envcheck(*check, cwd=project).code == 1
    (project / "envcheck.toml").write_text('except = ["shop"]\n')
    assert envcheck(*check, cwd=project).code == 0
    assert envcheck(*check, "--no-config", cwd=project).code == 1
    (project / "envcheck.toml").write_text("except = 3\n")
    assert "except: expected a list of strings" in envcheck(*check, cwd=project).stderr


def test_the_projects_extras_and_cooldown_hold_for_its_lock_too(project: Path) -> None:
    (project / "pylock.toml").write_text('lock-version = "1.0"\ncreated-by = "x"\nextras = ["fast"]\npackages = []\n')
    (project / "envcheck.toml").write_text('extra = ["slow"]\nformat = "json"\n')
    ran = envcheck("lock", "pylock.toml", cwd=project)
    assert ran.code == 2
    assert "slow" in ran.stderr
    assert envcheck("lock", "pylock.toml", "--no-config", cwd=project).stdout.startswith(b"pylock.toml")


def test_a_waiver_may_name_the_owner_in_place_of_the_path(venv: Venv, project: Path) -> None:
    with (venv.site / "shapes.py").open("a") as file:
        file.write("CORNERS = 5\n")
    found = look(project, venv)
    (told,) = [f for f in found.at_least("high") if f["rule"] == "file-modified"]
    text = (
        f'[[waivers]]\nrule = "file-modified"\nowner = "shapes"\nsha256 = "{told["content"]}"\n'
        'reason = "we patch it"\nexpires = 2999-12-31\n'
    )
    (project / "envcheck.toml").write_text(text)
    assert look(project, venv).code == 0
    (project / "envcheck.toml").write_text(text.replace('"shapes"', '"colours"'))
    assert look(project, venv).code == 1
    (project / "envcheck.toml").write_text(text)
    with (venv.site / "shapes.py").open("a") as file:
        file.write("CORNERS = 6\n")
    assert look(project, venv).code == 1


def test_waived_findings_are_counted_in_every_format(venv: Venv, project: Path, tmp_path: Path) -> None:
    plant(venv)
    (project / "envcheck.toml").write_text(waive_all(look(project, venv)))
    forms = ("json", "ndjson", "sarif", "github", "html")
    written = {form: tmp_path / f"report.{form}" for form in forms}
    ran = envcheck("scan", "--no-lock", *(f"-o{form}:{path}" for form, path in written.items()), venv.path, cwd=project)
    assert ran.code == 0, ran.stderr
    text = {form: path.read_text() for form, path in written.items()}
    count = json.loads(text["json"])["summary"]["waived"]
    assert count >= 2
    assert f"{count} waived" in ran.stdout.decode()
    assert json.loads(text["ndjson"].splitlines()[-1])["summary"]["waived"] == count
    (run,) = json.loads(text["sarif"])["runs"]
    assert sum("suppressions" in result for result in run["results"]) == count
    assert f"{count} findings are waived" in text["github"]
    assert f"<strong>{count}</strong> waived" in text["html"]
