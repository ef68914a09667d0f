"""What is selected from a ``poetry.lock``, beside what ``poetry install --dry-run`` says for the same choice."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import chain, combinations
from typing import NamedTuple

import pytest

from envcheck.files.root import Files
from envcheck.locks.markers import for_python
from envcheck.locks.read import read_lock
from envcheck.locks.select import chosen, default_members, index, select
from locks.indexes import Index
from locks.lockers import POETRY, Place, filled, make_place, need
from locks.projects import python
from support.pythons import Interpreter

SOURCE = """
[tool.poetry]
package-mode = false
[[tool.poetry.source]]
name = "local"
url = "{index}/"
priority = "primary"
"""

OWN_TABLES = (
    """
[tool.poetry.dependencies]
python = "^3.9"
alpha = "*"
sigma = [{{version = "<2", python = "<3.10"}}, {{version = ">=2", python = ">=3.10"}}]
theta = {{version = "*", optional = true}}
gamma = {{version = "*", extras = ["slow"], optional = true, markers = "sys_platform != 'win32'"}}
tau = {{version = "*", optional = true, platform = "win32"}}
[tool.poetry.extras]
deep = ["theta"]
slow = ["gamma", "theta"]
win = ["tau"]
[tool.poetry.dev-dependencies]
iota = {{version = "*", extras = ["deep"]}}
[tool.poetry.group.docs]
optional = true
[tool.poetry.group.docs.dependencies]
eta = {{version = "*", markers = "python_full_version >= '3.9.0'"}}
mu = {{version = "*", markers = "os_name == 'nt'"}}
[tool.poetry.group.lint.dependencies]
xi = "^1.0"
"""
    + SOURCE
)

GROUPS = (
    """
[project]
name = "shop"
version = "0.1.0"
requires-python = ">=3.9"
dependencies = ["gamma[fast]; implementation_name == 'cpython'", "delta; implementation_name != 'cpython'"]
[project.optional-dependencies]
deep = ["theta", "kappa; python_version < '3.10'"]
[dependency-groups]
dev = ["iota", {{include-group = "lint"}}]
lint = ["xi; sys_platform == 'linux'", "mu; sys_platform != 'linux'"]
docs = ["gamma[slow]", {{include-group = "lint"}}]
"""
    + SOURCE
)

FORKS = (
    """
[project]
name = "shop"
version = "0.1.0"
requires-python = ">=3.9"
dependencies = [
    "beta==1.0; sys_platform == 'win32'",
    "beta==2.0; sys_platform != 'win32'",
    "sigma==1.0; sys_platform == 'win32'",
    "sigma==2.0; sys_platform != 'win32' and platform_machine != 'riscv64'",
]
[project.optional-dependencies]
one = ["theta", "omega; platform_machine == 'x86_64' or platform_machine == 'aarch64'"]
two = ["iota[deep]", "eta; sys_platform == 'win32'"]
[tool.poetry.group.dev.dependencies]
alpha = {{version = "*", markers = "python_version >= '3.9'"}}
"""
    + SOURCE
)


class Asked(NamedTuple):
    """A project and what there is to choose from."""

    text: str
    extras: tuple[str, ...]
    optional: tuple[str, ...] = ()
    usual: tuple[str, ...] = ("dev",)


PROJECTS = {
    "sources": Asked(POETRY, ("deep", "win"), ("docs",)),
    "own tables": Asked(OWN_TABLES, ("deep", "slow", "win"), ("docs",), ("dev", "lint")),
    "groups": Asked(GROUPS, ("deep",), (), ("dev", "docs", "lint")),
    "forks": Asked(FORKS, ("one", "two")),
}


def subsets(names: Sequence[str]) -> list[tuple[str, ...]]:
    return list(chain.from_iterable(combinations(names, size) for size in range(len(names) + 1)))


Choice = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]
"""Extras; groups beside the usual ones; usual groups that are left out."""


def choices(asked: Asked) -> list[Choice]:
    return [
        (extras, more, less)
        for extras in subsets(asked.extras)
        for more in subsets(asked.optional)
        for less in subsets(asked.usual)
    ]


class Project:
    """One of the projects, locked, with an environment that has none of it."""

    def __init__(self, place: Place, text: str) -> None:
        self.place = place
        written = filled(place, text).replace(f'"{place.repository}"', f'"file://{place.repository}"')
        (place.directory / "pyproject.toml").write_text(written)
        place.tool("poetry", "lock", "--no-interaction")
        self.lock = read_lock(Files(), str(place.directory / "poetry.lock"))

    def ours(self, choice: Choice, asked: Asked) -> set[tuple[str, str | None]]:
        extras, more, less = choice
        groups = [*more, *(group for group in asked.usual if group not in less)]
        packages = index(self.lock)
        made = chosen(self.lock, default_members(self.lock, packages), extras, groups, no_default_groups=True)
        markers = for_python(python(self.place.interpreter))
        assert markers is not None
        return {(p.name, p.version) for p in select(self.lock, markers, made, packages).packages}

    def theirs(self, choice: Choice) -> set[tuple[str, str | None]]:
        extras, more, less = choice
        options = [word for extra in extras for word in ("--extras", extra)]
        options += [word for group in more for word in ("--with", group)]
        options += [word for group in less for word in ("--without", group)]
        output = self.place.tool("poetry", "install", "--dry-run", "--no-ansi", "--no-root", *options)
        found: set[tuple[str, str | None]] = set()
        for line in output.splitlines():
            if line.startswith("  - Installing ") and "Not required" not in line:
                name, version = line.split()[2:4]
                found.add((name, version.strip("():")))
        return found


@pytest.fixture(scope="module", params=list(PROJECTS))
def project(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    package_index: Index,
    interpreter: Interpreter,
) -> tuple[Project, Asked]:
    need("poetry")
    place = make_place(tmp_path_factory.mktemp("poetry"), package_index, interpreter)
    asked = PROJECTS[request.param]
    return Project(place, asked.text), asked


def differences(project: Project, asked: Asked, wanted: Sequence[Choice]) -> list[object]:
    pairs = ((choice, project.ours(choice, asked), project.theirs(choice)) for choice in wanted)
    return [(choice, ours ^ theirs) for choice, ours, theirs in pairs if ours != theirs or not theirs]


def test_nothing_everything_and_something_between(project: tuple[Project, Asked]) -> None:
    locked, asked = project
    every = choices(asked)
    assert differences(locked, asked, [every[0], every[len(every) * 2 // 3], every[-1]]) == []


@pytest.mark.skipif("ENVCHECK_SELECTIONS" not in os.environ, reason="the whole number: make selections")
def test_every_combination(project: tuple[Project, Asked]) -> None:
    assert differences(*project, choices(project[1])) == []


def test_there_are_some_dozens() -> None:
    assert sum(len(choices(asked)) for asked in PROJECTS.values()) >= 60
