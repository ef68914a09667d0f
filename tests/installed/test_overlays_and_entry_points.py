"""Temporary environments that uv lays over others, and editable installs' entry points against their projects."""

from __future__ import annotations

from pathlib import Path

import pytest

from envcheck.model.environment import PyvenvCfg
from envcheck.model.inventory import Deviation
from installed.trees import PIP_SCRIPT, Tree, row

# uv run --with --------------------------------------------------------------------------------------------------------

OVERLAY = 'import site; site.addsitedir(__import__("os").fsdecode(b"{}"))'


class Overlay:
    """An environment over another one, as ``uv run --with`` makes it."""

    def __init__(self, tmp_path: Path) -> None:
        self.parent = Tree(tmp_path / "parent")
        self.tree = Tree(tmp_path / "overlay")
        self.parent.install_script("demo", "demo.cli:main")
        self.tree.write("_uv_ephemeral_overlay.pth", OVERLAY.format(self.parent.site))
        self.keys = [("home", str(self.tree.base / "bin")), ("uv", "0.13.8")]
        self.keys.append(("extends-environment", str(self.parent.prefix)))

    def script(self, name: str, target: str) -> None:
        module, _, attr = target.partition(":")
        path = self.tree.bin / name
        path.write_text(PIP_SCRIPT.format(python=self.tree.bin / "python", module=module, attr=attr))
        path.chmod(0o755)

    def problems(self) -> set[tuple[str, str]]:
        from envcheck.files.root import Files
        from envcheck.installed.inventory import Installed

        environment = self.tree.environment()
        cfg = PyvenvCfg(str(self.tree.prefix / "pyvenv.cfg"), tuple(self.keys), self.keys[0][1], False)
        found = Installed(Files(), environment._replace(cfg=cfg)).inventory().deviations
        return {(one.problem, Path(one.path).name) for one in found if one.problem.startswith("script")}


@pytest.fixture
def overlay(tmp_path: Path) -> Overlay:
    return Overlay(tmp_path)


def test_a_command_of_the_environment_below_is_its(overlay: Overlay) -> None:
    overlay.script("demo", "demo.cli:main")
    assert overlay.problems() == set()


def test_a_command_that_calls_something_else_is_changed(overlay: Overlay) -> None:
    overlay.script("demo", "evil:main")
    assert overlay.problems() == {("script-modified", "demo")}


def test_a_command_that_no_environment_below_has_is_nobodys(overlay: Overlay) -> None:
    overlay.script("other", "demo.cli:main")
    assert overlay.problems() == {("script-unowned", "other")}


def test_a_copied_data_script_is_the_one_below_but_for_its_interpreter(overlay: Overlay) -> None:
    text = f"#!{overlay.parent.bin}/python\nimport demo\n"
    (overlay.parent.bin / "tool").write_text(text)
    overlay.parent.install("tool", rows=(row("../../../bin/tool", text),))
    (overlay.tree.bin / "tool").write_text(f"#!{overlay.tree.bin}/python\nimport demo\n")
    assert overlay.problems() == set()
    (overlay.tree.bin / "tool").write_text(f"#!{overlay.tree.bin}/python\nimport demo, evil\n")
    assert overlay.problems() == {("script-unowned", "tool")}


def test_no_other_environment_is_laid_over_one(overlay: Overlay) -> None:
    overlay.script("demo", "demo.cli:main")
    overlay.keys.pop()
    assert overlay.problems() == {("script-unowned", "demo")}


def test_a_path_line_of_someone_elses_lays_it_over_nothing(overlay: Overlay) -> None:
    overlay.script("demo", "demo.cli:main")
    overlay.tree.write("_uv_ephemeral_overlay.pth", OVERLAY.format(overlay.parent.site) + "; import evil")
    assert overlay.problems() == {("script-unowned", "demo")}


# Entry points of editable installs ------------------------------------------------------------------------------

POINTS = "[console_scripts]\ndemo = demo.cli:main\n\n[pytest11]\ndemo = demo.plugin\n"
PROJECT = """\
[project]
name = "demo"
scripts = {demo = "demo.cli:main"}
[project.entry-points.pytest11]
demo = "demo.plugin"
"""
POETRY = """\
[tool.poetry.scripts]
demo = "demo.cli:main"
[tool.poetry.plugins.pytest11]
demo = "demo.plugin"
"""


def editable(tree: Tree, project: str, points: str) -> list[Deviation]:
    place = tree.prefix.parent / "project"
    place.mkdir()
    (place / "pyproject.toml").write_text(project)
    direct = {"url": f"file://{place}", "dir_info": {"editable": True}}
    tree.install("demo", direct_url=direct, entry_points=points)
    return list(tree.inventory().deviations)


@pytest.mark.parametrize("project", [PROJECT, POETRY], ids=["project", "poetry"])
def test_entry_points_that_the_project_declares_are_nothing(tree: Tree, project: str) -> None:
    assert editable(tree, project, POINTS) == []


@pytest.mark.parametrize("project", [PROJECT, POETRY], ids=["project", "poetry"])
@pytest.mark.parametrize(
    ("old", "new"), [("demo.cli:main", "evil:main"), ("demo.plugin", "evil"), ("[pytest11]", "[pytest11]\nevil = evil")]
)
def test_entry_points_that_the_project_does_not_declare_are_told(tree: Tree, project: str, old: str, new: str) -> None:
    (found,) = editable(tree, project, POINTS.replace(old, new))
    assert (found.problem, Path(found.path).name) == ("entry-point-undeclared", "entry_points.txt")
    assert "evil" in (found.detail or "")


@pytest.mark.parametrize(
    "project",
    [
        "",
        "not [toml",
        "[project]\ndynamic = ['entry-points']\n",
        "[project]\ndynamic = ['scripts']\n",
        "[tool.poetry]\n",
    ],
)
def test_projects_that_leave_them_to_the_backend_tell_nothing(tree: Tree, project: str) -> None:
    assert editable(tree, project, POINTS) == []


def test_entry_points_are_listed_with_their_distribution(tree: Tree) -> None:
    tree.install("demo", entry_points=POINTS)
    (found,) = tree.inventory().distributions
    assert found.entry_points == (("console_scripts", "demo", "demo.cli:main"), ("pytest11", "demo", "demo.plugin"))
