"""An installer's own install of its own lock gives no drift; each kind of drift brought in afterwards is found."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from envcheck.files.root import Files
from envcheck.locks.compare import compare
from envcheck.locks.read import read_lock
from envcheck.model.lock import Comparison, Drift
from envcheck.model.report import Options
from locks.environments import environment, installed
from locks.indexes import Index
from locks.projects import FORKS, MEMBERS, WORKSPACE, make, uv
from support.pythons import Interpreter
from support.venvs import Venv, make_venv, pip_install, run, uv_install
from support.wheels import Wheel, build_wheel

Universe = dict[tuple[str, str], Wheel]

BUILD = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""


def compared(lock: Path, venv: Venv, **options: object) -> Comparison:
    files = Files()
    found = compare(
        files,
        read_lock(files, str(lock)),
        environment(venv.path, venv.interpreter),
        installed(venv),
        Options(**options),  # type: ignore[arg-type]
    )
    assert files.not_seen == ()
    return found


def unusual(comparison: Comparison) -> list[tuple[str, str]]:
    return [(drift.name, drift.state) for drift in comparison.drifts if drift.state != "match"]


def only(comparison: Comparison, state: str) -> Drift:
    (found,) = [drift for drift in comparison.drifts if drift.state == state]
    return found


class Project:
    """A project that uv locked, and its environment."""

    def __init__(self, lock: Path, index: Index, interpreter: Interpreter) -> None:
        self.lock = lock
        self.index = index
        self.venv = Venv(lock.parent / ".venv", interpreter)

    def sync(self, *options: str) -> None:
        uv(self.lock.parent, self.index, "sync", "--frozen", "--python", self.venv.interpreter.path, *options)


@pytest.fixture
def project(tmp_path: Path, package_index: Index, interpreter: Interpreter) -> Project:
    (tmp_path / "project").mkdir()
    return Project(make(tmp_path / "project", FORKS, package_index), package_index, interpreter)


@pytest.mark.parametrize(
    ("options", "extras", "groups"),
    [
        ((), (), ("dev",)),
        (("--no-default-groups",), (), ()),
        (("--extra", "deep"), ("deep",), ("dev",)),
        (("--group", "docs"), (), ("dev", "docs")),
    ],
    ids=" ".join,
)
def test_what_uv_syncs_has_no_drift_and_its_options_are_inferred(
    project: Project, options: tuple[str, ...], extras: tuple[str, ...], groups: tuple[str, ...]
) -> None:
    project.sync(*options)
    found = compared(project.lock, project.venv)
    assert unusual(found) == []
    assert found.lock.inferred
    assert (found.lock.extras, found.lock.groups) == (extras, groups)


@pytest.mark.parametrize("more", [("--all-groups",), ("--group", "docs", "--no-default-groups")], ids=" ".join)
def test_where_several_options_explain_the_same_there_is_no_drift_either(
    project: Project, more: tuple[str, ...]
) -> None:
    project.sync("--extra", "deep", *more)
    assert unusual(compared(project.lock, project.venv)) == []


def test_options_that_are_named_are_not_inferred(project: Project) -> None:
    project.sync("--extra", "deep")
    found = compared(project.lock, project.venv, groups=("docs",), selection_given=True)
    assert not found.lock.inferred
    assert (found.lock.extras, found.lock.groups) == ((), ("dev", "docs"))
    assert unusual(found) == [("eta", "missing"), ("lambda-one", "extra"), ("theta", "extra")]


def test_a_package_that_was_locked_but_not_asked_for_is_extra_when_options_are_named(project: Project) -> None:
    project.sync("--all-extras")
    found = compared(project.lock, project.venv, no_default_groups=True, selection_given=True)
    extra = {drift.name: drift.detail for drift in found.drifts if drift.state == "extra"}
    assert set(extra.values()) == {"the lock has it, but not for these extras and groups"}
    assert set(extra) == {"eta", "iota", "lambda-one", "theta"}


def test_another_version(project: Project, universe: Universe) -> None:
    project.sync()
    uv_install(project.venv, [build_wheel(project.lock.parent, "alpha", "1.1", {"alpha.py": ""})], "--upgrade")
    drift = only(compared(project.lock, project.venv), "version")
    assert (drift.name, drift.installed, drift.locked) == ("alpha", "1.1", "1.0")


def test_the_version_of_another_fork(project: Project, universe: Universe) -> None:
    project.sync()
    uv_install(project.venv, [universe["beta", "1.0"]], "--upgrade")
    drift = only(compared(project.lock, project.venv), "version")
    assert (drift.name, drift.installed, drift.locked) == ("beta", "1.0", "2.0")


def test_a_package_that_is_missing(project: Project) -> None:
    project.sync()
    shutil.rmtree(project.venv.dist_info("epsilon"))
    drift = only(compared(project.lock, project.venv), "missing")
    assert (drift.name, drift.installed, drift.locked) == ("epsilon", None, "3.1.4")


def test_an_extra_package_one_letter_from_a_locked_one(project: Project) -> None:
    project.sync()
    uv_install(project.venv, [build_wheel(project.lock.parent, "gamna", "1.5", {"gamna.py": ""})])
    drift = only(compared(project.lock, project.venv), "extra")
    assert (drift.name, drift.near) == ("gamna", "gamma")


def test_an_ignored_package(project: Project) -> None:
    project.sync()
    uv_install(project.venv, [build_wheel(project.lock.parent, "Local_Tool", "1", {"tool.py": ""})])
    drift = only(compared(project.lock, project.venv, ignore=("local.tool",)), "ignored")
    assert (drift.name, drift.detail) == ("local-tool", "named by --ignore")


def test_a_locked_package_at_another_version_cannot_be_ignored(project: Project) -> None:
    project.sync()
    uv_install(project.venv, [build_wheel(project.lock.parent, "alpha", "6.6", {"alpha.py": ""})], "--upgrade")
    assert only(compared(project.lock, project.venv, ignore=("alpha",)), "version").name == "alpha"


def test_the_same_version_from_a_file_that_the_lock_does_not_know(project: Project) -> None:
    project.sync()
    other = build_wheel(project.lock.parent, "alpha", "1.0", {"alpha.py": "EVIL = True\n"})
    pip_install(project.venv, [str(other.path)], "--force-reinstall")
    drift = only(compared(project.lock, project.venv), "source")
    assert drift.name == "alpha"
    assert drift.detail is not None
    assert drift.detail.endswith("alpha-1.0-py3-none-any.whl, the lock says an index")


def test_the_locked_archive_itself_from_a_file(project: Project, universe: Universe) -> None:
    project.sync()
    pip_install(project.venv, [str(universe["alpha", "1.0"].path)], "--force-reinstall")
    assert unusual(compared(project.lock, project.venv)) == []


def test_an_empty_environment_misses_what_the_project_needs(project: Project) -> None:
    make_venv(project.venv.path, project.venv.interpreter)
    states = {state for _, state in unusual(compared(project.lock, project.venv))}
    assert states == {"missing"}


def test_a_workspace_and_its_editable_members(tmp_path: Path, package_index: Index, interpreter: Interpreter) -> None:
    directory = tmp_path / "workspace"
    directory.mkdir()
    members = {name: rest + BUILD for name, rest in MEMBERS.items()}
    project = Project(make(directory, WORKSPACE + BUILD, package_index, members), package_index, interpreter)
    for place in (directory, *(directory / name for name in members)):
        (place / "backend.py").write_text(BACKEND)
    project.sync()
    found = compared(project.lock, project.venv)
    assert unusual(found) == [("roof", "ignored"), ("wall", "ignored")]
    assert found.lock.members == ("roof",)
    project.sync("--all-packages")
    found = compared(project.lock, project.venv)
    assert unusual(found) == [("roof", "ignored"), ("shed", "ignored"), ("wall", "ignored")]
    assert found.lock.members == ("roof", "shed", "wall")

    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(directory / "wall", elsewhere)
    uv_install(project.venv, ["-e", str(elsewhere)])
    drift = only(compared(project.lock, project.venv), "source")
    assert drift.name == "wall"
    uv_install(project.venv, [build_wheel(tmp_path, "wall", "0.1.0", {"wall.py": ""})], "--reinstall")
    assert only(compared(project.lock, project.venv), "source").name == "wall"


BACKEND = """
import os, re, zipfile

def build_editable(directory, settings=None, metadata=None):
    name = re.search(r'name = "(.+)"', open("pyproject.toml").read())[1]
    info = f"{name}-0.1.0.dist-info"
    file = f"{name}-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(directory, file), "w") as wheel:
        wheel.writestr(f"{name}.pth", os.getcwd())
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\\nName: {name}\\nVersion: 0.1.0\\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{info}/RECORD", f"{name}.pth,,\\n{info}/METADATA,,\\n{info}/WHEEL,,\\n{info}/RECORD,,\\n")
    return file

build_wheel = build_editable
"""


def test_a_compiled_requirements_file_that_uv_installs(
    tmp_path: Path, package_index: Index, interpreter: Interpreter
) -> None:
    (tmp_path / "in.txt").write_text("alpha\ntheta[x]; python_version > '3'\nsigma<2 ; sys_platform == 'win32'\n")
    compile_ = ("pip", "compile", "-q", "--universal", "--generate-hashes", "-o", "requirements.txt", "in.txt")
    uv(tmp_path, package_index, *compile_, "--python", interpreter.path)
    venv = Venv(tmp_path / "env", interpreter)
    uv(tmp_path, package_index, "venv", "--no-project", "--python", interpreter.path, str(venv.path))
    uv(tmp_path, package_index, "pip", "sync", "requirements.txt", "--require-hashes", "--python", str(venv.python))
    found = compared(tmp_path / "requirements.txt", venv)
    assert unusual(found) == []
    assert len(found.drifts) == 8
    assert found.problems == ()


def test_pip_and_a_hashed_requirements_file(tmp_path: Path, seeded: Venv, universe: Universe) -> None:
    wheels = [universe["alpha", "1.0"], universe["beta", "2.0"], universe["tau", "1.0"]]
    lines = [wheel.requirement for wheel in wheels]
    lines[2] = lines[2].replace("==1.0", "==1.0 ; sys_platform == 'win32'")
    lock = tmp_path / "requirements.txt"
    lock.write_text("\n".join(lines) + "\n")
    links = str(wheels[0].path.parent)
    command = [sys.executable, "-I", "-m", "pip", "--python", str(seeded.python), "install", "-q", "--no-index"]
    run([*command, "--no-deps", "--require-hashes", "--find-links", links, "-r", str(lock)])
    found = compared(lock, seeded)
    assert not found.lock.inferred
    assert {state for _, state in unusual(found)} == {"ignored"}
    assert {name for name, _ in unusual(found)} <= {"pip", "setuptools", "wheel"}
    pip_install(seeded, [universe["xi", "1.0"]])
    assert only(compared(lock, seeded), "extra").name == "xi"


def test_pins_that_somebody_wrote_by_hand_do_not_make_dependencies_extra(tmp_path: Path, seeded: Venv) -> None:
    first = build_wheel(tmp_path, "first", "1.0", {"first.py": ""}, requires=("second", "third; extra == 'more'"))
    second = build_wheel(tmp_path, "second", "1.0", {"second.py": ""})
    third = build_wheel(tmp_path, "third", "1.0", {"third.py": ""})
    pip_install(seeded, [first, second, third])
    lock = tmp_path / "requirements.txt"
    lock.write_text("first==1.0\n")
    states = {drift.name: drift.state for drift in compared(lock, seeded).drifts}
    assert (states["first"], states["second"], states["third"]) == ("match", "unlocked", "extra")
    lock.write_text("first[more]==1.0\n")
    states = {drift.name: drift.state for drift in compared(lock, seeded).drifts}
    assert (states["second"], states["third"]) == ("unlocked", "unlocked")
    lock.write_text("first>=1.0\n")
    states = {drift.name: drift.state for drift in compared(lock, seeded).drifts}
    assert (states["first"], states["third"]) == ("match", "unlocked")
    lock.write_text("first>=2.0\n")
    assert only(compared(lock, seeded), "version").locked == ">=2.0"
