"""A root directory with this machine's Debian python and what dpkg installed for it, and nothing that dpkg misses."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

INFO = "var/lib/dpkg/info"
CODE = ("/usr/bin/python3", "/usr/lib/python3", "/usr/share/python3")
"""How the paths begin that make a package one of python's."""


def make_debian_root(root: Path, machine: Path = Path("/")) -> None:
    """Copy the packages that have any of python's files: what dpkg knows of them, their files, and the bytecode.

    A package that this machine has changed since dpkg installed it is left out.
    """
    (root / INFO).mkdir(parents=True)
    shutil.copy2(machine / "var/lib/dpkg/status", root / "var/lib/dpkg/status")
    for link in ("lib", "lib64", "bin"):
        if (machine / link).is_symlink():
            (root / link).symlink_to(os.readlink(machine / link))
    for listing in sorted((machine / INFO).glob("*.list")):
        names = listing.read_text().splitlines()
        if any(name.startswith(CODE) for name in names) and unchanged(machine, listing.stem):
            for suffix in (".list", ".md5sums"):
                if listing.with_suffix(suffix).exists():
                    shutil.copy2(listing.with_suffix(suffix), root / INFO)
            for name in names:
                copy(machine / name[1:], root / name[1:])


def unchanged(machine: Path, package: str) -> bool:
    """Whether every file is as dpkg recorded it; documentation may have been left out."""
    sums = machine / INFO / f"{package}.md5sums"
    for line in sums.read_text().splitlines() if sums.exists() else ():
        digest, _, name = line.partition("  ")
        path = machine / name
        if path.is_file() and hashlib.md5(path.read_bytes()).hexdigest() != digest:
            return False
    return True


def copy(source: Path, target: Path) -> None:
    """A file, a link or a directory, and a module's bytecode with it."""
    if source.is_dir() and not source.is_symlink():
        target.mkdir(parents=True, exist_ok=True)
        return
    if not os.path.lexists(source) or os.path.lexists(target):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target, follow_symlinks=False)
    if source.suffix == ".py":
        for cached in (source.parent / "__pycache__").glob(f"{source.stem}.cpython-*.pyc"):
            (target.parent / "__pycache__").mkdir(exist_ok=True)
            shutil.copy2(cached, target.parent / "__pycache__")
