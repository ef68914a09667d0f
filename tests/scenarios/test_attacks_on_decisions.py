"""Configuration, locks, anchors and baselines that an attacker wrote to silence envcheck."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.test_decisions import look, plant, waive_all, write_baseline
from support.scanning import envcheck, environ, scan
from support.venvs import Venv

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


def attackers_project(venv: Venv, project: Path) -> None:
    """A project whose every file was written to accept what was planted in its environment."""
    plant(venv)
    found = look(project, venv)
    base = write_baseline(project, venv)
    base.rename(project / "envcheck.baseline.json")
    text = SILENCE + waive_all(found) + '[[expected]]\npath = "*"\n'
    text = text.replace('trusted-python = ["/bin/sh"]\n', 'baseline = "envcheck.baseline.json"\n')
    (project / "envcheck.toml").write_text(text)
    (project / "pyproject.toml").write_text(
        "[tool.envcheck]\n"
        + text.replace("[rules]", "[tool.envcheck.rules]")
        .replace("[[waivers]]", "[[tool.envcheck.waivers]]")
        .replace("[[expected]]", "[[tool.envcheck.expected]]")
    )
    (project / "uv.lock").write_text('version = 1\nrevision = 3\nrequires-python = ">=3.8"\n')
    (project / "envcheck.anchors").write_text("envcheck anchors 1 of uv.lock\n")


SILENCERS = ("envcheck.toml", "pyproject.toml", "uv.lock", "envcheck.anchors", "envcheck.baseline.json")


@pytest.mark.parametrize("name", SILENCERS)
def test_no_file_of_a_scanned_project_silences_a_scan_from_elsewhere(
    venv: Venv, project: Path, tmp_path: Path, name: str
) -> None:
    attackers_project(venv, project)
    for other in SILENCERS:
        if other != name and (name, other) != ("envcheck.anchors", "uv.lock"):
            (project / other).unlink()
    found = scan(venv.path, cwd=tmp_path)
    assert found.code == 1, found.told()
    assert "startup-code-unowned" in found.rules("high")
    assert [f for f in found.findings if f["waived"] is not None] == []
    assert found.document["scan"]["config"] is None


def test_all_of_them_together_do_not_either(venv: Venv, project: Path, tmp_path: Path) -> None:
    attackers_project(venv, project)
    found = scan(venv.path, cwd=tmp_path)
    assert found.code == 1
    assert [f for f in found.findings if f["waived"] is not None] == []


def test_whoever_stands_in_such_a_project_is_told_what_it_decided(venv: Venv, project: Path) -> None:
    """A project that one stands in may decide; no report hides that it did, and ``--no-config`` heeds nothing of it."""
    attackers_project(venv, project)
    told = envcheck("scan", venv.path, cwd=project).stdout.decode()
    assert "startup only" in told
    assert "(python3, -S," in told
    assert str(project / "envcheck.toml") in told
    text = (project / "envcheck.toml").read_text()
    for silent in ("startup-only = true\n", 'python-flag = ["-S"]\n'):
        text = text.replace(silent, "")
    (project / "envcheck.toml").write_text(text)
    told = envcheck("scan", venv.path, cwd=project).stdout.decode()
    assert "waived" in told
    assert str(project / "envcheck.toml") in told
    assert scan("--no-config", "--no-lock", venv.path, cwd=project).code == 1


@pytest.mark.parametrize("name", SILENCERS)
def test_none_of_them_silences_from_inside_the_environment(venv: Venv, project: Path, name: str) -> None:
    attackers_project(venv, project)
    for other in SILENCERS:
        if other == name:
            (project / other).rename(venv.path / other)
        else:
            (project / other).unlink()
    found = scan(venv.path, cwd=venv.site)
    assert found.code == 1
    assert "startup-code-unowned" in found.rules("high")
    assert [f for f in found.findings if f["waived"] is not None] == []
    assert found.environment["lock"] is None


def test_a_target_hides_no_configuration_of_the_project_around_it(venv: Venv, project: Path) -> None:
    """A ``.git`` or a configuration of the target's own would end the search before the project's is found."""
    (venv.site / "data.txt").write_text("x\n")
    (project / "envcheck.toml").write_text('fail-on = "low"\n')
    (venv.path / ".git").mkdir()
    (venv.path / "envcheck.toml").write_text('fail-on = "critical"\n')
    (venv.site / ".git").write_text("gitdir: /nowhere\n")
    for place in (project, venv.path, venv.site):
        found = scan("--no-lock", venv.path, cwd=place)
        assert found.code == 1, place
        assert str(project / "envcheck.toml") in found.document["scan"]["config"].split(", ")


@pytest.mark.parametrize("named", ["bin/python", "lib", "."])
def test_a_target_that_is_named_by_a_part_of_it_is_the_whole_of_it(venv: Venv, project: Path, named: str) -> None:
    plant(venv)
    (venv.bin / "envcheck.toml").write_text('[rules]\nstartup-code-unowned = "off"\nfile-unowned = "off"\n')
    target = venv.site if named == "lib" else venv.path / named
    assert scan("--no-lock", target, cwd=venv.bin).code == 1


def test_git_variables_and_directories_choose_no_configuration(venv: Venv, project: Path, tmp_path: Path) -> None:
    plant(venv)
    theirs = tmp_path / "theirs"
    (theirs / ".git").mkdir(parents=True)
    (theirs / "envcheck.toml").write_text('[rules]\nstartup-code-unowned = "off"\nfile-unowned = "off"\n')
    env = environ(GIT_DIR=str(theirs / ".git"), GIT_WORK_TREE=str(theirs), GIT_CEILING_DIRECTORIES="/")
    found = scan("--no-lock", venv.path, cwd=project, env=env)
    assert found.code == 1
    assert found.document["scan"]["config"] is None


def test_another_spelling_of_the_name_is_no_configuration(venv: Venv, project: Path) -> None:
    plant(venv)
    if (project / "ENVCHECK.toml").exists():
        pytest.skip("this file system does not tell spellings apart")
    for name in ("Envcheck.toml", "PyProject.toml", "envcheck.TOML", ".envcheck.toml"):
        (project / name).write_text('[rules]\nstartup-code-unowned = "off"\nfile-unowned = "off"\n')
    try:
        assert look(project, venv).code == 1
    finally:
        for name in ("Envcheck.toml", "PyProject.toml", "envcheck.TOML", ".envcheck.toml"):
            (project / name).unlink()


def test_a_link_to_a_file_that_anybody_may_replace_is_not_heeded(venv: Venv, project: Path, tmp_path: Path) -> None:
    plant(venv)
    place = tmp_path / "shared"
    place.mkdir()
    (place / "theirs.toml").write_text('[rules]\nstartup-code-unowned = "off"\nfile-unowned = "off"\n')
    place.chmod(0o1777)
    (project / "envcheck.toml").symlink_to(place / "theirs.toml")
    found = look(project, venv)
    assert found.code == 1
    assert "anybody may write it" in found.stderr


@pytest.mark.parametrize("option", ["--reference", "--indicators", "--wheels", "--anchors"])
def test_what_decides_is_never_taken_from_inside_the_environment(venv: Venv, project: Path, option: str) -> None:
    inside = venv.path / "kept"
    if option == "--wheels":
        inside.mkdir()
    else:
        inside.write_text("{}\n")
    (project / "link").unlink(missing_ok=True)
    (project / "link").symlink_to(inside)
    try:
        for path in (inside, project / "link", venv.path / "bin" / ".." / "kept"):
            ran = envcheck("scan", option, path, venv.path, cwd=project)
            assert ran.code == 2, ran.stdout
            assert "inside" in ran.stderr
    finally:
        (project / "link").unlink()


@pytest.mark.parametrize("named", ["bin/python", "site", "."])
def test_a_lock_inside_the_environment_is_not_chosen_whatever_part_of_it_is_named(
    venv: Venv, project: Path, named: str
) -> None:
    (venv.bin / "uv.lock").write_text('version = 1\nrevision = 3\nrequires-python = ">=3.8"\n')
    (venv.path / "uv.lock").write_text('version = 1\nrevision = 3\nrequires-python = ">=3.8"\n')
    target = venv.site if named == "site" else venv.path / named
    for place in (venv.bin, venv.path):
        assert scan(target, cwd=place).environment["lock"] is None
