"""Module files of chance, in every form that a finder knows: sources, bytecode, packages, extensions, archives."""

from __future__ import annotations

import io
import random
import zipfile

from startup.cases import STAMP, Content
from startup.workshop import LINE, MODULES, POOL, bytecode_of, extension
from support.pythons import Interpreter


class Payloads:
    """Files with marks, collected by name."""

    def __init__(self, rng: random.Random, interpreter: Interpreter) -> None:
        self.rng = rng
        self.interpreter = interpreter
        self.bytecode = bytecode_of(interpreter)
        self.files: dict[str, Content] = {}
        self.marks: dict[str, str] = {}
        self._next = 0
        self._pool = list(range(POOL))

    def may(self, element: str, chance: float) -> bool:
        raise NotImplementedError

    def file(self, name: str, content: str | bytes) -> None:
        self.files[name] = Content(
            content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape")
        )

    def link(self, name: str, target: str) -> None:
        self.files[name] = Content(target.encode("utf-8", "surrogateescape"), kind="link")

    def mark(self) -> str:
        self._next += 1
        return f"m{self._next}"

    def line(self) -> str:
        return LINE.format(mark=self.mark())

    # Modules ----------------------------------------------------------------------------------------------------

    def modules(self, place: str) -> None:
        for name in self.rng.sample(MODULES, self.rng.randint(1, 3)):
            self.module(place, name)

    def customize(self, place: str) -> None:
        for name, chance in (("sitecustomize", 0.25), ("usercustomize", 0.2)):
            if self.rng.random() < chance:
                self.module(place, name)

    def module(self, place: str, name: str) -> None:
        """One module in one of its forms."""
        forms = [
            self.plain, self.plain, self.plain, self.package, self.namespace, self.sourceless, self.cached,
            self.cached, self.broken_extension, self.both, self.extension,
        ]  # fmt: skip
        self.rng.choice(forms)(place, name)

    def _source(self, name: str) -> str:
        """Source of a module that marks itself, and at times imports another or fails."""
        rng = self.rng
        mark = self.mark()
        self.marks[name] = mark
        text = LINE.format(mark=mark) + "\n"
        chance = rng.random()
        if chance < 0.15:
            text += f"import {rng.choice(MODULES)}\n"
        elif chance < 0.2:
            text += "import absent_module\n"
        elif chance < 0.25:
            text += f"try:\n    import {rng.choice([*MODULES, 'absent_module'])}\nexcept ImportError:\n    pass\n"
        elif self.may("line-from", 0.03):
            text += f"from {rng.choice(MODULES)} import inner\n"
        if rng.random() < 0.25:
            text += self._start()
            if self.may("module-call", 0.3):
                text += "start()\n"
        return text

    def _start(self) -> str:
        """A function that does nothing, or what the code that calls it then does."""
        module = self.rng.choice([*MODULES, "absent_module"])
        if self.may("body-import", 0.35):
            return f"def start():\n    import {module}\n"
        if self.may("body-path", 0.2):
            add = "import sys\ndef add(place):\n    sys.path.insert(0, place)\n"
            return add + "def start():\n    add('{env}/around/two')\n"
        if self.may("body-class", 0.2):
            made = "class Start:\n    def __init__(self):\n        self.go()\n    def go(self):\n"
            return made + f"        import {module}\ndef start():\n    Start()\n"
        return "def start():\n    pass\n"

    def plain(self, place: str, name: str) -> None:
        path = f"{place}/{name}.py"
        self.file(path, self._source(path))

    def package(self, place: str, name: str) -> None:
        self.may("package", 1)
        self.plain(f"{place}/{name}", "__init__")
        self.plain(f"{place}/{name}", "inner")

    def both(self, place: str, name: str) -> None:
        self.package(place, name)
        self.plain(place, name)

    def namespace(self, place: str, name: str) -> None:
        self.may("namespace", 1)
        self.plain(f"{place}/{name}", "inner")

    def sourceless(self, place: str, name: str) -> None:
        self.may("sourceless", 1)
        if not self._pool:
            return
        number = self._pool.pop()
        path = f"{place}/{name}.pyc"
        self.file(path, self.bytecode.file(number, self.rng.choice([0, 1, 3]), bytes(8)))
        self.marks[path] = f"P{number}"

    def broken_extension(self, place: str, name: str) -> None:
        self.may("broken-extension", 1)
        suffix = self.rng.choice([".abi3.so", ".so", ".cpython-27-x86_64-linux-gnu.so"])
        self.file(f"{place}/{name}{suffix}", b"no library")
        self.plain(place, name)

    def extension(self, place: str, name: str) -> None:
        if extension() is None or not self.may("extension", 1):
            self.plain(place, name)
            return
        tag = "cpython-{}{}-x86_64-linux-gnu".format(*self.interpreter.version)
        form = self.rng.choice(["{}.abi3.so", "{}.so", "{}." + tag + ".so", "{}/__init__.abi3.so"]).format(name)
        if "/" in form and name in ("sitecustomize", "usercustomize"):
            form = f"{name}.so"
        path = f"{place}/{form}"
        self.files[path] = Content(kind="extension")
        self.marks[path] = "{env}/" + path
        if self.rng.random() < 0.5:
            self.plain(place, name)

    def cached(self, place: str, name: str) -> None:
        """A source with bytecode of other content beside it, that may or may not be accepted."""
        rng = self.rng
        path = f"{place}/{name}.py"
        mark = self.mark()
        source = (LINE.format(mark=mark) + "\n").encode()
        self.files[path] = Content(source)
        self.marks[path] = mark
        if not self._pool:
            return
        number = self._pool.pop()
        stamp = STAMP + rng.choice([0, 0, 0, 1, 1 << 32])
        size = len(source) + rng.choice([0, 0, 0, 1])
        flags, field = 0, (stamp & 0xFFFFFFFF).to_bytes(4, "little") + size.to_bytes(4, "little")
        chance = rng.random()
        if chance < 0.2:
            self.may("unchecked", 1)
            flags, field = 1, bytes(8)
        elif chance < 0.35:
            self.may("checked", 1)
            flags, field = 3, self.bytecode.source_hash(source) if rng.random() < 0.6 else bytes(8)
        elif chance < 0.4:
            flags = rng.choice([2, 4])
        else:
            self.may("timestamp", 1)
        data = self.bytecode.file(number, flags, field)
        if rng.random() < 0.1:
            data = b"\x00\x01" + data[2:]
        optimisation = rng.choice(["", "", "", ".opt-1", ".opt-2"])
        file = "{}.cpython-{}{}{}.pyc".format(name, *self.interpreter.version[:2], optimisation)
        folder = f"{place}/__pycache__"
        if rng.random() < 0.15:
            folder = f"around/cache/{{root}}/{place}"
        elif self.may("cache-link", 0.08) and f"{place}/__pycache__" not in self.files:
            if any(other.startswith(f"{place}/__pycache__/") for other in self.files):
                return
            target = f"around/elsewhere{self._next}"
            self.link(f"{place}/__pycache__", "{env}/" + target)
            folder = target
        elif f"{place}/__pycache__" in self.files:
            return
        self.file(f"{folder}/{file}", data)
        self.marks[f"{folder}/{file}"] = f"P{number}"

    # Archives ---------------------------------------------------------------------------------------------------

    def archive(self) -> None:
        """``around/bundle.zip``, which path lines and PYTHONPATH name."""
        self.zip("around/bundle.zip")

    def zip(self, name: str) -> None:
        """An archive with some modules, at times with a prefix or a comment."""
        self.may("zip", 1)
        rng = self.rng
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w", rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])) as archive:
            for module in rng.sample([*MODULES, "sitecustomize"], 3):
                form = rng.choice(["{}.py", "{}/__init__.py", "inner/{}.py", "{}/inner.py"])
                self._member(archive, name, form.format(module))
            if rng.random() < 0.2:
                archive.comment = b"a comment"
        prefix = b"#!/bin/sh\n" if rng.random() < 0.3 else b""
        self.file(name, prefix + held.getvalue())

    def _member(self, archive: zipfile.ZipFile, name: str, member: str) -> None:
        rng = self.rng
        mark = self.mark()
        source = LINE.format(mark=mark)
        written = zipfile.ZipInfo(member, (2020, 9, 13, 12, 26, 40))
        written.compress_type = archive.compression
        archive.writestr(written, source)
        self.marks[f"{name}/{member}"] = mark
        if rng.random() < 0.3 and self._pool:
            number = self._pool.pop()
            flags, field = rng.choice([(1, bytes(8)), (3, bytes(8)), (3, self.bytecode.source_hash(source.encode()))])
            archive.writestr(member + "c", self.bytecode.file(number, flags, field))
            self.marks[f"{name}/{member}c"] = f"P{number}"


__all__ = ["Payloads"]
