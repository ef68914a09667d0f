"""A new user adds envcheck to a fresh uv project: it passes, they break it, read why, waive it, and change it again."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from support.pythons import Interpreter
from support.readers import need_reader
from support.scanning import environ
from support.servers import Server
from support.wheels import Wheel
from support.workflows import PIP, RECIPES, Done, git, run_step, steps


class Project(NamedTuple):
    """A project of uv's with its lock, environment, anchors and hooks; and envcheck as the action installs it."""

    path: Path
    temporary: Path
    """The runner's, with envcheck in it."""

    @property
    def site(self) -> Path:
        return next((self.path / ".venv").glob("lib/python3*/site-packages"))

    @property
    def tool(self) -> str:
        return str(self.temporary / "envcheck-tool" / "bin" / "envcheck")

    def hook(self, name: str) -> Done:
        """One hook, as pre-commit runs it."""
        return subprocess.run(
            [need_reader("pre-commit"), "run", name, "--all-files", "--hook-stage", "manual"],
            cwd=self.path,
            env={
                **{"PATH": os.environ["PATH"], "HOME": str(self.temporary), "LANG": "C.UTF-8"},
                **{"PRE_COMMIT_HOME": str(self.temporary / "hooks"), **PIP},
            },
            capture_output=True,
            text=True,
            timeout=600,
        )

    def action(self, command: str = "verify") -> Done:
        """The action's step that looks, as the runner starts it."""
        inputs = {"command": command, "sarif": "envcheck.sarif"}
        return run_step(steps()[1], self.path, inputs, RUNNER_TEMP=str(self.temporary), GITHUB_ACTIONS="true")

    def waivers(self) -> str:
        """Those that the report of ``verify`` gives to paste, with a reason and a day."""
        subprocess.run(
            [self.tool, "verify", "-o", "report.json"], cwd=self.path, env=environ(), capture_output=True, timeout=60
        )
        document = json.loads((self.path / "report.json").read_text())
        found = [one for environment in document["environments"] for one in environment["findings"]]
        text = "\n".join(one["waiver"] for one in found if one["severity"] != "info")
        return text.replace('reason = ""', 'reason = "ours"').replace('expires = ""', 'expires = "2999-12-31"')


@pytest.fixture(scope="module")
def made(
    repository: Path, uv: str, colours: Wheel, interpreter: Interpreter, tmp_path_factory: pytest.TempPathFactory
) -> Project:
    """The project as a new user leaves it after reading the page on CI."""
    top = tmp_path_factory.mktemp("user")
    path, temporary = top / "shop", top / "runner"
    temporary.mkdir()
    project = Project(path, temporary)

    def run_uv(*arguments: str | Path) -> None:
        subprocess.run(
            [uv, *map(str, arguments), "--quiet"],
            cwd=path if path.exists() else top,
            env={"PATH": os.defpath, "HOME": str(top), "UV_CACHE_DIR": str(top / "cache")},
            check=True,
            timeout=120,
        )

    run_uv("init", "--bare", "--no-workspace", "--python", interpreter.path, path)
    with Server() as server:
        server.serve([colours])
        run_uv("add", "--python", interpreter.path, "--default-index", server.index, "colours")
    (path / ".gitignore").write_text(".venv\n")
    git(path, "init", "-q")
    (top / "action").symlink_to(repository)
    inputs = {"python": sys.executable}
    installed = run_step(steps()[0], top, inputs, RUNNER_TEMP=str(temporary), **PIP)
    assert installed.returncode == 0, installed.stdout + installed.stderr
    write = [project.tool, "anchor", "--wheels", str(colours.path.parent)]
    wrote = subprocess.run(write, cwd=path, env=environ(), capture_output=True, text=True)
    assert wrote.returncode == 0, wrote.stdout + wrote.stderr
    recipe = yaml.safe_load((RECIPES / "pre-commit.yml").read_text())
    (used,) = recipe["repos"]
    used["repo"], used["rev"] = str(repository), git(repository, "rev-parse", "HEAD")
    for hook in used["hooks"]:
        hook["stages"] = ["manual"]  # all of them, whenever the test asks
    (path / ".pre-commit-config.yaml").write_text(yaml.safe_dump(recipe))
    git(path, "add", "-A")
    return project


def test_it_passes_breaks_is_waived_and_breaks_again_when_a_module_changes(made: Project) -> None:
    for name in ("envcheck-scan", "envcheck-anchor", "envcheck-verify"):
        done = made.hook(name)
        assert done.returncode == 0, done.stdout + done.stderr
    done = made.action()
    assert done.returncode == 0, done.stdout + done.stderr

    (made.site / "x.pth").write_text("import helper\n")
    (made.site / "helper.py").write_text("")
    for name in ("envcheck-scan", "envcheck-verify"):
        done = made.hook(name)
        assert done.returncode == 1
        assert "Code that no installed package accounts for runs at every start of Python" in done.stdout
        assert "x.pth" in done.stdout
    done = made.action()
    assert done.returncode == 1
    assert "::error title=high%3A startup-code-unowned,file=.venv/lib/" in done.stdout
    assert json.loads((made.path / "envcheck.sarif").read_text())["runs"][0]["results"]

    (made.path / "envcheck.toml").write_text(made.waivers())
    git(made.path, "add", "-A")
    for done in (made.hook("envcheck-scan"), made.hook("envcheck-verify"), made.action()):
        assert done.returncode == 0, done.stdout + done.stderr
    assert "waived" in made.action().stdout

    for changed, text in (("helper.py", "import os\n"), ("x.pth", "import helper  # again\n")):
        before = (made.site / changed).read_text()
        (made.site / changed).write_text(text)
        for done in (made.hook("envcheck-scan"), made.hook("envcheck-verify"), made.action()):
            assert done.returncode == 1, done.stdout + done.stderr
        (made.site / changed).write_text(before)
        assert made.action().returncode == 0


def test_the_anchors_hook_fails_where_the_lock_has_moved_on(made: Project) -> None:
    lock = made.path / "uv.lock"
    before = lock.read_text()
    lock.write_text(re.sub(r"sha256:[0-9a-f]{64}", "sha256:" + "0" * 64, before))
    git(made.path, "add", "-A")
    done = made.hook("envcheck-anchor")
    lock.write_text(before)
    git(made.path, "add", "-A")
    assert done.returncode == 1, done.stdout
    assert "colours" in done.stdout
