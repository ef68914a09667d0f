"""Each tool's own install of its own lock has no drift; each kind of drift that is brought in is found."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from envcheck import scan
from envcheck.checks.repair import recreate, repair
from envcheck.files.root import Files
from envcheck.locks.read import read_lock
from envcheck.model.lock import Comparison
from envcheck.model.report import Options
from locks.indexes import Index
from locks.lockers import LOCKERS, Place, commit, git, make_place, need, source_tree
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
    assert {problem.rule for problem in found.problems} <= {
        "lock-unhashed",
        "lock-sdist",
        "built-locally",
        "lock-path-outside",
    }


class Attack(NamedTuple):
    """One kind of drift: what is done to a copy of the environment, and the states that must come of it."""

    name: str
    act: Callable[[Locked, Venv, Path], object]
    found: dict[str, str]
    needs: str = "alpha"
    """The package of the lock that it is about: some tools lock no repositories or directories."""
    rule: str | None = None
    """The finding of a whole scan, where it is not for the comparison to tell."""


def another_version(locked: Locked, venv: Venv, scratch: Path) -> None:
    uv_install(venv, [build_wheel(scratch, "alpha", "1.1", {"alpha.py": ""})], "--upgrade")


def an_extra(locked: Locked, venv: Venv, scratch: Path) -> None:
    uv_install(venv, [build_wheel(scratch, "gamna", "1.5", {"gamna.py": ""})])


def one_is_missing(locked: Locked, venv: Venv, scratch: Path) -> None:
    shutil.rmtree(venv.dist_info("epsilon"))


def a_file_the_lock_does_not_know(locked: Locked, venv: Venv, scratch: Path) -> None:
    pip_install(venv, [str(build_wheel(scratch, "delta", "0.1", {"delta.py": "EVIL = 1\n"}).path)], "--force-reinstall")


def a_directory_where_an_index_is_meant(locked: Locked, venv: Venv, scratch: Path) -> None:
    tree = source_tree(scratch / "elsewhere", "delta")
    for file in ("backend.py", "pyproject.toml"):
        (tree / file).write_text((tree / file).read_text().replace("0.3", "0.1"))
    uv_install(venv, ["-e", str(tree)], "--reinstall")


def an_index_where_a_repository_is_meant(locked: Locked, venv: Venv, scratch: Path) -> None:
    uv_install(venv, [build_wheel(scratch, "gitty", "0.3", {"gitty.py": ""})], "--reinstall")


def another_commit(locked: Locked, venv: Venv, scratch: Path) -> None:
    git(scratch, "clone", "-q", str(locked.place.repository), str(scratch / "clone"))
    other = commit(scratch / "clone", "another")
    uv_install(venv, [f"gitty @ git+file://{scratch / 'clone'}@{other}"], "--reinstall")


def an_editable_elsewhere(locked: Locked, venv: Venv, scratch: Path) -> None:
    uv_install(venv, ["-e", str(source_tree(scratch / "elsewhere", "treely"))], "--reinstall")


def an_index_where_a_directory_is_meant(locked: Locked, venv: Venv, scratch: Path) -> None:
    uv_install(venv, [build_wheel(scratch, "treely", "0.3", {"treely.py": ""})], "--reinstall")


def another_url(locked: Locked, venv: Venv, scratch: Path) -> None:
    pip_install(venv, [str(build_wheel(scratch, "xi", "1.0", {"xi.py": "EVIL = 1\n"}).path)], "--force-reinstall")


def an_index_where_a_url_is_meant(locked: Locked, venv: Venv, scratch: Path) -> None:
    uv_install(venv, [build_wheel(scratch, "xi", "1.0", {"xi.py": "EVIL = 1\n"})], "--reinstall")


def a_url_with_another_hash(locked: Locked, venv: Venv, scratch: Path) -> None:
    direct = venv.dist_info("xi") / "direct_url.json"
    if not direct.exists():
        pytest.skip("this installer left no record of a URL")
    entry = next(p for p in read_lock(Files(), str(locked.lock)).packages if p.name == "xi")
    if not any(artifact.hashes for artifact in entry.artifacts):
        pytest.skip("this tool locks no hash of a URL")
    data = json.loads(direct.read_text())
    data["archive_info"] = {"hashes": {"sha256": "f" * 64}}
    direct.write_text(json.dumps(data))


def metadata_twice(locked: Locked, venv: Venv, scratch: Path) -> None:
    second = venv.site / "alpha-1.1.dist-info"
    shutil.copytree(venv.dist_info("alpha"), second)
    (second / "METADATA").write_text("Metadata-Version: 2.1\nName: alpha\nVersion: 1.1\n")


def metadata_that_contradicts_its_directory(locked: Locked, venv: Venv, scratch: Path) -> None:
    venv.dist_info("alpha").rename(venv.site / "alpha-6.6.dist-info")


ATTACKS = (
    Attack("another version", another_version, {"alpha": "version"}),
    Attack("an extra", an_extra, {"gamna": "extra"}),
    Attack("one is missing", one_is_missing, {"epsilon": "missing"}),
    Attack("a file the lock does not know", a_file_the_lock_does_not_know, {"delta": "source"}),
    Attack("a directory where an index is meant", a_directory_where_an_index_is_meant, {"delta": "source"}),
    Attack("an index where a repository is meant", an_index_where_a_repository_is_meant, {"gitty": "source"}, "gitty"),
    Attack("another commit", another_commit, {"gitty": "source"}, "gitty"),
    Attack("an editable elsewhere", an_editable_elsewhere, {"treely": "source"}, "treely"),
    Attack("an index where a directory is meant", an_index_where_a_directory_is_meant, {"treely": "source"}, "treely"),
    Attack("another URL", another_url, {"xi": "source"}),
    Attack("an index where a URL is meant", an_index_where_a_url_is_meant, {"xi": "source"}),
    Attack("a URL with another hash", a_url_with_another_hash, {"xi": "source"}),
    Attack("metadata twice", metadata_twice, {"alpha": "version"}, rule="distribution-duplicate"),
    Attack(
        "metadata that contradicts its directory",
        metadata_that_contradicts_its_directory,
        {},
        rule="metadata-inconsistent",
    ),
)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_each_kind_of_drift_is_found(locked: Locked, attack: Attack, tmp_path: Path) -> None:
    packages = {package.name: package for package in read_lock(Files(), str(locked.lock)).packages}
    if attack.needs not in packages:
        pytest.skip(f"this tool's lock has no {attack.needs}")
    venv = locked.copy(tmp_path)
    (tmp_path / "scratch").mkdir()
    attack.act(locked, venv, tmp_path / "scratch")
    assert states(locked.compared(venv)) == attack.found
    if attack.rule is not None:
        (environment,) = scan(str(venv.path), Options(lock=str(locked.lock))).environments
        assert attack.rule in {finding.rule for finding in environment.findings}


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
    why = "they differ in alpha, alpha-two" if copy.name == "uv.lock" else "what that asks for has changed since"
    assert problem.message == f"{copy.name} is older than {source.name}: {why}"
