"""Turns a bare directory of packages (``pip install --target``, ``--prefix``, ``--user``) into an Environment."""

from __future__ import annotations

import posixpath
import re
from collections import Counter

from envcheck.environments import layout
from envcheck.environments.prefixes import Build
from envcheck.environments.rules import ROWS
from envcheck.files.root import Directory, Files, Unreadable
from envcheck.model.environment import Environment, EnvironmentKind, Python, SiteDir
from envcheck.model.errors import TargetError
from envcheck.model.invocation import Invocation

_IN_PATH = re.compile(r"/(?:python|pypy)(\d)\.(\d{1,2})(t?)/(?:site|dist)-packages\Z")
_EXTENSION = re.compile(r"\.cpython-3(\d{1,2})(t?)-([a-z0-9_]+)-(linux-gnu|linux-musl|darwin)[a-z]*\.so\Z")
_BYTECODE = re.compile(r"\.cpython-3(\d{1,2})(?:\.opt-[12])?\.pyc\Z")
_WHEEL_TAG = re.compile(rb"^Tag:\s*cp3(\d{1,2})-cp3\d{1,2}(t?)-", re.M)
_METADATA = (".dist-info", ".egg-info")
_LOOKED_AT = 400
"""Directories that are looked at for a version's traces."""


def is_site_directory(files: Files, path: str) -> bool:
    """Whether a directory's content or name says that installers put packages there."""
    name = posixpath.basename(path)
    if name in ("site-packages", "dist-packages"):
        return True
    names = files.names(path)
    if any(entry.endswith((".dist-info", ".pth")) for entry in names):
        return True
    # A source tree has an .egg-info of its own after a development install.
    return any(entry.endswith(".egg-info") for entry in names) and not {"pyproject.toml", "setup.py"} & set(names)


def prefix_site_directories(files: Files, prefix: str) -> list[str]:
    """The site directories below a prefix that has no interpreter: ``pip install --prefix``, ``~/.local``."""
    found = []
    for lib in ("lib64", "lib", "local/lib"):
        directory = posixpath.join(prefix, lib)
        for name in files.names(directory) if files.is_dir(directory) else ():
            for kind in ("site-packages", "dist-packages"):
                path = posixpath.join(directory, name, kind)
                if re.fullmatch(r"(?:python|pypy)3(?:\.\d+t?)?", name) and files.is_dir(path):
                    found.append(path)
    return found


def from_directory(files: Files, path: str, invocation: Invocation, whole: Environment | None = None) -> Environment:
    """One site directory by itself; ``whole`` is the environment that it belongs to, which knows the version better."""
    return _environment(files, path, [path], posixpath.join(path, "bin"), invocation, whole)


def from_prefix(files: Files, prefix: str, invocation: Invocation) -> Environment:
    """A prefix without interpreter: the site directories of its newest version. Raises `TargetError` without any."""
    directories = prefix_site_directories(files, prefix)
    if not directories:
        raise TargetError(
            f"{prefix}: no Python environment", "name a virtual environment, an interpreter or a site directory"
        )
    newest = max(_version_key(path) for path in directories)
    chosen = [path for path in directories if _version_key(path) in (newest, (0, 0))]
    for path in directories:
        if path not in chosen:
            files.miss(path, "belongs to another Python version: name it to scan it")
    return _environment(files, prefix, chosen, posixpath.join(prefix, "bin"), invocation, None)


def _version_key(path: str) -> tuple[int, int]:
    found = _IN_PATH.search(path)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _environment(
    files: Files, path: str, directories: list[str], scripts: str, invocation: Invocation, whole: Environment | None
) -> Environment:
    base = layout.user_base(files, invocation)
    user = any(_is_user(directory, base) for directory in directories)
    kind: EnvironmentKind = "user" if user else "target-directory"
    python = _guess(files, directories) if whole is None else whole.python
    if user:
        scripts = posixpath.join(posixpath.dirname(posixpath.dirname(posixpath.dirname(directories[0]))), "bin")
    return Environment(
        path,
        kind,
        python,
        tuple(SiteDir(directory, "user" if user else "target") for directory in directories),
        (),
        None,
        scripts if files.is_dir(scripts) else None,
        None,
        None,
    )


def _is_user(directory: str, base: str | None) -> bool:
    if re.search(r"/\.local/lib/python3\.\d+t?/site-packages\Z", directory):
        return True
    return base is not None and directory.startswith(posixpath.normpath(base) + "/lib/python")


def _guess(files: Files, directories: list[str]) -> Python:
    """The Python that a bare directory is for: its path, else what compiled files and wheels name most often."""
    for directory in directories:
        found = _IN_PATH.search(directory)
        if found:
            word = "pypy" if "/pypy" in found[0] else "cpython"
            return _python((int(found[1]), int(found[2])), found[3], _traces(files, directory)[1], word)
    traces, platform = _traces(files, directories[0])
    if traces:
        minor, thread = max(traces, key=lambda trace: (traces[trace], trace))
        return _python((3, minor), thread, platform)
    # Nothing tells: the newest behaviour that is modelled.
    return _python(ROWS[-1].since[:2], "", platform)._replace(version_assumed=True)


def _python(minor: tuple[int, int], thread: str, platform: str, implementation: str = "cpython") -> Python:
    build = Build(minor, thread)
    tag = "pp" if implementation == "pypy" else "cp"
    return Python(
        f"{minor[0]}.{minor[1]}",
        "directory",
        implementation,
        f"{tag}{minor[0]}{minor[1]}{build.thread}",
        platform,
        None,
        "",
        bool(thread),
    )


def _traces(files: Files, directory: str) -> tuple[Counter[tuple[int, str]], str]:
    """``(minor, thread letter)`` by weight, and the platform: extension modules and wheel tags count over bytecode."""
    traces: Counter[tuple[int, str]] = Counter()
    platform = "unknown"
    for number, place in enumerate(files.walk(directory)):
        if number >= _LOOKED_AT:
            break
        _stay_shallow(place, directory)
        for name in place.files:
            extension = _EXTENSION.search(name)
            if extension:
                traces[int(extension[1]), extension[2]] += 1000
                platform = _platform_of(extension[3], extension[4])
            bytecode = _BYTECODE.search(name)
            if bytecode:
                traces[int(bytecode[1]), ""] += 1
        if place.path.endswith(".dist-info") and "WHEEL" in place.files:
            for minor, thread in _wheel_tags(files, posixpath.join(place.path, "WHEEL")):
                traces[minor, thread] += 100
    return traces, platform


def _stay_shallow(place: Directory, top: str) -> None:
    depth = place.path.count("/") - top.count("/")
    if depth >= 3 or place.path.endswith(_METADATA):
        place.dirs.clear()


def _wheel_tags(files: Files, path: str) -> set[tuple[int, str]]:
    try:
        data, _ = files.read_part(path, 1 << 14)
    except Unreadable:
        return set()
    return {(int(minor), thread.decode("ascii")) for minor, thread in _WHEEL_TAG.findall(data)}


def _platform_of(machine: str, system: str) -> str:
    if system == "darwin":
        return "macos-unknown"
    return f"linux-{machine}-" + ("musl" if system == "linux-musl" else "glibc")
