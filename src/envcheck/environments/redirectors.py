"""Turns the outcome of the path configuration into the files that redirect the interpreter, with what each does.

A normal installation has none of them. The paths of the environment are computed with them (getpath_c, getpath_py).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from envcheck.environments import pyvenv, windows
from envcheck.environments.prefixes import Prefixes, ancestors, follow_links, library_landmarks
from envcheck.environments.rules import Rule
from envcheck.files.process import names_process
from envcheck.files.root import Files
from envcheck.model.environment import PyvenvCfg

Redirector = tuple[str, str]
"""Path and effect."""


def find_redirectors(
    files: Files, executable: str, prefixes: Prefixes, rule: Rule, cfg: PyvenvCfg | None, is_windows: bool = False
) -> tuple[Redirector, ...]:
    """Path and effect of each file that this version honours, in the order in which it looks."""
    found: dict[Redirector, None] = {}
    embeddable = is_windows and windows.is_embeddable(files, prefixes)
    if prefixes.executable != executable:
        effect = "PYTHONEXECUTABLE or __PYVENV_LAUNCHER__ in the environment makes Python take this path for its own"
        found[prefixes.executable, effect] = None
    found.update(dict.fromkeys(_path_files(files, executable, prefixes, rule, is_windows, embeddable)))
    found.update(dict.fromkeys(_build_markers(files, executable, prefixes, rule)))
    if not names_process(files, prefixes.zip) and files.is_file(prefixes.zip) and not embeddable:
        found[prefixes.zip, "precedes the standard library"] = None
    if not is_windows:
        found.update(dict.fromkeys(_nearer(files, prefixes)))
    found.update(dict.fromkeys(_configurations(files, prefixes, cfg, is_windows)))
    return tuple(found)


def _path_files(
    files: Files, executable: str, prefixes: Prefixes, rule: Rule, is_windows: bool, embeddable: bool
) -> Iterator[Redirector]:
    """``._pth``: the one that counts, and those of the other names that the interpreter may be started by."""
    used = prefixes.path_file
    if used is not None and not embeddable:
        site = "site is imported" if used.imports_site else "site is not imported"
        yield used.path, f"replaces sys.path by its own lines, ignores variables and the virtual environment; {site}"
    if is_windows or rule.configured_by != "getpath.py":
        return
    directory = posixpath.dirname(executable)
    for name in ("python", "python3", prefixes.build.library):
        path = posixpath.join(directory, f"{name}._pth")
        if (used is None or path != used.path) and files.exists(path):
            yield path, f"replaces sys.path where Python is started as {posixpath.join(directory, name)}"


def _build_markers(files: Files, executable: str, prefixes: Prefixes, rule: Rule) -> Iterator[Redirector]:
    marker = prefixes.build_marker
    if marker is not None and rule.configured_by == "getpath.py":
        yield marker, f"makes Python take itself for a build tree: its library is {prefixes.stdlib}, and not frozen"
    elif marker is not None and posixpath.basename(marker) == "Setup.local":
        yield marker, f"makes Python take itself for a build tree: its library is {prefixes.stdlib}"
    elif marker is not None:
        yield marker, f"replaces lib-dynload by {prefixes.dynload}"
    # Not honoured here and now: it is none of a normal installation's files all the same.
    resolved = posixpath.dirname(follow_links(files, executable))
    for directory in dict.fromkeys((prefixes.start, resolved)):
        for name in ("pybuilddir.txt", "Modules/Setup.local"):
            path = posixpath.join(directory, name)
            if not names_process(files, directory) and path != marker and files.is_file(path):
                yield path, "marks a build tree for other versions or ways of starting Python"


def _nearer(files: Files, prefixes: Prefixes) -> Iterator[Redirector]:
    """Landmarks in ``bin`` itself, and a zip above a library: no installation puts them there."""
    start = prefixes.start
    names = library_landmarks(prefixes.platlibdir, prefixes.build)
    if names_process(files, start):
        return
    if posixpath.basename(start) == "bin":
        for name in names:
            path = posixpath.join(start, name)
            if files.is_file(path):
                yield path, "is nearer to the interpreter than its own standard library, and taken for it"
        path = posixpath.join(start, posixpath.dirname(names[0]), "lib-dynload")
        if posixpath.normpath(path) == prefixes.dynload:
            yield path, "is nearer to the interpreter than its own lib-dynload, and adds a site directory"
    elif prefixes.exec_prefix != prefixes.prefix and prefixes.exec_prefix.startswith(prefixes.prefix + "/"):
        yield prefixes.dynload, "is nearer to the interpreter than its own lib-dynload, and adds a site directory"
    zip_name = posixpath.join(prefixes.platlibdir, prefixes.build.zip)
    for directory in ancestors(start):
        path = posixpath.join(directory, zip_name)
        if directory == prefixes.prefix and path != prefixes.zip and files.is_file(path):
            yield path, "marks the prefix"


def _configurations(files: Files, prefixes: Prefixes, cfg: PyvenvCfg | None, is_windows: bool) -> Iterator[Redirector]:
    """A second pyvenv.cfg, or something in its place that is none."""
    beside = posixpath.dirname(prefixes.executable)
    inside = posixpath.basename(beside) in ("bin", "Scripts")
    if cfg is not None and posixpath.dirname(cfg.path) == beside and inside:
        yield cfg.path, "site reads this pyvenv.cfg instead of the environment's own"
    if is_windows or prefixes.venv is None:
        return
    path = posixpath.join(prefixes.venv, pyvenv.NAME)
    if not files.is_file(path):
        yield path, f"is no file, but makes {prefixes.venv} the prefix"
