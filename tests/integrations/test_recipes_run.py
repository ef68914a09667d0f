"""Recipes for tox, nox, GitLab and the last layer of an image, run as they stand: they pass, and fail when attacked."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from support.locks import hashed_requirements
from support.pythons import Interpreter
from support.readers import need_reader
from support.wheels import Wheel, build_wheel
from support.workflows import PIP, RECIPES, Done, git, layers, run_script

ATTACKED = "Code that no installed package accounts for runs at every start of Python"


@pytest.fixture(scope="module")
def runner(wheels: Path) -> Wheel:
    """A package in pytest's place, which the recipes start: it finds nothing to test."""
    return build_wheel(wheels, "pytest", "9.9", {"pytest/__init__.py": "", "pytest/__main__.py": "print('no tests')\n"})


@pytest.fixture
def project(tmp_path: Path, colours: Wheel, runner: Wheel) -> Path:
    """A fresh project with hashed requirements."""
    path = tmp_path / "shop"
    path.mkdir()
    hashed_requirements(path / "requirements.txt", colours, runner)
    (path / ".git").mkdir()
    return path


@pytest.fixture
def programs(tmp_path: Path, interpreter: Interpreter) -> Path:
    """A directory for PATH: envcheck from an environment of its own, and a Python."""
    path = tmp_path / "programs"
    path.mkdir()
    (path / "envcheck").symlink_to(Path(sys.executable).parent / "envcheck")
    for name in ("python", "python3"):
        (path / name).symlink_to(interpreter.path)
    return path


def offline(wheels: Path) -> dict[str, str]:
    """pip finds the test's wheels and asks nobody."""
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def plant(environment: Path) -> None:
    (next(environment.glob("lib/python3*/site-packages")) / "x.pth").write_text("import sys\n")


def play(command: list[str], where: Path, programs: Path, **environ: str) -> Done:
    return subprocess.run(
        command,
        cwd=where,
        env={"PATH": f"{programs}:{os.defpath}", "HOME": str(where), "LANG": "C.UTF-8", **environ},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_tox(project: Path, programs: Path, wheels: Path) -> None:
    shutil.copy2(RECIPES / "tox.ini", project / "tox.ini")
    tox = [need_reader("tox"), "run", "--skip-pkg-install"]
    done = play(tox, project, programs, **offline(wheels))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no tests" in done.stdout
    plant(project / ".tox" / "py")
    done = play([*tox, "-e", "environment"], project, programs, **offline(wheels))
    assert done.returncode == 1
    assert ATTACKED in done.stdout


def test_nox(project: Path, programs: Path, wheels: Path) -> None:
    shutil.copy2(RECIPES / "noxfile.py", project / "noxfile.py")
    done = play([need_reader("nox")], project, programs, **offline(wheels))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no tests" in done.stdout
    plant(project / ".nox" / "tests")
    done = play([need_reader("nox"), "-R"], project, programs, **offline(wheels))
    assert done.returncode == 1
    assert ATTACKED in done.stdout


def test_the_last_layer_of_an_image(
    repository: Path, project: Path, programs: Path, wheels: Path, tmp_path: Path
) -> None:
    """No image is built: the commands of its layers run, each path of the image a path below the test's own."""
    tool = tmp_path / "opt"

    def moved(command: str) -> str:
        for inside, here in (("/opt/envcheck", tool), ("/src", repository), ("/app/", f"{project}/")):
            command = command.replace(inside, str(here))
        return command

    (install, bring, check) = layers((RECIPES / "Dockerfile").read_text())
    assert [install.stage, bring.stage, check.stage] == ["app", "tool", "checked"]
    path = f"{programs}:{os.defpath}"
    assert run_script(moved(install.command), project, path, **offline(wheels)).returncode == 0
    brought = run_script(moved(bring.command), tmp_path, path, **PIP)
    assert brought.returncode == 0, brought.stderr
    done = run_script(moved(check.command), project, path)
    assert done.returncode == 0, done.stdout + done.stderr
    plant(project / ".venv")
    done = run_script(moved(check.command), project, path)
    assert done.returncode == 1
    assert ATTACKED in done.stdout


def test_gitlab(repository: Path, project: Path, programs: Path, wheels: Path, tmp_path: Path) -> None:
    tool = tmp_path / "opt"
    job = yaml.safe_load((RECIPES / "gitlab.yml").read_text())["environment"]
    here = {"ENVCHECK": f"file://localhost{repository}", "ENVCHECK_COMMIT": git(repository, "rev-parse", "HEAD")}
    assert set(job["variables"]) == set(here)
    path = f"{programs}:{os.defpath}"

    def run(line: str) -> Done:
        pip = offline(wheels) if "requirements.txt" in line else PIP
        return run_script(line.replace("/opt/envcheck", str(tool)), project, path, **here, **pip)

    for line in job["script"]:
        done = run(line)
        assert done.returncode == 0, (line, done.stdout, done.stderr)
    for name in job["artifacts"]["paths"]:
        assert (project / name).stat().st_size > 1000
    plant(project / ".venv")
    done = run(job["script"][-1])
    assert done.returncode == 1
    assert ATTACKED in done.stdout
    assert ATTACKED in (project / "envcheck.html").read_text()
