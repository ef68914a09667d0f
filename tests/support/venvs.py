"""Real environments, made by the real tools, offline."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from support.pythons import Interpreter
from support.wheels import Wheel


def quiet_environ(**more: str) -> dict[str, str]:
    """An environment in which the tools neither ask the network nor read anybody's configuration."""
    return {
        "PATH": os.defpath,
        "HOME": os.devnull,
        "LANG": "C.UTF-8",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
        "UV_OFFLINE": "1",
        "UV_LINK_MODE": "copy",
        "UV_NO_CONFIG": "1",
        "UV_PYTHON_DOWNLOADS": "never",
        **more,
    }


def find_tool(name: str) -> str | None:
    """A development tool: beside the interpreter that runs the tests, else on PATH."""
    beside = os.path.join(os.path.dirname(sys.executable), name)
    return beside if os.access(beside, os.X_OK) else shutil.which(name)


def need_tool(name: str) -> str:
    """The tool's path, or a skip that names it."""
    found = find_tool(name)
    if found is None:
        pytest.skip(f"{name} is neither on PATH nor beside {os.path.basename(sys.executable)}")
    return found


def run(command: Sequence[str], cwd: Path | None = None, **environ: str) -> str:
    """Run a tool quietly; its output, or a failure that shows it."""
    done = subprocess.run(command, cwd=cwd, env=quiet_environ(**environ), capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise AssertionError(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
    return done.stdout


class Venv(NamedTuple):
    """A virtual environment for tests to attack."""

    path: Path
    interpreter: Interpreter

    @property
    def python(self) -> Path:
        return self.path / "bin" / "python"

    @property
    def bin(self) -> Path:
        return self.path / "bin"

    @property
    def site(self) -> Path:
        """site-packages."""
        return self.path / "lib" / self.interpreter.name / "site-packages"

    def dist_info(self, name: str) -> Path:
        """The metadata directory of a distribution."""
        (found,) = self.site.glob(f"{name}-*.dist-info")
        return found

    def start(self, code: str = "pass", *flags: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Start the real interpreter: only ever on environments that the tests made themselves."""
        return subprocess.run(
            [str(self.python), *flags, "-c", code],
            env=quiet_environ(**environ),
            capture_output=True,
            text=True,
            timeout=60,
        )


def make_venv(path: Path, interpreter: Interpreter, *options: str) -> Venv:
    """``python -m venv``; without pip unless ``options`` are given."""
    run([interpreter.path, "-I", "-m", "venv", *(options or ("--without-pip",)), str(path)])
    return Venv(path, interpreter)


def make_with_virtualenv(path: Path, interpreter: Interpreter, *options: str) -> Venv:
    """``virtualenv``, from the wheels that it carries."""
    tool = need_tool("virtualenv")
    data = str(path.parent / "virtualenv-data")
    run([tool, "--no-download", "--python", interpreter.path, *options, str(path)], VIRTUALENV_OVERRIDE_APP_DATA=data)
    return Venv(path, interpreter)


def make_with_uv(path: Path, interpreter: Interpreter, *options: str) -> Venv:
    """``uv venv``."""
    cache = str(path.parent / "uv-cache")
    run(
        [
            need_tool("uv"),
            "venv",
            "--no-project",
            "--cache-dir",
            cache,
            "--python",
            interpreter.path,
            *options,
            str(path),
        ]
    )
    return Venv(path, interpreter)


def pip_install(venv: Venv, what: Iterable[Wheel | str], *options: str) -> None:
    """``pip install`` by the pip of the tests' own interpreter."""
    command = [sys.executable, "-I", "-m", "pip", "--python", str(venv.python), "install", "-q"]
    run([*command, "--no-index", "--no-deps", *options, *_arguments(what)])


def uv_install(venv: Venv, what: Iterable[Wheel | str], *options: str) -> None:
    """``uv pip install``."""
    command = [need_tool("uv"), "pip", "install", "-q", "--python", str(venv.python), "--cache-dir"]
    cache = str(venv.path.parent / "uv-cache")
    run([*command, cache, "--no-index", "--no-deps", *options, *_arguments(what)])


def install(venv: Venv, what: Iterable[Wheel | str], *options: str) -> None:
    """By uv where it is there (a tenth of the time), else by pip."""
    (uv_install if find_tool("uv") else pip_install)(venv, what, *options)


def _arguments(what: Iterable[Wheel | str]) -> list[str]:
    """Wheels by name, from where they lie: as from an index, a `direct_url.json` is not left behind."""
    arguments = []
    for item in what:
        if isinstance(item, Wheel):
            arguments += [f"--find-links={item.path.parent}", f"{item.name}=={item.version}"]
        else:
            arguments.append(item)
    return arguments


_LEFT_OUT = shutil.ignore_patterns(
    *("test", "tests", "__pycache__", "site-packages", "dist-packages", "idlelib", "tkinter", "turtledemo"),
    *("ensurepip", "lib2to3", "config-*", "pydoc_data", "*.a"),
)


def copy_base(path: Path, interpreter: Interpreter) -> Venv:
    """A base installation at ``path``: the interpreter and its standard library, with an empty site-packages."""
    ask = "import sysconfig; print(sysconfig.get_path('stdlib'))"
    stdlib = run([interpreter.path, "-I", "-S", "-c", ask]).strip()
    base = Venv(path, interpreter)
    base.bin.mkdir(parents=True)
    shutil.copy2(interpreter.path, base.bin / interpreter.name)
    for name in ("python3", "python"):
        (base.bin / name).symlink_to(interpreter.name)
    shutil.copytree(stdlib, path / "lib" / interpreter.name, symlinks=True, ignore=_LEFT_OUT)
    base.site.mkdir()
    return base


_WARM = """
import os, py_compile, sys, traceback
import site, importlib.util, importlib.machinery, zipfile, zipimport, encodings.ascii, encodings.latin_1, runpy, \
    encodings.utf_8_sig, linecache, tokenize, warnings, json, itertools, pathlib
try:
    exec("1 / 0")
except ZeroDivisionError:
    traceback.print_exc()
# A module that comes frozen leaves no bytecode, and is compiled at each start that does without frozen ones.
for name in list(sys.modules):
    place = os.path.join(os.path.dirname(os.__file__), *name.split("."))
    for path in (place + ".py", os.path.join(place, "__init__.py")):
        if os.path.isfile(path) and not os.path.exists(importlib.util.cache_from_source(path)):
            py_compile.compile(path)
"""


def warm(base: Venv) -> Venv:
    """Compile what a start needs, as an installed interpreter has it: else each start compiles it again."""
    for flags in ((), ("-O",), ("-OO",)):
        done = base.start(_WARM, *flags)
        assert done.returncode == 0, done.stderr
    return base


BACKEND = '''"""A build backend in the project's own tree: hands over to one that the tests' environment has."""
import json, os, subprocess

COMMAND = {command!r}

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    done = subprocess.run([*COMMAND, os.path.abspath(wheel_directory)], stdout=subprocess.PIPE, check=True)
    return os.path.basename(done.stdout.decode().split()[-1])

def get_requires_for_build_editable(config_settings=None):
    return []

build_wheel = build_editable
'''


def project_with_backend(project: Path, name: str, command: Sequence[str], files: dict[str, str]) -> Path:
    """A project whose editable wheel ``COMMAND… WHEEL_DIRECTORY`` builds (its last word of output is the file name).

    Its real backend need not be in the environment that it is installed in: neither pip nor uv ask an index.
    """
    for relative, text in files.items():
        (project / relative).parent.mkdir(parents=True, exist_ok=True)
        (project / relative).write_text(textwrap.dedent(text))
    (project / "backend").mkdir(parents=True, exist_ok=True)
    (project / "backend" / "in_tree.py").write_text(BACKEND.format(command=list(command)))
    (project / "pyproject.toml").write_text(
        f"[build-system]\nrequires = []\nbuild-backend = 'in_tree'\nbackend-path = ['backend']\n\n"
        f"[project]\nname = {json.dumps(name)}\nversion = '0.1.0'\n\n"
        "[tool.hatch.build]\ndev-mode-dirs = ['src']\n"  # else hatchling's editable needs another package
    )
    return project
