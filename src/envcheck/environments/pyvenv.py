"""Turns the bytes of a pyvenv.cfg into what CPython's two independent parsers make of it.

The path configuration takes ``home`` from it, ``site`` takes ``include-system-site-packages``. They differ in where
they look, in syntax and in which duplicate wins, and the first of them changed with 3.11 (rules.py has the rows).
"""

from __future__ import annotations

import posixpath
import re

from envcheck.files.root import Files, Unreadable
from envcheck.model.environment import PyvenvCfg

NAME = "pyvenv.cfg"


def site_candidate(files: Files, executable: str) -> str | None:
    """The pyvenv.cfg that ``site`` reads: beside the executable's unresolved path, else one level up."""
    directory = posixpath.dirname(executable)
    return first_file(files, directory, posixpath.dirname(directory))


def first_file(files: Files, *directories: str) -> str | None:
    """The first pyvenv.cfg in these directories that is a file."""
    for directory in directories:
        path = posixpath.join(directory, NAME)
        if files.is_file(path):
            return path
    return None


def venvs_around(files: Files, path: str) -> tuple[str, ...]:
    """The directories that a path is, or lies in, that are venvs by their pyvenv.cfg: the nearest first."""
    found = []
    while True:
        if files.is_file(posixpath.join(path, NAME)):
            found.append(path)
        parent = posixpath.dirname(path)
        if parent == path:
            return tuple(found)
        path = parent


def read_bytes(files: Files, path: str) -> bytes | None:
    """The file's content up to the bound on small files, what cannot be read noted; ``None`` where nothing can."""
    try:
        data, size = files.read_part(path)
    except Unreadable as error:
        files.miss(path, error.why)
        return None
    if size > len(data):
        files.miss(path, f"larger than the bound of {files.limits.small:,} bytes: the rest was not read")
    return data


def read_site(files: Files, path: str) -> PyvenvCfg:
    """What ``site`` makes of the file. Where it cannot be read whole, the system's packages count as included."""
    data = read_bytes(files, path)
    if data is None:
        return PyvenvCfg(path, (), None, True)
    cfg = parse_site(path, data)
    return cfg._replace(include_system_site=True) if len(data) >= files.limits.small else cfg


def parse_site(path: str, data: bytes) -> PyvenvCfg:
    """``site``'s reading: UTF-8, any ``key = value`` line, the last duplicate wins, a missing key enables.

    Only the exact word ``true`` in any case enables; a byte that is no UTF-8 ends the start of the interpreter.
    """
    fatal = None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        fatal = f"byte {error.start} is not UTF-8: the start ends with UnicodeDecodeError"
        text = data.decode("utf-8", "surrogateescape")
    # Universal newlines; ``str.splitlines`` would split at more.
    keys = tuple(pairs(re.split("\r\n|\r|\n", text)))
    include = "true"
    for key, value in keys:
        if key == "include-system-site-packages":
            include = value.lower()
    return PyvenvCfg(path, keys, None, include == "true", fatal)


def hint(cfg: PyvenvCfg | None, *names: str) -> str | None:
    """The last value of the first of these keys that stands in the file: a hint, which CPython itself ignores."""
    if cfg is None:
        return None
    known = dict(cfg.keys)
    return next((known[name] for name in names if name in known), None)


def pairs(lines: list[str]) -> list[tuple[str, str]]:
    """Every ``key = value`` line, the key in lower case."""
    found = []
    for line in lines:
        key, equals, value = line.partition("=")
        if equals:
            found.append((key.strip().lower(), value.strip()))
    return found


_TOKENS = rb"[ \t\r]*home[ \t\r][ \t]*=[ \t]\r*([^\r]+)"
_LINE = 8191
"""Bytes of a line that getpath.c takes, with its newline; a longer one ends the search."""


def tokens_home(data: bytes) -> str | None:
    """``home`` up to 3.10 (getpath.c): a line that is cut (too long, a NUL, no newline) stops the search."""
    for line in data.split(b"\n")[:-1]:
        if len(line) + 1 > _LINE or b"\0" in line:
            return None
        found = None if line.startswith(b"#") else re.match(_TOKENS, line)
        if found:
            return found[1].decode("utf-8", "surrogateescape")
    return None
