"""Wheel file names into what they say (PEP 427): a hint where an archive may be, never a proof that it is."""

from __future__ import annotations

import functools
from urllib.parse import unquote

from envcheck.model.anchor import Wanted
from envcheck.model.inventory import normalize_name
from envcheck.model.nouns import NamedTuple

_LONGEST = 1024
"""Characters of a file name that are looked at; no file system has longer ones."""


class WheelName(NamedTuple):
    """The parts of a wheel's file name, each as a comparison takes it."""

    name: str
    """Normalised (PEP 503)."""
    version: str
    """Normalised (PEP 440), or as it is spelt where it is no version."""
    build: str
    tags: tuple[str, ...]
    """``py3-none-any``, compressed sets spread out, sorted."""


@functools.lru_cache(maxsize=100_000)
def wheel_name(filename: str) -> WheelName | None:
    """What a file name says; ``None`` where it is not one of a wheel."""
    if len(filename) > _LONGEST or not filename.lower().endswith(".whl") or "/" in filename or "\\" in filename:
        return None
    parts = filename[:-4].split("-")
    if len(parts) not in (5, 6) or not all(parts):
        return None
    tags = [part.split(".") for part in parts[-3:]]
    if any(len(alternatives) > 32 for alternatives in tags):
        return None
    spread = {f"{python}-{abi}-{platform}" for python in tags[0] for abi in tags[1] for platform in tags[2]}
    build = parts[2] if len(parts) == 6 else ""
    return WheelName(normalize_name(parts[0]), comparable_version(parts[1]), build, tuple(sorted(spread)))


@functools.lru_cache(maxsize=100_000)
def comparable_version(text: str) -> str:
    """A version as PEP 440 normalises it (``1.0.0`` stays longer than ``1.0``); other text as it is spelt."""
    from packaging.version import InvalidVersion, Version

    if len(text) > _LONGEST:
        return text
    spelt = text.replace("_", "+", 1) if "+" not in text else text
    for attempt in (text, spelt):
        try:
            return str(Version(attempt))
        except InvalidVersion:
            continue
    return text.lower()


def is_of(found: tuple[str, str], wanted: Wanted) -> bool:
    """Whether a name and a version are those of a wanted archive; trailing zeros of a version count for nothing."""
    name, version = found
    return name == wanted.name and _trimmed(version) == _trimmed(comparable_version(wanted.version))


def _trimmed(version: str) -> str:
    """``1.0.0`` and ``1`` are one version (PEP 440)."""
    public, plus, local = version.partition("+")
    while public.endswith(".0"):
        public = public[:-2]
    return public + plus + local


def same_file(one: str, other: str) -> bool:
    """Whether two wheel file names mean one archive: equal names, or equal parts of them."""
    if one == other:
        return True
    parts = wheel_name(one)
    return parts is not None and parts == wheel_name(other)


def filename_of(url: str) -> str:
    """The last part of a URL's path, percent-decoded."""
    path = url.partition("#")[0].partition("?")[0]
    return unquote(path.rstrip("/").rsplit("/", 1)[-1], errors="surrogateescape")


def filename_wanted(wanted: Wanted) -> str | None:
    """The file name that the lock gives, by itself or as the end of its URL, where it is one of a wheel."""
    for name in (wanted.filename, filename_of(wanted.url) if wanted.url else None):
        if name is not None and wheel_name(name) is not None:
            return name
    return None


def fitting(names: list[str], wanted: Wanted) -> list[str]:
    """Those of some file names that may be a wanted archive, the likeliest first.

    Where the lock gives a file name, that one. Else each wheel of that name and version, those with a tag that is
    installed before others.
    """
    asked = filename_wanted(wanted)
    if asked is not None:
        return sorted((name for name in names if same_file(name, asked)), key=lambda name: (name != asked, name))
    found = []
    for name in names:
        parts = wheel_name(name)
        if parts is not None and is_of(parts[:2], wanted):
            found.append((not tags_agree(parts, wanted), name))
    return [name for _, name in sorted(found)]


def tags_agree(parts: WheelName, wanted: Wanted) -> bool:
    """Whether a wheel has a tag of what is installed; true where those are not known."""
    return not wanted.tags or not set(wanted.tags).isdisjoint(parts.tags)
