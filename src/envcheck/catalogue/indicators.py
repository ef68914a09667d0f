"""Indicators of known attacks, and those that a responder names: bytes, a file's name or a distribution into a match.

What ships is `data.indicators`, from public reports. A file of one's own (`--indicators`) is JSON in the same form, or
a plain list: sha256 digests, paths and globs, names of files and name==version, one a line.
"""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Mapping, Sequence

from envcheck.model.errors import UsageError
from envcheck.model.nouns import NamedTuple

MAX_FILE = 8 << 20
MAX_ROWS = 200_000
_FORMS = "a plain list has one a line; JSON is a list of {kind, value, what}"
_DIGEST = re.compile(r"[0-9a-fA-F]{64}")


class Known(NamedTuple):
    """One thing to look for."""

    kind: str
    """``sha256``, ``name`` (of a file, in any directory), ``path`` (whole, with ``*`` and ``?``), ``release`` or
    ``text`` (found in startup code)."""
    value: str
    """For a release ``name==version``."""
    what: str
    """A clause: which attack, and where it was reported."""


class Indicators(NamedTuple):
    """All that is looked for, by kind."""

    digests: Mapping[str, str]
    names: Mapping[str, str]
    paths: tuple[tuple[str, str], ...]
    releases: Mapping[tuple[str, str], str]
    texts: tuple[tuple[str, str], ...]

    def of_digest(self, sha256: str | None) -> str | None:
        """What a file with that content is."""
        return None if sha256 is None else self.digests.get(sha256)

    def of_path(self, path: str) -> str | None:
        """What a file at that path is."""
        found = self.names.get(path.rpartition("/")[2])
        if found is not None:
            return found
        return next((what for pattern, what in self.paths if fnmatch.fnmatchcase(path, pattern)), None)

    def of_release(self, name: str, version: str | None) -> str | None:
        """What a distribution of that name (normalised) and version is."""
        return self.releases.get((name, version or "")) or self.releases.get((name, "*"))

    def of_text(self, text: str) -> str | None:
        """What code with that text in it is."""
        return next((f"{what} ({value})" for value, what in self.texts if value in text), None)


def shipped() -> Indicators:
    """The public ones."""
    from envcheck.catalogue.data.indicators import INDICATORS

    return collected([Known(*row) for row in INDICATORS])


def collected(rows: Sequence[Known]) -> Indicators:
    """Indicators by kind."""
    return Indicators(
        {row.value.lower(): row.what for row in rows if row.kind == "sha256"},
        {row.value: row.what for row in rows if row.kind == "name"},
        tuple((row.value, row.what) for row in rows if row.kind == "path"),
        {_release(row.value): row.what for row in rows if row.kind == "release"},
        tuple((row.value, row.what) for row in rows if row.kind == "text"),
    )


def joined(first: Indicators, second: Indicators) -> Indicators:
    """Both."""
    return Indicators(
        {**first.digests, **second.digests},
        {**first.names, **second.names},
        (*first.paths, *second.paths),
        {**first.releases, **second.releases},
        (*first.texts, *second.texts),
    )


def _release(value: str) -> tuple[str, str]:
    name, _, version = value.partition("==")
    return re.sub(r"[-_.]+", "-", name.strip()).lower(), version.strip() or "*"


def read_indicators(path: str, data: bytes) -> Indicators:
    """A responder's own, from JSON or a plain list. Raises `UsageError`."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not UTF-8", "write a list of sha256 digests, paths and globs, one a line") from None
    if text.lstrip()[:1] in ("[", "{"):
        return collected(_from_json(path, text))
    return collected(_from_lines(path, text))


def _from_lines(path: str, text: str) -> list[Known]:
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        row = line.strip()
        if not row or row.startswith("#"):
            continue
        what = f"named in {path.rpartition('/')[2]}, line {number}"
        first, _, rest = row.partition(" ")
        if _DIGEST.fullmatch(first):
            # As sha256sum writes them: the name behind a digest is for people.
            rows.append(Known("sha256", first.lower(), what + (f" ({rest.strip()})" if rest.strip() else "")))
        elif "==" in row and "/" not in row:
            rows.append(Known("release", row, what))
        elif "/" in row or "*" in row or "?" in row:
            rows.append(Known("path", row, what))
        elif " " not in row and re.fullmatch(r"[\w.@+-]+", row):
            rows.append(Known("name", row, what))
        else:
            raise UsageError(f"{path}:{number}: no digest, path, glob, file name or name==version: {row[:80]}", _FORMS)
        if len(rows) > MAX_ROWS:
            raise UsageError(f"{path}: more than {MAX_ROWS:,} indicators", "split the list")
    return rows


def _from_json(path: str, text: str) -> list[Known]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: no JSON: {error}", _FORMS) from None
    rows = document.get("indicators") if isinstance(document, dict) else document
    if not isinstance(rows, list) or len(rows) > MAX_ROWS:
        raise UsageError(f"{path}: expected a list of indicators", 'for one: [{"kind": "sha256", "value": "…"}]')
    found = []
    for index, row in enumerate(rows):
        kind, value = (row.get("kind"), row.get("value")) if isinstance(row, dict) else (None, None)
        what = row.get("what") if isinstance(row, dict) else None
        if kind not in ("sha256", "name", "path", "release", "text") or not isinstance(value, str) or not value:
            raise UsageError(
                f"{path}: [{index}]: expected kind (sha256, name, path, release or text) and value (a string)", _FORMS
            )
        if kind == "sha256" and not _DIGEST.fullmatch(value):
            raise UsageError(f"{path}: [{index}].value: no sha256 digest: {value[:80]}", _FORMS)
        found.append(Known(kind, value, what if isinstance(what, str) else f"named in {path.rpartition('/')[2]}"))
    return found
