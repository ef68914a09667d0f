"""A root directory with this machine's Debian python and what dpkg installed for it, and nothing that dpkg misses."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

INFO = "var/lib/dpkg/info"
CODE = ("usr/bin/python3", "usr/lib/python3", "usr/share/python3", "etc/python3")
"""How the paths begin that are copied."""


def make_debian_root(root: Path, machine: Path = Path("/")) -> None:
    """Copy dpkg's lists, the files of every package that has any of python's, and the bytecode of those."""
    (root / INFO).mkdir(parents=True)
    shutil.copy2(machine / "var/lib/dpkg/status", root / "var/lib/dpkg/status")
    for kind in ("*.list", "*.md5sums"):
        for path in (machine / INFO).glob(kind):
            shutil.copy2(path, root / INFO / path.name)
    for listing in sorted((machine / INFO).glob("*.list")):
        for line in listing.read_text().splitlines():
            name = line.lstrip("/")
            if name.startswith(CODE):
                copy(machine / name, root / name)
    for link in ("lib", "lib64", "bin"):
        if (machine / link).is_symlink():
            (root / link).symlink_to(os.readlink(machine / link))


def copy(source: Path, target: Path) -> None:
    """A file, a link or a directory, and a module's bytecode with it."""
    if source.is_dir() and not source.is_symlink():
        target.mkdir(parents=True, exist_ok=True)
        return
    if not os.path.lexists(source):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if not os.path.lexists(target):
        shutil.copy2(source, target, follow_symlinks=False)
    if source.suffix == ".py":
        for cached in (source.parent / "__pycache__").glob(f"{source.stem}.cpython-*.pyc"):
            (target.parent / "__pycache__").mkdir(exist_ok=True)
            shutil.copy2(cached, target.parent / "__pycache__" / cached.name)
