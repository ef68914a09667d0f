"""Turns an executable's path into prefixes and standard library, as CPython's path configuration does.

``Modules/getpath.c`` up to 3.10, ``Modules/getpath.py`` from 3.11; POSIX. Paths are compared as text wherever CPython
compares text, and never made absolute against a current directory.
"""

import posixpath
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from envcheck.environments import pyvenv
from envcheck.environments.rules import Rule, rule_for
from envcheck.files.root import Files, Unreadable
from envcheck.model.invocation import Invocation

_LINKS = 40


class Build(NamedTuple):
    """What is compiled into the interpreter: the parts of a directory name."""

    minor: tuple[int, int]
    thread: str = ""
    """``t`` for a free-threaded build."""

    @property
    def library(self) -> str:
        """``python3.13t``."""
        return f"python{self.minor[0]}.{self.minor[1]}{self.thread}"

    @property
    def zip(self) -> str:
        """``python313t.zip``."""
        return f"python{self.minor[0]}{self.minor[1]}{self.thread}.zip"


class Prefixes(NamedTuple):
    """The outcome of the path configuration, before ``site`` changes anything."""

    prefix: str
    exec_prefix: str
    platlibdir: str
    home: str | None
    """``home`` of the pyvenv.cfg that counted, as it stands there."""
    venv: str | None
    """Where the path configuration found a pyvenv.cfg: ``sys.prefix`` from 3.14 on."""
    build: Build
    fatal: str | None = None
    """Why the path configuration ends the start, or ``None``."""

    @property
    def stdlib(self) -> str:
        """The directory with ``os.py``."""
        return posixpath.join(self.prefix, self.platlibdir, self.build.library)

    @property
    def dynload(self) -> str:
        """``lib-dynload``."""
        return posixpath.join(self.exec_prefix, self.platlibdir, self.build.library, "lib-dynload")

    @property
    def zip(self) -> str:
        """The zip that precedes the standard library, whether it exists or not."""
        return posixpath.join(self.prefix, self.platlibdir, self.build.zip)


def follow_links(files: Files, path: str) -> str:
    """The executable with its own links followed; links among its directories stay, as CPython leaves them."""
    for _ in range(_LINKS):
        try:
            target = files.readlink(path)
        except Unreadable:
            break
        path = posixpath.join(posixpath.dirname(path), target)
    return path


def configure(
    files: Files, executable: str, build: Build, rule: Rule, invocation: Invocation, installed: Sequence[str] = ()
) -> Prefixes:
    """Prefix, exec_prefix and library directory for an executable as it would be started (absolute, unresolved).

    ``installed`` are directories that its compiled-in PREFIX may lie above, most likely first.
    """
    resolved = follow_links(files, executable)
    python_home = invocation.variable("PYTHONHOME") or None
    cfg = None
    if not python_home or rule.prefix_by == "getpath" or rule.home_search == "resolved":
        cfg = pyvenv.path_candidate(files, executable, resolved, rule)
    data = None if cfg is None else pyvenv.read_bytes(files, cfg)
    home = None if data is None or python_home else pyvenv.parse_home(data, rule)
    fatal = None
    if data is not None and rule.cfg_bound is not None and len(data) >= rule.cfg_bound:
        fatal = f"{cfg} has {rule.cfg_bound:,} bytes or more: the start ends with MemoryError"
    venv = None if cfg is None else posixpath.dirname(cfg)
    started = posixpath.dirname(resolved)
    platlibdir = invocation.variable("PYTHONPLATLIBDIR") if rule.platlibdir else None
    if python_home:
        named, _, exec_named = python_home.partition(":")
        platlibdir = platlibdir or _platlibdir(files, (named,), build)
        return Prefixes(named, exec_named or named, platlibdir, None, venv, build, fatal)
    start = home or started
    places = (start, started, *installed)
    platlibdir = platlibdir or _platlibdir(files, [above for place in places for above in _ancestors(place)], build)
    prefix = _find_prefix(files, start, platlibdir, build, rule)
    if prefix is None:
        # The compiled-in PREFIX: no file tells it surely.
        found = (_find_prefix(files, place, platlibdir, build, rule) for place in places[1:])
        prefix = next((place for place in found if place is not None), posixpath.dirname(start))
    landmark = f"{platlibdir}/{build.library}/lib-dynload"
    exec_prefix = _search_up(start, files.is_dir, landmark) or prefix
    return Prefixes(prefix, exec_prefix, platlibdir, home, venv, build, fatal)


def _platlibdir(files: Files, places: Sequence[str], build: Build) -> str:
    """``sys.platlibdir`` is compiled in; the library directory that holds ``os.py`` tells which it is."""
    for place in places:
        for name in ("lib", "lib64"):
            if place.startswith("/") and files.is_file(posixpath.join(place, name, build.library, "os.py")):
                return name
    return "lib"


def _find_prefix(files: Files, start: str, platlibdir: str, build: Build, rule: Rule) -> str | None:
    """The nearest ancestor with a landmark; from 3.11 a zip anywhere above counts before any ``os.py``."""
    found = _search_up(start, files.is_file, f"{platlibdir}/{build.zip}") if rule.zip_landmark else None
    stdlib = f"{platlibdir}/{build.library}"
    return found or _search_up(start, files.is_file, f"{stdlib}/os.py", f"{stdlib}/os.pyc")


def _search_up(start: str, test: Callable[[str], bool], *landmarks: str) -> str | None:
    for directory in _ancestors(start):
        if any(test(posixpath.join(directory, landmark)) for landmark in landmarks):
            return directory
    return None


def _ancestors(start: str) -> Iterator[str]:
    """A directory and all above it, as text, without the root itself, which CPython never reaches on its way up.

    Nothing for a relative one, which the current directory would decide.
    """
    while start.startswith("/"):
        yield start
        start = posixpath.dirname(start)
        if start == "/":
            return


def windows_prefixes(files: Files, executable: str, build: Build) -> Prefixes:
    """Of a virtual environment in Windows' layout, offline: ``home`` is a directory of that machine's, kept as text."""
    path = pyvenv.site_candidate(files, executable)
    data = None if path is None else pyvenv.read_bytes(files, path)
    home = None if data is None else pyvenv.parse_home(data, rule_for(build.minor))
    return Prefixes(home or "", home or "", "Lib", home, None, build)
