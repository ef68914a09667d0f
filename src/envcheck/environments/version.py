"""Turns an interpreter's files into its exact version, implementation and platform, starting nothing.

In order of trust: the binary (or the libpython that it loads), ``patchlevel.h``, pyvenv.cfg, directory names.
"""

import posixpath
import re
from collections.abc import Sequence

from envcheck.environments.libraries import OpenBinary, find_library
from envcheck.environments.prefixes import Prefixes
from envcheck.files.process import names_process
from envcheck.files.root import Files, Unreadable
from envcheck.formats.binary import Binary, Reader, section_bytes, symbol_value
from envcheck.model.environment import PyvenvCfg, VersionSource
from envcheck.model.nouns import NamedTuple

_LIBPYTHON = r"libpython(\d)\.(\d+)([a-z]*)\.(?:so|dylib)"
_PROGRAM = r"python(\d)\.(\d+)([a-z]*)(?:\.exe)?\Z"
_VERSION = r"(\d)\.(\d{1,2})(?:\.(\d{1,3})((?:a|b|rc)\d{1,2})?\+?)?\Z"
_GLIBC = rb" release version (\d+\.\d+)"
_MUSL = rb"\0(1\.\d{1,2})\.\d{1,2}\0"
_PATCH = rb"(\d{1,3}(?:(?:a|b|rc)\d{1,2})?)\+?\0"
_NUMBER = frozenset(bytes([byte]) for byte in b".0123456789")
_SOURCES = rb"'abs_srcdir': '[^'\n]{0,400}/Python-(\d\.\d{1,2}\.\d{1,3}(?:(?:a|b|rc)\d{1,2})?)'"
_PRODUCT_VERSION = (
    "ProductVersion".encode("utf-16-le").replace(b".", rb"\.") + rb"(?:\0\0){1,3}((?:[0-9a-z.+]\0){3,20})\0\0"
)
_RESOURCES = 4 << 20
"""Bytes of a Windows program that its resources are looked for in: the launchers have some hundred kilobytes."""
_LEVELS = {0xA: "a", 0xB: "b", 0xC: "rc", 0xF: ""}


class Runtime(NamedTuple):
    """What the executable itself tells; everything is empty or ``None`` where it is no binary that we understand."""

    implementation: str = "cpython"
    minor: tuple[int, int] | None = None
    version: str | None = None
    suffix: str = ""
    """The ABI letters of the build: ``t`` free-threaded, ``d`` debug, ``m`` up to 3.7."""
    platform: str = "unknown"
    library: str | None = None
    """The libpython that the dynamic loader would take."""
    binary: str | None = None
    """The file that holds the interpreter and its frozen modules."""


def read_runtime(files: Files, executable: str, library_path: str = "") -> Runtime | None:
    """What the binary at ``executable`` is; ``None`` where it is missing or no binary. Links are followed.

    ``library_path`` is LD_LIBRARY_PATH of the modelled environment.
    """
    if names_process(files, executable):
        files.miss(executable, "leads into the process that looks at it: not followed")
        return None
    with OpenBinary(files, executable) as (read, binary):
        if binary is None:
            return None
        platform = _platform(files, executable, binary, library_path)
        if any("libpypy" in name for name in binary.needed) or _base_name(files, executable).startswith("pypy"):
            return Runtime("pypy", platform=platform)
        if _base_name(files, executable).startswith("graalpy"):
            return Runtime("graalpy", platform=platform)
        for name in binary.needed:
            found = re.match(_LIBPYTHON, posixpath.basename(name))
            if found:
                minor, suffix = (int(found[1]), int(found[2])), found[3]
                library = find_library(files, name, executable, binary, library_path)
                version = None if library is None else _library_version(files, library, minor)
                return Runtime("cpython", minor, version, suffix, platform, library, library)
        if binary.kind == "pe":
            version = _resource_version(read)
            return Runtime("cpython", minor_of(version) if version else None, version, "", platform, None, executable)
        named = re.match(_PROGRAM, _base_name(files, executable))
        minor_named = (int(named[1]), int(named[2])) if named else None
        version = _binary_version(read, binary, minor_named)
        minor_found = minor_of(version) if version else minor_named
        return Runtime("cpython", minor_found, version, named[3] if named else "", platform, None, executable)


def _base_name(files: Files, path: str) -> str:
    try:
        return posixpath.basename(files.realpath(path))
    except Unreadable:
        return posixpath.basename(path)


def _library_version(files: Files, library: str, minor: tuple[int, int]) -> str | None:
    with OpenBinary(files, library) as (read, binary):
        return None if binary is None else _binary_version(read, binary, minor)


def _binary_version(read: Reader, binary: Binary, minor: tuple[int, int] | None) -> str | None:
    """``X.Y.Z`` from the exported ``Py_Version`` (3.11+), else from the version string among the constants."""
    if binary.kind != "elf":
        return None
    raw = symbol_value(read, binary, "Py_Version", 4)
    if raw is not None:
        version = from_hex(int.from_bytes(raw, "little" if binary.little else "big"))
        # On a big-endian machine the four low bytes of the unsigned long are its second half.
        if version is None and not binary.little:
            raw = symbol_value(read, binary, "Py_Version", 8)
            version = None if raw is None else from_hex(int.from_bytes(raw, "big"))
        if version is not None and minor in (None, minor_of(version)):
            return version
    constants = binary.section(".rodata")
    if constants is None or minor is None:
        return None
    return _version_string(section_bytes(read, constants), minor)


def _resource_version(read: Reader) -> str | None:
    """``ProductVersion`` of a Windows program: also the launcher in a virtual environment has its Python's."""
    found = re.search(_PRODUCT_VERSION, read(0, _RESOURCES))
    version = parse_version(found[1].replace(b"\0", b"").decode("ascii")) if found else None
    return version if version is not None and version.startswith("3.") and version.count(".") == 2 else None


def _version_string(constants: bytes, minor: tuple[int, int]) -> str | None:
    """``PY_VERSION`` among the constants.

    A linker that merges strings may have made it the tail of another (a prefix such as ``/opt/3.9.18``), so a
    string of its own counts first, and tails only when they agree.
    """
    start = b"%d.%d." % minor
    tails = set()
    at = constants.find(start)
    while at >= 0:
        found = re.compile(_PATCH).match(constants, at + len(start))
        before = constants[at - 1 : at] if at else b"\0"
        if found and before not in _NUMBER:
            text = (start + found[1]).decode("ascii")
            if before == b"\0":
                return text
            tails.add(text)
        at = constants.find(start, at + 1)
    return tails.pop() if len(tails) == 1 else None


def from_hex(value: int) -> str | None:
    """``PY_VERSION_HEX`` as ``X.Y.Z[rcN]``, or ``None`` where it is none of Python 3."""
    major, minor, micro = value >> 24, value >> 16 & 0xFF, value >> 8 & 0xFF
    level, serial = value >> 4 & 0xF, value & 0xF
    if major != 3 or level not in _LEVELS:
        return None
    return f"{major}.{minor}.{micro}" + (f"{_LEVELS[level]}{serial}" if level != 0xF else "")


def minor_of(version: str) -> tuple[int, int]:
    """``(3, 11)`` of what `parse_version` gives."""
    major, minor = version.split(".")[:2]
    return int(major), int(minor)


def patch_of(version: str | None) -> int | None:
    """``7`` of ``3.11.7`` or ``3.11.7rc1``; ``None`` where it is not told."""
    found = re.match(r"\d+\.\d+\.(\d+)", version or "")
    return int(found[1]) if found else None


class Told(NamedTuple):
    """A version, and everything that told one."""

    version: str
    source: VersionSource
    evidence: tuple[tuple[str, str], ...] = ()
    """File and version of each witness that tells the patch level, most trusted first."""


def choose_version(
    files: Files,
    minor: tuple[int, int],
    suffix: str,
    runtime: Runtime | None,
    prefixes: Prefixes,
    executable: str,
    cfg: PyvenvCfg | None,
) -> Told:
    """The version and what told it: the most trusted file that agrees with ``minor`` about ``X.Y``."""
    witnesses: list[tuple[VersionSource, str, str]] = []
    if runtime is not None and runtime.version is not None:
        witnesses.append(("binary", runtime.library or executable, runtime.version))
    header = _patchlevel(files, minor, suffix, prefixes.prefix)
    if header is not None:
        witnesses.append(("patchlevel", *header))
    if not names_process(files, prefixes.stdlib):
        library = _library_release(files, minor, prefixes.stdlib)
        if library is not None:
            witnesses.append(("library", *library))
    evidence = tuple((path, version) for _, path, version in witnesses)
    if witnesses:
        return Told(witnesses[0][2], witnesses[0][0], evidence)
    for _, value in () if cfg is None else [pair for pair in cfg.keys if pair[0] in ("version", "version_info")]:
        version = parse_version(value)
        if version is not None and version.count(".") == 2 and minor_of(version) == minor:
            return Told(version, "pyvenv")
    found = re.search(rf"(?<![\d.]){minor[0]}\.{minor[1]}\.\d{{1,2}}(?![\d.])", posixpath.basename(prefixes.prefix))
    if found:
        return Told(found[0], "directory")
    return Told(f"{minor[0]}.{minor[1]}", "directory")


def _patchlevel(files: Files, minor: tuple[int, int], suffix: str, base_prefix: str) -> tuple[str, str] | None:
    thread = "t" if "t" in suffix else ""
    for include in (
        f"include/python{minor[0]}.{minor[1]}{thread}",
        f"include/python{minor[0]}.{minor[1]}{suffix}",
        "include",
        "Include",
    ):
        path = posixpath.join(base_prefix, include, "patchlevel.h")
        version = read_patchlevel(files, path) if not names_process(files, path) else None
        if version is not None and minor_of(version) == minor:
            return path, version
    return None


def _library_release(files: Files, minor: tuple[int, int], stdlib: str) -> tuple[str, str] | None:
    """Of the sources that the library was built from, where ``_sysconfigdata_*.py`` names their directory."""
    for name in files.names(stdlib):
        if name.startswith("_sysconfigdata_") and name.endswith(".py"):
            path = posixpath.join(stdlib, name)
            try:
                data, _ = files.read_part(path)
            except Unreadable:
                continue
            found = re.search(
                rb"'abs_srcdir': '[^'\n]{0,400}/Python-(\d\.\d{1,2}\.\d{1,3}(?:(?:a|b|rc)\d{1,2})?)'", data
            )
            version = parse_version(found[1].decode("ascii")) if found else None
            if version is not None and minor_of(version) == minor:
                return path, version
    return None


def read_patchlevel(files: Files, path: str) -> str | None:
    """``PY_VERSION`` of a ``patchlevel.h``, or ``None``."""
    try:
        data, _ = files.read_part(path, 1 << 16)
    except Unreadable:
        return None
    found = re.search(rb'^[ \t]*#[ \t]*define[ \t]+PY_VERSION[ \t]+"([0-9a-z.+]{1,20})"', data, re.M)
    version = parse_version(found[1].decode("ascii")) if found else None
    return version if version is not None and version.count(".") == 2 else None


def parse_version(text: str) -> str | None:
    """``3.11.7``, ``3.11``, ``3.15.0rc1`` or ``3.11.7.final.0`` (virtualenv's) as ``X.Y[.Z]``; ``None`` for others."""
    text = re.sub(r"\.final\.\d+\Z", "", text.strip())
    text = re.sub(r"\.(?:alpha|beta|candidate)\.(\d+)\Z", lambda m: _level(m[0]) + m[1], text)
    found = re.match(_VERSION, text)
    return text.rstrip("+") if found and text.isascii() else None


def _level(text: str) -> str:
    return {"a": "a", "b": "b", "c": "rc"}[text[1]]


def windows_minor(names: Sequence[str]) -> tuple[tuple[int, int], str] | None:
    """``(3, 13), "t"`` from ``python313t.dll`` and its like; ``python3.dll`` tells nothing."""
    for name in names:
        found = re.match(r"python(3)(\d{1,2})(t?)(?:\.dll|\.zip|\._pth)\Z", name.lower())
        if found:
            return (int(found[1]), int(found[2])), found[3]
    return None


def program_minor(names: Sequence[str]) -> tuple[tuple[int, int], str] | None:
    """``(3, 13), "t"`` from the first of these file names that is one such as ``python3.13t``."""
    for name in names:
        found = re.match(_PROGRAM, name)
        if found:
            return (int(found[1]), int(found[2])), found[3]
    return None


def _platform(files: Files, executable: str, binary: Binary, library_path: str) -> str:
    """``linux-x86_64-glibc2.36`` and its like."""
    if binary.kind == "pe":
        return f"windows-{binary.machine}"
    if binary.kind == "mach-o":
        return f"macos-{binary.machine}"
    machine = f"linux-{binary.machine}"
    if binary.interp is None:
        return machine
    if "ld-musl-" in binary.interp:
        return f"{machine}-musl" + _constant(files, binary.interp, _MUSL)
    if "ld-linux" in binary.interp or "/ld64.so" in binary.interp or "/ld.so" in binary.interp:
        library = find_library(files, "libc.so.6", executable, binary, library_path)
        return f"{machine}-glibc" + (_constant(files, library, _GLIBC) if library else "")
    return machine


def _constant(files: Files, library: str, pattern: bytes) -> str:
    with OpenBinary(files, library) as (read, binary):
        section = None if binary is None else binary.section(".rodata")
        found = re.search(pattern, section_bytes(read, section)) if section else None
    return found[1].decode("ascii") if found else ""
