"""Turns the neighbourhood of an interpreter into the files there that redirect where it finds its library.

A normal installation has none of them. Listed as facts; what each does is in docs/startup.md.
"""

from __future__ import annotations

import posixpath

from envcheck.environments.prefixes import Prefixes, follow_links
from envcheck.environments.rules import Rule
from envcheck.files.root import Files
from envcheck.model.environment import PyvenvCfg


def find_redirectors(
    files: Files, executable: str, prefixes: Prefixes, rule: Rule, cfg: PyvenvCfg | None
) -> tuple[tuple[str, str], ...]:
    """Path and effect of each file that this version honours, in the order in which it would look."""
    resolved = follow_links(files, executable)
    beside = posixpath.dirname(resolved)
    found = []
    if rule.home_search == "unresolved":
        # Named after the path as it is started, which may be any of the usual names.
        names = (
            executable,
            *(posixpath.join(posixpath.dirname(executable), name) for name in _names(prefixes)),
            resolved,
        )
        for path in dict.fromkeys(names):
            found.append((path + "._pth", "replaces sys.path and cancels the virtual environment"))
        found.append((posixpath.join(prefixes.home or beside, "pybuilddir.txt"), "moves the standard library"))
    else:
        found.append((posixpath.join(beside, "pybuilddir.txt"), "replaces lib-dynload"))
    found.append((posixpath.join(beside, "Modules/Setup.local"), "makes the interpreter look for a build tree"))
    found.append((prefixes.zip, "precedes the standard library"))
    if cfg is not None and posixpath.dirname(cfg.path) == posixpath.dirname(executable):
        found.append((cfg.path, "site reads this pyvenv.cfg instead of the environment's own"))
    return tuple((path, effect) for path, effect in found if files.is_file(path))


def _names(prefixes: Prefixes) -> tuple[str, ...]:
    return ("python", "python3", prefixes.build.library)
