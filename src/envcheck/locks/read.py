"""A path into a Lock: reads the file, recognises the format by name and content, hands it to the format's module."""

from __future__ import annotations

import hashlib
import os
import re
from typing import Any

from envcheck.files.root import Files, Missing, Unreadable
from envcheck.locks.tables import Table, Wrong, get_strings, get_table
from envcheck.model.errors import LockError
from envcheck.model.inventory import normalize_name
from envcheck.model.lock import Lock, LockFormat

NOT_READ: dict[str, str] = {
    "pylock": "pylock.toml",
    "poetry": "poetry.lock",
    "pdm": "pdm.lock",
    "pipenv": "Pipfile.lock",
}
"""Formats that are recognised and refused by name."""

_NAMES: dict[str, LockFormat] = {
    "uv.lock": "uv",
    "poetry.lock": "poetry",
    "pdm.lock": "pdm",
    "Pipfile.lock": "pipenv",
}
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

        return _judged(read_requirements(files, path, data, sha256))
    if found in NOT_READ:
        raise LockError(
            f"{name}: envcheck cannot read {NOT_READ[found]} yet",
            "export it: uv export, poetry export or pip freeze write a requirements file that --lock can name",
        )
    table = parse_toml(data, name)
    found = found or _toml_format(table)
    if found != "uv":
        if found in NOT_READ:
            raise LockError(
                f"{name}: envcheck cannot read {NOT_READ[found]} yet", "name a uv.lock or a requirements file"
            )
        raise LockError(
            f"{name}: not a lockfile that envcheck knows", "name a uv.lock or a requirements file with --lock"
        )
    from envcheck.locks.uv import read_uv

    groups = _default_groups(files, os.path.dirname(path))
    try:
        return _judged(read_uv(table, path, sha256, groups))
    except Wrong as error:
        raise LockError(f"{name}: {error}", "lock again (uv lock), or update envcheck if uv is newer") from None


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


def parse_toml(data: bytes, shown: str) -> Table:
    """A TOML document. Raises `LockError` with the line."""
    import tomli

    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise LockError(f"{shown}:{line}: not UTF-8", "lock again with the tool that wrote it") from None
    try:
        parsed: dict[str, Any] = tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        raise LockError(f"{shown}:{error.lineno}: {error.msg}", "lock again with the tool that wrote it") from None
    except RecursionError:
        raise LockError(f"{shown}: nested too deeply", "lock again with the tool that wrote it") from None
    except ValueError as error:
        # A number or date that TOML allows and Python does not (more digits than int() converts).
        raise LockError(f"{shown}: {error}", "lock again with the tool that wrote it") from None
    return parsed


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


def _default_groups(files: Files, directory: str) -> tuple[str, ...] | None:
    """``tool.uv.default-groups`` of the ``pyproject.toml`` beside the lock, which the lock does not repeat.

    ``None`` means all of them; uv's own default is ``dev``. A ``pyproject.toml`` that cannot be read is noted.
    """
    path = os.path.join(directory, "pyproject.toml")
    try:
        settings = get_table(get_table(parse_toml(files.read(path), "pyproject.toml"), "tool"), "uv")
        if "default-groups" not in settings:
            return ("dev",)
        if settings["default-groups"] == "all":
            return None
        return tuple(normalize_name(group) for group in get_strings(settings, "default-groups"))
    except Missing:
        return ("dev",)
    except Unreadable as error:
        files.miss(path, error.why)
    except LockError as error:
        files.miss(path, error.message)
    except Wrong as error:
        files.miss(path, f"tool.uv: {error}")
    return ("dev",)


def _judged(lock: Lock) -> Lock:
    """The lock with what its entries are not good for."""
    from envcheck.locks.quality import problems

    return lock._replace(problems=(*lock.problems, *problems(lock)))
