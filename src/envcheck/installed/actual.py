"""The verified rows of one site directory into what each distribution's files are, by location.

Locations and digests are those of canonical manifests (`formats.manifest`), so that a distribution can be held against
what a wheel installs without another look at its files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from envcheck.files.digests import Digest
from envcheck.files.root import Missing, Unreadable
from envcheck.formats.manifest import PYTHON, fold, is_left_out, script_names
from envcheck.formats.record import hash_field, read_hash
from envcheck.installed.places import Place
from envcheck.installed.rows import Claimed, Claims
from envcheck.installed.scripts import Scripts

_FIELD = len("sha256=")


class Actual:
    """What one distribution lists, and what is there."""

    __slots__ = ("claimed", "files", "keys", "scripts")

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        """Digest of what is there, by location."""
        self.claimed: dict[str, str] = {}
        """RECORD's digest, where that is another or nothing is there; empty where it has none that counts."""
        self.scripts: dict[str, str] = {}
        """The digest that stands for a script whose first line names this environment's interpreter."""
        self.keys: dict[str, str] = {}
        """The key of a location that is not ``S/`` and the key."""

    def key(self, location: str) -> str:
        """The file that stands for a location."""
        return self.keys.get(location) or location[2:]

    def take(self, key: str, location: str, field: str, result: Digest | None) -> None:
        """A row and what was found: ``None`` where the file is plainly as the row says."""
        if location[2:] != key:
            self.keys[location] = key
        if result is None:
            self.files[location] = field[_FIELD:]
            return
        said = _said(field)
        if isinstance(result, Unreadable):
            if isinstance(result, Missing) or not result.why.startswith("is a directory"):
                self.claimed[location] = said
            return
        there = self.files[location] = hash_field(result)[_FIELD:]
        if said != there:
            self.claimed[location] = said

    def take_again(self, key: str, location: str, field: str, first: str, result: Digest | None) -> None:
        """A further row for a file, of this distribution or of another one's: what is there is there for both."""
        if location in self.claimed:
            return
        if result is None:
            self.take(key, location, first, None)
            said = _said(field)
            if said != self.files[location]:
                self.claimed[location] = said
        else:
            self.take(key, location, field, result)

    def drop_left_out(self, info: str, declared: frozenset[str]) -> None:
        """Take out what installers make themselves."""
        listed = {**self.claimed, **self.files} if self.claimed else self.files
        windows = any("/Scripts/" in key for key in self.keys.values())
        for location in [one for one in listed if is_left_out(one, info, listed, declared, windows)]:
            for table in (self.files, self.claimed, self.scripts):
                table.pop(location, None)


class Locations:
    """Keys of one site directory into locations."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._below = len(place.root.rstrip("/")) + 1

    def of(self, key: str) -> str:
        """The location of a key."""
        if key[:1] == "/":
            return fold(key[self._below :])
        if self._place.loose and key.startswith(("bin/", "include/", "share/", "etc/")):
            # `pip install --target` puts all schemes into one directory.
            return fold(key)
        return f"S/{key}"


def actual_files(
    claims: Claims, verified: Sequence[tuple[Claimed, Sequence[tuple[int, Digest]]]], scripts: Scripts
) -> Iterator[Actual]:
    """One for each distribution of the site directory, in its order; only one at a time is held in memory."""
    site = claims.site
    place = site.place
    locate = Locations(place).of
    results = [dict(differing) for _, differing in verified]
    rows: list[list[tuple[int, Sequence[int]]]] = [[] for _ in site.installations]
    doubled: dict[str, tuple[int, int]] = {}
    for part, (claimed, _) in enumerate(verified):
        indexes: dict[int, list[int]] = {}
        for index, number in enumerate(claimed.numbers):
            indexes.setdefault(number, []).append(index)
        for number, positions in indexes.items():
            rows[number].append((part, positions))
        if claims.others:
            doubled.update((key, (part, index)) for index, key in enumerate(claimed.keys) if key in claims.others)
    again: dict[int, list[tuple[str, str]]] = {}
    for key, more in claims.others.items():
        for number, field in more:
            again.setdefault(number, []).append((key, field))
    listed: dict[int, list[tuple[str, bytes]]] = {}
    for path, claimants in scripts.listed():
        for claimant, claim in claimants:
            listed.setdefault(id(claimant), []).append((path, claim.digest))
    for number, installation in enumerate(site.installations):
        actual = Actual()
        for part, own in rows[number]:
            claimed = verified[part][0]
            for index in own:
                key = claimed.keys[index]
                actual.take(key, locate(key), claimed.fields[index], results[part].get(index))
        for key, field in again.get(number, ()):
            if key in doubled:
                part, index = doubled[key]
                first = verified[part][0].fields[index]
                actual.take_again(key, locate(key), field, first, results[part].get(index))
        for path, digest in listed.get(id(installation), ()):
            key = place.key_of(path)
            _script(actual, locate(key), key, digest, scripts.seen(path))
        actual.drop_left_out(installation.directory_name, script_names(installation.entry_points))
        yield actual


def _said(field: str) -> str:
    """The digest that a hash field gives, in canonical form; empty where it gives no sha256."""
    claim = read_hash(field)
    return hash_field(claim.digest)[_FIELD:] if claim.algorithm == "sha256" and claim.digest else ""


def _script(actual: Actual, location: str, key: str, digest: bytes, seen: tuple[bytes, bytes | None] | None) -> None:
    """A file of the scripts directory: its own digest, and that of what follows a first line of this environment's."""
    actual.keys[location] = key
    said = hash_field(digest)[_FIELD:] if len(digest) == 32 else ""
    if seen is None:
        actual.claimed[location] = said
        return
    raw, body = seen
    there = actual.files[location] = hash_field(raw)[_FIELD:]
    if said != there:
        actual.claimed[location] = said
    if body is not None:
        actual.scripts[location] = PYTHON + hash_field(body)[_FIELD:]
