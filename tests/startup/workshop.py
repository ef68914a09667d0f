"""Where described environments are built: one place for each interpreter, with its prefix copied once and then linked.

Payloads only ever append their mark, one line, to the file that ENVCHECK_MARKS names.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from startup.cases import Case, Names
from support.pythons import Interpreter
from support.venvs import copy_base, warm

CODE = "open(os.environ['ENVCHECK_MARKS'],'a').write('{mark}\\n')"
LINE = "import os; " + CODE
POOL = 40
MODULES = ("alpha", "beta", "gamma", "delta", "epsilon")
CUSTOMIZE = ("sitecustomize", "usercustomize")


class Bytecode(NamedTuple):
    """Marshalled payloads of one interpreter, made once: ``bodies[n]`` marks ``P<n>``."""

    magic: bytes
    bodies: tuple[bytes, ...]

    def file(self, number: int, flags: int, field: bytes) -> bytes:
        """A ``.pyc`` that marks ``P<number>``."""
        return self.magic + flags.to_bytes(4, "little") + field + self.bodies[number]

    def source_hash(self, source: bytes) -> bytes:
        """The field of a hash-based ``.pyc`` (PEP 552) for that source, as that interpreter computes it."""
        import _imp

        return _imp.source_hash(int.from_bytes(self.magic, "little"), source)


@functools.cache
def bytecode_of(interpreter: Interpreter) -> Bytecode:
    """The payloads, marshalled by the interpreter that is to run them."""
    script = (
        "import json, marshal, sys, importlib.util as u\n"
        "lines = json.load(sys.stdin)\n"
        "print(json.dumps([u.MAGIC_NUMBER.hex()]\n"
        "    + [marshal.dumps(compile(l, 'payload', 'exec')).hex() for l in lines]))\n"
    )
    lines = [LINE.format(mark=f"P{number}") + "; inner = None" for number in range(POOL)]
    done = subprocess.run(
        [interpreter.path, "-I", "-S", "-c", script],
        input=json.dumps(lines),
        capture_output=True,
        text=True,
        check=True,
    )
    magic, *bodies = json.loads(done.stdout)
    return Bytecode(bytes.fromhex(magic), tuple(bytes.fromhex(body) for body in bodies))


_EXTENSION = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
struct Def {{ long refcount; void *type; void *init; long index; void *copy; const char *name; const char *doc;
    long size; void *methods; void *slots; void *traverse; void *clear; void *free; }};
extern void *PyModuleDef_Init(struct Def *);
static void *called(void *self, void *nothing) {{ return NULL; }}
static struct Method {{ const char *name; void *meth; int flags; const char *doc; }} methods[] = {{
    {{ "inner", (void *)called, 4, 0 }}, {{ 0, 0, 0, 0 }} }};
static void *made(struct Def *def) {{
    Dl_info here;
    const char *marks = getenv("ENVCHECK_MARKS");
    FILE *file = marks && dladdr((void *)made, &here) ? fopen(marks, "a") : NULL;
    if (file) {{ fprintf(file, "%s\\n", here.dli_fname); fclose(file); }}
    return PyModuleDef_Init(def);
}}
{modules}
"""
_INIT = """
static struct Def def_{name} = {{ 1, 0, 0, 0, 0, "{name}", 0, 0, methods, 0, 0, 0, 0 }};
void *PyInit_{name}(void) {{ return made(&def_{name}); }}
"""


@functools.cache
def extension() -> bytes | None:
    """A shared library that is every module of the tests, for any CPython, and marks its own path; needs a compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    source = _EXTENSION.format(modules="".join(_INIT.format(name=name) for name in (*MODULES, *CUSTOMIZE)))
    with tempfile.TemporaryDirectory() as place:
        made = Path(place, "extension.so")
        command = [compiler, "-shared", "-fPIC", "-O1", "-x", "c", "-", "-ldl", "-o", str(made)]
        done = subprocess.run(command, input=source.encode(), capture_output=True)
        return made.read_bytes() if done.returncode == 0 else None


class Built(NamedTuple):
    """A case that stands on disk."""

    case: Case
    root: Path
    python: Path
    flags: tuple[str, ...]
    environ: dict[str, str]
    marks: dict[str, str]
    """Which mark the bytes of a module file leave, by absolute path."""

    @property
    def here(self) -> Path:
        """The directory that it is started in."""
        return self.root / "here"


class Workshop:
    """Builds environments for one interpreter, each in place of the one before it."""

    def __init__(self, place: Path, interpreter: Interpreter) -> None:
        self.interpreter = interpreter
        self._pristine = warm(copy_base(place / "pristine", interpreter))
        self.root = place / "env"
        self.names = Names(self.root, interpreter)

    @property
    def debian(self) -> bool:
        """Whether its ``site`` has Debian's directories."""
        return "dist-packages" in (self._stdlib / "site.py").read_text()

    @property
    def _stdlib(self) -> Path:
        return self._pristine.path / "lib" / self.interpreter.name

    def build(self, case: Case) -> Built:
        """Put a case on disk."""
        shutil.rmtree(self.root, ignore_errors=True)
        for base in case.bases:
            self._base(self.root / base)
        for directory in ("here", "home", *case.directories):
            (self.root / self.names.text(directory)).mkdir(parents=True, exist_ok=True)
        for name, content in case.files.items():
            path = self.root / self.names.text(name)
            self._unlinked(path)
            path.parent.mkdir(parents=True, exist_ok=True)
            if content.kind == "link":
                path.symlink_to(os.fsdecode(self.names.bytes(content.data)))
            elif content.kind == "program":
                os.link(self._pristine.bin / self.interpreter.name, path)
            else:
                data = extension() or b"" if content.kind == "extension" else self.names.bytes(content.data)
                path.write_bytes(data)
                os.utime(path, (content.modified, content.modified))
        marks = {str(self.root / self.names.text(name)): self.names.text(mark) for name, mark in case.marks.items()}
        environ = {key: self.names.text(value) for key, value in case.environ.items()}
        environ = {"HOME": str(self.root / "home"), **environ, "ENVCHECK_MARKS": str(self.root / "marks")}
        python = self.root / self.names.text(case.start)
        return Built(case, self.root, python, tuple(map(self.names.text, case.flags)), environ, marks)

    def _base(self, base: Path) -> None:
        """A prefix like the pristine one: its own program, a library directory of links, an empty site directory."""
        (base / "bin").mkdir(parents=True)
        os.link(self._pristine.bin / self.interpreter.name, base / "bin" / self.interpreter.name)
        for name in ("python3", "python"):
            (base / "bin" / name).symlink_to(self.interpreter.name)
        self._linked(self._stdlib, base / "lib" / self.interpreter.name)
        (base / "lib" / self.interpreter.name / "site-packages").unlink()
        (base / "lib" / self.interpreter.name / "site-packages").mkdir()

    @staticmethod
    def _linked(source: Path, directory: Path) -> None:
        directory.mkdir(parents=True)
        for name in os.listdir(source):
            os.symlink(f"{source}/{name}", f"{directory}/{name}")

    def _unlinked(self, path: Path) -> None:
        """Give way to a file of the case's own inside a linked library directory."""
        for parent in reversed(path.parents):
            if self.root in parent.parents and self._ours(parent):
                target = Path(os.readlink(parent))
                parent.unlink()
                self._linked(target, parent)
        if self._ours(path):
            path.unlink()

    def _ours(self, path: Path) -> bool:
        return path.is_symlink() and os.readlink(path).startswith(str(self._pristine.path))


@functools.cache
def workshop_of(interpreter: Interpreter) -> Workshop:
    """The place for an interpreter, made once in each process and removed with it."""
    place = tempfile.mkdtemp(prefix="workshop-")
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    return Workshop(Path(place), interpreter)
