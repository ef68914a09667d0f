"""What `select` chooses is what ``uv sync --dry-run --frozen`` would install: names and versions, no difference."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest

from envcheck.files.root import Files
from envcheck.locks.markers import for_python
from envcheck.locks.read import read_lock
from envcheck.locks.select import chosen, default_members, index, select
from envcheck.model.errors import LockError
from envcheck.model.lock import Lock
from locks.indexes import Index
from locks.projects import CONFLICTS, FORKS, MACHINES, MEMBERS, WORKSPACE, dry_run, make, python
from support.pythons import Interpreter, interpreters

MINORS = [(3, 8), (3, 9), (3, 10), (3, 11), (3, 12), (3, 13)]

Options = tuple[str, ...]


def ours(lock: Lock, interpreter: Interpreter, platform: str, options: Options) -> set[tuple[str, str]]:
    """Names and versions that we select for uv's options."""
    packages = index(lock)
    pairs = list(itertools.pairwise(options))
    members = lock.roots if "--all-packages" in options else default_members(lock, packages)
    choice = chosen(
        lock,
        members,
        [value for option, value in pairs if option == "--extra"],
        [value for option, value in pairs if option == "--group"],
        "--all-extras" in options,
        "--all-groups" in options,
        "--no-default-groups" in options,
    )
    markers = for_python(python(interpreter, platform))
    assert markers is not None
    selected = select(lock, markers, choice, packages).packages
    return {(p.name, p.version or "" if p.source_kind == "registry" else "@") for p in selected}


def interpreter_of(minor: tuple[int, int]) -> Interpreter:
    for found in interpreters():
        if found.minor == minor:
            return found
    pytest.skip(f"CPython {minor[0]}.{minor[1]} is neither under pyenv nor on PATH")


class Project:
    """A locked project and its directory."""

    def __init__(self, path: Path, index: Index) -> None:
        self.directory = path.parent
        self.index = index
        self.lock = read_lock(Files(), str(path))

    def agree(self, interpreter: Interpreter, platform: str, options: Options) -> None:
        expected = dry_run(self.directory, self.index, interpreter, platform, options)
        assert ours(self.lock, interpreter, platform, options) == expected, (interpreter.text, platform, options)


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory, package_index: Index) -> Project:
    return Project(make(tmp_path_factory.mktemp("forks"), FORKS, package_index), package_index)


@pytest.fixture(scope="module")
def conflicts(tmp_path_factory: pytest.TempPathFactory, package_index: Index) -> Project:
    return Project(make(tmp_path_factory.mktemp("conflicts"), CONFLICTS, package_index), package_index)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, package_index: Index) -> Project:
    return Project(make(tmp_path_factory.mktemp("workspace"), WORKSPACE, package_index, MEMBERS), package_index)


@pytest.mark.parametrize("platform", MACHINES)
@pytest.mark.parametrize("minor", MINORS, ids="{0[0]}.{0[1]}".format)
def test_forks_extras_groups_and_platforms(forks: Project, minor: tuple[int, int], platform: str) -> None:
    interpreter = interpreter_of(minor)
    extras = [(), ("--extra", "deep"), ("--all-extras",)]
    groups = [(), ("--group", "docs"), ("--no-default-groups",), ("--all-groups",)]
    for extra, group in itertools.product(extras, groups):
        forks.agree(interpreter, platform, (*extra, *group))


@pytest.mark.parametrize("platform", ["linux", "windows"])
@pytest.mark.parametrize("minor", [(3, 9), (3, 12)], ids="{0[0]}.{0[1]}".format)
@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--extra", "old"),
        ("--extra", "new"),
        ("--group", "one"),
        ("--group", "two"),
        ("--extra", "old", "--group", "one"),
        ("--extra", "new", "--group", "two", "--no-default-groups"),
    ],
    ids=" ".join,
)
def test_conflicting_extras_and_groups(
    conflicts: Project, minor: tuple[int, int], platform: str, options: Options
) -> None:
    conflicts.agree(interpreter_of(minor), platform, options)


@pytest.mark.parametrize("platform", ["linux", "windows"])
@pytest.mark.parametrize(
    "options",
    [(), ("--all-packages",), ("--all-packages", "--all-extras"), ("--all-packages", "--no-default-groups")],
    ids=" ".join,
)
def test_a_workspace_and_all_its_members(workspace: Project, platform: str, options: Options) -> None:
    workspace.agree(interpreter_of((3, 12)), platform, options)


FORK_OPTIONS: list[Options] = [
    (*extra, *group)
    for extra in ((), ("--extra", "deep"), ("--all-extras",))
    for group in ((), ("--group", "docs"), ("--no-default-groups",), ("--all-groups",))
]
CONFLICT_OPTIONS: list[Options] = [
    (*extra, *group)
    for extra in ((), ("--extra", "old"), ("--extra", "new"))
    for group in ((), ("--group", "one"), ("--group", "two"), ("--no-default-groups",))
    if not {("old", "two"), ("new", "one")} & {(extra[1:2] + group[1:2])}
]
WORKSPACE_OPTIONS: list[Options] = [
    (),
    ("--all-packages",),
    ("--all-packages", "--all-extras"),
    ("--no-default-groups",),
]
COMBINATIONS: list[tuple[str, tuple[int, int], str, Options]] = [
    *itertools.product(("forks",), MINORS, MACHINES, FORK_OPTIONS),
    *itertools.product(("conflicts",), MINORS[1:], MACHINES, CONFLICT_OPTIONS),
    *itertools.product(("workspace",), MINORS[1:], MACHINES, WORKSPACE_OPTIONS),
]
SHARES = 8


@pytest.mark.skipif(not os.environ.get("ENVCHECK_SELECTIONS"), reason="the whole number: make selections")
@pytest.mark.parametrize("share", range(SHARES))
def test_every_combination(forks: Project, conflicts: Project, workspace: Project, share: int) -> None:
    assert len(COMBINATIONS) >= 300
    projects = {"forks": forks, "conflicts": conflicts, "workspace": workspace}
    for name, minor, platform, options in COMBINATIONS[share::SHARES]:
        projects[name].agree(interpreter_of(minor), platform, options)


def test_an_extra_that_the_lock_does_not_have_is_refused(forks: Project) -> None:
    with pytest.raises(LockError) as refusal:
        ours(forks.lock, interpreter_of((3, 12)), "linux", ("--extra", "depe"))
    assert refusal.value.message == "uv.lock: no extra named 'depe'"
    assert refusal.value.hint == "it has all, deep: --extra names one of them"
