"""The anchors file: text that is committed beside the lock, one line a wheel, sorted, made to be read in a diff.

A line is a wheel's file name, its hash as the lock has it and the digests of its canonical manifest (one, or one for
each way in which installers read it). Digests are what RECORD has behind ``sha256=``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from envcheck.files.root import Files, Missing, Unreadable
from envcheck.formats.record import read_hash
from envcheck.model.anchor import AnchorProblem
from envcheck.model.errors import UsageError
from envcheck.model.inventory import normalize_name
from envcheck.model.nouns import NamedTuple

NAME = "envcheck.anchors"
_HEADER = "envcheck anchors 1 of "
_EXPLAINED = "# wheel, its sha256 as the lock has it, digest over the files that it installs; made by: envcheck anchor"
_DIGEST = re.compile(r"[A-Za-z0-9_-]{43}")
_FILENAME = re.compile(r"[A-Za-z0-9._+!]+-[A-Za-z0-9._+!]+(?:-[0-9][A-Za-z0-9._]*)?-[^-\s]+-[^-\s]+-[^-\s]+\.whl")
_MOST_LINES = 500_000


class Line(NamedTuple):
    """One locked wheel."""

    filename: str
    algorithm: str
    hex: str
    """Of the archive."""
    digests: tuple[str, ...]
    number: int = 0
    """Where it stands in the file, counted from 1."""

    @property
    def name(self) -> str:
        """Of the distribution, normalised."""
        return normalize_name(self.filename.partition("-")[0])

    @property
    def version(self) -> str:
        """As the file name spells it."""
        return self.filename.split("-")[1]


def is_wheel(filename: str) -> bool:
    """Whether a line can begin with that name."""
    return _FILENAME.fullmatch(filename) is not None


class Committed(NamedTuple):
    """An anchors file."""

    path: str
    lock_name: str
    lines: tuple[Line, ...]
    problems: tuple[AnchorProblem, ...] = ()
    """Where it is not of its format; then nothing in it is believed."""


def read_committed(files: Files, path: str) -> Committed:
    """The file. Raises `UsageError` where it cannot be read at all."""
    try:
        data = files.read(path, files.limits.lock)
    except Missing:
        raise UsageError(f"{path}: there is no anchors file", "envcheck anchor writes one beside the lock") from None
    except Unreadable as error:
        raise UsageError(f"{path}: {error.why}", "envcheck anchor writes an anchors file beside the lock") from None
    rows = data.decode("utf-8", "replace").split("\n")
    if not rows[0].startswith(_HEADER) or len(rows) > _MOST_LINES:
        why = f"does not begin with {_HEADER.strip()!r}" if len(rows) <= _MOST_LINES else "has too many lines"
        return Committed(path, "", (), (_invalid(path, 1, why),))
    lines: list[Line] = []
    known: set[tuple[str, str]] = set()
    for number, row in enumerate(rows[1:], 2):
        if not row or row.startswith("#"):
            continue
        line = _line(row, number)
        if isinstance(line, str):
            return Committed(path, rows[0][len(_HEADER) :], (), (_invalid(path, number, line),))
        if (line.algorithm, line.hex) in known:
            return Committed(path, rows[0][len(_HEADER) :], (), (_invalid(path, number, "has a wheel twice"),))
        known.add((line.algorithm, line.hex))
        lines.append(line)
    return Committed(path, rows[0][len(_HEADER) :], tuple(lines))


def _line(row: str, number: int) -> Line | str:
    """A line, or what is wrong with it."""
    parts = row.split(" ")
    if len(parts) != 3:
        return "is not a wheel, a hash and a digest, with one blank between them"
    filename, archive, manifests = parts
    if not _FILENAME.fullmatch(filename):
        return "does not begin with a wheel's file name"
    found = read_hash(archive if "=" in archive else f"sha256={archive}")
    digests = manifests.split(",")
    if found.kind != "strong" or not all(_DIGEST.fullmatch(digest) for digest in digests) or len(digests) > 4:
        return "has a digest that is none"
    return Line(filename, found.algorithm, found.digest.hex(), tuple(digests), number)


def _invalid(path: str, number: int, why: str) -> AnchorProblem:
    name = path.rsplit("/", 1)[-1]
    return AnchorProblem(
        "anchors-invalid", path, f"{name}: line {number} {why}; nothing in it is believed.", None, number
    )


def render_committed(lock_name: str, lines: Iterable[Line]) -> str:
    """The text of an anchors file: the same for the same wheels."""
    rows = sorted(_text(line) for line in lines)
    return "\n".join([_HEADER + lock_name, _EXPLAINED, *rows, ""])


def _text(line: Line) -> str:
    return f"{line.filename} {archive_field(line.algorithm, line.hex)} {','.join(line.digests)}"


def archive_field(algorithm: str, digest: str) -> str:
    """An archive's hash as a line has it."""
    from base64 import urlsafe_b64encode

    text = urlsafe_b64encode(bytes.fromhex(digest)).rstrip(b"=").decode("ascii")
    return text if algorithm == "sha256" else f"{algorithm}={text}"


def by_name(lines: Sequence[Line]) -> dict[str, list[Line]]:
    """Lines by the distribution's normalised name."""
    found: dict[str, list[Line]] = {}
    for line in lines:
        found.setdefault(line.name, []).append(line)
    return found
