"""What a distribution's files are, and what a locked wheel has, into anchored files and deviations.

It takes the place of what RECORD said: a row is believed where the wheel agrees, and forged where it does not.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import combinations

from envcheck.files.digests import digest
from envcheck.files.root import Files, Missing, Unreadable
from envcheck.formats.manifest import is_made_script, manifest_digest, script_names
from envcheck.installed.actual import Actual
from envcheck.installed.closedset import is_editable_hook
from envcheck.installed.distributions import Installation
from envcheck.installed.kinds import is_code
from envcheck.installed.tally import Tally
from envcheck.model.anchor import Anchor, Expectation, Manifest, Unanchored
from envcheck.model.environment import Environment
from envcheck.model.inventory import Deviation, Problem
from envcheck.model.nouns import Literal

Lookup = Callable[[str, str], Expectation]
"""A normalised name and a version to what the distribution may be."""
Outliers = dict[str, "str | None"]
"""Keys for which RECORD does not tell what the anchor does: the anchored digest, or ``None`` for what it has not."""

_BY_RECORD: frozenset[Problem] = frozenset(
    {
        *("modified", "missing", "record-unhashed", "record-invalid", "record-conflict", "closed-set"),
        *("script-modified", "script-unowned"),
    }
)
"""What RECORD alone had told of a file."""
_OVERWRITTEN: frozenset[Problem] = frozenset({"modified", "forged", "record-conflict"})
_UNOWNED: frozenset[Problem] = frozenset({"unowned-code", "unowned-data", "unowned-configuration", "script-unowned"})
_MOST_ODD = 4
"""Files that may be other than RECORD says, each of which is tried both ways against a digest."""
_MANY = 2_000
"""A distribution with more files is tried only as it is, and as its RECORD says."""
_FEW = 3
"""Fewer changed files are told one by one, whatever part of the distribution they are."""


class Anchored:
    """The anchored comparison of one environment's distributions; what it finds goes to the tally."""

    def __init__(self, files: Files, environment: Environment, tally: Tally, lookup: Lookup, lock_name: str) -> None:
        self._files = files
        self._environment = environment
        self._tally = tally
        self._lookup = lookup
        self._lock_name = lock_name
        self.unanchored: list[Unanchored] = []
        self.outliers: dict[int, Outliers | None] = {}
        """By the identity of an installation; ``None`` where RECORD and files do not give the anchored digest."""
        self.origins: list[str] = []
        """Where the anchor of each anchored distribution came from."""
        self.files = 0
        self._anchored: list[Installation] = []
        self._shared: frozenset[str] = frozenset()
        self._holders: dict[str, list[Installation]] = {}
        self._overwritten: list[tuple[Installation, str, str | None]] = []

    @property
    def source(self) -> Literal["file", "wheels", "cache", "none"]:
        """Where most anchors came from; what was fetched lies in a cache."""
        counts = {origin: self.origins.count(origin) for origin in ("wheels", "file", "cache", "fetched")}
        best = max(counts, key=lambda origin: counts[origin])
        if not counts[best]:
            return "none"
        return "wheels" if best == "wheels" else "file" if best == "file" else "cache"

    @property
    def distributions(self) -> int:
        """Anchored ones: all of their files are."""
        return sum(share.anchored and not share.modified for share in map(self._tally.share, self._anchored))

    def compare(
        self, installations: Sequence[Installation], found: Iterable[Actual], shared: Collection[str] = ()
    ) -> None:
        """Hold the distributions of one site directory against their anchors; ``shared`` keys have several rows."""
        self._shared = frozenset(shared)
        for installation, actual in zip(installations, found, strict=True):
            expected = self._lookup(installation.key, installation.version)
            if not expected.anchors:
                reason = "editable" if installation.editable else expected.why_not or "no-wheel"
                self.unanchored.append(Unanchored(installation.key, installation.version, reason))
                continue
            tags = frozenset(installation.distribution().tags)
            anchors = sorted(expected.anchors, key=lambda anchor: -len(anchor.tags & tags))
            if self._meets(installation, actual, anchors):
                continue
            if installation.editable and _only_leads_elsewhere(actual):
                self.unanchored.append(Unanchored(installation.key, installation.version, "editable"))
                continue
            self._differs(installation, actual, expected, tags)

    def _meets(self, installation: Installation, actual: Actual, anchors: Sequence[Anchor]) -> bool:
        """Whether the files, or RECORD where those were changed since, give the digest of an anchor."""
        for files, believed in _ways(actual):
            made = manifest_digest(files)
            for anchor in anchors:
                # What a wheel's own RECORD says of a file is not what the wheel has, where the file is another.
                if made in anchor.digests and not (believed and anchor.manifests is not None):
                    self._take(installation, actual, anchor, len(files), believed)
                    return True
        return False

    def _take(
        self, installation: Installation, actual: Actual, anchor: Anchor, count: int, believed: frozenset[str]
    ) -> None:
        """Anchored: the files that are as they are, and the rows that are ``believed`` about those that are not."""
        broken = {installation.place.path(actual.key(location)) for location in believed}
        self._withdraw(installation, lambda deviation: deviation.path not in broken)
        self.outliers[id(installation)] = {
            actual.key(location): actual.files.get(location) for location in actual.claimed if location not in believed
        }
        self._share(installation, actual, {one: actual.claimed[one] for one in believed})
        self._count(installation, anchor, count - len(believed))

    def _count(self, installation: Installation, anchor: Anchor, count: int) -> None:
        self._tally.share(installation).anchored = True
        self._anchored.append(installation)
        self.origins.append(anchor.origin)
        self.files += count

    def _share(self, installation: Installation, actual: Actual, wrong: Mapping[str, str]) -> None:
        """Remember who has a file that several distributions list, and who has another than is there."""
        for key in self._shared:
            location = next((one for one in (f"S/{key}", *actual.keys) if actual.key(one) == key), "")
            path = installation.place.path(key)
            if location in wrong:
                self._overwritten.append((installation, path, _hex(wrong[location]) if wrong[location] else None))
            elif location in actual.files:
                self._holders.setdefault(path, []).append(installation)

    def settle(self) -> None:
        """Judge files that one distribution wrote over another's: only an anchored one excuses that, and no module.

        Namespace packages of old ship an ``__init__.py`` each; licences at top level have one name.
        """
        for installation, path, expected in self._overwritten:
            others = [one for one in self._holders.get(path, ()) if one is not installation]
            inert = not is_code(path) or path.endswith("/__init__.py")
            told = [one for one in self._tally.of(installation) if one.path == path and one.problem in _OVERWRITTEN]
            if not told:
                continue
            self._tally.withdraw(partial(_is_one_of, told))
            if others and inert:
                detail = f"{others[0].name} lists it too, and the bytes are its"
                self._tally.add("record-conflict", path, installation, expected, told[0].actual, detail)
            else:
                problem = "modified" if told[0].problem == "record-conflict" else told[0].problem
                self._tally.add(problem, path, installation, expected, told[0].actual, told[0].detail)

    def _withdraw(self, installation: Installation, which: Callable[[Deviation], bool]) -> None:
        """Take back what RECORD alone had told of a distribution's files."""
        self._tally.withdraw(
            lambda deviation, claimant: (
                claimant is installation
                and deviation.problem in _BY_RECORD
                and self._is_payload(installation, deviation)
                and which(deviation)
            )
        )

    def _is_payload(self, installation: Installation, deviation: Deviation) -> bool:
        """Not a script that an installer made, which is proven by its entry point and by nothing else.

        No manifest has it: also not under the names that pip makes up for itself (``pip3.11``).
        """
        if deviation.problem not in ("script-modified", "script-unowned", "missing"):
            return True
        directory, name = posixpath.split(deviation.path)
        kind = posixpath.basename(directory)
        if kind not in ("bin", "Scripts") or (
            deviation.problem == "missing" and directory != self._environment.scripts_dir
        ):
            return True
        return not is_made_script(name, script_names(installation.entry_points), kind == "Scripts")

    def _differs(self, installation: Installation, actual: Actual, expected: Expectation, tags: frozenset[str]) -> None:
        """Tell which files differ, where a wheel is at hand; else that some do.

        The wheel of another platform may be what is installed, but what differs from it may be another locked wheel.
        """
        anchors = [anchor for anchor in expected.anchors if anchor.manifests is not None]
        by_file = len(expected.anchors) > len(anchors)
        if expected.more is not None:
            anchors = list(expected.more())
        accusing = [anchor for anchor in anchors if expected.accuses is None or expected.accuses(anchor)]
        if anchors and not accusing and not by_file:
            if not self._meets(installation, actual, anchors):
                self.unanchored.append(Unanchored(installation.key, installation.version, "no-wheel"))
            return
        best: tuple[int, int, Anchor, Manifest, Comparison] | None = None
        for anchor in accusing:
            for manifest in anchor.manifests() if anchor.manifests is not None else ():
                compared = Comparison(actual, manifest)
                row = (len(compared.differing), -len(anchor.tags & tags), anchor, manifest, compared)
                if best is None or row[:2] < best[:2]:
                    best = row
        if best is None:
            self._tell_unlike(installation, expected.anchors)
            return
        _, _, anchor, manifest, compared = best
        self._tell(installation, actual, anchor, manifest, compared)

    def _tell_unlike(self, installation: Installation, anchors: Sequence[Anchor]) -> None:
        named = anchors[0].filename if len(anchors) == 1 else f"any of the {len(anchors)} wheels"
        self.outliers[id(installation)] = None
        self._tally.add(
            "unlike-anchor",
            f"{installation.path}/RECORD",
            installation,
            expected=", ".join(digest for anchor in anchors[:4] for digest in anchor.digests),
            detail=f"they do not give the digest that the anchors file has for {named}; no wheel is at hand to tell "
            "which of them differ: name a directory that has it (--wheels DIR), or allow a download (--fetch)",
        )

    def _tell(
        self, installation: Installation, actual: Actual, anchor: Anchor, manifest: Manifest, compared: Comparison
    ) -> None:
        """The files that differ from one wheel."""
        place, tally = installation.place, self._tally
        outliers: Outliers = {actual.key(one): manifest.files.get(one) for one in actual.claimed}
        self.outliers[id(installation)] = outliers
        self._withdraw(installation, lambda deviation: True)
        if compared.is_another_build(installation.directory_name):
            examples = ", ".join(sorted(compared.differing)[:3]).replace("S/", "")
            own = "; it says that it was built on this machine" if installation.locally_built else ""
            detail = (
                f"RECORD agrees with its files, but {len(compared.differing):,} of {len(manifest.files):,} files of "
                f"{anchor.filename} are others ({examples}){own}"
            )
            tally.add("swapped", installation.path, installation, anchor.archive_hash, None, detail)
            self.outliers[id(installation)] = None
            return
        wrong = 0
        for location in sorted(compared.differing):
            key = actual.key(location) if location in actual.keys or location in actual.files else None
            path = place.path(key) if key is not None else self._default(installation, location)
            wrong += not self._tell_one(installation, actual, anchor, manifest, location, path)
            outliers[place.key_of(path)] = manifest.files.get(location)
        self._share(installation, actual, {one: manifest.files.get(one, "") for one in compared.differing})
        self._count(installation, anchor, len(manifest.files) - wrong)

    def _tell_one(
        self,
        installation: Installation,
        actual: Actual,
        anchor: Anchor,
        manifest: Manifest,
        location: str,
        path: str,
    ) -> bool:
        """One file; true where it is as the wheel has it after all, though RECORD does not list it."""
        tally = self._tally
        there = actual.files.get(location)
        said = _hex(there)
        if location not in manifest.files:
            detail = f"{anchor.filename}, which {self._lock_name} pins, does not have it"
            tally.add("forged-row", path, installation, None, said, detail)
            return True
        expected = manifest.sha256[location]
        size = manifest.sizes[location]
        if there is not None:
            agrees = location not in actual.claimed
            found = self._files.stat(path)
            sizes = f"{size:,} bytes there, {found.st_size:,} here" if found is not None else f"{size:,} bytes there"
            if agrees:
                detail = f"RECORD was rewritten to match: {anchor.filename} has another ({sizes})"
                tally.add("forged", path, installation, expected, said, detail)
            else:
                detail = f"it is not that of {anchor.filename} ({sizes})"
                tally.add("modified", path, installation, expected, said, detail)
            return False
        try:
            found_digest = digest(self._files, path)[0]
        except Missing:
            tally.add("missing", path, installation, expected, detail=f"{anchor.filename} has it")
            return False
        except Unreadable as error:
            tally.add("modified", path, installation, expected, error.why.removeprefix("is "))
            return False
        tally.withdraw(lambda deviation, _: deviation.path == path and deviation.problem in _UNOWNED)
        if found_digest == expected:
            return True
        detail = f"it is not that of {anchor.filename}, and RECORD does not list it"
        tally.add("modified", path, installation, expected, found_digest, detail)
        return False

    def _default(self, installation: Installation, location: str) -> str:
        """Where a file that RECORD does not list would be."""
        place, rest = installation.place, location[2:]
        if location.startswith("S/"):
            return place.path(rest)
        if location.startswith("B/"):
            directory = self._environment.scripts_dir or f"{place.root}/bin"
            return f"{directory}/{rest}"
        if location.startswith("H/"):
            minor = "{}.{}".format(*self._environment.python.minor)
            return f"{place.root}/include/site/python{minor}/{rest}"
        return f"{place.root.rstrip('/')}/{rest}"


def _only_leads_elsewhere(actual: Actual) -> bool:
    """Whether RECORD lists what an editable install leaves: no module of its own, beside the hook of its ``.pth``.

    Its ``direct_url.json`` alone says little: one that was put there would keep the locked wheel from being compared.
    """
    listed = (one[2:] for one in (*actual.files, *actual.claimed) if one.startswith("S/") and one.endswith(".py"))
    return all(is_editable_hook(key) for key in listed)


def _is_one_of(told: Sequence[Deviation], deviation: Deviation, claimant: Installation | None) -> bool:
    return claimant is not None and deviation in told


class Comparison:
    """What is there against one manifest, by location."""

    def __init__(self, actual: Actual, manifest: Manifest) -> None:
        self._actual = actual
        self._manifest = manifest
        files, scripts = actual.files, actual.scripts
        self.differing = {
            location
            for location, wanted in manifest.files.items()
            if files.get(location) != wanted and scripts.get(location) != wanted
        } | (files.keys() - manifest.files.keys())

    def is_another_build(self, info: str) -> bool:
        """Whether RECORD agrees with all that is there, and what the wheel says of itself is not what is said here.

        One edited module, or several, are told one by one; a build of the same version has another WHEEL or most of
        its files.
        """
        if any(location in self._actual.files for location in self._actual.claimed):
            return False
        metadata = f"S/{info}/"
        payload = sum(not location.startswith(metadata) for location in self._manifest.files)
        changed = sum(not location.startswith(metadata) for location in self.differing)
        if f"{metadata}WHEEL" in self.differing:
            return changed > 0
        return changed >= _FEW and 2 * changed >= payload


def _hex(there: str | None) -> str | None:
    from envcheck.formats.record import read_hash

    return read_hash(f"sha256={there}").digest.hex() if there is not None else None


def _ways(actual: Actual) -> Iterator[tuple[dict[str, str], frozenset[str]]]:
    """What the files may be said to be: as they are; with a script's first line as the wheel had it; as RECORD says.

    With each goes the set of locations for which RECORD is believed, and the file is other or missing.
    """
    odd = sorted(location for location, said in actual.claimed.items() if said)
    chosen = sorted(actual.scripts)
    most = _MOST_ODD if len(actual.files) <= _MANY else 0
    for scripts in _some(chosen, most):
        files = {**actual.files, **{one: actual.scripts[one] for one in scripts}} if scripts else actual.files
        yield files, frozenset()
        for believed in _some(odd, most):
            if believed:
                yield {**files, **{one: actual.claimed[one] for one in believed}}, frozenset(believed)


def _some(names: Sequence[str], most: int) -> Iterator[tuple[str, ...]]:
    """All of them, none, and, where they are few, each selection."""
    yield tuple(names)
    if names:
        yield ()
    if len(names) <= most:
        for size in range(len(names) - 1, 0, -1):
            yield from combinations(names, size)
