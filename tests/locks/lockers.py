"""The tools beside uv that write locks and install from them, each in a project of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from locks.indexes import Index
from support.pythons import Interpreter
from support.venvs import Venv, find_tool, make_venv, need_tool, run

PLACE = Path(sys.prefix).parent / "lockers" / "bin"
"""Where `make test` puts them: an environment beside the tests' own."""


def need(name: str) -> str:
    """The tool's path, or a skip that names it."""
    if name == "uv":
        return need_tool(name)
    if (PLACE / name).exists():
        return str(PLACE / name)
    pytest.skip(f"{name} is not in {PLACE.parent.name} beside the tests' environment: make test puts it there")


BACKEND = """
import os, zipfile

def build_wheel(directory, settings=None, metadata=None, editable=False):
    name = os.path.basename(os.getcwd()) if not os.path.exists("NAME") else open("NAME").read()
    file = f"{name}-0.3-py3-none-any.whl"
    info = f"{name}-0.3.dist-info"
    members = {f"{info}/METADATA": f"Metadata-Version: 2.1\\nName: {name}\\nVersion: 0.3\\n",
               f"{info}/WHEEL": "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"}
    members[f"{name}.pth" if editable else f"{name}.py"] = os.getcwd() if editable else ""
    with zipfile.ZipFile(os.path.join(directory, file), "w") as wheel:
        for member, text in members.items():
            wheel.writestr(member, text)
        wheel.writestr(f"{info}/RECORD", "".join(f"{member},,\\n" for member in [*members, f"{info}/RECORD"]))
    return file

def build_editable(directory, settings=None, metadata=None):
    return build_wheel(directory, settings, metadata, editable=True)
"""


def source_tree(directory: Path, name: str) -> Path:
    """A project that builds itself, with nothing but the standard library."""
    directory.mkdir(parents=True)
    (directory / "NAME").write_text(name)
    (directory / "backend.py").write_text(BACKEND)
    (directory / "pyproject.toml").write_text(
        "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
        f"[project]\nname = '{name}'\nversion = '0.3'\n"
    )
    return directory


def repository(directory: Path, name: str) -> Path:
    """A source tree with one commit."""
    source_tree(directory, name)
    git(directory, "init", "-q", "-b", "main")
    commit(directory, "one")
    return directory


def git(directory: Path, *arguments: str) -> str:
    tool = find_tool("git")
    if tool is None:
        pytest.skip("git is not on PATH")
    settings = ("-c", "user.name=t", "-c", "user.email=t@index.example", "-c", "commit.gpgsign=false")
    return run([tool, *settings, *arguments], cwd=directory, HOME=str(directory), GIT_CONFIG_NOSYSTEM="1")


def commit(directory: Path, message: str) -> str:
    """Commit everything; the full name."""
    git(directory, "add", "-A")
    git(directory, "commit", "-q", "--allow-empty", "-m", message)
    return git(directory, "rev-parse", "HEAD").strip()


class Place(NamedTuple):
    """Where a tool works: a project, the index, a repository and a source tree to depend on, an environment."""

    directory: Path
    index: Index
    interpreter: Interpreter

    @property
    def venv(self) -> Venv:
        return Venv(self.directory / ".venv", self.interpreter)

    @property
    def repository(self) -> Path:
        return self.directory.parent / "gitty"

    @property
    def tree(self) -> Path:
        return self.directory.parent / "tree"

    def file_url(self, name: str) -> str:
        return self.index.url.replace("/simple", f"/files/{name}")

    def tool(self, name: str, *arguments: str) -> str:
        """Run one of the tools for this project and its environment; what it says on both streams."""
        settings = {
            "HOME": str(self.directory.parent),
            "VIRTUAL_ENV": str(self.venv.path),
            "PATH": f"{self.venv.bin}:{os.defpath}",
            "PIP_INDEX_URL": self.index.url,
            "PIP_FIND_LINKS": "",
            "PIPENV_VERBOSITY": "-1",
            "PIPENV_NOSPIN": "1",
            "PIPENV_VENV_IN_PROJECT": "1",
            "PIPENV_DEFAULT_PYTHON_VERSION": self.interpreter.path,
            "PDM_CHECK_UPDATE": "false",
            "PDM_PYTHON": str(self.venv.python),
            "NO_COLOR": "1",
            "POETRY_VIRTUALENVS_IN_PROJECT": "true",
            "POETRY_KEYRING_ENABLED": "false",
            # Side by side, Poetry may look at a listing of site-packages from before an install in the same tick of
            # the clock (importlib.metadata keeps one by modification time), and then writes no direct_url.json.
            "POETRY_INSTALLER_PARALLEL": "false",
            "SETUPTOOLS_SCM_PRETEND_VERSION": "0",
            "UV_OFFLINE": "false",
            "UV_DEFAULT_INDEX": self.index.url,
            "UV_PYTHON": self.interpreter.path,
        }
        if name == "python" or not self.venv.path.exists():
            settings.pop("VIRTUAL_ENV")
        command = ["/bin/sh", "-c", 'exec "$0" "$@" 2>&1', need(name), *arguments]
        return run(command, cwd=self.directory, **settings)


def make_place(parent: Path, index: Index, interpreter: Interpreter) -> Place:
    place = Place(parent / "project", index, interpreter)
    place.directory.mkdir(parents=True)
    repository(place.repository, "gitty")
    source_tree(place.tree, "treely")
    make_venv(place.venv.path, interpreter)
    return place


POETRY = """
[project]
name = "shop"
version = "0.1.0"
requires-python = ">=3.9"
dependencies = [
    "alpha",
    "sigma<2; python_version < '3.10'",
    "sigma>=2; python_version >= '3.10'",
    "xi @ {url}",
    "gitty",
    "treely",
]
[project.optional-dependencies]
deep = ["theta"]
win = ["tau; sys_platform == 'win32'"]
[tool.poetry]
package-mode = false
[tool.poetry.dependencies]
gitty = {{git = "{repository}"}}
treely = {{path = "../tree", develop = true}}
[tool.poetry.group.dev.dependencies]
iota = "*"
[tool.poetry.group.docs]
optional = true
[tool.poetry.group.docs.dependencies]
gamma = {{version = "*", extras = ["slow"], markers = "python_version >= '3.10'"}}
[[tool.poetry.source]]
name = "local"
url = "{index}/"
priority = "primary"
"""

UV = """
[project]
name = "shop"
version = "0.1.0"
requires-python = ">=3.9"
dependencies = ["alpha", "sigma>=2", "xi @ {url}", "gitty", "treely"]
[project.optional-dependencies]
deep = ["theta"]
win = ["tau; sys_platform == 'win32'"]
[dependency-groups]
dev = ["iota"]
docs = ["gamma[slow]"]
[tool.uv.sources]
gitty = {{git = "file://{repository}"}}
treely = {{path = "../tree", editable = true}}
"""

PDM = """
[project]
name = "shop"
version = "0.1.0"
requires-python = ">=3.9"
dependencies = ["alpha", "sigma", "xi @ {url}"]
[project.optional-dependencies]
deep = ["theta"]
win = ["tau; sys_platform == 'win32'"]
[dependency-groups]
docs = ["gamma[slow]; python_version >= '3.10'"]
[tool.pdm]
distribution = false
[tool.pdm.dev-dependencies]
dev = ["iota", "gitty @ git+file://localhost{repository}", "-e file:///${{PROJECT_ROOT}}/../tree#egg=treely"]
[[tool.pdm.source]]
name = "pypi"
url = "{index}"
verify_ssl = false
"""

PIPFILE = """
[[source]]
url = "{index}"
verify_ssl = false
name = "pypi"
[packages]
alpha = "*"
sigma = "==2.0"
theta = {{version = "*", markers = "sys_platform == 'linux'"}}
tau = {{version = "*", sys_platform = "== 'win32'"}}
gitty = {{git = "{repository}", ref = "main"}}
xi = {{file = "{url}"}}
treely = {{path = "../tree", editable = true}}
[dev-packages]
kappa = "*"
[docs]
eta = "*"
"""

REQUIREMENTS = """
alpha
sigma==2.0
tau; sys_platform == 'win32'
xi @ {url}
"""


def filled(place: Place, text: str) -> str:
    return text.format(
        index=place.index.url, repository=place.repository, url=place.file_url("xi-1.0-py3-none-any.whl")
    )


def uv(place: Place) -> Path:
    (place.directory / "pyproject.toml").write_text(filled(place, UV))
    place.tool("uv", "lock")
    place.tool("uv", "sync", "--frozen")
    return place.directory / "uv.lock"


def poetry(place: Place) -> Path:
    (place.directory / "pyproject.toml").write_text(
        filled(place, POETRY).replace(str(place.repository), f"file://{place.repository}")
    )
    place.tool("poetry", "lock", "--no-interaction")
    place.tool("poetry", "sync", "--no-interaction", "--no-root")
    return place.directory / "poetry.lock"


def pdm(place: Place) -> Path:
    (place.directory / "pyproject.toml").write_text(filled(place, PDM))
    place.tool("pdm", "lock", "-G", ":all")
    place.tool("pdm", "sync", "--clean", "--no-self")
    return place.directory / "pdm.lock"


def pipenv(place: Place) -> Path:
    (place.directory / "Pipfile").write_text(
        filled(place, PIPFILE).replace(str(place.repository), f"file://{place.repository}")
    )
    place.tool("pipenv", "lock")
    place.tool("pipenv", "sync", "--dev")
    return place.directory / "Pipfile.lock"


def pip(place: Place) -> Path:
    (place.directory / "in.txt").write_text(filled(place, REQUIREMENTS))
    python = ("--python", str(place.venv.python))
    # It locks repositories and directories, and then refuses to install them: they have no hash.
    place.tool("python", "-I", "-m", "pip", "lock", "-q", "-r", "in.txt", "-o", "pylock.toml")
    place.tool("python", "-I", "-m", "pip", *python, "install", "-q", "-r", "pylock.toml")
    return place.directory / "pylock.toml"


def pip_tools(place: Place) -> Path:
    make_venv(place.venv.path, place.interpreter, "--symlinks")  # `pip-sync` asks the environment's own pip
    (place.directory / "in.txt").write_text(
        "alpha\nsigma==2.0\ntau; sys_platform == 'win32'\n" + filled(place, "xi @ {url}\n")
    )
    place.tool(
        "pip-compile", "-q", "--generate-hashes", "--index-url", place.index.url, "in.txt", "-o", "requirements.txt"
    )
    place.tool("pip-sync", "-q", "--python-executable", str(place.venv.python), "requirements.txt")
    return place.directory / "requirements.txt"


LOCKERS: dict[str, Callable[[Place], Path]] = {
    "uv": uv,
    "poetry": poetry,
    "pdm": pdm,
    "pipenv": pipenv,
    "pip lock": pip,
    "pip-tools": pip_tools,
}
"""Each locks a project, and installs from that lock into the project's ``.venv``; the lock's path."""
