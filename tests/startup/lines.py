"""Startup files of chance: ``.pth`` and ``.start`` files by every rule of selection, decoding and line splitting."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Callable
from pathlib import PurePosixPath

from startup.payloads import Payloads
from startup.workshop import CODE, MODULES

NAMES = [
    "a.pth", "b.pth", "M.pth", "_z.pth", "10.pth", "zz.pth", ".hidden.pth", ".pth", "~t.pth", " s.pth", "é.pth",
    "ａ.pth", "caf\udce9.pth", "U.PTH", "x.pth~", "y.pth ",
]  # fmt: skip
EGG_FIRST = "import sys; sys.__plen = len(sys.path)"
EGG_LAST = (
    "import sys; new = sys.path[sys.__plen:]; del sys.path[sys.__plen:]; p = getattr(sys, '__egginsert', 0); "
    "sys.path[p:p] = new; sys.__egginsert = p + len(new)"
)


class Lines(Payloads):
    """Startup files, collected by name."""

    folders: list[str]
    used: Counter[str]

    def startup_files(self, place: str) -> None:
        """Those of one site directory."""
        rng = self.rng
        for name in rng.sample(NAMES, rng.randint(1, 4)):
            self._pth(f"{place}/{name}", depth=0)
        if self.may("pth-link", 0.08):
            target = f"around/linked{self._next}"
            self._pth(target, depth=0)
            self.link(f"{place}/{rng.choice(NAMES[:6])}", "{env}/" + target)
        if self.may("pth-dangling", 0.06):
            self.link(f"{place}/dangling.pth", "{env}/around/nothing")
        if self.may("pth-directory", 0.06):
            self.line_file(f"{place}/directory.pth/inside.pth")
        # A finder imports pathlib, which needs extensions of the library's own: not where their place is another.
        elsewhere = self.used["bin-lib-dynload"] or self.used["pybuilddir"]
        if self.may("finder", 0.0 if elsewhere else 0.06):
            self._finder(place)
        if self.may("line-call", 0.25):
            # Of a compiled module no text tells whether it has the function: nothing follows in that file.
            module = rng.choice(MODULES)
            self.file(f"{place}/call.pth", f"{self.line()}; import {module}; {module}.start()\n")
        if self.may("egg", 0.06):
            self._egg(place)
        if self.may("site-link", 0.04):
            self.link(f"{place}/linked", "{env}/" + self.folders[0])
            self.file(f"{place}/to-link.pth", "linked\n" + self.line() + "\n")
        if self.may("start-files", 0.3):
            for name in rng.sample(NAMES[:6], rng.randint(1, 2)):
                self.file(f"{place}/{PurePosixPath(name).stem}.start", self._start_file())

    def nested_files(self, place: str) -> None:
        """Those of a directory that import lines add."""
        for name in self.rng.sample(NAMES[:5], 2):
            self._pth(f"{place}/{name}", depth=1)

    def line_file(self, name: str) -> None:
        """One import line."""
        self.file(name, self.line() + "\n")

    def _pth(self, path: str, depth: int) -> None:
        rng = self.rng
        lines = [self._pth_line(path, depth) for _ in range(rng.randint(1, 6))]
        separator = rng.choice(["\n", "\n", "\n", "\r\n", "\r"])
        text = separator.join(lines) + (separator if rng.random() < 0.7 else "")
        data = text.encode("utf-8", "surrogateescape")
        if self.may("pth-bom", 0.05):
            data = b"\xef\xbb\xbf" + data
        elif self.may("pth-undecodable", 0.03):
            data = data + b"\n# \xff\n" + self.line().encode() + b"\n"
            if rng.random() < 0.4:
                data = b"# padding \n" * 1000 + data
        elif self.may("pth-utf16", 0.01):
            data = text.encode("utf-16", "surrogatepass")
        self.file(path, data)

    def _pth_line(self, path: str, depth: int) -> str:
        rng = self.rng
        folder = rng.choice(self.folders)
        absolute = "{env}/" + folder
        module = rng.choice(MODULES)
        forms: list[Callable[[], str]] = [
            self.line, self.line, self.line, self.line,
            lambda: "# a comment",
            lambda: rng.choice(["", "   ", "\t"]),
            lambda: " " + self.line(),
            lambda: "\t" + self.line(),
            lambda: rng.choice(["\xa0", "\u3000", "\x1f"]) + self.line(),
            lambda: self.line().replace("import ", "import\t", 1),
            lambda: self.line().replace("import ", "import\x0c", 1),
            lambda: self.line().replace("import ", "import\xa0", 1),
            lambda: self.line().upper().replace("ENVCHECK", "x"),
            lambda: "from os import environ; " + CODE.format(mark=self.mark()),
            lambda: "# harmless\x0c" + self.line(),
            lambda: self.line() + rng.choice(["\x85", "\u2028", "\x1c", "\x0b", "\x1f"]) + self.line(),
            lambda: self.line() + " " * 300 + "; " + CODE.format(mark=self.mark()),
            lambda: absolute, lambda: absolute, lambda: absolute + "   ",
            lambda: posixpath.relpath(f"/{folder}", posixpath.dirname(f"/{path}")),
            lambda: absolute + "/../" + rng.choice(["one", "two"]),
            lambda: "{env}/around/bundle.zip",
            lambda: "{env}/around/bundle.zip/inner",
            lambda: "{env}/around/missing",
            lambda: "~/nowhere", lambda: "$HOME", lambda: "nul\0l",
            lambda: f"import {module}", lambda: f"import {module}",
            lambda: f"import {module}.inner",
            lambda: f"{self.line()}; import {module}",
            lambda: f"import importlib; importlib.import_module('{module}')",
            lambda: f"import importlib; importlib.import_module('.inner', '{module}')",
            lambda: f"import sys; __import__('{module}')",
            lambda: "import absent_module",
            lambda: self.line() + "; import absent_module",
            lambda: "import os; )",
            lambda: "import os \\",
            lambda: "import os; raise ValueError('x')",
            lambda: self.line() + "; raise KeyError",
        ]  # fmt: skip
        if self.may("line-exec", 0.05):
            return f"import sys; exec({('import os' + chr(10) + CODE.format(mark=self.mark()))!r})"
        if self.may("line-path", 0.08):
            call = rng.choice(["insert(0, {!r})", "append({!r})", "insert(1, {!r})", "extend([{!r}])"])
            return "import sys; sys.path." + call.format(absolute)
        if depth == 0 and self.may("line-addsitedir", 0.05):
            return f"import site; site.addsitedir({'{env}/' + self.folders[2]!r})"
        if self.may("line-proc", 0.01):
            return rng.choice(["/proc/self/cwd", "/dev/fd/1"])
        if self.may("line-exit", 0.006):
            return rng.choice(["import sys; sys.exit(0)", "import os; raise SystemExit", "import os; os._exit(0)"])
        if self.may("line-block", 0.01):
            return "import sys; sys.modules['sitecustomize'] = None"
        if self.may("line-from", 0.03):
            return f"{self.line()}; from {module} import inner"
        if self.may("line-customize", 0.015):
            return "import sitecustomize"
        return rng.choice(forms)()

    def _finder(self, place: str) -> None:
        """An editable install as setuptools makes it: a finder whose MAPPING answers what ``sys.path`` does not."""
        from setuptools.command.editable_wheel import _finder_template

        rng = self.rng
        name = f"__editable___project{self._next}_finder"
        mapping = {}
        for module in rng.sample([*MODULES, "sitecustomize", "absent_module"], 2):
            target = f"around/source{self._next}"
            form = rng.choice([self.plain, self.package]) if module != "absent_module" else self.plain
            form(target, module)
            mapping[module] = "{env}/" + f"{target}/{module}"
        self.file(f"{place}/{name}.py", _finder_template(name, mapping, {}))
        self.file(f"{place}/__editable__.project{self._next}.pth", f"import {name}; {name}.install()\n")

    def _egg(self, place: str) -> None:
        """Old easy_install's file: what stands between its two import lines goes to the front of ``sys.path``."""
        rng = self.rng
        eggs = [f"{place}/{name}.egg" for name in rng.sample(["x", "y", "z"], 2)]
        for egg in eggs:
            self.module(egg, rng.choice(MODULES))
            self.customize(egg)
        lines = [EGG_FIRST, *(f"./{posixpath.basename(egg)}" for egg in eggs), EGG_LAST]
        self.file(f"{place}/easy-install.pth", "\n".join(lines) + "\n")

    def _start_file(self) -> bytes:
        rng = self.rng
        lines = []
        for _ in range(rng.randint(0, 4)):
            module = rng.choice(MODULES)
            forms = [
                f"{module}:absent", f"{module}:start", f"{module}:start", f"{module}.inner:start",
                f"{module}.inner:absent", "  os:getcwd", "# os:getcwd", "", f"{module}", f"{module} : f",
                f"{module}:f()", "import os", "absent_module:start", f"{module}:a:b", f".{module}:start",
            ]  # fmt: skip
            lines.append(rng.choice(forms))
        data = rng.choice(["\n", "\n", "\x0c"]).join(lines).encode()
        return rng.choice([data, data, b"\xef\xbb\xbf" + data, data + b"\n\xff"])
