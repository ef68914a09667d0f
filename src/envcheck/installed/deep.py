"""Directories into every source in them and the bytecode that CPython accepts in its place, at each optimisation level.

Directories behind links are entered, each real directory once: what is imported through a link runs as well.
"""

from __future__ import annotations

import posixpath
import stat
from collections.abc import Iterator, Set

from envcheck.files.root import Directory, Files, Missing, Unreadable
from envcheck.formats.bytecode import HEADER_SIZE, accepted, read_header
from envcheck.installed.proofs import Cached
from envcheck.model.environment import Environment
from envcheck.model.invocation import Invocation

_CACHE = "__pycache__"
_BEHIND_LINKS = 200_000
"""Directory entries that are looked at behind links: one may lead to the whole machine."""
_SYSTEM = ("/proc", "/sys", "/dev")


class Search:
    """The search of one environment: its own site directories, and the standard library that it runs on."""

    def __init__(self, files: Files, environment: Environment, invocation: Invocation) -> None:
        self._files = files
        self._environment = environment
        self._minor = environment.python.minor
        self._tag = "cpython-{}{}".format(*self._minor)
        self._check = invocation.hash_check
        prefix = invocation.option("pycache_prefix") or invocation.variable("PYTHONPYCACHEPREFIX")
        self._cache_prefix = prefix or None
        self._entered: set[str] = set()
        self._left = _BEHIND_LINKS

    def cached(self) -> Iterator[Cached]:
        """All of it, directory by directory in the order of names."""
        environment = self._environment
        tops = [site.path for site in environment.own_site_dirs]
        # Site directories of the base may lie in its standard library: those are another environment's.
        others = {site.path for site in environment.site_dirs}
        if environment.stdlib is not None:
            tops.append(environment.stdlib)
            others |= {posixpath.join(environment.stdlib, name) for name in ("site-packages", "dist-packages")}
        for top in tops:
            yield from self._below(top, others - set(tops))

    def _below(self, top: str, others: Set[str]) -> Iterator[Cached]:
        linked: list[str] = []
        yield from self._walk(top, others, linked)
        while linked:
            yield from self._walk(linked.pop(), others, linked)

    def _walk(self, top: str, others: Set[str], linked: list[str]) -> Iterator[Cached]:
        """One tree; directories behind its links are added to ``linked``."""
        behind = bool(self._entered) and self._files.is_link(top)
        for directory in self._files.walk(top):
            if directory.path in others or not self._enter(directory.path):
                directory.dirs.clear()
                continue
            if behind:
                self._left -= sum(map(len, directory[1:]))
                if self._left < 0:
                    self._files.miss(top, f"more than {_BEHIND_LINKS:,} files behind links: the rest was not read")
                    return
            yield from self._in(directory)
            if _CACHE in directory.dirs:
                directory.dirs.remove(_CACHE)
            links = [f"{directory.path}/{name}" for name in directory.links if name != _CACHE]
            linked.extend(path for path in links if self._files.is_dir(path))

    def _enter(self, path: str) -> bool:
        try:
            real = self._files.realpath(path)
        except Unreadable as error:
            self._files.miss(error.path, error.why)
            return False
        if real in self._entered or (real + "/").startswith(tuple(name + "/" for name in _SYSTEM)):
            return False
        self._entered.add(real)
        return True

    def _in(self, directory: Directory) -> Iterator[Cached]:
        sources = [name for name in (*directory.files, *directory.links) if name.endswith(".py")]
        if not sources:
            return
        cache = f"{directory.path}/{_CACHE}"
        if self._cache_prefix is not None:
            cache = posixpath.join(self._cache_prefix, directory.path.lstrip("/"))
        elif _CACHE not in directory.dirs and _CACHE not in directory.links:
            return
        try:
            found = self._files.directory(cache)
        except Missing:
            return
        except Unreadable as error:
            self._files.miss(error.path, error.why)
            return
        names = sorted((*found.files, *found.links))
        by_stem: dict[str, list[str]] = {}
        for name in names:
            stem, dot, rest = name.rpartition("." + self._tag + ".")
            if dot and (rest == "pyc" or (rest.startswith("opt-") and rest.endswith(".pyc"))):
                by_stem.setdefault(stem, []).append(name)
        for source in sorted(sources):
            for name in by_stem.get(source[:-3], ()):
                one = Cached(f"{directory.path}/{source}", f"{cache}/{name}")
                if self._is_accepted(one):
                    yield one

    def _is_accepted(self, one: Cached) -> bool:
        """Whether CPython would run it; what cannot be read is noted."""
        status = self._files.stat(one.source)
        if status is None or not stat.S_ISREG(status.st_mode):
            return False
        try:
            header = read_header(self._files.read_part(one.path, HEADER_SIZE)[0], self._minor)
            return header is not None and accepted(
                header,
                status.st_mtime,
                status.st_size,
                self._minor,
                self._check,
                lambda: self._files.read(one.source, self._files.limits.startup),
            )
        except Missing:
            return False
        except Unreadable as error:
            self._files.miss(error.path, error.why)
            return False
