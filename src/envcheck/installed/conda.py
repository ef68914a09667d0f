"""conda's records of a prefix into the package that owns a file and the sha256 that it claims.

Paths it looks at: ``PREFIX/conda-meta/*.json``. Each names a package and, in ``paths_data.paths``, its files:
``_path``, ``sha256`` (of the file in the package), ``sha256_in_prefix`` (of what conda made of it here: it writes this
prefix in place of the build's), ``prefix_placeholder`` and ``file_mode`` (what was replaced, in a text or a binary).
Packages of old have ``files`` alone: names without hashes.

The records are believed in a prefix whose interpreter they own too, and never in a virtual environment: a
``conda-meta`` that was put somewhere else vouches for nothing.
"""

import json
import posixpath
import re
from functools import cached_property

from envcheck.files.root import Files, Unreadable
from envcheck.installed.kinds import is_binary
from envcheck.model.nouns import NamedTuple
from envcheck.model.ownership import Owner

_HEX = re.compile(r"[0-9a-f]{64}")
_LIMIT = 64 << 20
"""Bytes of one record; those of the largest packages have 30 MB."""
_MOST = 5_000
_MOST_ROWS = 3_000_000
_TEXT_LIMIT = 16 << 20
_MAGIC = 16
"""Bytes that tell a binary."""


class Row(NamedTuple):
    """One file of one package."""

    owner: Owner
    sha256: bytes | None
    """What the bytes here should be; ``None`` where conda recorded nothing of the kind."""
    original: bytes | None = None
    """sha256 of the file in the package, where only that is recorded and this prefix was written into it."""
    placeholder: str = ""
    """What stood in a text of the package in place of this prefix."""


class Conda:
    """The records of one prefix, read when they are first asked for."""

    def __init__(self, files: Files, prefix: str, interpreter: str | None) -> None:
        self._files = files
        self._prefix = prefix.rstrip("/")
        self._interpreter = interpreter

    @cached_property
    def trusted(self) -> bool:
        """Whether the records own the prefix's interpreter, unchanged, so that they may be believed at all."""
        if self._files.exists(f"{self._prefix}/pyvenv.cfg"):
            return False
        try:
            real, rows = self.of_interpreter()
            return any(row.owner.name == "python" for row in rows) and self.verdict(real, rows) == "match"
        except Unreadable:
            return False

    def of_interpreter(self) -> tuple[str, tuple[Row, ...]]:
        """The interpreter's real path, and its rows whether the records are believed or not. Raises `Unreadable`."""
        if self._interpreter is None or not self._files.is_dir(f"{self._prefix}/conda-meta"):
            return "", ()
        real, top = self._files.realpath(self._interpreter), self._files.realpath(self._prefix)
        return real, self.rows.get(real[len(top) + 1 :], ()) if real.startswith(top + "/") else ()

    def find(self, path: str) -> tuple[Row, ...]:
        """Every package's row for an absolute path; nothing where the records are not believed."""
        start = self._prefix + "/"
        return self.rows.get(path[len(start) :], ()) if path.startswith(start) and self.trusted else ()

    def below(self, directory: str) -> dict[str, tuple[Row, ...]]:
        """The rows of everything below a directory, by absolute path."""
        if not self.trusted:
            return {}
        start = directory.rstrip("/") + "/"
        named = ((f"{self._prefix}/{name}", rows) for name, rows in self.rows.items())
        return {path: rows for path, rows in named if path.startswith(start)}

    def verdict(self, path: str, rows: tuple[Row, ...]) -> str:
        """``match``, ``differs`` or ``unhashed`` for a file, links followed. Raises `Unreadable`.

        Where several packages list it, every hash must be that of the bytes.
        """
        from envcheck.files.digests import digest

        return self.judge(path, rows, bytes.fromhex(digest(self._files, path)[0]))

    def judge(self, path: str, rows: tuple[Row, ...], sha256: bytes) -> str:
        """The same for bytes whose sha256 is known."""
        hashed = [row for row in rows if row.sha256 is not None or row.original is not None]
        if not hashed:
            return "unhashed"
        return "match" if all(self._fits(path, row, sha256) for row in hashed) else "differs"

    def _fits(self, path: str, row: Row, sha256: bytes) -> bool:
        if row.sha256 is not None:
            return row.sha256 == sha256
        if row.original == sha256:
            return True
        return self._as_built(path, row) == row.original

    def explains(self, path: str, expected: bytes, sha256: bytes) -> bool:
        """Whether a file with the bytes that conda recorded differs from its RECORD because conda itself changed it.

        conda packages what pip installed in a prefix of the build. After pip wrote RECORD, the build names conda in
        INSTALLER and sets the RUNPATH of binaries; the installation writes this prefix in place of the build's. All
        else must be as RECORD has it, whatever conda-meta says. ``expected`` is RECORD's sha256 of the file.
        """
        rows = self.find(path)
        if not rows or self.judge(path, rows, sha256) != "match":
            return False
        if path.endswith(".dist-info/INSTALLER"):
            return True
        try:
            if is_binary(self._files.read_part(path, _MAGIC)[0]):
                return True
        except Unreadable:
            return False
        return any(row.placeholder and self._as_built(path, row) == expected for row in rows)

    def _as_built(self, path: str, row: Row) -> bytes:
        """sha256 of a text with this prefix turned back into the placeholder; nothing where it cannot be read."""
        from envcheck.model.sha256 import sha256

        try:
            data = self._files.read(path, _TEXT_LIMIT)
        except Unreadable:
            return b""
        own = self._prefix.encode("utf-8", "surrogateescape")
        return sha256(data.replace(own, row.placeholder.encode("utf-8", "surrogatepass"))).digest()

    @cached_property
    def rows(self) -> dict[str, tuple[Row, ...]]:
        """Path relative to the prefix, to the packages' rows. What cannot be understood is noted as not seen."""
        found: dict[str, list[Row]] = {}
        directory = f"{self._prefix}/conda-meta"
        names = [name for name in self._files.names(directory) if name.endswith(".json")]
        if len(names) > _MOST:
            self._files.miss(directory, f"more than {_MOST:,} records: none was believed")
            return {}
        for name in names:
            path = f"{directory}/{name}"
            try:
                data = json.loads(self._files.read(path, _LIMIT))
            except Unreadable as error:
                self._files.miss(error.path, error.why)
                continue
            except (ValueError, RecursionError):
                self._files.miss(path, "not the JSON of a conda package")
                continue
            if not self._take(data, path, found):
                self._files.miss(path, "not the record of a conda package")
            if len(found) > _MOST_ROWS:
                self._files.miss(directory, f"more than {_MOST_ROWS:,} files in its records: the rest was not read")
                break
        return {path: tuple(rows) for path, rows in found.items()}

    def _take(self, data: object, path: str, found: dict[str, list[Row]]) -> bool:
        """Add one package's rows; whether all of its record was understood."""
        if not isinstance(data, dict):
            return False
        name, version = data.get("name"), data.get("version")
        if not isinstance(name, str) or not isinstance(version, str):
            return False
        owner = Owner("conda", name, version)
        whole = True
        listed: set[str] = set()
        paths = data.get("paths_data")
        for entry in _list(paths.get("paths") if isinstance(paths, dict) else None):
            row = _row(entry, owner)
            if row is None:
                whole = False
                continue
            listed.add(row[0])
            found.setdefault(row[0], []).append(row[1])
        for entry in _list(data.get("files")):
            if not isinstance(entry, str) or not _inside(entry):
                whole = False
            elif entry not in listed:
                found.setdefault(entry, []).append(Row(owner, None))
        return whole


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _inside(path: str) -> bool:
    return bool(path) and posixpath.normpath(path) == path and path[0] != "/" and path.split("/")[0] != ".."


def _row(entry: object, owner: Owner) -> tuple[str, Row] | None:
    """``None`` for what is no row, or leaves the prefix."""
    if not isinstance(entry, dict):
        return None
    path = entry.get("_path")
    if not isinstance(path, str) or not _inside(path):
        return None
    here, original = _digest(entry.get("sha256_in_prefix")), _digest(entry.get("sha256"))
    placeholder = entry.get("prefix_placeholder")
    replaced = placeholder if isinstance(placeholder, str) else ""
    in_text = replaced if entry.get("file_mode") == "text" else ""
    if here is not None:
        return path, Row(owner, here, None, in_text)
    if in_text:
        return path, Row(owner, None, original, in_text)
    if replaced:
        # In a binary the rest of the text was filled up: what stood there cannot be had back.
        return path, Row(owner, None)
    return path, Row(owner, original)


def _digest(value: object) -> bytes | None:
    return bytes.fromhex(value) if isinstance(value, str) and _HEX.fullmatch(value) else None
