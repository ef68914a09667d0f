"""A directory that a lock installs from into the name of its project, from its metadata; nothing is built for it."""

from __future__ import annotations

import configparser
import os

from envcheck.files.root import Files, Unreadable
from envcheck.locks.names import is_name


def project_name(files: Files, directory: str) -> str | None:
    """``project.name`` of ``pyproject.toml`` (Poetry's older table too), else ``metadata.name`` of ``setup.cfg``.

    ``None`` where neither tells: a name that only code would compute.
    """
    return _from_pyproject(files, os.path.join(directory, "pyproject.toml")) or _from_setup_cfg(
        files, os.path.join(directory, "setup.cfg")
    )


def _from_pyproject(files: Files, path: str) -> str | None:
    import tomli

    try:
        data = tomli.loads(files.read(path).decode("utf-8"))
    except (Unreadable, ValueError, RecursionError):
        return None
    tool = data.get("tool")
    poetry = tool.get("poetry") if isinstance(tool, dict) else None
    for table in (data.get("project"), poetry):
        name = table.get("name") if isinstance(table, dict) else None
        if isinstance(name, str) and is_name(name):
            return name
    return None


def _from_setup_cfg(files: Files, path: str) -> str | None:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(files.read(path).decode("utf-8"))
        name = parser.get("metadata", "name", fallback="")
    except (Unreadable, ValueError, configparser.Error):
        return None
    return name if is_name(name) else None
