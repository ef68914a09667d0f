"""The settings that `envcheck lock` prints, given to the real tools: what is exempt is built, all else is refused."""

from __future__ import annotations

import hashlib
import io
import shutil
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from envcheck.files.root import Files
from envcheck.locks.report import Judged, judge
from locks.indexes import Index
from locks.lockers import BACKEND, Place, filled, make_place, need
from locks.projects import python, uv
from support.pythons import Interpreter
from support.venvs import make_venv
from support.wheels import Wheel, build_wheel

METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: 0.3\n"


def sdist(directory: Path, name: str) -> Wheel:
    """An archive that builds itself, with nothing but the standard library."""
    path = directory / f"{name}-0.3.tar.gz"
    members = {
        "NAME": name,
        "backend.py": BACKEND,
        "PKG-INFO": METADATA.format(name=name),
        "pyproject.toml": "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
        f"[project]\nname = '{name}'\nversion = '0.3'\n",
    }
    with tarfile.open(path, "w:gz") as archive:
        for member, text in members.items():
            info = tarfile.TarInfo(f"{name}-0.3/{member}")
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return Wheel(name, "0.3", path, hashlib.sha256(path.read_bytes()).hexdigest())


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """An index of one package with a wheel beside its source archive, and of two without."""
    directory = tmp_path_factory.mktemp("sources")
    wheel = build_wheel(directory, "xi", "0.3", {"xi.py": "OF = 'the wheel'\n"})
    with Index([wheel, sdist(directory, "xi"), sdist(directory, "docless"), sdist(directory, "other")]) as index:
        yield index


class Tool:
    """One of the tools, in a project that needs two packages without wheels."""

    def __init__(self, place: Place, lock: str) -> None:
        self.place = place
        self.lock = place.directory / lock

    def judged(self) -> Judged:
        platform = python(self.place.interpreter)
        return judge(Files(), str(self.lock), (platform.version, platform.platform))

    def settle(self, settings: tuple[str, ...]) -> None:
        """Write the lines into the project, where they belong."""
        pytest.skip("this format has no place for them")

    def install(self, settings: tuple[str, ...]) -> str:
        """Under the settings, as they are printed, into an environment that has none of it; what the tool says."""
        raise NotImplementedError


class Uv(Tool):
    """Its project needs a repository and a directory too, and is editable."""

    PROJECT = """
[project]
name = "shop"
version = "0.3"
requires-python = ">=3.9"
dependencies = ["xi", "docless", "other", "gitty", "treely"]
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[tool.uv.sources]
gitty = {{git = "file://{repository}"}}
treely = {{path = "../tree"}}
"""

    def __init__(self, place: Place) -> None:
        super().__init__(place, "uv.lock")
        (place.directory / "NAME").write_text("shop")
        (place.directory / "backend.py").write_text(BACKEND)
        self.settle(())
        self.call("lock")

    def settle(self, settings: tuple[str, ...]) -> None:
        text = filled(self.place, self.PROJECT)
        lines = [line for line in settings if line != "[tool.uv]"]
        (self.place.directory / "pyproject.toml").write_text(
            text.replace("[tool.uv.sources]", "\n".join(("[tool.uv]", *lines, "[tool.uv.sources]")))
        )

    def install(self, settings: tuple[str, ...]) -> str:
        self.settle(settings)
        # Wheels that were built before would need no build.
        return self.call("sync", "--frozen", "--reinstall", "--no-cache")

    def call(self, *arguments: str) -> str:
        options = ("--python", self.place.interpreter.path)
        return uv(self.place.directory, self.place.index, *arguments, *options, UV_NO_CONFIG="false")


class Pip(Tool):
    def __init__(self, place: Place) -> None:
        super().__init__(place, "pylock.toml")
        (place.directory / "in.txt").write_text("xi\ndocless\nother\n")
        place.tool(
            "python", "-I", "-m", "pip", "lock", "-q", "--no-build-isolation", "-r", "in.txt", "-o", "pylock.toml"
        )

    def install(self, settings: tuple[str, ...]) -> str:
        options = [word for line in settings for word in line.split()]
        command = ("python", "-I", "-m", "pip", "--python", str(self.place.venv.python), "install", "--no-cache-dir")
        return self.place.tool(*command, *options, "--force-reinstall", "--no-build-isolation", "-r", "pylock.toml")


class Poetry(Tool):
    PROJECT = """
[project]
name = "shop"
version = "0.3"
requires-python = ">=3.9"
dependencies = ["xi", "docless", "other", "gitty", "treely"]
[tool.poetry]
package-mode = false
[tool.poetry.dependencies]
gitty = {{git = "file://{repository}"}}
treely = {{path = "../tree"}}
[[tool.poetry.source]]
name = "local"
url = "{index}/"
priority = "primary"
"""

    def __init__(self, place: Place) -> None:
        super().__init__(place, "poetry.lock")
        (place.directory / "pyproject.toml").write_text(filled(place, self.PROJECT))
        place.tool("poetry", "lock", "--no-interaction")

    def settle(self, settings: tuple[str, ...]) -> None:
        (self.place.directory / "poetry.toml").unlink(missing_ok=True)
        for line in settings:
            self.place.tool(*line.split())

    def install(self, settings: tuple[str, ...]) -> str:
        self.settle(settings)
        shutil.rmtree(self.place.venv.path)
        make_venv(self.place.venv.path, self.place.interpreter)
        return self.place.tool("poetry", "sync", "--no-interaction", "--no-root", "--no-cache")


class Pdm(Tool):
    PROJECT = """
[project]
name = "shop"
version = "0.3"
requires-python = ">=3.9"
dependencies = ["xi", "docless", "other", "gitty @ git+file://localhost{repository}"]
[tool.pdm]
distribution = false
[[tool.pdm.source]]
name = "pypi"
url = "{index}"
verify_ssl = false
"""

    def __init__(self, place: Place) -> None:
        super().__init__(place, "pdm.lock")
        (place.directory / "pyproject.toml").write_text(filled(place, self.PROJECT))
        place.tool("pdm", "lock")

    def settle(self, settings: tuple[str, ...]) -> None:
        text = filled(self.place, self.PROJECT)
        (self.place.directory / "pyproject.toml").write_text("\n".join((text, *settings)) + "\n")

    def install(self, settings: tuple[str, ...]) -> str:
        self.settle(settings)
        return self.place.tool("pdm", "--no-cache", "sync", "--clean", "--reinstall")


TOOLS: dict[str, Callable[[Place], Tool]] = {"uv": Uv, "pip": Pip, "poetry": Poetry, "pdm": Pdm}


@pytest.fixture(scope="module", params=list(TOOLS))
def tool(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, sources: Index, interpreter: Interpreter
) -> Tool:
    if request.param != "uv":
        need(request.param)
    return TOOLS[request.param](make_place(tmp_path_factory.mktemp(request.param), sources, interpreter))


def test_the_settings_let_exactly_what_is_exempt_be_built(tool: Tool) -> None:
    found = tool.judged()
    foreign = {"docless", "other"}
    assert {build.package.name for build in found.builds} >= foreign
    assert {problem.name for problem in found.problems if problem.rule == "lock-sdist"} >= foreign
    tool.install(found.settings)
    for name in ("docless", "gitty"):
        fewer = tuple(line.replace(f'"{name}", ', "").replace(f"{name},", "") for line in found.settings)
        assert (fewer != found.settings) is (name in found.exempt)
        if name in found.exempt:
            with pytest.raises(AssertionError, match=name):
                tool.install(fewer)


def test_only_uvs_settings_hold_for_a_repository(tool: Tool) -> None:
    """The others build it whatever they are told about archives: it stays a problem where they forbid all builds."""
    found = tool.judged()
    listed = {package.name for package in found.selected or ()}
    assert ("gitty" in found.exempt) is ("gitty" in listed and tool.lock.name == "uv.lock")
    tool.settle(found.settings)
    left = {problem.name for problem in tool.judged().problems if problem.rule == "lock-sdist"}
    assert left == ({"gitty"} & listed if tool.lock.name != "uv.lock" else set())


NEEDLESS = {
    "uv.lock": (("[tool.uv]", 'no-binary-package = ["xi"]'), "tool.uv.no-binary-package"),
    "poetry.lock": (("poetry config --local installer.no-binary xi",), "poetry.toml: no-binary"),
    "pdm.lock": (("[tool.pdm.resolution]", 'no-binary = ["xi"]'), "tool.pdm.resolution: no-binary"),
}


def test_what_is_built_though_there_is_a_wheel_is_told(tool: Tool) -> None:
    tool.settle(())
    assert "xi" not in {build.package.name for build in tool.judged().builds}
    lines, where = NEEDLESS[tool.lock.name]
    tool.install(lines)
    assert (tool.place.venv.site / "xi.py").read_text() == ""
    found = tool.judged()
    (build,) = (build for build in found.builds if build.package.name == "xi")
    assert build.why == f"is built even where there is a wheel: {where} says so"
    assert ("lock-sdist", "xi") in [(problem.rule, problem.name) for problem in found.problems]
    assert "xi" not in found.exempt
