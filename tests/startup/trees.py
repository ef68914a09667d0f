"""Environments made by hand: a tree of files, and the `Environment` that stands for it."""

from __future__ import annotations

import os
from pathlib import Path

from envcheck.files.root import Files
from envcheck.model.environment import Environment, Python, SiteDir
from envcheck.model.invocation import Invocation
from envcheck.model.startup import StartupEntry, StartupPlan
from envcheck.startup.plan import make_plan

UTF8 = {"LANG": "C.UTF-8"}


class Place:
    """A venv-like tree under a temporary directory."""

    def __init__(self, root: Path, version: str = "3.11.7", **python: object) -> None:
        self.root = root / "venv"
        self.base = root / "base"
        self.minor = ".".join(version.split(".")[:2])
        self.site = self.root / "lib" / f"python{self.minor}" / "site-packages"
        self.stdlib = self.base / "lib" / f"python{self.minor}"
        self.version = version
        self.python = python
        self.user_site: bool | None = False
        self.initial: tuple[str, ...] | None = None
        self.sites: tuple[Path, ...] | None = None
        self.files = Files()
        self.site.mkdir(parents=True)
        self.stdlib.mkdir(parents=True)

    def write(self, name: str, content: str | bytes = "", mtime: int | None = None) -> Path:
        """A file, relative to the site directory unless absolute."""
        path = self.site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        if mtime is not None:
            os.utime(path, (mtime, mtime))
        return path

    def environment(self) -> Environment:
        major, minor = map(int, self.minor.split("."))
        python = Python(
            self.version, "binary", "cpython", f"cp{major}{minor}", "linux-x86_64-glibc2.36", None, str(self.base)
        )._replace(**self.python)
        twice = 1 if (major, minor) >= (3, 15) else 2
        sites = self.sites or (self.site,) * twice
        return Environment(
            str(self.root),
            "venv",
            python,
            tuple(SiteDir(str(site), "venv") for site in sites),
            self.initial if self.initial is not None else (str(self.stdlib),),
            str(self.stdlib),
            None,
            self.user_site,
            None,
        )

    def plan(self, *flags: str, **environ: str) -> StartupPlan:
        return make_plan(self.files, self.environment(), Invocation(flags, {**UTF8, **environ}))

    def entries(self, *flags: str, **environ: str) -> dict[str, StartupEntry]:
        """Entries by their code, or by the base name of their file for modules."""
        return {e.code or os.path.relpath(e.path, self.site): e for e in self.plan(*flags, **environ).entries}


def outcomes(entry: StartupEntry) -> list[str]:
    return [occurrence.outcome for occurrence in entry.occurrences]
