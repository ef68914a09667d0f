"""An interpreter into the wheel tags that installers accept for it (PEP 425, PEP 600, PEP 656), by `packaging`.

Nothing of the scanner's own interpreter is asked. Where files do not tell which libc, the tags of glibc 2.17 and of
musl are two sets: a wheel is sure to fit only where one of each fits.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from envcheck.model.environment import Python

ASSUMED_GLIBC = 17
NEWEST_MACOS = (26, 0)
"""Which macOS a target runs is not in its files."""
_LEGACY = {5: "manylinux1", 12: "manylinux2010", 17: "manylinux2014"}
_OLDEST = {"x86_64": 5, "i686": 5}
_WINDOWS = {"amd64": "win_amd64", "x86_64": "win_amd64", "arm64": "win_arm64", "aarch64": "win_arm64", "x86": "win32"}

Tags = frozenset[Tag]


def accepted(python: Python) -> tuple[Tags, ...]:
    """The sets of tags of which each must have a wheel; empty where the target's platform is not known."""
    if python.version_assumed or python.implementation.lower() != "cpython":
        return ()
    abi = python.abi or "cp{}{}".format(*python.minor)
    return tuple(_tags(python.minor, abi, platforms) for platforms in _platforms(python.platform))


@functools.lru_cache(maxsize=64)
def _tags(minor: tuple[int, int], abi: str, platforms: tuple[str, ...]) -> Tags:
    interpreter = "cp{}{}".format(*minor)
    return frozenset(
        (*cpython_tags(minor, abis=[abi], platforms=platforms), *compatible_tags(minor, interpreter, platforms))
    )


def _platforms(platform: str) -> list[tuple[str, ...]]:
    """``linux-x86_64-glibc2.36``, ``macos-arm64``, ``windows-amd64`` into platform tags."""
    system, _, rest = platform.lower().partition("-")
    machine, _, libc = rest.partition("-")
    if system == "linux":
        machine = "aarch64" if machine == "arm64" else machine
        glibc = _number(libc, "glibc2.")
        musl = _number(libc, "musl1.")
        found = []
        if not libc.startswith("musl"):
            found.append(_manylinux(ASSUMED_GLIBC if glibc is None else glibc, machine))
        if not libc.startswith("glibc"):
            found.append(tuple(f"musllinux_1_{n}_{machine}" for n in range(2 if musl is None else musl, -1, -1)))
        return [(*platforms, f"linux_{machine}") for platforms in found]
    if system in ("macos", "macosx", "darwin"):
        return [tuple(mac_platforms(NEWEST_MACOS, "arm64" if machine in ("arm64", "aarch64") else machine))]
    if system in ("windows", "win", "win32"):
        return [(_WINDOWS.get(machine, "win32"),)]
    return []


def _number(libc: str, prefix: str) -> int | None:
    number = libc.removeprefix(prefix).partition(".")[0]
    return min(int(number), 200) if libc.startswith(prefix) and number.isdecimal() else None


def _manylinux(newest: int, machine: str) -> tuple[str, ...]:
    found = []
    for minor in range(newest, _OLDEST.get(machine, 17) - 1, -1):
        found.append(f"manylinux_2_{minor}_{machine}")
        if minor in _LEGACY:
            found.append(f"{_LEGACY[minor]}_{machine}")
    return tuple(found)


@functools.lru_cache(maxsize=20_000)
def wheel_tags(filename: str) -> Tags | None:
    """The tags that a wheel's file name bears; ``None`` where it is no wheel's name."""
    if len(filename) > 1000 or filename.count(".") > 50:
        return None
    try:
        return parse_wheel_filename(filename)[3]
    except (InvalidWheelFilename, ValueError):
        return None


def fits(filename: str, tags: Iterable[Tag]) -> bool:
    """Whether a wheel of this name can be installed where these tags are accepted."""
    found = wheel_tags(filename)
    return found is not None and not found.isdisjoint(tags)
