"""The action, the hooks and the recipes: valid by schemas that are not ours, and run as their users run them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from support.locks import hashed_requirements
from support.readers import read
from support.venvs import Venv
from support.wheels import Wheel
from support.workflows import PIP, RECIPES, ROOT, run_step, steps


@pytest.mark.parametrize(
    ("schema", "file"),
    [
        ("vendor.github-actions", ROOT / "action.yml"),
        ("vendor.github-workflows", RECIPES / "github.yml"),
        ("vendor.gitlab-ci", RECIPES / "gitlab.yml"),
    ],
)
def test_files_for_ci_are_valid_by_their_schemas(schema: str, file: Path) -> None:
    read("check-jsonschema", "--builtin-schema", schema, file)


def test_hooks_and_their_recipe_are_valid_to_pre_commit(tmp_path: Path) -> None:
    home = {"PRE_COMMIT_HOME": str(tmp_path)}
    read("pre-commit", "validate-manifest", ROOT / ".pre-commit-hooks.yaml", **home)
    read("pre-commit", "validate-config", RECIPES / "pre-commit.yml", **home)
    hooks = {hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    (used,) = yaml.safe_load((RECIPES / "pre-commit.yml").read_text())["repos"]
    assert {hook["id"] for hook in used["hooks"]} <= hooks


@pytest.mark.parametrize("file", sorted(RECIPES.iterdir()), ids=lambda path: path.name)
def test_no_recipe_starts_envcheck_from_the_environment_that_it_scans(file: Path) -> None:
    text = file.read_text()
    for started in (r"\.venv/bin/envcheck", r"\.venv/bin/python\S* -m envcheck", r"(uv|poetry|pdm) run envcheck"):
        assert not re.search(started, text)
    assert not re.search(r"install[^\n]*\s['\"]?envcheck(?!-scan)\b", text)


@pytest.mark.parametrize("file", sorted(RECIPES.iterdir()), ids=lambda path: path.name)
def test_every_recipe_is_in_the_documentation(file: Path) -> None:
    assert f"recipes/{file.name}" in (ROOT / "docs" / "ci.md").read_text()


def test_options_that_recipes_use_exist() -> None:
    from envcheck.cli.settings import all_settings

    for file in [*RECIPES.iterdir(), ROOT / "action.yml"]:
        for line in file.read_text().splitlines():
            if re.search(r"envcheck\"?,? \"?(scan|verify)", line):
                for option in re.findall(r"(?<=[\s\"])--([a-z][a-z-]+)", line):
                    assert option in all_settings(), (file.name, option)


# The action's steps, as the runner starts them


@pytest.fixture
def project(venv: Venv, colours: Wheel, shapes: Wheel) -> Path:
    """A project with its environment, and the lock that it was made from."""
    directory = venv.path.parent
    hashed_requirements(directory / "requirements.txt", colours, shapes)
    for name in ("envcheck.toml", "envcheck.sarif"):
        (directory / name).unlink(missing_ok=True)
    return directory


def test_the_actions_step_passes_then_fails_with_annotations_and_a_log(
    venv: Venv, project: Path, tmp_path: Path
) -> None:
    tool = tmp_path / "envcheck-tool" / "bin"
    tool.mkdir(parents=True)
    (tool / "envcheck").symlink_to(Path(sys.executable).parent / "envcheck")
    look = steps()[1]
    inputs = {"target": str(venv.path), "lock": "requirements.txt", "sarif": "envcheck.sarif"}
    passed = run_step(look, project, inputs, RUNNER_TEMP=str(tmp_path), GITHUB_ACTIONS="true")
    assert passed.returncode == 0, passed.stdout + passed.stderr
    (venv.site / "x.pth").write_text("import sys\n")
    summary = tmp_path / "summary.md"
    failed = run_step(
        look, project, inputs, RUNNER_TEMP=str(tmp_path), GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary)
    )
    assert failed.returncode == 1
    assert failed.stdout.startswith("::error title=high%3A startup-code-unowned")
    assert "x&#46;pth" in summary.read_text()
    assert (project / "envcheck.sarif").read_text().startswith("{")


@pytest.mark.parametrize("target", ["$(touch owned)", "; touch owned", "--format=json", "`touch owned`"])
def test_an_input_is_never_a_command_or_an_option(venv: Venv, project: Path, tmp_path: Path, target: str) -> None:
    tool = tmp_path / "envcheck-tool" / "bin"
    tool.mkdir(parents=True)
    (tool / "envcheck").symlink_to(Path(sys.executable).parent / "envcheck")
    inputs = {"target": target, "lock": "requirements.txt", "command": "scan"}
    ran = run_step(steps()[1], project, inputs, RUNNER_TEMP=str(tmp_path))
    assert ran.returncode == 2, ran.stdout + ran.stderr
    assert not (project / "owned").exists()


# Installing needs an index


def test_the_action_installs_envcheck_in_an_environment_of_its_own(
    repository: Path, project: Path, tmp_path: Path
) -> None:
    (tmp_path / "action").symlink_to(repository)
    ran = run_step(steps()[0], tmp_path, {"python": sys.executable}, RUNNER_TEMP=str(tmp_path), **PIP)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    told = subprocess.run(
        [tmp_path / "envcheck-tool" / "bin" / "envcheck", "--version"], env={}, capture_output=True, text=True
    )
    assert told.stdout.startswith("envcheck ")
