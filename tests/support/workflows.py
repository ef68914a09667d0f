"""What runs a project's workflow, played here: the steps of an action, the layers of an image, a job's script."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

ROOT = Path(__file__).parent.parent.parent
RECIPES = ROOT / "docs" / "recipes"
SOURCES = ("src", "pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml", "CHANGELOG.md", "CONTRIBUTING.md")
# Where pip finds packages on this machine is this machine's matter.
PIP = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
Done = subprocess.CompletedProcess[str]


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


def git(directory: Path, *arguments: str) -> str:
    found = shutil.which("git")
    if found is None:
        pytest.skip("git is not on PATH")
    identity = ("-c", "user.name=ana", "-c", "user.email=ana@index.example", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        [found, *identity, *arguments], cwd=directory, capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout.strip()


def run_script(script: str, where: Path, path: str = os.defpath, **environ: str) -> Done:
    """A script, as a job's shell runs it."""
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=where,
        env={"PATH": path, "HOME": str(where), "LANG": "C.UTF-8", **environ},
        capture_output=True,
        text=True,
        timeout=300,
    )


class Layer(NamedTuple):
    """A command of an image's recipe, and the stage that it stands in."""

    stage: str
    command: str


def layers(dockerfile: str) -> list[Layer]:
    """The RUN commands, without what is mounted for them."""
    found, stage = [], ""
    for line in re.sub(r"\\\n\s*", " ", dockerfile).splitlines():
        word, _, rest = line.partition(" ")
        if word == "FROM":
            stage = rest.rpartition(" ")[2]
        elif word == "RUN":
            found.append(Layer(stage, re.sub(r"^(?:--mount=\S+ )+", "", rest)))
    return found
