"""What the path configuration comes to (prefixes, library, ``sys.path``), and the steps that all versions share.

Paths are compared as text wherever CPython compares text, and never made absolute against a current directory.
"""

import posixpath
import re
from collections.abc import Callable, Iterator, Sequence

from envcheck.files.process import names_process
from envcheck.files.root import Files, Unreadable
from envcheck.model.nouns import NamedTuple

_LINKS = 40
_SETTING = rb"""['"]%s['"]\s*:\s*['"]([^'"\n]{0,4096})['"]"""


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


class PathFile(NamedTuple):
    """A ``._pth`` file that took effect: it is all of ``sys.path``."""

    path: str
    entries: tuple[str, ...]
    imports_site: bool


class Prefixes(NamedTuple):
    """The outcome of the path configuration, before ``site`` changes anything."""

    executable: str
    """``sys.executable``: ``site`` looks for its pyvenv.cfg beside and above it."""
    prefix: str
    """``sys.base_prefix``."""
    exec_prefix: str
    platlibdir: str
    build: Build
    stdlib: str
    """The directory with ``os.py``."""
    dynload: str
    """``lib-dynload``, or what stands in its place on ``sys.path``."""
    zip: str
    """The zip that precedes the standard library, whether it exists or not."""
    home: str | None = None
    """``home`` of the pyvenv.cfg that counted, as it stands there."""
    venv: str | None = None
    """Where the path configuration found a pyvenv.cfg: ``sys.prefix`` from 3.14 on."""
    path_file: PathFile | None = None
    build_marker: str | None = None
    """The ``pybuilddir.txt`` or ``Modules/Setup.local`` that makes this a build tree for CPython, which from 3.11 on
    also takes the standard library from files instead of from the frozen modules."""
    start: str = ""
    """The directory from which the prefix was searched upward."""
    fatal: str | None = None
    """Why the path configuration ends the start, or ``None``."""


class Compiled(NamedTuple):
    """Constants of the interpreter's build, as far as its library tells them."""

    prefix: str
    vpath: str
    """The sources' directory, relative to the build's."""


def follow_links(files: Files, path: str, normal: bool = False) -> str:
    """The executable with its own links followed; links among its directories stay, as CPython leaves them.

    ``normal`` collapses ``..`` after a relative link as text, as getpath.py does.
    """
    for _ in range(_LINKS):
        if names_process(files, posixpath.dirname(path)):
            break
        try:
            target = files.readlink(path)
        except Unreadable:
            break
        path = posixpath.join(posixpath.dirname(path), target)
        path = posixpath.normpath(path) if normal and not target.startswith("/") else path
    return path


def standard_library(prefix: str, platlibdir: str, build: Build) -> str:
    """The library directory of a prefix."""
    return posixpath.join(prefix, platlibdir, build.library)


def library_landmarks(platlibdir: str, build: Build) -> tuple[str, str]:
    """What marks a prefix."""
    library = f"{platlibdir}/{build.library}"
    return f"{library}/os.py", f"{library}/os.pyc"


def find_platlibdir(files: Files, places: Sequence[str], build: Build) -> str:
    """``sys.platlibdir`` is compiled in; the library directory that holds ``os.py`` tells which it is."""
    for place in places:
        for name in ("lib", "lib64"):
            if not names_process(files, place) and files.is_file(posixpath.join(place, name, build.library, "os.py")):
                return name
    return "lib"


def readable(files: Files, path: str) -> bool:
    """Whether a path may be looked at here; one of the process that starts Python, or of another system, never."""
    if not names_process(files, path):
        return True
    files.miss(path, "a path of the process that starts Python, or of another system: not followed")
    return False


def search_up(files: Files, start: str, test: Callable[[str], bool], *landmarks: str) -> str | None:
    """The nearest of a directory and those above it that has one of the landmarks."""
    if not start or not readable(files, start):
        return None
    for directory in ancestors(start):
        if any(test(posixpath.join(directory, landmark)) for landmark in landmarks):
            return directory
    return None


def ancestors(start: str) -> Iterator[str]:
    """A directory and all above it, as text, without the root itself, which CPython never reaches on its way up.

    Nothing for a relative one, which the current directory would decide.
    """
    while start.startswith("/"):
        yield start
        start = posixpath.dirname(start)
        if start == "/":
            return


def read_compiled(files: Files, places: Sequence[str], platlibdir: str, build: Build) -> Compiled:
    """PREFIX and VPATH from the library that stands above the first of ``places`` which has one."""
    landmarks = library_landmarks(platlibdir, build)
    for place in places:
        natural = search_up(files, place, files.is_file, *landmarks)
        if natural is None:
            continue
        library = standard_library(natural, platlibdir, build)
        for name in files.names(library):
            if name.startswith("_sysconfigdata_") and name.endswith(".py"):
                try:
                    data, _ = files.read_part(posixpath.join(library, name))
                except Unreadable:
                    break
                return Compiled(_setting(data, b"prefix") or natural, _setting(data, b"VPATH"))
        return Compiled(natural, "")
    return Compiled("", "")


def _setting(data: bytes, name: bytes) -> str:
    found = re.search(_SETTING % name, data)
    return found[1].decode("utf-8", "surrogateescape") if found else ""


def fallen_back(files: Files, places: Sequence[str], platlibdir: str, build: Build) -> str:
    """The prefix of an interpreter that finds none: its compiled-in one, which no file tells surely."""
    landmarks = library_landmarks(platlibdir, build)
    compiled = read_compiled(files, places, platlibdir, build).prefix
    if (
        compiled
        and not names_process(files, compiled)
        and any(files.is_file(posixpath.join(compiled, landmark)) for landmark in landmarks)
    ):
        return compiled
    found = (search_up(files, place, files.is_file, *landmarks) for place in places)
    return next((place for place in found if place is not None), posixpath.dirname(places[0]))
