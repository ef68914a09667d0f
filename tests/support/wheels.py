"""Tiny wheels, built here: they hold what a test wants installed, and their RECORD is right."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import warnings
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

_TIME = (2024, 1, 1, 0, 0, 0)


class Wheel(NamedTuple):
    """A built wheel and what a lock says of it."""

    name: str
    version: str
    path: Path
    sha256: str

    @property
    def requirement(self) -> str:
        """A line of a hashed requirements file."""
        return f"{self.name}=={self.version} --hash=sha256:{self.sha256}"


def record_hash(data: bytes) -> str:
    """``sha256=`` and the digest as RECORD spells it."""
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def record_row(path: str, data: bytes) -> str:
    """One RECORD row, without line end."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([path, record_hash(data), len(data)])
    return line.getvalue()


def build_wheel(
    directory: Path,
    name: str,
    version: str,
    files: Mapping[str, str | bytes],
    *,
    console_scripts: Mapping[str, str] | None = None,
    scripts: Mapping[str, str | bytes] | None = None,
    requires: tuple[str, ...] = (),
    tag: str = "py3-none-any",
) -> Wheel:
    """A wheel with ``files`` (paths in site-packages), ``console_scripts`` (name to ``module:function``) and
    ``scripts`` (as they lie in ``.data/scripts``)."""
    stem = f"{name.replace('-', '_')}-{version}"
    info = f"{stem}.dist-info"
    members: dict[str, bytes] = {path: _bytes(content) for path, content in files.items()}
    for script, content in (scripts or {}).items():
        members[f"{stem}.data/scripts/{script}"] = _bytes(content)
    requirements = "".join(f"Requires-Dist: {requirement}\n" for requirement in requires)
    members[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requirements}".encode()
    members[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: {tag}\n".encode()
    if console_scripts:
        lines = "".join(f"{script} = {target}\n" for script, target in console_scripts.items())
        members[f"{info}/entry_points.txt"] = f"[console_scripts]\n{lines}".encode()
    rows = [record_row(path, data) for path, data in members.items()]
    members[f"{info}/RECORD"] = "".join(row + "\n" for row in [*rows, f"{info}/RECORD,,"]).encode()

    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{stem}-{tag}.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in members.items():
            entry = zipfile.ZipInfo(member, _TIME)
            entry.external_attr = (0o755 if "/scripts/" in member else 0o644) << 16
            archive.writestr(entry, data)
    return Wheel(name, version, path, hashlib.sha256(path.read_bytes()).hexdigest())


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


class Member(NamedTuple):
    """One member of a wheel that a test writes as it likes."""

    name: str
    data: bytes
    mode: int = 0o100644


def build_odd_wheel(
    directory: Path,
    name: str,
    members: Iterable[Member],
    *,
    rows: Callable[[list[str]], list[str]] = lambda rows: rows,
    entry_points: str = "",
    method: int = zipfile.ZIP_DEFLATED,
) -> Wheel:
    """A wheel of ``NAME 1.0`` with these members, in this order, as often as they are given; ``rows`` changes RECORD.

    RECORD has the right row for each member, in their order.
    """
    info = f"{name}-1.0.dist-info"
    found = list(members)
    if entry_points:
        found.append(Member(f"{info}/entry_points.txt", entry_points.encode()))
    found.append(Member(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode()))
    wheel = b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    found.append(Member(f"{info}/WHEEL", wheel))
    listed = rows([record_row(one.name, one.data) for one in found] + [f"{info}/RECORD,,"])
    found.append(Member(f"{info}/RECORD", "".join(row + "\n" for row in listed).encode()))
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{name}-1.0-py3-none-any.whl"
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", method) as archive:
        warnings.simplefilter("ignore")  # a name twice
        for one in found:
            entry = zipfile.ZipInfo(one.name, _TIME)
            entry.filename = one.name  # ZipInfo would take a backslash for a separator elsewhere
            entry.external_attr = one.mode << 16
            entry.compress_type = method
            archive.writestr(entry, one.data)
    return Wheel(name, "1.0", path, hashlib.sha256(path.read_bytes()).hexdigest())
