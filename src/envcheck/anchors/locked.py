"""A lock into the wheels that it allows: for each name and version, which archives, by which hashes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

from envcheck.model.anchor import UnanchoredReason, Wanted
from envcheck.model.lock import Artifact, Lock, LockedPackage

STRONG = frozenset({"sha256", "sha384", "sha512"})
Fits = Callable[[str], bool]
"""A wheel's file name to whether it can be installed in the target."""


class Locked:
    """The lock's packages by name."""

    def __init__(self, lock: Lock) -> None:
        self.lock = lock
        self._by_name: dict[str, list[LockedPackage]] = {}
        for package in lock.packages:
            if package.name and not package.constraint:
                self._by_name.setdefault(package.name, []).append(package)

    def packages(self, name: str, version: str) -> list[LockedPackage]:
        """The entries of that name and version; an entry may leave the version open, and then goes by its hashes."""
        found = self._by_name.get(name, [])
        return [package for package in found if package.version is None or same_version(package.version, version)]

    def names(self) -> Iterator[LockedPackage]:
        """Every package."""
        for packages in self._by_name.values():
            yield from packages

    def hashes(self, name: str, version: str) -> frozenset[tuple[str, str]]:
        """Every strong hash that the lock has for that name and version."""
        return frozenset(pair for package in self.packages(name, version) for pair in package_hashes(package))

    def why_not(self, name: str, version: str) -> UnanchoredReason | None:
        """Why no wheel can be wanted; ``None`` where one can."""
        packages = self.packages(name, version)
        if not packages:
            return "not-locked"
        if any(True for package in packages for _ in wheels(package)):
            return None
        kinds = {package.source_kind for package in packages}
        if kinds <= {"editable", "virtual", "directory"}:
            return "editable" if "editable" in kinds else "directory"
        if kinds == {"git"}:
            return "git"
        artifacts = [artifact for package in packages for artifact in package.artifacts]
        built = any(artifact.kind == "sdist" for artifact in artifacts)
        return "sdist" if built and not any(artifact.kind == "wheel" for artifact in artifacts) else "no-hash"


def wheels(package: LockedPackage) -> Iterator[Artifact]:
    """Archives with a strong hash that are, or may be, wheels."""
    for artifact in package.artifacts:
        if artifact.kind != "sdist" and any(algorithm in STRONG for algorithm, _ in artifact.hashes):
            yield artifact


def package_hashes(package: LockedPackage) -> Iterator[tuple[str, str]]:
    """The strong hashes of what are, or may be, wheels."""
    for artifact in wheels(package):
        yield from (pair for pair in artifact.hashes if pair[0] in STRONG)


def wanted(
    package: LockedPackage, version: str, tags: frozenset[str] = frozenset(), fits: Fits | None = None
) -> list[Wanted]:
    """What to look for: the wheels that fit the target, and those whose names have the installed tags; else all.

    The tags alone decide nothing: whoever changed a module could have written those of another locked wheel.
    """
    named = [artifact for artifact in wheels(package) if artifact.filename is not None]
    bare = [artifact for artifact in wheels(package) if artifact.filename is None]
    hint = tuple(sorted(tags))
    chosen = named
    if fits is not None:
        chosen = [
            one for one in named if fits(one.filename or "") or not tags.isdisjoint(filename_tags(one.filename or ""))
        ]
    found = [
        Wanted(package.name, version, one.filename, one.url, strong(one.hashes), one.size, hint)
        for one in chosen or named
    ]
    if bare:
        # A list of hashes: which belongs to which archive is not told.
        pooled = tuple(dict.fromkeys(pair for one in bare for pair in strong(one.hashes)))
        url = bare[0].url if len(bare) == 1 else None
        found.append(Wanted(package.name, version, None, url, pooled, None, hint))
    return found


def strong(hashes: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Those that prove anything."""
    return tuple(pair for pair in hashes if pair[0] in STRONG)


def filename_tags(filename: str) -> frozenset[str]:
    """The tags that a wheel's name stands for."""
    from envcheck.model.anchor import Anchor

    return Anchor(filename, "", "wheels", ()).tags


@lru_cache(maxsize=20_000)
def same_version(one: str, other: str) -> bool:
    """Equal as PEP 440 versions, or as text."""
    if one == other:
        return True
    from packaging.version import InvalidVersion, Version

    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        return False
