"""Turns a pyenv shim into the interpreter that pyenv would start, by reading what pyenv reads.

A shim is a shell script that asks PYENV_VERSION, then ``.python-version`` files upward, then ``$PYENV_ROOT/version``.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

from envcheck.files.root import Files, Unreadable
from envcheck.model.errors import TargetError

_ROOT = re.compile(rb'^export PYENV_ROOT="([^"\n]+)"', re.M)
_EXEC = re.compile(rb'^exec "([^"\n]*)/libexec/pyenv" exec "\$program"', re.M)


def pyenv_root(script: bytes) -> str | None:
    """The pyenv installation that a shim belongs to, or ``None`` for any other script."""
    called = _EXEC.search(script)
    if called is None:
        return None
    named = _ROOT.search(script)
    return (named or called)[1].decode("utf-8", "surrogateescape")


def resolve_pyenv(files: Files, root: str, program: str, directory: str | None, environ: Mapping[str, str]) -> str:
    """The file that pyenv would start for ``program``. Raises `TargetError` where it would find none."""
    versions, told_by = _selected(files, root, directory, environ)
    for version in versions:
        if version == "system":
            found = find_on_path(files, program, environ, without=posixpath.join(root, "shims"))
            if found:
                return found
            continue
        prefix = _version_prefix(files, root, version)
        if prefix is not None:
            for name in (program, "python3", "python"):
                path = posixpath.join(prefix, "bin", name)
                if files.is_file(path):
                    return path
    raise TargetError(
        f"pyenv selects {' '.join(versions) or 'nothing usable'} ({told_by}): not installed in {root}/versions",
        "name an interpreter or an environment",
    )


def find_on_path(files: Files, program: str, environ: Mapping[str, str], without: str | None = None) -> str | None:
    """The first executable file of that name in the absolute directories of PATH."""
    for directory in environ.get("PATH", "").split(":"):
        if directory.startswith("/") and directory.rstrip("/") != without:
            path = posixpath.join(directory, program)
            found = files.stat(path)
            if found is not None and found.st_mode & 0o111 and files.is_file(path):
                return path
    return None


def _selected(files: Files, root: str, directory: str | None, environ: Mapping[str, str]) -> tuple[list[str], str]:
    """The version names in order of preference, and what told them."""
    named = environ.get("PYENV_VERSION", "")
    if named:
        return [word for word in named.split(":") if _is_name(word)], "PYENV_VERSION"
    place = environ.get("PYENV_DIR") or directory
    while place is not None and place.startswith("/"):
        path = posixpath.join(place, ".python-version")
        names = _version_file(files, path)
        if names:
            return names, path
        parent = posixpath.dirname(place)
        place = None if parent == place else parent
    path = posixpath.join(root, "version")
    return _version_file(files, path) or ["system"], path


def _version_file(files: Files, path: str) -> list[str]:
    """Its words, comments left out."""
    try:
        data, _ = files.read_part(path, 1 << 16)
    except Unreadable:
        return []
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    words = [word for line in lines for word in line.split("#", 1)[0].split()]
    return [word for word in words if _is_name(word)]


def _is_name(word: str) -> bool:
    """A name that stays in the versions directory."""
    return "/" not in word and word not in ("", ".", "..")


def _version_prefix(files: Files, root: str, name: str) -> str | None:
    """``versions/NAME``, with ``python-`` in front removed, else the newest ``NAME.x`` that is installed."""
    versions = posixpath.join(root, "versions")
    for spelling in (name, name.removeprefix("python-")):
        if files.is_dir(posixpath.join(versions, spelling)):
            return posixpath.join(versions, spelling)
    wanted = name.removeprefix("python-") + "."
    found = [other for other in files.names(versions) if other.startswith(wanted) and re.fullmatch(r"[\d.]+", other)]
    newest = max(found, key=lambda other: [int(part) for part in other.split(".") if part], default=None)
    return None if newest is None else posixpath.join(versions, newest)
