"""What installers change on the way, and nothing else: the complete list, made by the real pip and uv."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.anchoring import make_project
from support.pythons import Interpreter
from support.scanning import scan
from support.venvs import Venv, make_venv, pip_install, uv_install
from support.wheels import Wheel, build_wheel

INSTALLS = {"pip": pip_install, "uv": uv_install}
PLACES = {"plain": "env", "with blanks": "an env", "long": "/".join(["x" * 60] * 3)}


@pytest.fixture
def everything(tmp_path: Path) -> Wheel:
    """A wheel with all that an installer treats in a way of its own."""
    return build_wheel(
        tmp_path / "built",
        "everything",
        "1.0",
        {
            "everything/__init__.py": "def main():\n    pass\n",
            "everything-1.0.data/purelib/everything_pure.py": "",
            "everything-1.0.data/platlib/everything_plat.py": "",
            "everything-1.0.data/data/share/everything/text.txt": "text\n",
            "everything-1.0.data/headers/everything.h": "int everything;\n",
        },
        console_scripts={"everything": "everything:main"},
        scripts={
            "everything-plain": "#!python\nimport everything\n",
            "everything-window": "#!pythonw\nimport everything\n",
            "everything-options": "#!python -u\nimport everything\n",
            "everything-shell": "#!/bin/sh\nexit 0\n",
        },
    )


@pytest.fixture(params=sorted(INSTALLS))
def tool(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=sorted(PLACES))
def environment(
    request: pytest.FixtureRequest, tmp_path: Path, interpreter: Interpreter, everything: Wheel, tool: str
) -> Venv:
    """Where the interpreter's path is long, or has blanks, scripts begin with three lines for a shell."""
    venv = make_venv(tmp_path / PLACES[request.param], interpreter)
    options = ("--compile",) if tool == "pip" else ("--compile-bytecode",)
    INSTALLS[tool](venv, [str(everything.path)], *options)
    return venv


def test_each_is_anchored_by_wheels_and_by_the_file(
    environment: Venv, tool: str, tmp_path: Path, everything: Wheel
) -> None:
    written = {path.name for path in environment.dist_info("everything").iterdir()}
    assert {"INSTALLER", "REQUESTED", "direct_url.json", "RECORD"} <= written
    assert ("uv_cache.json" in written) == (tool == "uv")
    assert list(environment.site.rglob("__pycache__/*.pyc"))
    project = make_project(tmp_path / "project", [everything])
    for options in (project.with_wheels(), project.with_file()):
        found = scan(*options, environment.path)
        # uv writes no hash of what it was given as a path, so that nothing says that it is the locked archive.
        assert found.rules("low") <= {"lock-source"}, found.told()
        assert [one["assurance"] for one in found.environment["distributions"]] == ["anchored"]
        assert found.environment["lock"]["anchored"]["files"] == 12, "all members but RECORD"


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("bin/everything-plain", "#!/usr/bin/python3\nimport everything\n"),  # another interpreter
        ("bin/everything-plain", "#!{python}\nimport everything\nx\n"),  # another body
        ("bin/everything-shell", "#!{python}\nexit 0\n"),  # a first line that no installer replaces
        ("bin/everything-options", "#!{python} -c pass\nimport everything\n"),  # other options
        ("share/everything/text.txt", "other\n"),
        ("{site}/everything_pure.py", "x = 1\n"),
    ],
)
@pytest.mark.parametrize("witness", ["wheels", "file"])
def test_nothing_else_is(
    tmp_path: Path, interpreter: Interpreter, everything: Wheel, file: str, text: str, witness: str
) -> None:
    """With RECORD as it was; whoever rewrites that too is in `test_attacks_on_anchors`."""
    venv = make_venv(tmp_path / "env", interpreter)
    pip_install(venv, [everything])
    place = venv.path / file.format(site=venv.site.relative_to(venv.path))
    assert place.exists()
    place.write_text(text.format(python=venv.python))
    project = make_project(tmp_path / "project", [everything])
    found = scan(*(project.with_wheels() if witness == "wheels" else project.with_file()), venv.path)
    (one,) = found.environment["distributions"]
    assert one["assurance"] == "modified", found.told()
    assert found.at(place, severity="low"), found.told()
