"""Turns an executable's path into prefixes and library as ``Modules/getpath.py`` does, from 3.11; POSIX."""

import posixpath
from collections.abc import Sequence

from envcheck.environments import pyvenv
from envcheck.environments.prefixes import (
    Build,
    PathFile,
    Prefixes,
    ancestors,
    fallen_back,
    find_platlibdir,
    follow_links,
    library_landmarks,
    read_compiled,
    readable,
    search_up,
    standard_library,
)
from envcheck.environments.rules import Rule
from envcheck.files.process import names_process
from envcheck.files.root import Files, Missing, Unreadable
from envcheck.model.invocation import Invocation
from envcheck.model.nouns import NamedTuple

_BUILD_DIRECTORY = "pybuilddir.txt"


class _Start(NamedTuple):
    """Where the search begins, and what pyvenv.cfg had to do with it."""

    directory: str
    """Of the executable, or ``home``: the search for the prefix goes up from here."""
    real_directory: str
    """Where ``pybuilddir.txt`` is looked for."""
    base_directory: str | None
    """Of the resolved executable that stands behind a virtual environment's, from 3.14.10."""
    real_executable: str
    home: str | None
    venv: str | None


class _Reader:
    """Small files as getpath.py reads them; remembers what ends the start."""

    def __init__(self, files: Files, bound: int | None) -> None:
        self._files = files
        self._bound = bound
        self.fatal: str | None = None

    def lines(self, path: str, errors_pass: bool = False) -> list[str] | None:
        """The lines of a file, ``None`` where it is missing or may not be read; a directory has none.

        ``errors_pass`` says that the caller survives any other error as well.
        """
        try:
            data, _ = self._files.read_part(path, self._bound)
        except Missing:
            return None
        except Unreadable as error:
            return self._refused(path, error.why, errors_pass)
        if self._bound is not None and len(data) >= self._bound:
            self.fatal = self.fatal or f"{path} has {self._bound:,} bytes or more: the start ends with MemoryError"
        text = data.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")
        lines = text.split("\n")
        return [line.rstrip("\r") for line in (lines if lines[-1] else lines[:-1])]

    def _refused(self, path: str, why: str, errors_pass: bool) -> list[str] | None:
        if why == "is a directory, not a regular file":
            return []
        if why == "is a character device, not a regular file":
            self._files.miss(path, f"{why}: taken as empty")
            return []
        if why.startswith("too many symbolic links") and not errors_pass:
            self.fatal = self.fatal or f"{path} is a link to itself: the start ends with OSError"
        elif not why.startswith("too many symbolic links"):
            self._files.miss(path, why)
        return None


def announced(files: Files, executable: str, rule: Rule, invocation: Invocation) -> str:
    """``sys.executable``: PYTHONEXECUTABLE or ``__PYVENV_LAUNCHER__`` replace it, also under ``-E`` and ``-I``."""
    if rule.configured_by != "getpath.py":
        return executable
    named = invocation.environ.get("PYTHONEXECUTABLE") or invocation.environ.get("__PYVENV_LAUNCHER__")
    return named if named and readable(files, named) else executable


def configure(
    files: Files,
    executable: str,
    build: Build,
    rule: Rule,
    invocation: Invocation,
    installed: Sequence[str] = (),
    library: str | None = None,
) -> Prefixes:
    """The path configuration of an executable as it is started (absolute, unresolved).

    ``installed`` are directories that its compiled-in PREFIX may lie above, most likely first; ``library`` the path
    of its shared libpython.
    """
    reader = _Reader(files, rule.cfg_bound)
    library = library if rule.beside_library else None
    python_home = invocation.variable("PYTHONHOME") or None
    named = announced(files, executable, rule, invocation)
    platlibdir = invocation.variable("PYTHONPLATLIBDIR") or ""
    places = [posixpath.dirname(follow_links(files, executable, normal=True)), *installed]
    if not platlibdir:
        first = [python_home.partition(":")[0]] if python_home else []
        platlibdir = find_platlibdir(files, [*first, *(up for place in places for up in ancestors(place))], build)
    landmarks = library_landmarks(platlibdir, build)
    zip_landmark = f"{platlibdir}/{build.zip}"
    began = _begin(files, reader, executable, named, build, rule, python_home, (zip_landmark, *landmarks))
    path_file = _path_file(files, reader, (library, named, began.real_executable))
    home = posixpath.dirname(path_file.path) if path_file else python_home
    marker, builddir = _build_marker(files, reader, began.real_directory, rule)
    places = [began.directory, *places]

    def compiled_prefix() -> str:
        return read_compiled(files, places, platlibdir, build).prefix or fallen_back(files, places, platlibdir, build)

    prefix = exec_prefix = stdlib = None
    if marker is not None:
        vpath = read_compiled(files, places, platlibdir, build).vpath
        exec_prefix = posixpath.normpath(posixpath.join(began.real_directory, vpath))
        prefix = search_up(files, exec_prefix, files.is_file, "Lib/os.py")
        stdlib = posixpath.join(prefix or exec_prefix, "Lib")
    if home is not None:
        prefix, found, exec_prefix = home.partition(":")
        exec_prefix = exec_prefix if found else prefix
        stdlib = None
    if not prefix and library is not None:
        beside = posixpath.dirname(library)
        prefix = search_up(files, beside, files.is_file, zip_landmark)
        if prefix is None and any(files.is_file(posixpath.join(beside, landmark)) for landmark in landmarks):
            prefix, stdlib = beside, standard_library(beside, platlibdir, build)
    if not prefix:
        prefix = search_up(files, began.directory, files.is_file, zip_landmark)
        if prefix is not None:
            stdlib = standard_library(prefix, platlibdir, build)
            stdlib = stdlib if files.is_dir(stdlib) else None
    if not prefix:
        prefix = search_up(files, began.directory, files.is_file, *landmarks)
        if prefix is not None and stdlib is None:
            stdlib = standard_library(prefix, platlibdir, build)
    if not prefix:
        prefix = fallen_back(files, places, platlibdir, build)
    if not exec_prefix:
        exec_prefix = _exec_prefix(files, began, prefix, f"{platlibdir}/{build.library}/lib-dynload", rule)
    zip_prefix = prefix if marker is None else compiled_prefix()
    stdlib = stdlib or standard_library(prefix, platlibdir, build)
    dynload = builddir or posixpath.join(standard_library(exec_prefix, platlibdir, build), "lib-dynload")
    if marker is not None:
        prefix = exec_prefix = zip_prefix
    return Prefixes(
        named,
        prefix,
        exec_prefix,
        platlibdir,
        build,
        stdlib,
        dynload,
        posixpath.join(zip_prefix, platlibdir, build.zip),
        began.home,
        began.venv,
        path_file,
        marker,
        began.directory,
        reader.fatal,
    )


def _begin(
    files: Files,
    reader: _Reader,
    executable: str,
    named: str,
    build: Build,
    rule: Rule,
    python_home: str | None,
    landmarks: tuple[str, ...],
) -> _Start:
    """pyvenv.cfg and the links of the executable."""
    directory = posixpath.dirname(named) if named != executable else None
    base_executable = executable if named != executable else None
    base_directory = real_directory = home = venv = None
    lines: list[str] = []
    if python_home is None or rule.prefix_by == "getpath":
        beside = directory or posixpath.dirname(named)
        for place in (posixpath.dirname(beside), beside):
            found = reader.lines(posixpath.join(place, pyvenv.NAME))
            if found is not None:
                lines, venv = found, place
                break
    value = next((value for key, value in pyvenv.pairs(lines) if key == "home"), None)
    if value is None and rule.prefix_by == "site":
        venv = None
    if value is not None and python_home is None:
        home = directory = real_directory = value
        base_executable = base_executable or _base_executable(files, named, value, build)
        if rule.home_resolved and not names_process(files, base_executable) and files.is_file(base_executable):
            base_directory = posixpath.dirname(base_executable)
            if files.is_file(posixpath.join(base_directory, _BUILD_DIRECTORY)) or search_up(
                files, base_directory, files.is_file, *landmarks
            ):
                directory = real_directory = base_directory
    real_executable = follow_links(files, base_executable or named, normal=True)
    if not directory:
        directory = real_directory = posixpath.dirname(real_executable)
    return _Start(
        directory, real_directory or posixpath.dirname(real_executable), base_directory, real_executable, home, venv
    )


def _base_executable(files: Files, named: str, home: str, build: Build) -> str:
    """The base interpreter behind a virtual environment's: what it links to, else one of ``home``."""
    resolved = follow_links(files, named, normal=True)
    if resolved != named:
        return resolved
    own = posixpath.join(home, posixpath.basename(named))
    # A relative one is the current directory's: never looked at.
    if names_process(files, own) or files.is_file(own):
        return own
    others = (posixpath.join(home, name) for name in ("python3", f"python{build.minor[0]}.{build.minor[1]}"))
    return next((other for other in others if files.is_file(other)), own)


def _path_file(files: Files, reader: _Reader, names: tuple[str | None, ...]) -> PathFile | None:
    """The first ``._pth``: of the library, of the executable as it is named, of the resolved one."""
    for name in names:
        path = f"{name}._pth"
        lines = reader.lines(path, errors_pass=True) if name and not names_process(files, name) else None
        if lines is None:
            continue
        entries = [line.partition("#")[0].strip() for line in lines]
        directory = posixpath.dirname(path)
        return PathFile(
            path,
            tuple(
                posixpath.normpath(posixpath.join(directory, entry))
                for entry in entries
                if entry and not entry.startswith("import ")
            ),
            "import site" in entries,
        )
    return None


def _build_marker(files: Files, reader: _Reader, directory: str, rule: Rule) -> tuple[str | None, str | None]:
    """The file that makes this a build tree, and the directory that ``pybuilddir.txt`` puts in lib-dynload's place."""
    if not directory or names_process(files, directory):
        return None, None
    path = posixpath.join(directory, _BUILD_DIRECTORY)
    lines = reader.lines(path)
    if lines is not None:
        return path, posixpath.normpath(posixpath.join(directory, lines[0])) if lines else directory
    landmark = posixpath.join(directory, "Modules/Setup.local")
    return (landmark if rule.build_landmark and files.is_file(landmark) else None), None


def _exec_prefix(files: Files, began: _Start, prefix: str, landmark: str, rule: Rule) -> str:
    if rule.own_dynload and not names_process(files, prefix) and files.is_dir(posixpath.join(prefix, landmark)):
        return prefix
    found = None
    if rule.home_resolved and began.base_directory is not None and began.base_directory != began.directory:
        found = search_up(files, began.base_directory, files.is_dir, landmark)
    return found or search_up(files, began.directory, files.is_dir, landmark) or prefix
