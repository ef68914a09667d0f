"""The verified rows of one site directory into what each distribution's files are, by location.

Locations and digests are those of canonical manifests (`formats.manifest`), so that a distribution can be held against
what a wheel installs without another look at its files.
"""

from __future__ import annotations

from collections.abc import Sequence

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

    def drop_left_out(self, info: str, declared: frozenset[str]) -> None:
        """Take out what installers make themselves."""
        listed = {**self.claimed, **self.files} if self.claimed else self.files
        for location in [one for one in listed if is_left_out(one, info, listed, declared)]:
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
) -> list[Actual]:
    """One for each distribution of the site directory, in its order."""
    installations = claims.site.installations
    found = [Actual() for _ in installations]
    locate = Locations(claims.site.place).of
    loose = claims.site.place.loose
    for claimed, differing in verified:
        results = dict(differing)
        for index, (key, number, field) in enumerate(zip(claimed.keys, claimed.numbers, claimed.fields, strict=True)):
            actual = found[number]
            if key[:1] == "/" or loose:
                location = locate(key)
                actual.keys[location] = key
            else:
                location = "S/" + key
            if index not in results:
                actual.files[location] = field[_FIELD:]
            else:
                _differs(actual, location, field, results[index])
    for key, more in claims.others.items():
        _share(found, locate(key), key, more)
    numbers = {id(installation): number for number, installation in enumerate(installations)}
    for path, claimants in scripts.listed():
        for installation, claim in claimants:
            owner = numbers.get(id(installation))
            if owner is not None:
                key = claims.site.place.key_of(path)
                _script(found[owner], locate(key), key, claim.digest, scripts.seen(path))
    for actual, installation in zip(found, installations, strict=True):
        actual.drop_left_out(installation.directory_name, script_names(installation.entry_points))
    return found


def _differs(actual: Actual, location: str, field: str, result: Digest) -> None:
    """A file that is not plainly as its row says: other bytes, none, or a row that says it in another way."""
    claim = read_hash(field)
    said = hash_field(claim.digest)[_FIELD:] if claim.algorithm == "sha256" and claim.digest else ""
    if isinstance(result, Unreadable):
        if isinstance(result, Missing) or not result.why.startswith("is a directory"):
            actual.claimed[location] = said
        return
    there = hash_field(result)[_FIELD:]
    actual.files[location] = there
    if said != there:
        actual.claimed[location] = said


def _share(found: Sequence[Actual], location: str, key: str, more: Sequence[tuple[int, str]]) -> None:
    """Further rows for one file: what is there is there for every claimant."""
    holder = next((actual for actual in found if location in actual.files or location in actual.claimed), None)
    if holder is None:
        return
    there = holder.files.get(location)
    for number, field in more:
        actual = found[number]
        if actual is holder and location in holder.claimed:
            continue
        claim = read_hash(field)
        said = hash_field(claim.digest)[_FIELD:] if claim.algorithm == "sha256" and claim.digest else ""
        if key[:1] == "/":
            actual.keys[location] = key
        if there is not None:
            actual.files[location] = there
        if said != there:
            actual.claimed[location] = said


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
