"""A venv laid out by hand, so that each oddity of an installer or attacker is one line of a test."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from envcheck.files.root import Files
from envcheck.installed.inventory import Installed
from envcheck.model.environment import Environment, EnvironmentKind, Python, PyvenvCfg, SiteDir, SiteOrigin
from envcheck.model.inventory import Deviation, Inventory
from envcheck.model.ownership import Claim
from support.wheels import record_hash, record_row

PIP_SCRIPT = """\
#!{python}
# -*- coding: utf-8 -*-
import re
import sys
from {module} import {attr}
if __name__ == '__main__':
    sys.argv[0] = re.sub(r'(-script\\.pyw|\\.exe)?$', '', sys.argv[0])
    sys.exit({attr}())
"""


class Tree:
    """A venv below a directory: ``site`` and ``bin`` are its directories, ``install`` puts distributions there."""

    def __init__(self, directory: Path) -> None:
        self.prefix = directory / "env"
        self.base = directory / "base"
        self.site = self.prefix / "lib" / "python3.11" / "site-packages"
        self.bin = self.prefix / "bin"
        self.site.mkdir(parents=True)
        self.bin.mkdir()
        (self.base / "bin").mkdir(parents=True)
        (self.base / "bin" / "python3.11").write_bytes(b"\x7fELF base")
        (self.bin / "python").symlink_to(self.base / "bin" / "python3.11")
        (self.bin / "python3").symlink_to("python")
        (self.prefix / "pyvenv.cfg").write_text(f"home = {self.base / 'bin'}\n")
        self.files = Files()

    def environment(self, kind: EnvironmentKind = "venv", origin: SiteOrigin = "venv") -> Environment:
        home = str(self.base / "bin")
        cfg = PyvenvCfg(str(self.prefix / "pyvenv.cfg"), (("home", home),), home, False)
        python = Python(
            "3.11.7", "pyvenv", "cpython", "cp311", "linux-x86_64", str(self.bin / "python"), str(self.base)
        )
        site = (SiteDir(str(self.site), origin),)
        return Environment(str(self.prefix), kind, python, site, (), None, str(self.bin), False, None, cfg)

    def write(self, relative: str, data: bytes | str = b"x = 1\n") -> Path:
        """A file of the site directory (or, with ``../``, elsewhere in the prefix)."""
        path = Path(os.path.normpath(self.site / relative))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    def install(
        self,
        name: str,
        version: str = "1.0",
        files: Mapping[str, bytes | str] | None = None,
        *,
        rows: tuple[str, ...] = (),
        unhashed: tuple[str, ...] = (),
        metadata: str | None = None,
        direct_url: dict[str, object] | None = None,
        entry_points: str | None = None,
        extra: Mapping[str, bytes | str] | None = None,
        record: bool = True,
    ) -> Path:
        """A distribution as an installer leaves it; ``rows`` are added to RECORD as they are."""
        info = f"{name}-{version}.dist-info"
        text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n" if metadata is None else metadata
        members: dict[str, bytes | str] = {**(files or {}), f"{info}/METADATA": text, f"{info}/INSTALLER": "pip\n"}
        if direct_url is not None:
            members[f"{info}/direct_url.json"] = json.dumps(direct_url)
        if entry_points is not None:
            members[f"{info}/entry_points.txt"] = entry_points
        for key, value in (extra or {}).items():
            members[f"{info}/{key}"] = value
        lines = []
        for relative, data in members.items():
            path = self.write(relative, data)
            lines.append(f"{relative},," if relative in unhashed else record_row(relative, path.read_bytes()))
        if record:
            self.write(f"{info}/RECORD", "".join(line + "\n" for line in [*lines, *rows, f"{info}/RECORD,,"]))
        return self.site / info

    def install_script(self, name: str, target: str, text: str | None = None, *, row: bool = True) -> Path:
        """A distribution that declares a console script, and the script as pip writes it."""
        module, _, attr = target.partition(":")
        body = PIP_SCRIPT.format(python=self.bin / "python", module=module, attr=attr) if text is None else text
        script = self.bin / name
        script.write_text(body)
        script.chmod(0o755)
        rows = (record_row(f"../../../bin/{name}", body.encode()),) if row else ()
        self.install(name, entry_points=f"[console_scripts]\n{name} = {target}\n", rows=rows)
        return script

    def inventory(self, kind: EnvironmentKind = "venv", origin: SiteOrigin = "venv") -> Inventory:
        self.files = Files()
        return Installed(self.files, self.environment(kind, origin)).inventory()

    def claim(self, path: Path | str) -> Claim:
        text = str(self.site / path) if isinstance(path, str) else str(path)
        return Installed(Files(), self.environment()).claim(text)

    def problems(self, inventory: Inventory | None = None) -> set[tuple[str, str]]:
        """``(problem, path relative to the site directory)`` of every deviation."""
        found = self.inventory() if inventory is None else inventory
        return {(deviation.problem, self.relative(deviation.path)) for deviation in found.deviations}

    def only(self) -> Deviation:
        """The one deviation that there is."""
        (found,) = self.inventory().deviations
        return found

    def relative(self, path: str) -> str:
        return os.path.relpath(path, self.site)


def row(path: str, data: bytes | str) -> str:
    return record_row(path, data.encode() if isinstance(data, str) else data)


def hash_of(data: bytes | str) -> str:
    return record_hash(data.encode() if isinstance(data, str) else data)


def bytecode(flags: int = 0) -> bytes:
    """The header of a ``.pyc`` of 3.11 and some bytes after it."""
    return b"\xa7\r\r\n" + flags.to_bytes(4, "little") + bytes(8) + b"\xe3"
