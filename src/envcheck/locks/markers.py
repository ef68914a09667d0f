"""Environment markers (PEP 508, PEP 751) with the target's values, never those of the scanner's own interpreter."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName

from envcheck.locks.tables import Wrong
from envcheck.model.environment import Python

MAX_LENGTH = 20_000
MAX_DEPTH = 50
MAX_DIFFERENT = 20_000
"""Different markers in one lock; a lock of 335 packages has about a hundred."""

_EXTRA = re.compile(r"""\bextra\s*(==|!=)\s*('[^']*'|"[^"]*")""")
_EXTRA_REVERSED = re.compile(r"""('[^']*'|"[^"]*")\s*(==|!=)\s*extra\b""")
_VERSION = re.compile(r"\d+\.\d+(\.\d+)?((a|b|rc)\d+)?")
_IMPLEMENTATIONS = {"cpython": "CPython", "pypy": "PyPy", "graalpy": "GraalVM", "jython": "Jython"}
_WINDOWS_MACHINES = {
    "x86_64": "AMD64",
    "amd64": "AMD64",
    "aarch64": "ARM64",
    "arm64": "ARM64",
    "i686": "x86",
    "x86": "x86",
}
_SYSTEMS = {
    "linux": ("posix", "linux", "Linux"),
    "macos": ("posix", "darwin", "Darwin"),
    "macosx": ("posix", "darwin", "Darwin"),
    "darwin": ("posix", "darwin", "Darwin"),
    "windows": ("nt", "win32", "Windows"),
    "win": ("nt", "win32", "Windows"),
    "win32": ("nt", "win32", "Windows"),
    "freebsd": ("posix", "freebsd", "FreeBSD"),
}


class Markers:
    """Evaluates the markers of one lock for one environment; a marker's text is parsed and evaluated once."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = dict(values)
        self._held: dict[str | tuple[str, frozenset[str], frozenset[str]], bool] = {}

    def hold(
        self, marker: str | None, extras: frozenset[str] = frozenset(), groups: frozenset[str] = frozenset()
    ) -> bool:
        """Whether the marker is absent or true; ``extras`` and ``groups`` are those that are chosen."""
        if marker is None:
            return True
        key = (marker, extras, groups) if mentions_choice(marker) else marker
        known = self._held.get(key)
        if known is not None:
            return known
        parsed = _parse(marker)
        values: dict[str, str | AbstractSet[str]] = {
            **self.values,
            "extra": "",
            "extras": extras,
            "dependency_groups": groups,
        }
        result = self._held[key] = parsed.evaluate(values, context="lock_file")
        return result


def mentions_choice(marker: str) -> bool:
    """Whether the marker depends on the chosen extras or groups (or only looks as if)."""
    return "extra" in marker or "dependency_groups" in marker


def for_python(python: Python) -> Markers | None:
    """The eleven values of PEP 508 for an interpreter, or ``None`` where its version or platform is not known.

    ``platform_release`` and ``platform_version`` are properties of the kernel that is running, not of an
    environment: they are empty.
    """
    system, _, rest = python.platform.partition("-")
    names = _SYSTEMS.get(system.lower())
    if names is None or python.version_assumed:
        return None
    os_name, sys_platform, platform_system = names
    machine = rest.partition("-")[0]
    if sys_platform == "win32":
        machine = _WINDOWS_MACHINES.get(machine.lower(), machine)
    elif sys_platform == "darwin":
        machine = "arm64" if machine == "aarch64" else machine
    elif sys_platform == "linux" and machine == "arm64":
        machine = "aarch64"
    major, minor = python.minor
    full = python.version if python.patch is not None else f"{major}.{minor}.0"
    matched = _VERSION.match(full)
    full = matched.group() if matched else f"{major}.{minor}.0"
    name = python.implementation.lower()
    return Markers(
        {
            "python_version": f"{major}.{minor}",
            "python_full_version": full,
            "implementation_name": name,
            "implementation_version": full,
            "platform_python_implementation": _IMPLEMENTATIONS.get(name, python.implementation),
            "os_name": os_name,
            "sys_platform": sys_platform,
            "platform_system": platform_system,
            "platform_machine": machine,
            "platform_release": "",
            "platform_version": "",
        }
    )


def checked(marker: str | None, seen: set[str]) -> str | None:
    """The marker, when it can be parsed and evaluated; raises `Wrong`. ``seen`` bounds a lock's different markers."""
    if marker is None or marker in seen:
        return marker
    if len(marker) > MAX_LENGTH:
        raise Wrong(f"is longer than {MAX_LENGTH:,} characters", "marker")
    if marker.count("(") > MAX_DEPTH and _depth(marker) > MAX_DEPTH:
        raise Wrong(f"is nested more than {MAX_DEPTH} deep", "marker")
    seen.add(marker)
    if len(seen) > MAX_DIFFERENT:
        raise Wrong(f"is one of more than {MAX_DIFFERENT:,} different markers", "marker")
    try:
        _parse(marker).evaluate(_SAMPLE, context="lock_file")
    except (InvalidMarker, UndefinedComparison, UndefinedEnvironmentName, RecursionError, ValueError):
        raise Wrong("is not a valid environment marker", "marker") from None
    return marker


def _depth(marker: str) -> int:
    """How deep brackets are nested; those in strings count too, which no real marker has."""
    depth = deepest = 0
    for character in marker:
        if character == "(":
            depth += 1
            deepest = max(deepest, depth)
        elif character == ")":
            depth -= 1
    return deepest


@functools.lru_cache(maxsize=MAX_DIFFERENT)
def _parse(marker: str) -> Marker:
    """Parsed, with ``extra`` as the set that lock writers mean by it.

    uv writes conflicts as ``extra == 'extra-3-app-cpu' and extra == …``, where several hold at once, and Poetry writes
    ``extra == "cli"`` for a package of one of several chosen extras; `packaging` compares ``extra`` as one string.
    PEP 751's ``'x' in extras`` says the same of a set.
    """
    if "extra" in marker:
        marker = _EXTRA.sub(lambda found: _membership(found[2], found[1]), marker)
        marker = _EXTRA_REVERSED.sub(lambda found: _membership(found[1], found[2]), marker)
    return Marker(marker)


def _membership(literal: str, operator: str) -> str:
    return f"{literal} {'in' if operator == '==' else 'not in'} extras"


_SAMPLE: dict[str, str | AbstractSet[str]] = {
    "python_version": "3.12",
    "python_full_version": "3.12.0",
    "implementation_name": "cpython",
    "implementation_version": "3.12.0",
    "platform_python_implementation": "CPython",
    "os_name": "posix",
    "sys_platform": "linux",
    "platform_system": "Linux",
    "platform_machine": "x86_64",
    "platform_release": "",
    "platform_version": "",
    "extra": "",
    "extras": frozenset(),
    "dependency_groups": frozenset(),
}
