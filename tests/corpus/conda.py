"""Makes of an installed base what conda would have left: a record in conda-meta for every package and its files."""

from __future__ import annotations

import csv
import hashlib
import json
import os
from pathlib import Path

from support.venvs import Venv


def make_conda_prefix(base: Venv) -> None:
    """Write the records; what RECORD files claim belongs to a package of that name, everything else to ``python``."""
    left = {path for path in base.path.rglob("*") if path.is_file() or path.is_symlink()}
    (base.path / "conda-meta").mkdir()
    (base.path / "conda-meta" / "history").write_text("==> 2026-01-01 00:00:00 <==\n")
    for record in sorted(base.site.glob("*.dist-info/RECORD")):
        name, _, version = record.parent.name.removesuffix(".dist-info").partition("-")
        for stray in ("REQUESTED", "uv_cache.json", "direct_url.json"):
            (record.parent / stray).unlink(missing_ok=True)
        (record.parent / "INSTALLER").write_text("conda\n")
        with record.open(newline="") as rows:
            claimed = {Path(os.path.normpath(base.site / row[0])) for row in csv.reader(rows)}
        write_record(base.path, name, version, claimed & left)
        left -= claimed
    write_record(base.path, "python", base.interpreter.text, {path for path in left if path.exists()})


def write_record(prefix: Path, name: str, version: str, files: set[Path]) -> None:
    """One package's ``conda-meta`` file."""
    rows = [
        {
            "_path": path.relative_to(prefix).as_posix(),
            "path_type": "softlink" if path.is_symlink() else "hardlink",
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "sha256_in_prefix": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in sorted(files)
    ]
    record = {
        "name": name,
        "version": version,
        "build": "0",
        "files": [row["_path"] for row in rows],
        "paths_data": {"paths_version": 1, "paths": rows},
    }
    (prefix / "conda-meta" / f"{name}-{version}-0.json").write_text(json.dumps(record))
