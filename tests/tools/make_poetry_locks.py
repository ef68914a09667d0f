"""Makes the fixtures of locks that Poetry 1 wrote, and of what it would install from them.

    python tests/tools/make_poetry_locks.py fixtures/locks POETRY…

Each POETRY is the command of one release, in an environment of its own (``pip install poetry==1.8.5``). The packages
are those of the tests' small universe; the index's address is replaced by ``index.example``. What is kept beside a
lock is what ``poetry install --dry-run`` says, for each interpreter and choice.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from locks.conftest import UNIVERSE, make_wheel
from locks.indexes import Index
from support.pythons import interpreters
from support.venvs import make_venv, quiet_environ

PROJECT = """[tool.poetry]
name = "shop"
version = "0.1.0"
description = "Sells things"
authors = ["Ana <ana@index.example>"]

[tool.poetry.dependencies]
python = "^3.8"
alpha = "*"
sigma = [{{version = "<2", python = "<3.10"}}, {{version = ">=2", python = ">=3.10"}}]
theta = {{version = "^1.0", optional = true}}
tau = {{version = "*", optional = true, markers = "sys_platform == 'win32'"}}
eta = {{version = "*", optional = true}}

[tool.poetry.extras]
deep = ["theta", "eta"]
win = ["tau"]

[tool.poetry.dev-dependencies]
iota = {{version = "*", extras = ["deep"]}}
{groups}
[[tool.poetry.source]]
name = "local"
url = "{index}/"
{primary}
"""
GROUPS = """
[tool.poetry.group.docs]
optional = true

[tool.poetry.group.docs.dependencies]
gamma = {version = "*", extras = ["slow"]}
xi = "*"
"""
CHOICES: tuple[tuple[tuple[str, ...], tuple[str, ...], bool], ...] = (
    ((), (), True),
    ((), (), False),
    (("deep",), (), True),
    (("deep",), (), False),
    (("win",), (), True),
    (("deep", "win"), ("docs",), False),
    ((), ("docs",), True),
)
"""Extras, groups beside the usual ones, and whether those for development are taken."""
_LINE = re.compile(r"^  [-•] (?:Installing|Updating) (\S+) \(([^)]+)\)(.*)$", re.MULTILINE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("poetry", type=Path, nargs="+")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        wheels = [make_wheel(Path(scratch), *key, requires) for key, requires in UNIVERSE.items()]
        with Index(wheels) as index:
            for poetry in given.poetry:
                make(given.output, poetry.absolute(), index, Path(scratch))


def make(output: Path, poetry: Path, index: Index, scratch: Path) -> None:
    """One release's project, lock and answers."""
    home = scratch / poetry.parent.parent.name
    project = home / "project"
    project.mkdir(parents=True)
    release = re.search(r"\d+\.\d+\.\d+", call(poetry, home, None, "--version"))
    assert release is not None
    modern = not release[0].startswith(("1.0", "1.1"))
    text = PROJECT.format(
        index=index.url, groups=GROUPS if modern else "", primary='priority = "primary"' if modern else "default = true"
    )
    (project / "pyproject.toml").write_text(text)
    call(poetry, home, None, "lock", "--no-interaction")
    answers = []
    for interpreter in interpreters():
        if not (3, 8) <= interpreter.minor < (3, 13):
            continue
        if not modern and (poetry.parent / "python").resolve().name != interpreter.name:
            # It judged every environment by the Python that it runs on itself.
            continue
        venv = make_venv(home / interpreter.text, interpreter).path
        for extras, groups, development in CHOICES:
            if groups and not modern:
                continue
            options = [word for extra in extras for word in ("--extras", extra)]
            options += [word for group in groups for word in ("--with", group)]
            options += [] if development else ["--without=dev"] if modern else ["--no-dev"]
            said = call(poetry, home, venv, "install", "--dry-run", "--no-root", "--no-ansi", *options)
            found = {(name, version) for name, version, rest in _LINE.findall(said) if "Skipped" not in rest}
            assert found, said
            answers.append(
                {
                    "python": interpreter.text,
                    "extras": extras,
                    "groups": groups,
                    "development": development,
                    "packages": sorted(found),
                }
            )
    place = output / f"poetry-{release[0]}"
    place.mkdir(parents=True, exist_ok=True)
    for name in ("pyproject.toml", "poetry.lock"):
        kept = (project / name).read_text().replace(index.url, "https://index.example/simple")
        (place / name).write_text(kept)
    rows = ",\n".join(f"  {json.dumps(answer)}" for answer in answers)
    # The content hash is of a project that names the index where it was.
    (place / "answers.json").write_text(f'{{\n "index": {json.dumps(index.url)},\n "answers": [\n{rows}\n ]\n}}\n')
    shutil.rmtree(home)


def call(poetry: Path, home: Path, venv: Path | None, *arguments: str) -> str:
    """Run Poetry in the project; what it says."""
    settings = {
        "HOME": str(home),
        "POETRY_KEYRING_ENABLED": "false",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
    }
    if venv is not None:
        settings |= {"VIRTUAL_ENV": str(venv), "PATH": f"{venv}/bin:{os.defpath}"}
    project = home / "project" if (home / "project").exists() else home
    done = subprocess.run(
        [str(poetry), *arguments],
        cwd=project,
        env=quiet_environ(**settings),
        capture_output=True,
        text=True,
        timeout=300,
    )
    if done.returncode:
        raise SystemExit(f"{poetry} {' '.join(arguments)}\n{done.stdout}\n{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
