"""Makes of an installed base what conda would have left: a record in conda-meta for every package and its files.

As conda does: it names itself in INSTALLER; a package with an architecture holds the scripts that pip wrote where it
was built, and has this prefix written over the build's; of one without, conda makes the scripts itself, and records no
hash of them. RECORD stays as pip wrote it.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

from support.venvs import Venv
from support.wheels import record_hash

PLACEHOLDER = "/opt/placehold_placehold_placehold"
_POINT = re.compile(r"from ([\w.]+) import (\w+)\n.*sys\.exit\(([\w.]+)\(\)\)", re.DOTALL)
_SCRIPT = """#!{python}
# -*- coding: utf-8 -*-
import re
import sys

from {module} import {name}

if __name__ == '__main__':
    sys.argv[0] = re.sub(r'(-script\\.pyw?|\\.exe)?$', '', sys.argv[0])
    sys.exit({call}())
"""


def make_conda_prefix(base: Venv) -> None:
    """Write the records; what RECORD files claim belongs to a package of that name, everything else to ``python``."""
    left = {path for path in base.path.rglob("*") if path.is_file() or path.is_symlink()}
    (base.path / "conda-meta").mkdir()
    (base.path / "conda-meta" / "history").write_text("==> 2026-01-01 00:00:00 <==\n")
    for record in sorted(base.site.glob("*.dist-info/RECORD")):
        left -= package(base, record, left)
    write_record(base.path, "python", base.interpreter.text, [row(base.path, path) for path in sorted(left)])


def package(base: Venv, record: Path, files: set[Path]) -> set[Path]:
    """One distribution into a package of conda's; its files."""
    name, _, version = record.parent.name.removesuffix(".dist-info").partition("-")
    pure = "Root-Is-Purelib: true" in (record.parent / "WHEEL").read_text()
    lines, rows, own = [], [], set()
    with record.open(newline="") as stream:
        claims = [(line, Path(os.path.normpath(base.site / line[0]))) for line in csv.reader(stream)]
    for line, path in claims:
        if path not in files:
            lines.append(line)
            continue
        own.add(path)
        more: dict[str, Any] = {}
        if path.name == "INSTALLER":
            line[1:] = [record_hash(b"pip\n"), "4"]
            path.write_text("conda\n")
        elif path.parent == base.bin and path.read_bytes()[:2] == b"#!":
            built = path.read_bytes().replace(str(base.path).encode(), PLACEHOLDER.encode())
            line[1:] = [record_hash(built), str(len(built))]
            point = _POINT.search(path.read_text())
            if pure and point:
                module, imported, call = point.groups()
                path.write_text(_SCRIPT.format(python=base.bin / "python", module=module, name=imported, call=call))
                more = {"path_type": "unix_python_entry_point"}
            else:
                more = {"sha256": hashlib.sha256(built).hexdigest()}
                more |= {"prefix_placeholder": PLACEHOLDER, "file_mode": "text"}
        lines.append(line)
        if path != record:
            rows.append(row(base.path, path, more))
    with record.open("w", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(lines)
    write_record(base.path, name, version, [*rows, row(base.path, record)])
    return own


def row(prefix: Path, path: Path, more: dict[str, Any] | None = None) -> dict[str, Any]:
    """One file of a package."""
    made = {"_path": path.relative_to(prefix).as_posix(), "path_type": "softlink" if path.is_symlink() else "hardlink"}
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    made |= {"sha256": digest, "sha256_in_prefix": digest, **(more or {})}
    if made["path_type"] == "unix_python_entry_point":
        del made["sha256"], made["sha256_in_prefix"]
    return made


def write_record(prefix: Path, name: str, version: str, rows: list[dict[str, Any]]) -> None:
    """One package's ``conda-meta`` file."""
    record = {
        "name": name,
        "version": version,
        "build": "0",
        "files": [row["_path"] for row in rows],
        "paths_data": {"paths_version": 1, "paths": rows},
    }
    (prefix / "conda-meta" / f"{name}-{version}-0.json").write_text(json.dumps(record))
