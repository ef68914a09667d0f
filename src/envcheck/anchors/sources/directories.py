"""The user's own variables into the directories where caches lie, as `platformdirs` and the tools themselves say.

Nothing of a scanned environment has a say in it: no configuration file is read.
"""

from __future__ import annotations

import ntpath
import posixpath
import sys
from collections.abc import Mapping

PIP = {"pip": "PIP_CACHE_DIR", "pipenv": "PIPENV_CACHE_DIR"}
"""Tools that have a cache as pip writes it, and the variable that moves it."""
POETRY = {"pypoetry": "POETRY_CACHE_DIR"}


def user_caches(environ: Mapping[str, str], platform: str = sys.platform) -> list[str]:
    """Where programs keep caches for this user: the first is where to write, others are where some wrote."""
    if platform == "win32":
        home = environ.get("USERPROFILE", "")
        found = [environ.get("LOCALAPPDATA", ""), ntpath.join(home, "AppData", "Local")]
        return _absolute(found, platform)
    home = environ.get("HOME", "")
    below = ("Library", "Caches") if platform == "darwin" else (".cache",)
    return _absolute([environ.get("XDG_CACHE_HOME", ""), posixpath.join(home, *below)], platform)


def tool_caches(tools: Mapping[str, str], environ: Mapping[str, str], platform: str = sys.platform) -> list[str]:
    """The cache directories of some tools, whether they exist or not."""
    found = []
    for name, variable in tools.items():
        found.append(environ.get(variable, ""))
        found += [_below(directory, name, platform) for directory in user_caches(environ, platform)]
    return _absolute(found, platform)


def own_cache(environ: Mapping[str, str], platform: str = sys.platform) -> str | None:
    """Where envcheck keeps what it fetched; ``None`` where the user has no such place."""
    directories = user_caches(environ, platform)
    return _below(directories[0], "envcheck", platform) if directories else None


def _below(directory: str, name: str, platform: str) -> str:
    return ntpath.join(directory, name, "Cache") if platform == "win32" else posixpath.join(directory, name)


def _absolute(paths: list[str], platform: str) -> list[str]:
    """Those that do not depend on where this process stands, each once."""
    absolute = ntpath.isabs if platform == "win32" else posixpath.isabs
    return list(dict.fromkeys(path for path in paths if absolute(path)))
