"""A base installation of links to the real library, and its virtual environments: for tests to plant files in."""

from __future__ import annotations

import atexit
import functools
import json
import os
import posixpath
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from envcheck.environments.discover import find_environment
from envcheck.files.root import Files
from envcheck.model.environment import Environment
from envcheck.model.invocation import Invocation
from environments.interpreters import run
from support.pythons import Interpreter

_SAY = (
    "import json, sys; site = sys.modules.get('site'); print(json.dumps(dict(path=sys.path, prefix=sys.prefix, "
    "base=sys.base_prefix, executable=sys.executable, enabled=getattr(site, 'ENABLE_USER_SITE', False))))"
)


class Place:
    """A base installation of links to the real library, which a test may plant files in."""

    def __init__(self, interpreter: Interpreter, path: Path) -> None:
        self.interpreter = interpreter
        self.path = path
        self.bin = path / "bin"
        self.bin.mkdir(parents=True)
        (path / "home").mkdir()
        real = posixpath.dirname(posixpath.dirname(interpreter.path))
        self.real = Path(real, "lib", interpreter.name)
        self.library = path / "lib" / interpreter.name
        link_library(self.real, self.library)
        self.site = self.library / "site-packages"
        mark(self.site)
        self.program = self.bin / "python3"
        shutil.copy(interpreter.path, self.program)

    def venv(self, *lines: str, copied: bool = False, home: Path | None = None) -> Path:
        """The interpreter of a new virtual environment of it."""
        place = self.path / "venv"
        mark(place / "lib" / self.interpreter.name / "site-packages")
        (place / "bin").mkdir()
        program = place / "bin" / "python3"
        if copied:
            shutil.copy(self.program, program)
        else:
            program.symlink_to(self.program)
        (place / "pyvenv.cfg").write_text("\n".join([f"home = {home or self.bin}", *lines, ""]))
        return program

    def user_site(self) -> Path:
        return mark(self.path / "home/.local/lib" / self.interpreter.name / "site-packages")

    def check(
        self,
        program: Path,
        *flags: str,
        ids: tuple[tuple[int, int], tuple[int, int]] | None = None,
        become: Callable[[], None] | None = None,
        **environ: str,
    ) -> Environment:
        """Both agree; the environment as it was found. ``become`` makes the interpreter's process that of ``ids``."""
        environ = {"HOME": str(self.path / "home"), **environ}
        marks = self.path / "marks"
        marks.unlink(missing_ok=True)
        said = json.loads(
            run(
                program,
                *flags,
                "-c",
                _SAY,
                environ={**environ, "MARKS": str(marks)},
                directory=self.path,
                become=become,
            )
        )
        ids = ids or ((os.getuid(), os.geteuid()), (os.getgid(), os.getegid()))
        found = find_environment(Files(), str(program), Invocation(flags, environ, *ids, str(self.path)))
        processed = marks.read_text().splitlines() if marks.exists() else []
        # What lies outside leaves no mark.
        sites = [site.path for site in found.site_sequence]
        own = [path for path in sites if path.startswith(f"{self.path.parent}/")]
        assert own == [posixpath.normpath(path) for path in processed]
        assert once([*found.initial_path, *sites]) == once(path for path in said["path"] if path)
        assert (found.user_site_enabled, found.python.base_prefix) == (said["enabled"], said["base"])
        if processed:
            assert found.path == said["prefix"]
        return found


def once(paths: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(map(posixpath.normpath, paths)))


def link_library(real: Path, place: Path) -> None:
    """A standard library of links, with site directories of its own; what it compiles is shared with the next one."""
    place.mkdir(parents=True)
    for name, target in _parts(real):
        os.symlink(target, f"{place}/{name}")


@functools.cache
def _parts(real: Path) -> list[tuple[str, str]]:
    """What is in a library; its bytecode is the tests' own."""
    compiled = tempfile.mkdtemp(prefix="compiled-")
    atexit.register(shutil.rmtree, compiled, ignore_errors=True)
    kept = [name for name in os.listdir(real) if name not in ("site-packages", "dist-packages", "__pycache__")]
    return [("__pycache__", compiled), *((name, f"{real}/{name}") for name in kept)]


def mark(site: Path) -> Path:
    """A site directory whose processing leaves a line."""
    site.mkdir(parents=True)
    (site / "mark.pth").write_text(
        "import os, sys; out = open(os.environ['MARKS'], 'a'); out.write(sitedir + '\\n'); out.close()\n"
    )
    return site
