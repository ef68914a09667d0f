"""The standard library of a CPython release, as its source archive has it: path to sha256.

``data/stdlib.bin`` is ``MAGIC``, a head, an index, and raw sha256 digests one after another; head and index have their
length before them (4 bytes, big-endian). The head, which `sitemodules` reads too, is text: the releases in order, those
known in part marked; then the digests of ``site.py``. The index is compressed text: a row ``PATH <tab> SPANS`` a file,
where each of ``0-4,7;5-6`` (numbers of releases) takes the next digest; then, after a row ``<tab> BUILD``, rows of the
same form for files that a well-known build changes. ``tests/tools/make_stdlib_catalogue.py`` makes it.

A release known in part is one whose source was not to be had: it is what a distributor's build and the release have in
common. What the distributor changes, and what it leaves out, is not known.

Only what a release itself contains is here, which is the same in every build: what a build makes (lib-dynload,
``_sysconfigdata``, ``config-X.Y``) no catalogue can know. `PRODUCTS` and `EXTENSIONS` say how that is called.
"""

import re
from functools import cache

from envcheck.catalogue.sitemodules import DATA, IN_PART, MAGIC, UPSTREAM, names_in, numbers_of
from envcheck.files.shipped import shipped
from envcheck.model.nouns import NamedTuple

__all__ = ["IN_PART", "MAGIC", "UPSTREAM"]

_SIZE = 32

TESTS = re.compile(r"(?:^|/)(?:tests?|idle_test)/")
"""Directories that builds leave out, whole or in part."""
OPTIONAL = frozenset(
    "__phello__ distutils ensurepip idlelib lib2to3 msilib pydoc_data sqlite3 test tkinter turtledemo venv".split()
)
"""Packages that distributors leave out or ship apart."""

PRODUCTS = re.compile(
    r"LICENSE\.txt$|EXTERNALLY-MANAGED$|build-details(?:\.[\w.-]*)?\.json$|_sysconfig_vars_\w*(?:[-.]\w+)*\.json$|"
    r"lib2to3/(?:Pattern)?Grammar3\.\d+\.\d+\.(?:alpha|beta|candidate|final)\.\d+\.pickle$|"
    r"distutils/tests/xxmodule\.c$|test/xxmodule\.c$|"
    r"config-3\.\d+t?d?(?:-[\w-]+)?/(?:Makefile|Setup(?:\.\w+)?|config\.c(?:\.in)?|install-sh|makesetup|python\.o|"
    r"python-config\.py|libpython3\.\d+t?d?(?:-pic)?\.(?:a|so|dylib|dll\.a))$"
)
"""Files that ``make install`` writes beside those of the release, other than extension modules."""
LITERALS = (
    (re.compile(r"_sysconfigdata_\w*(?:[-.]\w+)*\.py$"), "build_time_vars"),
    (re.compile(r"_missing_stdlib_info\.py$"), "_MISSING_STDLIB_MODULE_MESSAGES"),
)
"""Modules that a build writes, each one literal of this name: `sysconfig` imports the first, `traceback` the second."""
LEFT_OUT = re.compile(
    r"(?:__phello__|ctypes/macholib|ensurepip/_bundled|idlelib|test|turtledemo|venv/scripts/nt)/|"
    r"_distutils_system_mod\.py$"
)
"""What the distributors leave out, or add, whose builds tell of the releases that are known in part."""

EXTENSIONS = frozenset(
    """
    _asyncio _bisect _blake2 _bz2 _codecs_cn _codecs_hk _codecs_iso2022 _codecs_jp _codecs_kr _codecs_tw _contextvars
    _crypt _csv _ctypes _ctypes_test _curses _curses_panel _datetime _dbm _decimal _elementtree _gdbm _hashlib _heapq
    _hmac _interpchannels _interpqueues _interpreters _json _locale _lsprof _lzma _md5 _multibytecodec _multiprocessing
    _opcode _pickle _posixshmem _posixsubprocess _queue _random _remote_debugging _scproxy _sha1 _sha2 _sha256 _sha3
    _sha512 _socket _sqlite3 _ssl _statistics _struct _testbuffer _testcapi _testclinic _testclinic_limited
    _testexternalinspection _testimportmultiple _testinternalcapi _testlimitedcapi _testmultiphase _testsinglephase
    _tkinter _types _typing _uuid _xxinterpchannels _xxsubinterpreters _xxtestfuzz _zoneinfo _zstd array audioop
    binascii cmath fcntl grp math mmap nis ossaudiodev parser pyexpat readline resource select spwd syslog termios
    unicodedata xxlimited xxlimited_35 xxlimited_3_13 xxsubtype zlib
    """.split()
)
"""Modules of CPython 3.8 to 3.15 that a build may have as shared objects in ``lib-dynload``."""

_FIRST = {
    "_zoneinfo": 9,
    "xxlimited_35": 10,
    "_typing": 11,
    **dict.fromkeys(("_sha2", "_xxinterpchannels"), 12),
    **dict.fromkeys(("_interpchannels", "_interpqueues", "_interpreters"), 13),
    **dict.fromkeys(("_hmac", "_remote_debugging", "_types", "_zstd"), 14),
    "xxlimited_3_13": 15,
}
_LAST = {
    "parser": 9,
    **dict.fromkeys(("_sha256", "_sha512"), 11),
    **dict.fromkeys(("_crypt", "_xxinterpchannels", "_xxsubinterpreters", "audioop", "nis", "ossaudiodev", "spwd"), 12),
}
"""The minor version of Python 3 with which some of these came and went; modules for tests came with any patch."""


def has_extension(module: str, minor: tuple[int, int]) -> bool:
    """Whether a build of X.Y may have an extension module of this name."""
    return module in EXTENSIONS and _FIRST.get(module, 0) <= minor[1] <= _LAST.get(module, minor[1])


class Release(NamedTuple):
    """The files of one release, by their path below the directory of the standard library."""

    version: str
    files: dict[str, bytes]
    """Raw sha256."""
    builds: dict[str, dict[str, bytes]]
    """Files that a well-known build has instead, by the build's name."""
    in_part: bool = False
    """Whether files of the release may be missing here, and others be known only as a build has them."""


class _Row(NamedTuple):
    path: str
    variants: tuple[tuple[str, bytes], ...]
    """Spans of releases as they are written, and the digest that those have."""


class _Catalogue(NamedTuple):
    versions: tuple[str, ...]
    in_part: frozenset[str]
    rows: tuple[_Row, ...]
    builds: dict[str, tuple[_Row, ...]]
    by_path: dict[str, tuple[tuple[str, bytes], ...]]
    """The variants of a path, those of builds included."""


def release(version: str) -> Release | None:
    """What a release (``3.11.7``) contains; ``None`` where the catalogue has no such release."""
    catalogue = _load()
    if version not in catalogue.versions:
        return None
    number = catalogue.versions.index(version)
    builds = {name: _files(rows, number) for name, rows in catalogue.builds.items()}
    return Release(version, _files(catalogue.rows, number), builds, version in catalogue.in_part)


@cache
def may_differ(path: str) -> bool:
    """Whether a well-known build changes the file in any release."""
    return any(row.path == path for rows in _load().builds.values() for row in rows)


def versions() -> tuple[str, ...]:
    """Every release that the catalogue has, oldest first."""
    return _load().versions


def releases_of(path: str, sha256: bytes, minor: tuple[int, int]) -> list[str]:
    """The releases of an X.Y that have exactly this file at this path."""
    catalogue = _load()
    start = f"{minor[0]}.{minor[1]}."
    found: set[int] = set()
    for spans, digest in catalogue.by_path.get(path, ()):
        if digest == sha256:
            found |= numbers_of(spans)
    return [name for number in sorted(found) if (name := catalogue.versions[number]).startswith(start)]


@cache
def names_of(minor: tuple[int, int]) -> frozenset[str]:
    """What stands at the top of the standard library of any known release of an X.Y: ``os.py``, ``asyncio``."""
    catalogue = _load()
    start = f"{minor[0]}.{minor[1]}."
    numbers = {number for number, name in enumerate(catalogue.versions) if name.startswith(start)}
    return frozenset(
        row.path.partition("/")[0]
        for row in catalogue.rows
        if any(numbers & numbers_of(spans) for spans, _ in row.variants)
    )


def _files(rows: tuple[_Row, ...], number: int) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for row in rows:
        for spans, digest in row.variants:
            if _covers(spans, number):
                found[row.path] = digest
                break
    return found


@cache
def _covers(spans: str, number: int) -> bool:
    return number in numbers_of(spans)


@cache
def _load() -> _Catalogue:
    import zlib

    data = shipped("envcheck.catalogue", DATA)
    head, start = _sized(data, len(MAGIC))
    index, end = _sized(data, start)
    names, in_part = names_in(head)
    lines = zlib.decompress(index).decode("ascii").split("\n")
    at = end
    rows: list[_Row] = []
    builds: dict[str, list[_Row]] = {}
    into = rows
    for line in lines:
        path, _, rest = line.partition("\t")
        if not path:
            into = builds.setdefault(rest, [])
            continue
        variants = []
        for spans in rest.split(";"):
            variants.append((spans, data[at : at + _SIZE]))
            at += _SIZE
        into.append(_Row(path, tuple(variants)))
    by_path: dict[str, tuple[tuple[str, bytes], ...]] = {}
    for row in (*rows, *(row for found in builds.values() for row in found)):
        by_path[row.path] = by_path.get(row.path, ()) + row.variants
    known = {name: tuple(found) for name, found in builds.items()}
    return _Catalogue(names, in_part, tuple(rows), known, by_path)


def _sized(data: bytes, at: int) -> tuple[bytes, int]:
    """A part that has its length before it, and where it ends."""
    start = at + 4
    end = start + int.from_bytes(data[at:start], "big")
    return data[start:end], end
