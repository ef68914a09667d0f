"""The interpreters that may be started to compile sources again: the one that runs this, and those that the user names.

Never one that belongs to a target. What is named is read to tell its version; nothing is started here.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Sequence

from envcheck.environments.interpreter import from_executable
from envcheck.environments.own import lies_in, target_directories
from envcheck.environments.version import read_runtime
from envcheck.files.root import Files, Unreadable
from envcheck.model.bytecode import TrustedPython
from envcheck.model.environment import Environment
from envcheck.model.errors import UsageError
from envcheck.model.invocation import Invocation

_OPTION = "--trusted-python"


def own_python(environments: Sequence[Environment], root: str | None = None) -> TrustedPython | None:
    """The interpreter that runs this process, unless it or its standard library belongs to a target."""
    executable = getattr(sys, "_base_executable", None) or sys.executable
    if sys.implementation.name != "cpython" or not executable or not os.path.isabs(executable):
        return None
    files = Files()
    directories = _directories(files, environments, root)
    try:
        real = files.realpath(executable)
        places = (executable, real, files.realpath(os.path.dirname(os.__file__)))
    except Unreadable:
        return None
    if any(lies_in(place, directories) for place in places):
        return None
    return TrustedPython(real, sys.version_info[:2], own=True)


def named_pythons(
    paths: Sequence[str], environments: Sequence[Environment], root: str | None = None
) -> tuple[TrustedPython, ...]:
    """The interpreters that the user names. Raises `UsageError` for what is none, is no use here, or is a target's."""
    files = Files()
    directories = _directories(files, environments, root) if paths else []
    return tuple(_named(files, path, directories, environments) for path in dict.fromkeys(paths))


def _named(files: Files, path: str, directories: list[str], environments: Sequence[Environment]) -> TrustedPython:
    where = f"{_OPTION} {path}"
    if not os.path.isabs(path):
        raise UsageError(f"{where}: not an absolute path", "a trusted interpreter is never looked up")
    try:
        real = files.realpath(path)
    except Unreadable as error:
        raise UsageError(f"{where}: {error.why}") from None
    found = files.stat(real)
    if found is None or not stat.S_ISREG(found.st_mode) or not found.st_mode & 0o111:
        raise UsageError(f"{where}: no program", "name an interpreter, such as /usr/bin/python3.12")
    inside = f"{where}: lies inside the scanned environment"
    hint = "name an interpreter that is no part of what is scanned"
    if lies_in(os.path.normpath(path), directories) or lies_in(real, directories):
        raise UsageError(inside, hint)
    runtime = read_runtime(files, real)
    if runtime is None or runtime.minor is None or runtime.implementation != "cpython":
        raise UsageError(f"{where}: not an interpreter of CPython", "name one, such as /usr/bin/python3.12")
    own = from_executable(files, real, Invocation())
    python = own.python
    library = None if own.stdlib is None else files.realpath(own.stdlib)
    if library is not None and lies_in(library, directories):
        raise UsageError(f"{inside}: its standard library does", hint)
    wanted = sorted({environment.python.minor for environment in environments})
    if python.minor not in wanted:
        versions = " and ".join("{}.{}".format(*minor) for minor in wanted)
        raise UsageError(
            "{}: is Python {}.{}, which cannot compile for {}".format(where, *python.minor, versions),
            "name an interpreter of the same version: its magic number must be that of the bytecode",
        )
    return TrustedPython(real, python.minor)


def _directories(files: Files, environments: Sequence[Environment], root: str | None) -> list[str]:
    """What belongs to the targets, as they name it and with links resolved."""
    found: dict[str, None] = {}
    for environment in environments:
        for directory in target_directories(environment, root):
            found[os.path.normpath(directory)] = None
            try:
                found[files.realpath(directory)] = None
            except Unreadable:
                continue
    return list(found)
