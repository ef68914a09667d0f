"""Whether an installed version is one that a lock entry allows (PEP 440)."""

from __future__ import annotations

import functools

from envcheck.model.lock import LockedPackage, LockFormat


def allows(lock_format: LockFormat, entry: LockedPackage, installed: str) -> bool:
    """True also for an entry that allows any version.

    Equal texts are compared as texts; only others are parsed. A requirements file's ``==1.0`` is a specifier, which
    also allows ``1.0+cpu``; in the other formats a version is one version.
    """
    if entry.version == installed:
        return True
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import InvalidVersion, Version

    try:
        if entry.version is None:
            if entry.specifier is None:
                return True
            return SpecifierSet(entry.specifier).contains(Version(installed), prereleases=True)
        if lock_format == "requirements":
            return SpecifierSet(f"=={entry.version}").contains(Version(installed), prereleases=True)
        return Version(entry.version) == Version(installed)
    except (InvalidVersion, InvalidSpecifier):
        return False


@functools.lru_cache(maxsize=4096)
def satisfies(version: str, specifier: str) -> bool:
    """Whether a locked version is within one of several specifiers (joined by ``||``); true where either is unclear."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import InvalidVersion, Version

    try:
        parsed = Version(version)
        return any(SpecifierSet(one).contains(parsed, prereleases=True) for one in specifier.split("||"))
    except (InvalidVersion, InvalidSpecifier):
        return True


def ordered(version: str | None) -> tuple[int, object]:
    """A key that sorts versions; what is none comes first."""
    from packaging.version import InvalidVersion, Version

    try:
        return 1, Version(version or "")
    except InvalidVersion:
        return 0, version or ""
