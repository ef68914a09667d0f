"""A RECORD row's path into the file it stands for: a key below the site directory, an absolute path, or nowhere.

Everything is textual: no link decides where a row points, so that a row cannot lead out of the environment.
"""

from __future__ import annotations

import posixpath
import re

from envcheck.model.environment import Environment, SiteDir

_DRIVE = re.compile(r"[A-Za-z]:")
_LIB = re.compile(r"/lib(?:64)?/(?:python|pypy)[0-9.]+t?/(?:site|dist)-packages$")


class Place:
    """One site directory and the tree that its rows may point into.

    A key is a path relative to the site directory where the file lies below it, else an absolute path.
    """

    __slots__ = ("_below", "loose", "prefix", "root", "site_dir")

    def __init__(self, site_dir: str, root: str, loose: bool = False) -> None:
        self.site_dir = site_dir.rstrip("/") or "/"
        self.prefix = self.site_dir.rstrip("/") + "/"
        self.root = root.rstrip("/") or "/"
        self._below = self.root.rstrip("/") + "/"
        self.loose = loose
        """A site directory without an interpreter (``pip install --target``): pip writes ``../../bin/NAME`` for what
        then stands at ``bin/NAME`` in the directory itself."""

    def key(self, row: str) -> str | None:
        """The key of a row's file; ``None`` where the row leaves the environment."""
        if row[:1] != "/" and "./" not in row and "\\" not in row and "//" not in row and row[-1:] not in "./":
            return row if row[1:2] != ":" or not _DRIVE.match(row) else None
        path = row.replace("\\", "/")
        if _DRIVE.match(path):
            return None
        absolute = "/" + posixpath.normpath(path if path[:1] == "/" else self.prefix + path).lstrip("/")
        if absolute.startswith(self.prefix):
            return absolute[len(self.prefix) :]
        if self.loose and path.startswith("../../"):
            inner = posixpath.normpath(path[6:])
            return None if inner.startswith(("../", "/")) or inner in ("..", ".") else inner
        return absolute if absolute.startswith(self._below) else None

    def path(self, key: str) -> str:
        """The absolute path of a key."""
        return key if key[:1] == "/" else self.prefix + key

    def key_of(self, path: str) -> str:
        """The key of an absolute path in normal form."""
        return path[len(self.prefix) :] if path.startswith(self.prefix) else path


def place(environment: Environment, site: SiteDir) -> Place:
    """The place of one of an environment's site directories.

    A user site's rows may point into the user base (``~/.local``), every other's into the environment. A bare site
    directory has its scheme's prefix above it if its path says so, else what ``pip install --target`` made of it.
    """
    prefix = environment.path.rstrip("/")
    if site.path.startswith(prefix + "/"):
        return Place(site.path, prefix)
    found = _LIB.search(site.path)
    if found:
        return Place(site.path, site.path[: found.start()] or "/")
    return Place(site.path, site.path, loose=environment.kind == "target-directory")
