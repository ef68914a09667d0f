"""Poetry, PDM, Pipenv, pip and pip-tools: an own install of an own lock has no drift; each kind of drift is found."""

from __future__ import annotations

import itertools
import json
import shlex
import shutil
from pathlib import Path

import pytest

from envcheck.checks.repair import recreate, repair
from envcheck.files.root import Files
from envcheck.locks.markers import for_python
from envcheck.locks.read import read_lock
from envcheck.locks.select import chosen, default_members, index, select
from envcheck.model.lock import Comparison
from locks.indexes import Index
from locks.lockers import LOCKERS, Place, commit, git, make_place, need, source_tree
from locks.projects import python
from locks.test_drift_of_real_installs import compared
from support.pythons import Interpreter
from support.venvs import Venv, pip_install, run, uv_install
from support.wheels import build_wheel


class Locked:
    """A project that a tool locked and installed."""

    def __init__(self, place: Place, lock: Path) -> None:
        self.place = place
        self.lock = lock

    def copy(self, directory: Path) -> Venv:
        """The environment once more, to be attacked."""
        shutil.copytree(self.place.venv.path, directory / "env", symlinks=True)
        return Venv(directory / "env", self.place.interpreter)

    def compared(self, venv: Venv, **options: object) -> Comparison:
        return compared(self.lock, venv, **options)


@pytest.fixture(scope="module", params=list(LOCKERS))
def locked(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    package_index: Index,
    interpreter: Interpreter,
) -> Locked:
    name = request.param
    need({"pip lock": "pip", "pip-tools": "pip-compile"}.get(name, name))
    place = make_place(tmp_path_factory.mktemp(name.replace(" ", "-")), package_index, interpreter)
    return Locked(place, LOCKERS[name](place))


def states(comparison: Comparison) -> dict[str, str]:
    """Every distribution's that is neither a match nor what the environment was made with."""
    left_out = ("pip", "setuptools", "wheel")
    return {d.name: d.state for d in comparison.drifts if d.state != "match" and d.name not in left_out}


def test_its_own_install_has_no_drift(locked: Locked) -> None:
    found = locked.compared(locked.place.venv)
    assert states(found) == {}
    assert len(found.drifts) >= 9
    assert {problem.rule for problem in found.problems} <= {"lock-unhashed", "lock-sdist", "built-locally"}


def test_each_kind_of_drift_is_found(locked: Locked, tmp_path: Path) -> None:
    venv = locked.copy(tmp_path)
    uv_install(venv, [build_wheel(tmp_path, "alpha", "1.1", {"alpha.py": ""})], "--upgrade")
    uv_install(venv, [build_wheel(tmp_path, "gamna", "1.5", {"gamna.py": ""})])
    shutil.rmtree(venv.dist_info("epsilon"))
    other = build_wheel(tmp_path / "evil", "delta", "0.1", {"delta.py": "EVIL = 1\n"})
    pip_install(venv, [str(other.path)], "--force-reinstall")
    uv_install(venv, ["-e", str(source_tree(tmp_path / "elsewhere", "sigma"))], "--upgrade")
    uv_install(venv, [build_wheel(tmp_path / "evil", "xi", "1.0", {"xi.py": "EVIL = 1\n"})], "--reinstall")
    found = locked.compared(venv)
    assert states(found) == {
        "alpha": "version",
        "gamna": "extra",
        "epsilon": "missing",
        "delta": "source",
        "sigma": found_sigma(found),
        "xi": "source",
    }
    assert [drift.near for drift in found.drifts if drift.name == "gamna"] == ["gamma"]


def found_sigma(found: Comparison) -> str:
    """An editable of another version differs in both: either is told."""
    (state,) = (drift.state for drift in found.drifts if drift.name == "sigma")
    assert state in ("version", "source")
    return state


def test_another_commit_of_the_same_repository(locked: Locked, tmp_path: Path) -> None:
    packages = {package.name: package for package in read_lock(Files(), str(locked.lock)).packages}
    if "gitty" not in packages:
        pytest.skip("this tool's lock has no repository")
    venv = locked.copy(tmp_path)
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(locked.place.repository), str(clone))
    other = commit(clone, "another")
    uv_install(venv, [f"gitty @ git+file://{clone}@{other}"], "--reinstall")
    found = locked.compared(venv)
    assert states(found) == {"gitty": "source"}
    (drift,) = (drift for drift in found.drifts if drift.name == "gitty")
    assert packages["gitty"].commit is not None
    assert packages["gitty"].commit[:12] in (drift.detail or "")


def test_a_url_whose_recorded_hash_differs(locked: Locked, tmp_path: Path) -> None:
    venv = locked.copy(tmp_path)
    direct = venv.dist_info("xi") / "direct_url.json"
    if not direct.exists():
        pytest.skip("this installer left no record of a URL")
    data = json.loads(direct.read_text())
    archive = data.get("archive_info") or {}
    entry = next(p for p in read_lock(Files(), str(locked.lock)).packages if p.name == "xi")
    if not any(artifact.hashes for artifact in entry.artifacts):
        pytest.skip("this tool locks no hash of a URL")
    archive["hashes"] = {"sha256": "f" * 64}
    archive.pop("hash", None)
    data["archive_info"] = archive
    direct.write_text(json.dumps(data))
    assert states(locked.compared(venv)) == {"xi": "source"}


def run_as_printed(place: Place, command: str) -> None:
    """A command of the advice, by the tool that it names."""
    words = shlex.split(command)
    if words[0] == "python3":
        run([place.interpreter.path, *words[1:]])
    elif words[0] == "pip":
        python = () if "--python" in words else ("--python", str(place.venv.python))
        place.tool("python", "-I", "-m", "pip", *python, *words[1:])
    else:
        place.tool(*words)


def test_the_command_that_repairs_does(locked: Locked, tmp_path: Path) -> None:
    place = locked.place
    uv_install(place.venv, [build_wheel(tmp_path, "alpha", "1.1", {"alpha.py": ""})], "--upgrade")
    shutil.rmtree(place.venv.dist_info("epsilon"))
    found = locked.compared(place.venv)
    assert states(found) == {"alpha": "version", "epsilon": "missing"}
    run_as_printed(place, repair(found.lock))
    assert states(locked.compared(place.venv)) == {}


def test_the_commands_that_make_it_anew_do(locked: Locked) -> None:
    place = locked.place
    found = locked.compared(place.venv)
    commands = recreate(found.lock, str(place.venv.path))
    assert any("cache" in command or "--clear" in command for command in commands)
    shutil.rmtree(place.venv.path)
    for command in commands:
        run_as_printed(place, command)
    assert states(locked.compared(place.venv)) == {}
    assert len(locked.compared(place.venv).drifts) >= 9


def test_a_lock_is_stale_once_the_project_asks_for_something_else(locked: Locked, tmp_path: Path) -> None:
    source = locked.lock.parent / ("Pipfile" if locked.lock.name == "Pipfile.lock" else "pyproject.toml")
    if not source.exists():
        pytest.skip("this format does not tell")
    copy = tmp_path / locked.lock.name
    shutil.copy(locked.lock, copy)
    text = source.read_text()
    (tmp_path / source.name).write_text(text)
    assert [p for p in read_lock(Files(), str(copy)).problems if p.rule == "lock-stale"] == []
    (tmp_path / source.name).write_text(text.replace("alpha", "alpha-two", 1))
    (problem,) = (p for p in read_lock(Files(), str(copy)).problems if p.rule == "lock-stale")
    assert problem.message == f"{copy.name} is older than {source.name}: what that asks for has changed since"


POETRY_CHOICES: list[tuple[str, ...]] = [
    (),
    ("--extra", "deep"),
    ("--extra", "deep", "--extra", "win"),
    ("--group", "docs"),
    ("--no-default-groups",),
    ("--group", "docs", "--extra", "deep", "--no-default-groups"),
]


@pytest.mark.parametrize("locked", ["poetry"], indirect=True)
@pytest.mark.parametrize("choice", POETRY_CHOICES, ids=lambda choice: " ".join(choice) or "nothing")
def test_selection_equals_poetry_install_dry_run(locked: Locked, choice: tuple[str, ...]) -> None:
    pairs = list(itertools.pairwise(choice))
    extras = [value for option, value in pairs if option == "--extra"]
    groups = [value for option, value in pairs if option == "--group"]
    lock = read_lock(Files(), str(locked.lock))
    packages = index(lock)
    made = chosen(
        lock, default_members(lock, packages), extras, groups, no_default_groups="--no-default-groups" in choice
    )
    markers = for_python(python(locked.place.interpreter))
    assert markers is not None
    ours = {(p.name, p.version) for p in select(lock, markers, made, packages).packages}
    options = [word for extra in extras for word in ("--extras", extra)]
    options += [word for group in groups for word in ("--with", group)]
    options += ["--without", "dev"] if "--no-default-groups" in choice else []
    output = locked.place.tool("poetry", "install", "--dry-run", "--no-ansi", "--no-root", *options)
    theirs = set()
    for line in output.splitlines():
        words = line.strip().split()
        if (
            line.startswith("  - ")
            and words[1] in ("Installing", "Updating", "Downgrading")
            and "Not required" not in line
        ):
            theirs.add((words[2], words[3].strip("():")))
    assert ours == theirs
