"""Symbolic links of a site directory into what they stand for: an installer's farm, or something unaccounted for."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from envcheck.catalogue.consumers import is_phantom, site_consumer
from envcheck.files.root import Directory, Files, Unreadable
from envcheck.installed import bytecode
from envcheck.installed.kinds import is_binary, is_code
from envcheck.installed.places import Place
from envcheck.installed.rows import Claims
from envcheck.installed.tally import Tally
from envcheck.installed.writable import Writable
from envcheck.model.environment import Environment

_HEAD = 16
_FARM = 20
"""More claimed links than this that leave the environment are one note."""


class Links:
    """The links that a walk met, by key."""

    def __init__(self, files: Files, environment: Environment, place: Place, tally: Tally, writable: Writable) -> None:
        self._files = files
        self._inside = environment.path.rstrip("/") + "/"
        self._place = place
        self._tally = tally
        self._writable = writable
        self._keys: list[str] = []
        self._claimed: list[str] = []

    def meet(self, prefix: str, names: Iterable[str]) -> None:
        """Take in the links of one directory."""
        self._keys.extend(prefix + name for name in names)

    def meet_claimed(self, path: str) -> None:
        """Take in a claimed file elsewhere in the prefix."""
        if self._files.is_link(path):
            self._claimed.append(path)

    def verify(self, claims: Claims) -> None:
        """Report links that nothing claims, and those that leave the environment."""
        if not self._keys and not self._claimed:
            return
        directories = _directories(claims)
        leaving = []
        for key in self._keys:
            target = self._target(key)
            outside = target is not None and not (target + "/").startswith(self._inside)
            if key in claims.owner_of:
                if outside:
                    leaving.append((key, target))
                continue
            self._unclaimed(key, target, outside, key in directories)
            if key in directories:
                self._search(key, claims)
        for path in self._claimed:
            target = self._target(path)
            if target is not None and not (target + "/").startswith(self._inside):
                leaving.append((path, target))
        for key, _ in leaving:
            self._writable.meet_target(self._place.path(key))
        if len(leaving) > _FARM:
            detail = f"{len(leaving):,} files that RECORDs list are links to files elsewhere; their bytes were verified"
            self._tally.add("link-outside", self._place.site_dir, detail=detail)
            return
        for key, target in leaving:
            self._tally.add("link-outside", self._place.path(key), actual=target, detail=f"it leads to {target}")

    def _unclaimed(self, key: str, target: str | None, outside: bool, holds_claimed: bool) -> None:
        path = self._place.path(key)
        if outside:
            self._tally.add("link-outside", path, actual=target, detail=f"it leads to {target}")
        if holds_claimed:
            return
        if self._is_code(key, path, target):
            self._tally.add("unowned-code", path, actual=target, detail=f"a link to {target}")
            if is_phantom(key):
                self._tally.add("phantom-module", path, actual=target, detail=f"a link to {target}")
        elif not outside:
            self._tally.add("unowned-data", path, actual=target, detail=f"a link to {target}")

    def _is_code(self, key: str, path: str, target: str | None) -> bool:
        """By its name, the name of what it leads to, or the first bytes of that."""
        if is_code(key) or site_consumer(key) is not None or (target is not None and is_code(target)):
            return True
        try:
            return is_binary(self._files.read_part(path, _HEAD)[0])
        except Unreadable:
            return self._files.is_dir(path)

    def _search(self, key: str, claims: Claims) -> None:
        """Code in a linked directory beside the files that RECORDs claim there."""
        top = self._place.path(key)
        for directory in self._files.walk(top):
            prefix = key + directory.path[len(top) :] + "/"
            if prefix.endswith("/__pycache__/"):
                self._search_bytecode(directory)
                continue
            for name in (*directory.files, *directory.links):
                key_of_file, path = prefix + name, f"{directory.path}/{name}"
                if key_of_file not in claims.owner_of and self._is_code(key_of_file, path, None):
                    detail = f"in {key}, which is a link"
                    self._tally.add("unowned-code", self._place.path(key_of_file), detail=detail)

    def _search_bytecode(self, directory: Directory) -> None:
        """Bytecode in a linked directory belongs to the sources beside it, unless it never looks at them."""
        for name in directory.files:
            path = f"{directory.path}/{name}"
            if bytecode.source_name(name) is not None and bytecode.unchecked(self._files, path):
                self._tally.add("bytecode-unchecked", path)

    def _target(self, key: str) -> str | None:
        path = self._place.path(key)
        try:
            text = self._files.readlink(path)
        except Unreadable as error:
            self._files.miss(error.path, error.why)
            return None
        return posixpath.normpath(text if text.startswith("/") else posixpath.join(posixpath.dirname(path), text))


def _directories(claims: Claims) -> set[str]:
    """Every directory that some claim, not met by the walk, lies below."""
    found: set[str] = set()
    for key in claims.owner_of:
        directory = key.rpartition("/")[0]
        while directory and directory not in found:
            found.add(directory)
            directory = directory.rpartition("/")[0]
    return found
