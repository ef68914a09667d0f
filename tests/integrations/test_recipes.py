"""The action, the hooks and the recipes: valid by schemas that are not ours, and run as their users run them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.anchoring import Project, make_project
from support.locks import hashed_requirements
from support.readers import need_reader, read
from support.scanning import scan
from support.venvs import Venv
from support.wheels import Wheel

ROOT = Path(__file__).parent.parent.parent
RECIPES = ROOT / "docs" / "recipes"
SOURCES = ("src", "pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml", "CHANGELOG.md", "CONTRIBUTING.md")
# Where pip finds packages on this machine is this machine's matter.
PIP = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}


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


def steps() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"]
    return found


def run_step(
    step: dict[str, Any], where: Path, inputs: dict[str, str], **environ: str
) -> subprocess.CompletedProcess[str]:
    """One step, its expressions replaced as the runner replaces them."""
    declared = yaml.safe_load((ROOT / "action.yml").read_text())["inputs"]
    values = {name: str(one["default"]) for name, one in declared.items()} | inputs

    def replaced(text: str) -> str:
        text = text.replace("${{ github.action_path }}", str(where / "action"))
        return re.sub(r"\$\{\{ inputs\.([a-z-]+) \}\}", lambda match: values[match[1]], text)

    assert "${{" not in step["run"], "an expression in a script could be anybody's text"
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=where,
        env={
            **{"PATH": os.defpath, "HOME": os.devnull, "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"},
            **{name: replaced(value) for name, value in step["env"].items()},
            **environ,
        },
        capture_output=True,
        text=True,
        timeout=300,
    )


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


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository as a user's tools fetch it; a skip where nothing can be installed from an index."""
    asked = subprocess.run(
        [sys.executable, "-I", "-m", "pip", "download", "-q", "--no-deps", "-d", ".", "hatchling"],
        env={"PATH": os.defpath, "HOME": os.devnull, **PIP},
        cwd=tmp_path_factory.mktemp("asked"),
        capture_output=True,
        timeout=120,
    )
    if asked.returncode and b"No matching distribution" in asked.stderr:
        pytest.skip("no index of packages can be reached: what installs envcheck is not tried")
    made = tmp_path_factory.mktemp("repository")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, made / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif (ROOT / name).exists():
            shutil.copy2(ROOT / name, made / name)
    git(made, "init", "-q")
    git(made, "add", "-A")
    git(made, "commit", "-q", "-m", "envcheck")
    return made


def git(directory: Path, *arguments: str) -> str:
    found = shutil.which("git")
    if found is None:
        pytest.skip("git is not on PATH")
    identity = ("-c", "user.name=ana", "-c", "user.email=ana@index.example", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        [found, *identity, *arguments], cwd=directory, capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout.strip()


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


def test_a_new_user_adds_the_hook_breaks_the_environment_waives_it_and_changes_it_again(
    repository: Path, venv: Venv, tmp_path: Path
) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    git(mine, "init", "-q")
    environment = mine / ".venv"
    subprocess.run([venv.interpreter.path, "-I", "-m", "venv", "--without-pip", str(environment)], check=True)
    site = next(environment.glob("lib/python3*/site-packages"))
    (mine / ".gitignore").write_text(".venv\n")
    revision = git(repository, "rev-parse", "HEAD")
    (mine / ".pre-commit-config.yaml").write_text(
        f"repos:\n  - repo: {repository}\n    rev: {revision}\n    hooks:\n      - id: envcheck-scan\n"
        "        args: [--no-lock]\n"
    )
    git(mine, "add", "-A")

    def commit() -> tuple[int, str]:
        return run_hooks(mine, tmp_path)

    code, told = commit()
    assert code == 0, told
    (site / "x.pth").write_text("import helper\n")
    (site / "helper.py").write_text("")
    code, told = commit()
    assert code == 1
    assert "Code that no installed package accounts for runs at every start of Python" in told
    found = scan("--no-lock", environment, cwd=mine)
    (mine / "envcheck.toml").write_text(
        "".join(
            f'[[waivers]]\nrule = "{f["rule"]}"\npath = "{f["place"]}"\nsha256 = "{f["content"]}"\n'
            'reason = "ours"\nexpires = 2999-12-31\n'
            for f in found.at_least("high")
        )
    )
    git(mine, "add", "-A")
    code, told = commit()
    assert code == 0, told
    (site / "helper.py").write_text("import os\n")
    code, told = commit()
    assert code == 1, told


def test_a_new_user_adds_the_hook_for_anchors_and_forgets_them_once(
    repository: Path, tmp_path: Path, colours: Wheel, shapes: Wheel
) -> None:
    """A lock that goes on without its anchors is not committed."""
    mine = make_project(tmp_path / "mine", [colours]).path
    git(mine, "init", "-q")
    (mine / ".gitignore").write_text("wheelhouse\n")
    (mine / ".pre-commit-config.yaml").write_text(
        f"repos:\n  - repo: {repository}\n    rev: {git(repository, 'rev-parse', 'HEAD')}\n"
        "    hooks:\n      - id: envcheck-anchor\n"
    )

    def commit() -> tuple[int, str]:
        git(mine, "add", "-A")
        return run_hooks(mine, tmp_path)

    code, told = commit()
    assert code == 1 and "there is no anchors file" in told, told
    made = Project(mine).anchor()
    assert made.code == 0, made.stderr
    code, told = commit()
    assert code == 0 and "Passed" in told, told
    lock = Project(mine).lock
    lock.write_text(lock.read_text() + shapes.requirement + "\n")
    code, told = commit()
    assert code == 1 and "no wheel at hand of 1 package: shapes" in told, told
    shutil.copy2(shapes.path, Project(mine).wheelhouse)
    assert Project(mine).anchor().code == 0
    code, told = commit()
    assert code == 0, told


def run_hooks(project: Path, home: Path) -> tuple[int, str]:
    """What pre-commit says of all that is tracked."""
    done = subprocess.run(
        [need_reader("pre-commit"), "run", "--all-files"],
        cwd=project,
        env={
            **{"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"},
            **{"PRE_COMMIT_HOME": str(home / "hooks"), **PIP},
        },
        capture_output=True,
        text=True,
        timeout=600,
    )
    return done.returncode, done.stdout + done.stderr
