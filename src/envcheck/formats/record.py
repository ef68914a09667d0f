"""RECORD bytes into columns, and one row's hash field into what it can prove.

A RECORD is what installers really write, not what the specification says (PEP 376, PEP 627): any row order and line
ending, quoted fields, one to four columns, hashes as unpadded or padded base64 or as hex, hashes of other algorithms.
"""

from binascii import Error as BinasciiError
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Sequence

from envcheck.model.nouns import Literal, NamedTuple

Resolve = Callable[[str], "str | None"]
"""A row's path to the key of its file (see `installed.places`)."""

HashKind = Literal["strong", "weak", "none", "invalid"]

STRONG = {"sha256": 32, "sha384": 48, "sha512": 64}
"""Algorithms that prove a file's bytes (PEP 376 wants sha256 or better), to the length of a digest."""

_WEAK = frozenset({"md5", "sha1", "sha224", "crc32", "adler32"})
_TO_URLSAFE = bytes.maketrans(b"+/", b"-_")
_TO_STANDARD = str.maketrans("-_", "+/")
_MAX_COLUMNS = 4
_NO_DIGEST = bytes(33)


def names_directory(row: str) -> bool:
    """Whether a row's own text says that it is no file's: pip keeps the directory rows that some wheels have."""
    return row.endswith(("/", "/.", "/..")) or row in (".", "..")


class Rows(NamedTuple):
    """The columns of a RECORD; a blank line is a row with an empty path."""

    paths: list[str]
    """As written, undecodable bytes as surrogate escapes."""
    hashes: list[str]
    """The hash fields as written (``sha256=…``), empty where there is none."""
    invalid: tuple[tuple[int, str], ...] = ()
    """Line number and what is wrong, for rows that cannot be taken; they are not in the columns."""
    lines: list[int] | None = None
    """Line number of each row, or ``None`` where row ``i`` stands at line ``i + 1``."""

    def line(self, index: int) -> int:
        """The 1-based line at which a row begins."""
        return index + 1 if self.lines is None else self.lines[index]


class Hash(NamedTuple):
    """What a hash field claims."""

    kind: HashKind
    algorithm: str = ""
    digest: bytes = b""
    """Raw; only of a strong hash."""


NO_HASH = Hash("none")


def parse(data: bytes) -> Rows:
    """The rows of a RECORD. Never raises: what cannot be understood is in ``invalid``."""
    text = data.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    if '"' in text:
        return _parse_csv(text)
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    paths: list[str] = []
    hashes: list[str] = []
    invalid: list[tuple[int, str]] = []
    for line in text.split("\n"):
        parts = line.rsplit(",", 2)
        path = parts[0]
        if "," in path or "\0" in path:
            path, field, why = _odd_row(line.split(","))
            if why:
                invalid.append((len(paths) + 1, why))
            paths.append(path)
            hashes.append(field)
        else:
            paths.append(path)
            hashes.append(parts[1] if len(parts) > 1 else "")
    return Rows(paths, hashes, tuple(invalid))


def _odd_row(columns: list[str]) -> tuple[str, str, str | None]:
    """Path, hash field and, where the row cannot be taken (the path is then empty), why."""
    if len(columns) > _MAX_COLUMNS:
        return "", "", f"{len(columns)} columns"
    if "\0" in columns[0]:
        return "", "", "a path with a NUL character"
    return columns[0], columns[1] if len(columns) > 1 else "", None


def _parse_csv(text: str) -> Rows:
    """Rows where a field is quoted."""
    import csv
    import io

    paths: list[str] = []
    hashes: list[str] = []
    lines: list[int] = []
    invalid: list[tuple[int, str]] = []
    reader = csv.reader(io.StringIO(text, newline=""))
    begins = 1
    while True:
        try:
            columns = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            # A NUL (before 3.11), a field over csv's bound or a bare carriage return: the rest goes on after it.
            invalid.append((begins, str(error)))
            begins = reader.line_num + 1
            continue
        if columns:
            path, field, why = _odd_row(columns)
            if why:
                invalid.append((begins, why))
            else:
                paths.append(path)
                hashes.append(field)
                lines.append(begins)
        begins = reader.line_num + 1
    return Rows(paths, hashes, tuple(invalid), lines)


def read_hash(field: str) -> Hash:
    """What a hash field proves: base64 (URL-safe or standard, padded or not) or hex, as installers wrote them.

    uv wrote hex for a while (astral-sh/uv#15400); some build backends pad.
    """
    if not field:
        return NO_HASH
    algorithm, equals, value = field.partition("=")
    algorithm = algorithm.strip().lower()
    if not equals:
        return Hash("invalid")
    size = STRONG.get(algorithm)
    if size is None:
        return Hash("weak" if algorithm in _WEAK else "invalid", algorithm)
    value = value.strip()
    try:
        if len(value) == 2 * size:
            return Hash("strong", algorithm, bytes.fromhex(value))
        unpadded = value.rstrip("=").translate(_TO_STANDARD)
        if not unpadded:
            return Hash("none", algorithm)
        digest = a2b_base64(unpadded + "=" * (-len(unpadded) % 4))
    except (ValueError, BinasciiError):
        return Hash("invalid", algorithm)
    return Hash("strong", algorithm, digest) if len(digest) == size else Hash("invalid", algorithm)


def hash_field(digest: bytes) -> str:
    """The field that pip and uv write for a raw sha256."""
    return "sha256=" + b2a_base64(digest, newline=False).rstrip(b"=").translate(_TO_URLSAFE).decode("ascii")


def hash_fields(digests: Sequence[object]) -> list[str]:
    """`hash_field` of many at once; what is no digest gives ``-``, which no row bears.

    A digest padded to 33 bytes is eleven whole groups of base64, so that one call encodes all of them.
    """
    joined = b"".join([found + b"\0" if type(found) is bytes else _NO_DIGEST for found in digests])
    text = b2a_base64(joined, newline=False).translate(_TO_URLSAFE).decode("ascii")
    return [
        "sha256=" + text[44 * index : 44 * index + 43] if type(found) is bytes else "-"
        for index, found in enumerate(digests)
    ]


class Lookup:
    """The hash fields of a few paths in one RECORD, found by searching its bytes instead of parsing its rows.

    However a row spells a path, the file's own name stands in it as it is (but for csv's quoting).
    """

    __slots__ = ("_all", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data.removeprefix(b"\xef\xbb\xbf")
        self._all: dict[str, list[str]] | None = None

    def fields(self, key: str, resolve: Resolve) -> list[str]:
        """The hash field of every row whose path resolves to ``key`` (a normal path relative to the site directory)."""
        data = self._data
        if b'"' in data or b"\\" in data:
            if self._all is None:
                self._all = _by_key(parse(data), resolve)
            return self._all.get(key, [])
        whole = key.encode("utf-8", "surrogateescape")
        directory, slash, name = whole.rpartition(b"/")
        needles = [name]
        if slash:
            # Many rows end in __init__.py; the last directory stands before it, unless the path is not in normal form.
            needles = [directory.rpartition(b"/")[2] + b"/" + name, b"//" + name, b"./" + name]
        found: list[str] = []
        seen: set[int] = set()
        for needle in needles:
            at = data.find(needle)
            while at >= 0:
                start = data.rfind(b"\n", 0, at) + 1
                end = data.find(b"\n", at)
                line = data[start:] if end < 0 else data[start : end + 1]
                if start not in seen and (line.startswith(whole) or _is_odd(line)):
                    seen.add(start)
                    found.extend(_by_key(parse(line), resolve).get(key, ()))
                at = -1 if end < 0 else data.find(needle, end)
        return found

    @property
    def data(self) -> bytes:
        """The RECORD's bytes."""
        return self._data


class Mentions:
    """Which of many RECORDs may speak of a file or directory: the bytes of each are searched."""

    __slots__ = ("_data", "_odd")

    def __init__(self, lookups: Sequence[Lookup]) -> None:
        self._data = [lookup.data for lookup in lookups]
        self._odd = {number for number, data in enumerate(self._data) if b'"' in data or b"\\" in data}
        """Those that quote, or part directories with backslashes: they may spell a name in another way."""

    def of(self, text: str) -> list[int]:
        """The places of the RECORDs that may mention a name, in their order; a directory's name ends in ``/``."""
        needle = text.encode("utf-8", "surrogateescape")
        odd = self._odd
        return [number for number, data in enumerate(self._data) if needle in data or number in odd]


def _is_odd(line: bytes) -> bool:
    """Whether a row's path may be in no normal form, and so stand for another than it spells."""
    return line[:1] == b"/" or b"./" in line or b"//" in line


def _by_key(rows: Rows, resolve: Resolve) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path, field in zip(rows.paths, rows.hashes, strict=True):
        key = resolve(path) if path and not names_directory(path) else None
        if key is not None:
            found.setdefault(key, []).append(field)
    return found
