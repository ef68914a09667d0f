"""Turns what the user named (or nothing) into the environment that it means."""

from __future__ import annotations

import os
import posixpath
import re
import stat
from collections.abc import Mapping

from envcheck.environments import pyvenv
from envcheck.environments.interpreter import from_executable, library_dirs
from envcheck.environments.libraries import OpenBinary
from envcheck.environments.version import windows_minor
from envcheck.files.root import Files, Unreadable, describe
from envcheck.model.environment import Environment
from envcheck.model.errors import TargetError
from envcheck.model.invocation import Invocation

_PROGRAM = r"(?:python|pypy|graalpy)[\d.]*[a-z]*(?:\.exe)?\Z"
_NAMES = ("python3", "python", "pypy3", "pypy", "graalpy")


def default_target(files: Files, directory: str, environ: Mapping[str, str]) -> str:
    """The project's ``.venv``, else ``$VIRTUAL_ENV``, else ``python3`` on PATH (a pyenv shim resolved), all by reading.

    Raises `TargetError` where there is none.
    """
    from envcheck.environments.shims import find_on_path, resolve_pyenv

    found = _project_venv(files, directory, environ) or environ.get("VIRTUAL_ENV")
    if found:
        return found
    program = find_on_path(files, "python3", environ)
    if program is None:
        raise TargetError(
            f"no environment: no .venv in {directory} or above, VIRTUAL_ENV is not set, and PATH has no python3",
            "name one: envcheck scan TARGET",
        )
    root = _shim_root(files, program)
    return program if root is None else resolve_pyenv(files, root, "python3", directory, environ)


def _project_venv(files: Files, directory: str, environ: Mapping[str, str]) -> str | None:
    """``.venv`` here or above, up to the repository's root, the home directory or a directory that anyone may write."""
    home = environ.get("HOME", "").rstrip("/")
    while directory.startswith("/"):
        found = files.stat(directory)
        if found is not None and found.st_mode & stat.S_IWOTH:
            return None
        if files.is_file(posixpath.join(directory, ".venv", pyvenv.NAME)):
            return posixpath.join(directory, ".venv")
        top = directory == home or any(files.exists(posixpath.join(directory, name)) for name in (".git", ".hg"))
        parent = posixpath.dirname(directory)
        if top or parent == directory:
            return None
        directory = parent
    return None


def find_environment(files: Files, target: str, invocation: Invocation) -> Environment:
    """The environment that a path means: a virtual environment, interpreter, prefix or site directory.

    Raises `TargetError` with one clear line where it does not exist or is no Python environment.
    """
    path = _absolute(files, target, invocation)
    found = files.stat(path)
    if found is not None and stat.S_ISDIR(found.st_mode):
        return _from_directory(files, path, invocation)
    if posixpath.basename(path) == pyvenv.NAME and found is not None:
        return _from_directory(files, posixpath.dirname(path), invocation)
    in_venv = bool(re.match(_PROGRAM, posixpath.basename(path))) and pyvenv.site_candidate(files, path) is not None
    if in_venv and files.lstat(path) is not None:
        return from_executable(files, path, invocation)
    if found is None:
        what = "is a link to nothing" if files.lstat(path) is not None else "no such file or directory"
        raise TargetError(
            f"{target}: {what}", "name a virtual environment, an interpreter, a prefix or a site directory"
        )
    if not stat.S_ISREG(found.st_mode):
        raise TargetError(f"{target}: neither a file nor a directory", "name an environment or an interpreter")
    return _from_file(files, path, target, invocation)


def _absolute(files: Files, target: str, invocation: Invocation) -> str:
    """Made absolute as text, no link followed, except where ``..`` follows one and text cannot tell."""
    if "\0" in target or not target:
        raise TargetError(f"{target!r}: not a valid path", "name an environment or an interpreter")
    if not target.startswith("/"):
        target = posixpath.join(invocation.directory or os.getcwd(), target)
    head, tail = posixpath.split(target.rstrip("/") or "/")
    if ".." in target.split("/"):
        try:
            return files.realpath(target) if tail == ".." else posixpath.join(files.realpath(head), tail)
        except Unreadable as error:
            raise TargetError(f"{target}: {error.why}", "name an environment or an interpreter") from None
    return posixpath.normpath(target).replace("//", "/", 1)


def _from_file(files: Files, path: str, target: str, invocation: Invocation) -> Environment:
    from envcheck.environments.shims import resolve_pyenv

    with OpenBinary(files, path) as (read, binary):
        head = read(0, 2)
        readable = binary is not None or head != b"" or files.stat(path) is None
    if binary is not None:
        if not _looks_like_python(files, path):
            raise TargetError(
                f"{target}: a program, but no Python interpreter", "name an environment or its interpreter"
            )
        return from_executable(files, path, invocation)
    if not readable:
        raise TargetError(f"{target}: empty, or it cannot be read", "name an environment or its interpreter")
    root = _shim_root(files, path)
    if root is not None:
        program = resolve_pyenv(files, root, posixpath.basename(path), invocation.directory, invocation.environ)
        return from_executable(files, program, invocation)
    what = "a script" if head == b"#!" else "a file"
    raise TargetError(f"{target}: {what}, not a Python interpreter", "name the real interpreter or the environment")


def _looks_like_python(files: Files, path: str) -> bool:
    try:
        names = (path, files.realpath(path))
    except Unreadable:
        names = (path, path)
    return any(re.match(_PROGRAM, posixpath.basename(name)) for name in names)


def _shim_root(files: Files, path: str) -> str | None:
    from envcheck.environments.shims import pyenv_root

    try:
        script, _ = files.read_part(path, 1 << 14)
    except Unreadable:
        return None
    return pyenv_root(script) if script.startswith(b"#!") else None


def _from_directory(files: Files, path: str, invocation: Invocation) -> Environment:
    cfg = posixpath.join(path, pyvenv.NAME)
    found = files.stat(cfg)
    if found is not None and not stat.S_ISREG(found.st_mode):
        raise TargetError(
            f"{cfg}: is a {describe(found.st_mode)}, not a regular file",
            f"Python itself would not start here; scan the site directory: {posixpath.join(path, 'lib/pythonX.Y')}/…",
        )
    if found is not None:
        return from_executable(files, _interpreter_in(files, path) or posixpath.join(path, "bin/python"), invocation)
    if _has_standard_library(files, path):
        program = _interpreter_in(files, path) or posixpath.join(path, "bin/python3")
        return from_executable(files, program, invocation)
    if _is_windows_prefix(files, path):
        return from_executable(files, posixpath.join(path, "python.exe"), invocation)
    from envcheck.environments import sitedirs

    if sitedirs.prefix_site_directories(files, path):
        return sitedirs.from_prefix(files, path, invocation)
    if sitedirs.is_site_directory(files, path):
        return sitedirs.from_directory(files, path, invocation, _whole(files, path, invocation))
    raise TargetError(
        f"{path}: no Python environment (no pyvenv.cfg, lib/pythonX.Y or *.dist-info in it)", _hint(files, path)
    )


def _interpreter_in(files: Files, prefix: str) -> str | None:
    """The interpreter of a prefix by its usual names; in a virtual environment ``python`` is the one that was made."""
    for scripts in ("bin", "Scripts"):
        directory = posixpath.join(prefix, scripts)
        if not files.is_dir(directory):
            continue
        names = files.names(directory)
        versioned = [name for name in names if re.fullmatch(r"(?:python|pypy)3\.\d+t?", name)]
        for name in (*_NAMES, *versioned, "python.exe"):
            if name in names and files.is_file(posixpath.join(directory, name)):
                return posixpath.join(directory, name)
    return None


def _is_windows_prefix(files: Files, path: str) -> bool:
    """``python.exe`` beside its library, or beside ``pythonXY.dll`` (the embeddable package has only a zip)."""
    if not files.is_file(posixpath.join(path, "python.exe")):
        return False
    names = files.names(path)
    return windows_minor(names) is not None or any(
        name.lower() == "lib" and files.is_file(posixpath.join(path, name, "os.py")) for name in names
    )


def _has_standard_library(files: Files, prefix: str) -> bool:
    return any(
        files.is_file(posixpath.join(prefix, lib, f"{word}{minor[0]}.{minor[1]}{thread}", "os.py"))
        for word, minor, thread in library_dirs(files, prefix)
        for lib in ("lib", "lib64")
    )


def _whole(files: Files, path: str, invocation: Invocation) -> Environment | None:
    """The environment that a site directory belongs to, where one stands around it."""
    prefix = posixpath.dirname(posixpath.dirname(posixpath.dirname(path)))
    if not re.search(r"/lib(?:64)?/python3\.\d+t?/site-packages\Z", path):
        return None
    if not files.is_file(posixpath.join(prefix, pyvenv.NAME)) and not _has_standard_library(files, prefix):
        return None
    try:
        return _from_directory(files, prefix, invocation)
    except TargetError:
        return None


def _hint(files: Files, path: str) -> str:
    for name in (".venv", "venv"):
        if files.is_file(posixpath.join(path, name, pyvenv.NAME)):
            return f"its environment is {posixpath.join(path, name)}"
    parent = posixpath.dirname(path)
    if posixpath.basename(path) in ("bin", "Scripts") and files.is_file(posixpath.join(parent, pyvenv.NAME)):
        return f"its environment is {parent}"
    return "name a virtual environment, an interpreter, a prefix or a site directory"
