"""Windows' layout, read on another system: prefixes, ``sys.path`` and site directories of what lies in a tree.

From ``PC/getpathp.c`` (to 3.10), ``Modules/getpath.py`` and ``Lib/site.py``; no interpreter here can judge it. A path
with a drive letter belongs to that machine: it is kept as text and never read. The registry is not read.
"""

from __future__ import annotations

import ntpath
import posixpath

from envcheck.environments import pyvenv
from envcheck.environments.prefixes import Build, PathFile, Prefixes
from envcheck.files.root import Files, Unreadable
from envcheck.model.invocation import Invocation

_MAX_PATH_FILE = 1 << 15
_WINVER = {"win32": "-32", "arm64": "-arm64", "arm": "-arm32"}


def join(base: str, *parts: str) -> str:
    """In the style of ``base``: a POSIX path of this tree, or a Windows path of that machine."""
    if base.startswith("/"):
        return posixpath.join(base, *parts)
    return ntpath.join(base, *(part.replace("/", "\\") for part in parts))


def parent(path: str) -> str:
    """The directory, in the style of the path."""
    return posixpath.dirname(path) if path.startswith("/") else ntpath.dirname(path)


def present(files: Files, directory: str, *parts: str) -> str:
    """``directory/part/…`` in the spelling that stands there: Windows ignores case, this system does not."""
    for part in parts:
        spelt = part
        if directory.startswith("/") and not files.exists(posixpath.join(directory, part)):
            spelt = next((name for name in files.names(directory) if name.lower() == part.lower()), part)
        directory = join(directory, spelt)
    return directory


def configure(files: Files, executable: str, build: Build, invocation: Invocation) -> Prefixes:
    """The path configuration of a ``python.exe``, in a virtual environment's ``Scripts`` or beside its own library."""
    beside = posixpath.dirname(executable)
    cfg = pyvenv.first_file(files, posixpath.dirname(beside), beside)
    data = None if cfg is None else pyvenv.read_bytes(files, cfg)
    lines = [] if data is None else data.decode("utf-8", "surrogateescape").splitlines()
    home = next((value for key, value in pyvenv.pairs(lines) if key == "home"), None)
    place = home or beside
    python_home = invocation.variable("PYTHONHOME")
    prefix = python_home.partition(";")[0] if python_home else place
    path_file = _path_file(files, (join(place, f"python{build.minor[0]}{build.minor[1]}"), executable[: -len(".exe")]))
    if path_file is not None:
        prefix = posixpath.dirname(path_file.path)
    library = present(files, prefix, "Lib")
    return Prefixes(
        executable,
        prefix,
        prefix,
        "DLLs",
        build,
        library,
        present(files, prefix, "DLLs"),
        join(place, build.zip),
        home,
        None if cfg is None else posixpath.dirname(cfg),
        path_file,
        start=place,
    )


def _path_file(files: Files, names: tuple[str, str]) -> PathFile | None:
    """``pythonXY._pth`` beside the library, else ``python._pth`` beside the program, where this tree has them."""
    for name in names:
        path = f"{name}._pth"
        if not path.startswith("/"):
            continue
        try:
            data, size = files.read_part(path, _MAX_PATH_FILE)
        except Unreadable:
            continue
        if size > len(data):
            files.miss(path, f"larger than the bound of {_MAX_PATH_FILE:,} bytes: the rest was not read")
        text = data.decode("utf-8", "surrogateescape")
        entries = [line.partition("#")[0].strip() for line in text.split("\n")]
        directory = posixpath.dirname(path)
        paths = [entry.replace("\\", "/") for entry in entries if entry and not entry.startswith("import ")]
        return PathFile(
            path,
            tuple(_below(directory, entry) for entry in paths),
            "import site" in entries,
        )
    return None


def _below(directory: str, entry: str) -> str:
    """An entry of a ``._pth``: relative to its directory, or with a drive, which stays text."""
    if ntpath.splitdrive(entry)[0] or entry.startswith("/"):
        return ntpath.normpath(entry)
    return posixpath.normpath(posixpath.join(directory, entry))


def is_embeddable(files: Files, prefixes: Prefixes) -> bool:
    """Whether this is python.org's embeddable package: a zip for a library, and a ``._pth`` of no more than those two.

    Where a library stands beside them, the same ``._pth`` is somebody's.
    """
    used, build = prefixes.path_file, prefixes.build
    if used is None or prefixes.venv is not None:
        return False
    directory = posixpath.dirname(used.path)
    return (
        posixpath.basename(used.path) == f"python{build.minor[0]}{build.minor[1]}._pth"
        and set(used.entries) <= {posixpath.join(directory, build.zip), directory}
        and files.is_file(posixpath.join(directory, build.zip))
        and not files.exists(present(files, directory, "Lib", "os.py"))
    )


def site_packages(files: Files, prefix: str) -> tuple[str, ...]:
    """The prefix itself, then its ``site-packages`` as it is spelt there."""
    return prefix, present(files, prefix, "Lib", "site-packages")


def user_site(build: Build, invocation: Invocation, platform: str) -> str | None:
    r"""``PYTHONUSERBASE``, else ``%APPDATA%\Python``, with ``PythonXY\site-packages`` below."""
    base = invocation.environ.get("PYTHONUSERBASE")
    if not base:
        home = invocation.environ.get("APPDATA") or invocation.environ.get("USERPROFILE")
        if not home:
            return None
        base = join(home, "Python")
    number = f"{build.minor[0]}{build.minor[1]}"
    if build.minor >= (3, 10):
        number += build.thread + _WINVER.get(platform.partition("-")[2], "")
    return join(base, f"Python{number}", "site-packages")
