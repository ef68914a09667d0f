"""The CPython interpreters of this machine: pyenv's, fetched ones, those on PATH, and the one that runs the tests."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from _pytest.mark import ParameterSet

from envcheck.environments.rules import rule_for

MINORS = tuple((3, minor) for minor in range(8, 16))
"""The versions that the plan knows; what is missing here is skipped by name."""
FETCHED = Path(__file__).parents[2] / ".interpreters"
"""What ``make interpreters`` fetched."""
ALL = os.environ.get("ENVCHECK_VERSIONS") == "all"
PLACES = "neither under .interpreters (make interpreters) nor under pyenv nor on PATH"

_NAME = re.compile(r"python3\.\d+t?\Z")
_ASK = (
    "import sys; print(sys.implementation.name, *sys.version_info[:3], "
    "bool(getattr(sys, '_is_gil_enabled', bool)()), sys.executable, sep='\\n')"
)


class Interpreter(NamedTuple):
    """A base interpreter that the tests may start on their own environments."""

    version: tuple[int, int, int]
    path: str

    @property
    def minor(self) -> tuple[int, int]:
        return self.version[:2]

    @property
    def name(self) -> str:
        """``python3.11``."""
        return "python{}.{}".format(*self.version)

    @property
    def text(self) -> str:
        return ".".join(map(str, self.version))


@functools.cache
def interpreters() -> tuple[Interpreter, ...]:
    """Every CPython 3 found, oldest first; one for each version."""
    found: dict[tuple[int, int, int], Interpreter] = {}
    for candidate in _candidates():
        interpreter = _asked(candidate)
        if interpreter is not None:
            found.setdefault(interpreter.version, interpreter)
    return tuple(sorted(found.values()))


def every_version(newest: tuple[int, int] = MINORS[-1]) -> list[ParameterSet]:
    """A parameter for each interpreter from 3.8 to ``newest``, and a skipped one for each version that is missing."""
    minors = [minor for minor in MINORS if minor <= newest]
    known = [found for found in interpreters() if found.minor in minors]
    missing = [minor for minor in minors if minor not in {found.minor for found in known}]
    return [pytest.param(found, id=found.text) for found in known] + [
        pytest.param(None, id="{}.{}".format(*minor), marks=pytest.mark.skip(_missing(minor))) for minor in missing
    ]


def each_layout() -> list[ParameterSet]:
    """As `every_version`, but the newest only of those on one row of the path configuration's table.

    What one row says of them all is judged by each of them for ENVCHECK_VERSIONS=all.
    """
    known = [found.values[0] for found in every_version() if isinstance(found.values[0], Interpreter)]
    newest = {rule_for(found.minor, found.version[2]): found for found in known}
    return [found for found in every_version() if ALL or found.values[0] in (None, *newest.values())]


def of_minor(minor: tuple[int, int]) -> Interpreter:
    """The newest patch level of a version, or a skip that names it."""
    for found in reversed(interpreters()):
        if found.minor == minor:
            return found
    pytest.skip(_missing(minor))


def _missing(minor: tuple[int, int]) -> str:
    return "CPython {}.{} is {}".format(*minor, PLACES)


@functools.cache
def own() -> Interpreter:
    """The base interpreter of the process that runs the tests."""
    path = os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)
    return Interpreter(sys.version_info[:3], path)


def interpreter_where(what: str, test: Callable[[Interpreter], bool]) -> Interpreter:
    """The newest interpreter that ``test`` accepts, or a skip that says what is missing."""
    for found in reversed(interpreters()):
        if test(found):
            return found
    pytest.skip(f"{what} is {PLACES}")


def _candidates() -> list[str]:
    found = [own().path]
    for root in _pyenv_roots():
        for directory in sorted(Path(root, "versions").glob("*/bin")):
            found += sorted(str(path) for path in directory.iterdir() if _NAME.match(path.name))
    for directory in sorted(FETCHED.glob("*/usr/bin")):
        found += sorted(str(path) for path in directory.iterdir() if _NAME.match(path.name))
    for place in os.get_exec_path():
        if "shims" not in Path(place).parts and os.path.isdir(place):
            found += [os.path.join(place, name) for name in sorted(os.listdir(place)) if _NAME.match(name)]
    return found


def _pyenv_roots() -> list[str]:
    roots = [os.environ.get("PYENV_ROOT", ""), os.path.expanduser("~/.pyenv")]
    pyenv = shutil.which("pyenv")
    if pyenv and not any(map(os.path.isdir, roots)):
        roots.append(subprocess.run([pyenv, "root"], capture_output=True, text=True).stdout.strip())
    return list(dict.fromkeys(root for root in roots if root and os.path.isdir(os.path.join(root, "versions"))))


@functools.cache
def _asked(path: str) -> Interpreter | None:
    if os.path.exists(os.path.join(os.path.dirname(os.path.dirname(path)), "pyvenv.cfg")):
        return None
    try:
        answer = subprocess.run([path, "-I", "-S", "-c", _ASK], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = answer.stdout.splitlines()
    if answer.returncode or len(lines) != 6 or lines[0] != "cpython" or path.endswith("t"):
        return None
    major, minor, micro = map(int, lines[1:4])
    return Interpreter((major, minor, micro), os.path.realpath(lines[5]))
