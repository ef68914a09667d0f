"""How each environment of the corpus is made: by which tool, for which interpreter, from which lock."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from corpus.conda import make_conda_prefix
from corpus.debian import make_debian_root
from corpus.wheelhouse import LOCK, Wheelhouse, part_of_lock, pinned
from envcheck.catalogue.releases import versions
from locks.indexes import Index
from locks.lockers import Place, need
from support.pythons import Interpreter, interpreter_where
from support.venvs import Venv, copy_base, make_venv, make_with_virtualenv, need_tool, quiet_environ

SMALL = (
    *("attrs", "certifi", "charset-normalizer", "click", "idna", "jinja2", "markdown-it-py", "markupsafe", "mdurl"),
    *("pygments", "pyyaml", "requests", "rich", "six", "urllib3", "zope-interface"),
)
"""What the smaller environments hold: it needs nothing else of the lock."""
ROOTS = ("attrs", "click", "jinja2", "pyyaml", "requests", "rich", "six", "zope-interface")
"""What a project asks for that gets them."""
NEW_PIP = pinned(["pip"])["pip"]
OLD_PIP = "23.0.1"


class Made(NamedTuple):
    """An environment to scan: where it lies, the lock of what is in it, and the root that it is seen below."""

    path: Path
    lock: Path | None
    root: Path | None = None


class Workshop(NamedTuple):
    """Where environments are made, and what from."""

    folder: Path
    house: Wheelhouse

    @property
    def small_lock(self) -> Path:
        """The lock of the smaller environments."""
        path = self.folder / "small.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(part_of_lock(SMALL))
        return path

    def base(self, minor: tuple[int, int]) -> Interpreter:
        """A copy of a released CPython, without what this machine has put into its own."""
        found = interpreter_where(
            "CPython {}.{}, a release of the catalogue,".format(*minor),
            lambda one: one.minor == minor and one.text in versions() and not one.path.startswith("/usr/"),
        )
        path = self.folder / "bases" / found.text
        if not (path / "complete").exists():
            shutil.rmtree(path, ignore_errors=True)
            copy_base(path, found)
            (path / "complete").touch()
        return found._replace(path=str(path / "bin" / found.name))


Maker = Callable[[Workshop, Path], Made]
"""Makes an environment in a folder of its own."""


def by_pip(version: str, minor: tuple[int, int]) -> Maker:
    """``pip install`` of the whole lock."""

    def make(shop: Workshop, folder: Path) -> Made:
        venv = make_venv(folder / "env", shop.base(minor))
        pip(shop, version, LOCK, "--python", str(venv.python), "install")
        return Made(venv.path, LOCK)

    return make


def by_uv(mode: str, minor: tuple[int, int], *options: str) -> Maker:
    """``uv venv`` and ``uv pip install`` of the whole lock."""

    def make(shop: Workshop, folder: Path) -> Made:
        return with_uv(shop, folder, minor, LOCK, ["--link-mode", mode, *options])

    return make


def small_by_uv(of_venv: Sequence[str] = (), of_install: Sequence[str] = ()) -> Maker:
    """The same of the smaller lock, with options."""

    def make(shop: Workshop, folder: Path) -> Made:
        return with_uv(shop, folder, own_minor(), shop.small_lock, of_install, of_venv)

    return make


def small_by_pip(version: str) -> Maker:
    def make(shop: Workshop, folder: Path) -> Made:
        venv = make_venv(folder / "env", shop.base(own_minor()))
        pip(shop, version, shop.small_lock, "--python", str(venv.python), "install")
        return Made(venv.path, shop.small_lock)

    return make


def small_in_virtualenv(shop: Workshop, folder: Path) -> Made:
    """With the seeds that virtualenv brings, which no lock names."""
    venv = make_with_virtualenv(folder / "env", shop.base(own_minor()), "--setuptools", "bundle")
    pip(shop, NEW_PIP, shop.small_lock, "--python", str(venv.python), "install")
    return Made(venv.path, shop.small_lock)


def target_directory(tool: str) -> Maker:
    """``pip install --target``, and uv's."""

    def make(shop: Workshop, folder: Path) -> Made:
        target, base = folder / "env", shop.base(own_minor())
        if tool == "pip":
            pip(shop, NEW_PIP, shop.small_lock, "install", "--target", str(target), python=base.path)
        else:
            uv(shop, "pip", "install", "--python", base.path, *hashed(shop, shop.small_lock), "--target", str(target))
        return Made(target, shop.small_lock)

    return make


def by_locker(name: str) -> Maker:
    """A project that poetry, pdm or pipenv locked and installed."""

    def make(shop: Workshop, folder: Path) -> Made:
        need(name)
        with Index(shop.house.wheels(SMALL)) as index:
            place = Place(folder / "project", index, shop.base(own_minor()))
            place.directory.mkdir(parents=True)
            make_venv(place.venv.path, place.interpreter)
            lock = PROJECTS[name](place)
        return Made(place.venv.path, lock)

    return make


def debian_venv(*options: str) -> Maker:
    """A venv over the Debian of this machine."""

    def make(shop: Workshop, folder: Path) -> Made:
        base = interpreter_where("a Debian python3", lambda one: one.path.startswith("/usr/bin/"))
        venv = make_venv(folder / "env", base, "--without-pip", *options)
        pip(shop, NEW_PIP, shop.small_lock, "--python", str(venv.python), "install", "--ignore-installed")
        return Made(venv.path, shop.small_lock)

    return make


def debian_base(shop: Workshop, folder: Path) -> Made:
    """The Debian python itself, in a root directory of its own."""
    interpreter_where("a Debian python3", lambda one: one.path.startswith("/usr/bin/"))
    make_debian_root(folder / "root")
    return Made(Path("/usr/bin/python3"), None, folder / "root")


def debian_venv_with_system_site(shop: Workshop, folder: Path) -> Made:
    """A venv over it that sees its packages, in the same kind of root directory."""
    made = debian_venv("--system-site-packages")(shop, folder)
    make_debian_root(folder / "root")
    inside = folder / "root" / made.path.relative_to("/")
    shutil.copytree(made.path, inside, symlinks=True)
    shutil.copy2(shop.small_lock, inside.parent)
    return Made(made.path, inside.parent / shop.small_lock.name, folder / "root")


def conda_prefix(shop: Workshop, folder: Path) -> Made:
    """A prefix as conda leaves it: a base whose files, and whose packages', are listed in conda-meta."""
    base = copy_base(folder / "env", shop.base(own_minor()))
    uv(shop, "pip", "install", "--python", str(base.python), *hashed(shop, shop.small_lock))
    make_conda_prefix(base)
    return Made(base.path, shop.small_lock)


def without_bytecode(made: Made) -> None:
    """Slim images have no ``__pycache__``."""
    for directory, names, _ in os.walk(made.path):
        if "__pycache__" in names:
            names.remove("__pycache__")
            shutil.rmtree(os.path.join(directory, "__pycache__"))


def after_imports(made: Made) -> None:
    """Every module of every package imported once, by the environment's own interpreter."""
    importer = Path(__file__).with_name("import_everything.py")
    run([str(made.path / "bin" / "python"), "-I", str(importer)], cwd=made.path.parent)


def own_minor() -> tuple[int, int]:
    """The smaller environments are of the version that runs the tests."""
    return sys.version_info[:2]


def pip(shop: Workshop, version: str, lock: Path, *command: str, python: str | None = None) -> None:
    """A pip of the wheelhouse, started by the base interpreter that this process has."""
    command = (python or sys.executable, "-I", str(shop.house.pip(version)), *command)
    run([*command, "--quiet", *hashed(shop, lock)])


def uv(shop: Workshop, *command: str) -> None:
    run([need_tool("uv"), *command, "--quiet", "--cache-dir", str(shop.folder / "uv-cache")])


def run(command: Sequence[str], cwd: Path | None = None) -> None:
    """Run a tool for as long as it takes; a failure shows what it said."""
    done = subprocess.run(
        command, cwd=cwd, env=quiet_environ(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")


def hashed(shop: Workshop, lock: Path) -> list[str]:
    """The options of pip and of uv that install a lock from the wheelhouse."""
    return [
        *("--no-index", "--find-links", str(shop.house.folder), "--no-deps", "--require-hashes"),
        *("--requirement", str(lock)),
    ]


def with_uv(
    shop: Workshop,
    folder: Path,
    minor: tuple[int, int],
    lock: Path,
    of_install: Sequence[str],
    of_venv: Sequence[str] = (),
) -> Made:
    venv = Venv(folder / "env", shop.base(minor))
    uv(shop, "venv", "--no-project", "--python", venv.interpreter.path, *of_venv, str(venv.path))
    uv(shop, "pip", "install", "--python", str(venv.python), *hashed(shop, lock), *of_install)
    return Made(venv.path, lock)


def poetry(place: Place) -> Path:
    (place.directory / "pyproject.toml").write_text(
        f"[project]\nname = 'shop'\nversion = '0.1.0'\nrequires-python = '>=3.11'\ndependencies = {asked()}\n"
        "[tool.poetry]\npackage-mode = false\n"
        f"[[tool.poetry.source]]\nname = 'local'\nurl = '{place.index.url}/'\npriority = 'primary'\n"
    )
    place.tool("poetry", "lock", "--no-interaction")
    place.tool("poetry", "sync", "--no-interaction", "--no-root")
    return place.directory / "poetry.lock"


def pdm(place: Place) -> Path:
    (place.directory / "pyproject.toml").write_text(
        f"[project]\nname = 'shop'\nversion = '0.1.0'\nrequires-python = '>=3.11'\ndependencies = {asked()}\n"
        "[tool.pdm]\ndistribution = false\n"
        f"[[tool.pdm.source]]\nname = 'pypi'\nurl = '{place.index.url}'\nverify_ssl = false\n"
    )
    place.tool("pdm", "lock")
    place.tool("pdm", "sync", "--clean", "--no-self")
    return place.directory / "pdm.lock"


def pipenv(place: Place) -> Path:
    packages = "".join(f'{name} = "=={version}"\n' for name, version in pinned(ROOTS).items())
    (place.directory / "Pipfile").write_text(
        f'[[source]]\nurl = "{place.index.url}"\nverify_ssl = false\nname = "pypi"\n[packages]\n{packages}'
    )
    place.tool("pipenv", "lock")
    place.tool("pipenv", "sync")
    return place.directory / "Pipfile.lock"


PROJECTS: dict[str, Callable[[Place], Path]] = {"poetry": poetry, "pdm": pdm, "pipenv": pipenv}


def asked() -> list[str]:
    return [f"{name}=={version}" for name, version in pinned(ROOTS).items()]
