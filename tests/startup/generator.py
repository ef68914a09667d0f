"""Environments of chance: a seed in, a tree of startup files with marking payloads out.

Every payload appends its own mark, one line, to the file that ENVCHECK_MARKS names. What a payload is called can be
read from the text of an import line, and for module files from `Tree.marks`.
"""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

from support.pythons import Interpreter

CODE = "open(os.environ['ENVCHECK_MARKS'],'a').write('{mark}\\n')"
LINE = "import os; " + CODE
POOL = 40


class Bytecode:
    """Marshalled payloads of one interpreter, made once: `bodies[n]` marks ``P<n>``."""

    def __init__(self, interpreter: Interpreter) -> None:
        script = (
            "import json, marshal, sys, importlib.util as u\n"
            "lines = json.load(sys.stdin)\n"
            "print(json.dumps([u.MAGIC_NUMBER.hex()]\n"
            "    + [marshal.dumps(compile(l, 'payload', 'exec')).hex() for l in lines]))\n"
        )
        lines = [LINE.format(mark=f"P{number}") for number in range(POOL)]
        done = subprocess.run(
            [interpreter.path, "-I", "-c", script], input=json.dumps(lines), capture_output=True, text=True, check=True
        )
        magic, *bodies = json.loads(done.stdout)
        self.magic = bytes.fromhex(magic)
        self.bodies = [bytes.fromhex(body) for body in bodies]

    def file(self, number: int, flags: int, field: bytes) -> bytes:
        """A ``.pyc`` that marks ``P<number>``."""
        return self.magic + flags.to_bytes(4, "little") + field + self.bodies[number]


def configure(venv: Path, system_site: bool) -> None:
    """Let a venv share its base's site directories, or not."""
    cfg = venv / "pyvenv.cfg"
    lines = [line for line in cfg.read_text().splitlines() if not line.startswith("include-")]
    value = "true" if system_site else "false"
    cfg.write_text("\n".join([*lines, f"include-system-site-packages = {value}"]) + "\n")


class Tree:
    """One random environment: a venv whose site-packages, and folders around it, are filled."""

    def __init__(self, rng: random.Random, venv: Path, interpreter: Interpreter, bytecode: Bytecode) -> None:
        self.rng = rng
        self.venv = venv
        self.interpreter = interpreter
        self.bytecode = bytecode
        self.site = venv / "lib" / interpreter.name / "site-packages"
        self.around = venv / "around"
        self.home = venv / "home"
        self.user = self.home / ".local" / "lib" / interpreter.name / "site-packages"
        self.marks: dict[str, str] = {}
        """Which mark the bytes of a module file leave, by path."""
        self.flags: tuple[str, ...] = ()
        self.environ: dict[str, str] = {}
        self._next = 0
        self._pool = list(range(POOL))

    # Filling ----------------------------------------------------------------------------------------------------

    def build(self) -> None:
        """Empty what an earlier tree left, and fill everything anew."""
        for folder in (self.site, self.around, self.home):
            shutil.rmtree(folder, ignore_errors=True)
        self.site.mkdir(parents=True)
        self.around.mkdir()
        self.home.mkdir()
        rng = self.rng
        system_site = rng.random() < 0.3
        configure(self.venv, system_site)
        if rng.random() < 0.5:
            self.user.mkdir(parents=True)
        self.folders = [self.around / name for name in ("one", "two", "nested", "päth", "with space")]
        for folder in self.folders:
            folder.mkdir()
        self.archive = self.around / "bundle.zip"
        self._archive()
        places = [self.site, *self.folders[:4]] + ([self.user] if self.user.exists() else [])
        for place in places:
            self._modules(place)
            self._customize(place)
        for place in (self.site, *([self.user] if self.user.exists() else [])):
            for name in rng.sample(NAMES, rng.randint(1, 5)):
                self._pth(place / name, depth=0)
        for name in rng.sample(NAMES[:5], 2):
            self._pth(self.folders[2] / name, depth=1)
        for name in rng.sample(NAMES[:6], rng.randint(0, 2)):
            (self.site / (Path(name).stem + ".start")).write_bytes(self._start())
        self.environ = {"ENVCHECK_MARKS": str(self.venv / "marks"), "HOME": str(self.home), "LANG": "C.UTF-8"}
        if rng.random() < 0.1:
            self.environ["LC_ALL"] = "C"
        if rng.random() < 0.2:
            self.environ["PYTHONPATH"] = os.pathsep.join(map(str, rng.sample(self.folders, 2)))
        if rng.random() < 0.1:
            self.environ["PYTHONNOUSERSITE"] = rng.choice(["1", "0", ""])
        if rng.random() < 0.25:
            self.flags = (rng.choice(["-I", "-E", "-s", "-S", "-O", "-OO"]),)

    def mark(self) -> str:
        self._next += 1
        return f"m{self._next}"

    def line(self) -> str:
        return LINE.format(mark=self.mark())

    # Modules ----------------------------------------------------------------------------------------------------

    def _source(self, path: Path) -> str:
        """Source of a module that marks itself, and at times imports another or fails."""
        mark = self.mark()
        self.marks[str(path)] = mark
        text = LINE.format(mark=mark) + "\n"
        chance = self.rng.random()
        if chance < 0.15:
            text += f"import {self.rng.choice(MODULES)}\n"
        elif chance < 0.2:
            text += "import absent_module\n"
        elif chance < 0.25:
            text += f"try:\n    import {self.rng.choice([*MODULES, 'absent_module'])}\nexcept ImportError:\n    pass\n"
        return text

    def _modules(self, place: Path) -> None:
        for name in self.rng.sample(MODULES, self.rng.randint(1, 4)):
            self._module(place, name)

    def _customize(self, place: Path) -> None:
        for name, chance in (("sitecustomize", 0.35), ("usercustomize", 0.25)):
            if self.rng.random() < chance:
                self._module(place, name)

    def _module(self, place: Path, name: str) -> None:
        kinds: list[Callable[[Path, str], None]] = [
            self._plain, self._plain, self._plain, self._package, self._namespace, self._sourceless, self._cached,
            self._cached, self._broken_extension, self._both,
        ]  # fmt: skip
        self.rng.choice(kinds)(place, name)

    def _plain(self, place: Path, name: str) -> None:
        path = place / f"{name}.py"
        path.write_text(self._source(path))

    def _package(self, place: Path, name: str) -> None:
        (place / name).mkdir(exist_ok=True)
        self._plain(place / name, "__init__")
        self._plain(place / name, "inner")

    def _both(self, place: Path, name: str) -> None:
        self._package(place, name)
        self._plain(place, name)

    def _namespace(self, place: Path, name: str) -> None:
        (place / name).mkdir(exist_ok=True)
        self._plain(place / name, "inner")

    def _sourceless(self, place: Path, name: str) -> None:
        number = self._pool.pop()
        path = place / f"{name}.pyc"
        path.write_bytes(self.bytecode.file(number, self.rng.choice([0, 1, 3]), bytes(8)))
        self.marks[str(path)] = f"P{number}"

    def _broken_extension(self, place: Path, name: str) -> None:
        suffix = self.rng.choice([".abi3.so", ".so", ".cpython-27-x86_64-linux-gnu.so"])
        (place / f"{name}{suffix}").write_bytes(b"no library")
        self._plain(place, name)

    def _cached(self, place: Path, name: str) -> None:
        """A source with bytecode of other content beside it, that may or may not be accepted."""
        rng = self.rng
        path = place / f"{name}.py"
        mark = self.mark()
        path.write_text(LINE.format(mark=mark) + "\n")
        self.marks[str(path)] = mark
        found = path.stat()
        number = self._pool.pop()
        stamp = int(found.st_mtime) + rng.choice([0, 0, 0, 1])
        size = found.st_size + rng.choice([0, 0, 0, 1])
        flags, field = 0, stamp.to_bytes(4, "little") + size.to_bytes(4, "little")
        chance = rng.random()
        if chance < 0.2:
            flags, field = 1, bytes(8)
        elif chance < 0.3:
            flags, field = 3, bytes(8)
        elif chance < 0.4:
            flags = rng.choice([2, 4])
        data = self.bytecode.file(number, flags, field)
        if rng.random() < 0.1:
            data = b"\x00\x01" + data[2:]
        optimisation = rng.choice(["", "", "", ".opt-1", ".opt-2"])
        tag = "cpython-{}{}".format(*self.interpreter.version)
        cache = place / "__pycache__" / f"{name}.{tag}{optimisation}.pyc"
        cache.parent.mkdir(exist_ok=True)
        cache.write_bytes(data)
        self.marks[str(cache)] = f"P{number}"

    def _archive(self) -> None:
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w", self.rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])) as archive:
            for name in self.rng.sample([*MODULES, "sitecustomize"], 2):
                form = self.rng.choice(["{}.py", "{}/__init__.py"])
                member = form.format(name)
                mark = self.mark()
                archive.writestr(member, LINE.format(mark=mark))
                self.marks[f"{self.archive}/{member}"] = mark
                if self.rng.random() < 0.3:
                    number = self._pool.pop()
                    archive.writestr(member + "c", self.bytecode.file(number, 1, bytes(8)))
                    self.marks[f"{self.archive}/{member}c"] = f"P{number}"
        prefix = b"#!/bin/sh\n" if self.rng.random() < 0.3 else b""
        self.archive.write_bytes(prefix + held.getvalue())

    # Startup files ----------------------------------------------------------------------------------------------

    def _pth(self, path: Path, depth: int) -> None:
        rng = self.rng
        lines = [self._pth_line(depth) for _ in range(rng.randint(1, 6))]
        separator = rng.choice(["\n", "\n", "\n", "\r\n", "\r"])
        text = separator.join(lines) + (separator if rng.random() < 0.7 else "")
        data = text.encode("utf-8")
        chance = rng.random()
        if chance < 0.06:
            data = b"\xef\xbb\xbf" + data
        elif chance < 0.1:
            data = data + b"\n# \xff\n" + self.line().encode() + b"\n"
        elif chance < 0.13:
            data = b"# padding \n" * 1000 + data + b"\n# \xff\n" + self.line().encode() + b"\n"
        path.write_bytes(data)

    def _pth_line(self, depth: int) -> str:
        rng = self.rng
        folder = rng.choice(self.folders)
        forms: list[Callable[[], str]] = [
            self.line, self.line, self.line, self.line,
            lambda: "# a comment",
            lambda: rng.choice(["", "   ", "\t"]),
            lambda: " " + self.line(),
            lambda: "\t" + self.line(),
            lambda: self.line().replace("import ", "import\t", 1),
            lambda: self.line().replace("import ", "import\x0c", 1),
            lambda: self.line().upper().replace("ENVCHECK", "x"),
            lambda: "# harmless\x0c" + self.line(),
            lambda: self.line() + rng.choice(["\x85", "\u2028", "\x1c", "\x0b", "\x1f"]) + self.line(),
            lambda: self.line() + " " * 300 + "; " + CODE.format(mark=self.mark()),
            lambda: f"import sys; exec({('import os' + chr(10) + CODE.format(mark=self.mark()))!r})",
            lambda: str(folder), lambda: str(folder), lambda: str(folder) + "   ",
            lambda: os.path.relpath(folder, self.site),
            lambda: str(folder) + "/../" + rng.choice(["one", "two"]),
            lambda: str(self.archive),
            lambda: str(self.around / "missing"),
            lambda: "~/nowhere", lambda: "$HOME",
            lambda: f"import {rng.choice(MODULES)}", lambda: f"import {rng.choice(MODULES)}",
            lambda: f"import {rng.choice(MODULES)}.inner",
            lambda: f"{self.line()}; import {rng.choice(MODULES)}",
            lambda: f"import importlib; importlib.import_module('{rng.choice(MODULES)}')",
            lambda: f"import sys; __import__('{rng.choice(MODULES)}')",
            lambda: f"import sys; sys.path.insert(0, {str(folder)!r})",
            lambda: f"import sys; sys.path.append({str(folder)!r})",
            lambda: "import absent_module",
            lambda: self.line() + "; import absent_module",
            lambda: "import os; )",
            lambda: "import os \\",
            lambda: "import os; raise ValueError('x')",
            lambda: self.line() + "; raise KeyError",
        ]  # fmt: skip
        if depth == 0:
            forms += [lambda: f"import site; site.addsitedir({str(self.folders[2])!r})"] * 2
        if rng.random() < 0.01:
            return rng.choice(["import sys; sys.exit(0)", "import os; raise SystemExit", "import os; os._exit(0)"])
        if rng.random() < 0.02:
            return "import sys; sys.modules['sitecustomize'] = None"
        if rng.random() < 0.02:
            return "import sitecustomize"
        return rng.choice(forms)()

    def _start(self) -> bytes:
        rng = self.rng
        lines = [
            rng.choice(
                [
                    f"{rng.choice(MODULES)}:absent",
                    f"{rng.choice(MODULES)}.inner:absent",
                    "  os:getcwd",
                    "# os:getcwd",
                    "",
                    f"{rng.choice(MODULES)}",
                    f"{rng.choice(MODULES)} : f",
                    f"{rng.choice(MODULES)}:f()",
                    "import os",
                ]
            )
            for _ in range(rng.randint(0, 4))
        ]
        data = "\n".join(lines).encode()
        return rng.choice([data, data, b"\xef\xbb\xbf" + data, data + b"\n\xff"])


NAMES = [
    "a.pth", "b.pth", "M.pth", "_z.pth", "10.pth", "zz.pth", ".hidden.pth", ".pth", "~t.pth", " s.pth", "é.pth",
    "ａ.pth", "U.PTH", "x.pth~", "y.pth ",
]  # fmt: skip
MODULES = ["alpha", "beta", "gamma", "delta", "epsilon"]
