"""RECORD as an attacker edits it."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable
from pathlib import Path

from support.wheels import record_hash

Row = list[str]


def read_rows(dist_info: Path) -> list[Row]:
    """The rows of a RECORD."""
    with open(dist_info / "RECORD", newline="", encoding="utf-8") as stream:
        return list(csv.reader(stream))


def write_rows(dist_info: Path, rows: list[Row]) -> None:
    """Replace a RECORD, keeping its times, as an attacker would."""
    path = dist_info / "RECORD"
    before = path.stat()
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def change_rows(dist_info: Path, change: Callable[[Row], Row | None]) -> None:
    """Each row as ``change`` returns it; ``None`` takes it away."""
    changed = [change(list(row)) for row in read_rows(dist_info)]
    write_rows(dist_info, [row for row in changed if row is not None])


def add_row(dist_info: Path, path: Path, hashed: bool = True) -> Row:
    """List a file, with the right hash or with none."""
    data = path.read_bytes()
    relative = os.path.relpath(path, dist_info.parent)
    row = [relative, record_hash(data), str(len(data))] if hashed else [relative, "", ""]
    write_rows(dist_info, [*read_rows(dist_info), row])
    return row
