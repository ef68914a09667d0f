"""Why uv's cache is no witness: one edit in an environment that uv made is in every environment that it makes after.

    python tests/demonstrations/uv_cache.py [--uv PATH]

uv unpacks a wheel once, into its cache, and makes each environment of hard links to those files (its default on one
file system under Linux and Windows). So a file in an environment and a file in the cache are one file. This script
makes an index on this machine with one wheel, an environment from it, and then does what any code in that environment
could: it appends a line to an installed module. Then it has uv install the same wheel into new environments, in the
ways that are to prove what is installed, and looks for the line there.

It writes to a temporary directory only, has a cache of its own there, and starts nothing of what it installs. Exit
code 0: as described; 1: uv did otherwise; 2: it could not be tried.
"""

from __future__ import annotations

import argparse
import base64
import functools
import hashlib
import http.server
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

AGAIN = "uv pip install --require-hashes --refresh"
"""Fetches the wheel again: the way out."""
LINE = "\nADDED_LATER = True\n"
PROJECT = """[project]
name = "project"
version = "1"
requires-python = ">=3.8"
dependencies = ["shade"]
[tool.uv]
package = false
"""


def main() -> int:
    parser = argparse.ArgumentParser(description="Show what one edit in an environment of uv's leads to.")
    parser.add_argument("--uv", default=shutil.which("uv"), help="the uv to show it with (default: the one on PATH)")
    given = parser.parse_args()
    if not given.uv:
        print("there is no uv on PATH")
        return 2
    uv = os.path.abspath(given.uv)
    with tempfile.TemporaryDirectory() as directory, Index(Path(directory) / "index") as index:
        return demonstrate(Path(directory), index, uv)


def demonstrate(directory: Path, index: Index, uv: str) -> int:
    """Install, edit, install again; tell at each step."""
    digest = hashlib.sha256(index.wheel.read_bytes()).hexdigest()
    requirements = directory / "requirements.txt"
    requirements.write_text(f"shade==1.0 --hash=sha256:{digest}\n")
    run = functools.partial(start, directory, uv)
    run("--version")

    first = directory / "first"
    run("venv", "--quiet", "--python", sys.executable, str(first))
    run("pip", "install", "--quiet", "--require-hashes", *into(first, index), "-r", str(requirements))
    module = installed(first)
    names = os.stat(module).st_nlink
    print(f"installed: {module.name} is one file with {names} names, one of them in uv's cache")
    with module.open("a") as stream:
        stream.write(LINE)
    print("edited: a line was appended to it in the first environment")

    hashed = ("--require-hashes", "-r", str(requirements))
    ways: dict[str, Callable[[Path], object]] = {
        "uv pip install": lambda venv: run("pip", "install", "--quiet", *into(venv, index), "shade==1.0"),
        "uv pip install --require-hashes": lambda venv: run("pip", "install", "--quiet", *into(venv, index), *hashed),
        "uv sync --locked": lambda venv: sync(run, venv, index),
        AGAIN: lambda venv: run("pip", "install", "--quiet", "--refresh", *into(venv, index), *hashed),
    }
    reached = []
    for number, (way, install) in enumerate(ways.items()):
        venv = directory / f"project-{number}" / ".venv"
        venv.parent.mkdir()
        run("venv", "--quiet", "--python", sys.executable, str(venv))
        install(venv)
        if installed(venv).read_text().endswith(LINE):
            reached.append(way)
        print(f"{way}: {'the added line is there, and uv did not complain' if way in reached else 'as in the wheel'}")
    archive = hashlib.sha256(index.wheel.read_bytes()).hexdigest()
    print(f"the wheel in the index still has the hash that was asked for: {'yes' if archive == digest else 'no'}")
    return 0 if names > 1 and reached == [way for way in ways if way != AGAIN] else 1


def sync(run: Callable[..., object], venv: Path, index: Index) -> None:
    """Lock a project and install from the lock, which has the hash."""
    (venv.parent / "pyproject.toml").write_text(PROJECT)
    project = ("--project", str(venv.parent), "--python", str(venv / "bin" / "python"), "--default-index", index.url)
    run("lock", "--quiet", *project)
    run("sync", "--quiet", "--locked", *project)


def into(venv: Path, index: Index) -> tuple[str, ...]:
    return ("--python", str(venv / "bin" / "python"), "--index-url", index.url, "--no-deps")


def installed(venv: Path) -> Path:
    (module,) = venv.glob("lib/python3*/site-packages/shade.py")
    return module


def start(directory: Path, uv: str, *arguments: str) -> None:
    """Run uv with a cache of its own and none of the user's settings."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TEMP") if name in os.environ}
    environ = {**kept, "HOME": str(directory), "UV_CACHE_DIR": str(directory / "cache"), "UV_NO_CONFIG": "1"}
    command = [uv, *arguments]
    subprocess.run(command, check=True, env={**environ, "UV_PYTHON_DOWNLOADS": "never"}, cwd=directory, timeout=120)


class Index:
    """A package index on this machine with one wheel."""

    def __init__(self, directory: Path) -> None:
        (directory / "simple" / "shade").mkdir(parents=True)
        self.wheel = directory / "shade-1.0-py3-none-any.whl"
        members = {
            "shade.py": b"DARK = 1\n",
            "shade-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: shade\nVersion: 1.0\n",
            "shade-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        with zipfile.ZipFile(self.wheel, "w") as archive:
            for name, data in members.items():
                archive.writestr(name, data)
            archive.writestr("shade-1.0.dist-info/RECORD", "".join(map(row, members, members.values())))
        page = directory / "simple" / "shade" / "index.html"
        page.write_text(f'<a href="../../{self.wheel.name}">{self.wheel.name}</a>')
        handler = functools.partial(Quiet, directory=str(directory))
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/simple/"

    def __enter__(self) -> Index:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


def row(name: str, data: bytes) -> str:
    """One row of RECORD."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(data)}\n"


if __name__ == "__main__":
    sys.exit(main())
