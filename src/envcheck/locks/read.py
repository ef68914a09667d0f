"""A path into a Lock: reads the file, recognises the format by name and content, hands it to the format's module."""

from __future__ import annotations

import hashlib
import os
import re

from envcheck.files.root import Files, Missing, Unreadable
from envcheck.locks.project import read_project, uv_default_groups
from envcheck.locks.tables import Table, Wrong
from envcheck.locks.toml import parse_toml
from envcheck.model.errors import LockError
from envcheck.model.lock import Lock, LockFormat

_NAMES: dict[str, LockFormat] = {
    "uv.lock": "uv",
    "poetry.lock": "poetry",
    "pdm.lock": "pdm",
    "Pipfile.lock": "pipenv",
}
KNOWN = (*_NAMES, "pylock.toml", "requirements files")
_PYLOCK = re.compile(r"pylock(\.[^.]+)?\.toml")
_TOML_LINE = re.compile(rb"\s*(\[|[A-Za-z0-9_\"'.-]+\s*=[^=])")


def read_lock(files: Files, path: str) -> Lock:
    """The Lock in a file. Raises `LockError`, whose message begins with the file and the line or key path."""
    name = os.path.basename(path)
    data = read_bytes(files, path, name)
    sha256 = hashlib.sha256(data).hexdigest()
    found = lock_format(name, data)
    if found == "requirements":
        from envcheck.locks.requirements import read_requirements

        return _judged(files, read_requirements(files, path, data, sha256), data, {})
    hint = "lock again with the tool that wrote it, or update envcheck if that is newer"
    try:
        if found == "pipenv":
            from envcheck.locks.pipenv import parse_json, read_pipenv

            table = parse_json(data, name)
            return _judged(files, read_pipenv(table, path, sha256), data, table)
        table = parse_toml(data, name)
        found = found or _toml_format(table)
        if found is None:
            raise LockError(f"{name}: not a lockfile that envcheck knows", f"it reads {', '.join(KNOWN)}")
        return _judged(files, _from_toml(files, found, table, path, sha256), data, table)
    except Wrong as error:
        raise LockError(f"{name}: {error}", hint) from None


def _from_toml(files: Files, found: LockFormat, table: Table, path: str, sha256: str) -> Lock:
    """By the format's own module, with what it needs of the project beside it. Raises `Wrong`."""
    if found == "pylock":
        from envcheck.locks.pylock import read_pylock

        return read_pylock(table, path, sha256)
    project = read_project(files, os.path.dirname(path))
    if found == "poetry":
        from envcheck.locks.poetry import read_poetry

        return read_poetry(table, path, sha256, project)
    if found == "pdm":
        from envcheck.locks.pdm import read_pdm

        return read_pdm(table, path, sha256, project)
    from envcheck.locks.uv import read_uv

    return read_uv(table, path, sha256, _default_groups(files, path, project))


def read_bytes(files: Files, path: str, shown: str) -> bytes:
    """The content of a lock. Raises `LockError` where it is missing, no regular file, or over the bound."""
    try:
        return files.read(path, files.limits.lock)
    except Missing:
        raise LockError(f"{shown}: no such file", f"looked for {path}") from None
    except Unreadable as error:
        raise LockError(
            f"{shown}: {error.why}", f"a lock is a regular file of at most {files.limits.lock:,} bytes"
        ) from None


def lock_format(name: str, data: bytes) -> LockFormat | None:
    """The format by name, else by the look of the content; ``None`` for TOML of unknown kind."""
    if name in _NAMES:
        return _NAMES[name]
    if _PYLOCK.fullmatch(name):
        return "pylock"
    if name.endswith((".txt", ".in")):
        return "requirements"
    if name.endswith(".toml"):
        return None
    for line in data.removeprefix(b"\xef\xbb\xbf").splitlines()[:200]:
        if line.strip() and not line.lstrip().startswith(b"#"):
            if line.lstrip().startswith(b"{"):
                return "pipenv"
            return None if _TOML_LINE.match(line) else "requirements"
    return "requirements"


def _toml_format(table: Table) -> LockFormat | None:
    """The format of a TOML file by its keys."""
    if "lock-version" in table:
        return "pylock"
    metadata = table.get("metadata")
    if isinstance(metadata, dict):
        if "lock_version" in metadata:
            return "pdm"
        if "lock-version" in metadata or "content-hash" in metadata:
            return "poetry"
    return "uv" if "version" in table and ("package" in table or "requires-python" in table) else None


def _default_groups(files: Files, path: str, project: Table) -> tuple[str, ...] | None:
    """uv's default groups, which its lock does not repeat; ``None`` for all of them."""
    try:
        return uv_default_groups(project)
    except Wrong as error:
        files.miss(os.path.join(os.path.dirname(path), "pyproject.toml"), f"tool.uv: {error}")
    return ("dev",)


def _judged(files: Files, lock: Lock, data: bytes, table: Table) -> Lock:
    """The lock with what its entries are not good for, its age, and its state in the repository."""
    from envcheck.locks.quality import problems
    from envcheck.locks.repository import lock_state
    from envcheck.locks.stale import stale

    found = (*lock.problems, *problems(lock), *stale(files, lock, table))
    return lock._replace(problems=found, repository=lock_state(files, lock.path, data))
