"""Trees of files for tests that need no interpreter."""

from __future__ import annotations

from pathlib import Path

from envcheck.environments.discover import find_environment
from envcheck.files.root import Files
from envcheck.model.environment import Environment
from envcheck.model.invocation import Invocation


def write(place: Path, text: str | bytes = b"") -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(text.encode() if isinstance(text, str) else text)
    return place


def library(prefix: Path, minor: str, version: str | None = None, lib: str = "lib", thread: str = "") -> Path:
    """A standard library as far as the path configuration looks at it; its ``site-packages``."""
    name = f"python{minor}{thread}"
    write(prefix / lib / name / "os.py")
    (prefix / lib / name / "lib-dynload").mkdir()
    if version is not None:
        write(
            prefix / "include" / name / "patchlevel.h", f'#define PY_MAJOR_VERSION 3\n#define PY_VERSION "{version}"\n'
        )
    site = prefix / lib / name / "site-packages"
    site.mkdir()
    return site


def program(place: Path) -> Path:
    """A file that is not even a binary, for what must be told without one."""
    write(place, b"not a binary")
    place.chmod(0o755)
    return place


def scan(target: object, *flags: str, files: Files | None = None, **environ: str) -> Environment:
    return find_environment(files or Files(), str(target), Invocation(flags, environ, directory="/"))


def sites(environment: Environment) -> list[str]:
    return [entry.path for entry in environment.site_sequence]
