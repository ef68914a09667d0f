"""Turns an executable's path into prefixes and library as ``Modules/getpath.c`` does, up to 3.10; POSIX."""

import posixpath
from collections.abc import Sequence

from envcheck.environments import pyvenv
from envcheck.environments.prefixes import (
    Build,
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
from envcheck.files.root import Files, Unreadable
from envcheck.model.invocation import Invocation

_BUILD_DIRECTORY = 4096
"""Bytes of ``pybuilddir.txt`` that count, all of them a path: no line end is removed."""


def configure(
    files: Files, executable: str, build: Build, rule: Rule, invocation: Invocation, installed: Sequence[str] = ()
) -> Prefixes:
    """The path configuration of an executable as it is started (absolute, unresolved).

    ``installed`` are directories that its compiled-in PREFIX may lie above, most likely first.
    """
    started = posixpath.dirname(follow_links(files, executable))
    cfg = pyvenv.first_file(files, started, posixpath.dirname(started))
    platlibdir = invocation.variable("PYTHONPLATLIBDIR") if rule.platlibdir else None
    python_home = invocation.variable("PYTHONHOME")
    if python_home:
        named, _, exec_named = python_home.partition(":")
        platlibdir = platlibdir or find_platlibdir(files, (named,), build)
        return _outcome(executable, named, exec_named or named, platlibdir, build, started)
    data = None if cfg is None else pyvenv.read_bytes(files, cfg)
    home = None if data is None else pyvenv.tokens_home(data)
    start = home or started
    places = (start, started, *installed)
    platlibdir = platlibdir or find_platlibdir(files, [up for place in places for up in ancestors(place)], build)
    landmark = posixpath.join(start, "Modules/Setup.local")
    builddir = posixpath.join(start, "pybuilddir.txt")
    marker = None
    stdlib = dynload = None
    prefix = exec_prefix = None
    here = readable(files, start)
    if rule.build_landmark and here and files.is_file(landmark):
        library = posixpath.normpath(
            posixpath.join(start, read_compiled(files, places, platlibdir, build).vpath, "Lib")
        )
        if files.is_file(posixpath.join(library, "os.py")) or files.is_file(posixpath.join(library, "os.pyc")):
            marker, stdlib = landmark, library
    if stdlib is None:
        prefix = search_up(files, start, files.is_file, *library_landmarks(platlibdir, build))
    compiled = fallen_back(files, places, platlibdir, build) if prefix is None else prefix
    if stdlib is not None:
        compiled = read_compiled(files, places, platlibdir, build).prefix or compiled
    prefix = prefix or compiled
    replaced = _build_directory(files, builddir) if here else None
    if replaced is not None:
        marker = builddir
        dynload = posixpath.normpath(posixpath.join(start, replaced))
        exec_prefix = read_compiled(files, places, platlibdir, build).prefix or compiled
    else:
        exec_prefix = search_up(files, start, files.is_dir, f"{platlibdir}/{build.library}/lib-dynload") or prefix
    found = _outcome(executable, prefix, exec_prefix, platlibdir, build, start)
    return found._replace(
        home=home, stdlib=stdlib or found.stdlib, dynload=dynload or found.dynload, build_marker=marker
    )


def _build_directory(files: Files, path: str) -> str | None:
    """The content of a ``pybuilddir.txt``, or ``None`` where there is none."""
    try:
        data, _ = files.read_part(path, _BUILD_DIRECTORY)
    except Unreadable as error:
        if error.why == "is a directory, not a regular file":
            return ""
        return None
    return data.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")


def _outcome(executable: str, prefix: str, exec_prefix: str, platlibdir: str, build: Build, start: str) -> Prefixes:
    return Prefixes(
        executable,
        prefix,
        exec_prefix,
        platlibdir,
        build,
        standard_library(prefix, platlibdir, build),
        posixpath.join(standard_library(exec_prefix, platlibdir, build), "lib-dynload"),
        posixpath.join(prefix, platlibdir, build.zip),
        start=start,
    )
