"""Environments of chance: a seed in, the description of an environment with marking payloads out.

Every payload appends its own mark, one line, to the file that ENVCHECK_MARKS names. What a payload is called can be
read from the text of an import line, and for module files from `Case.marks`. Nothing touches the disk here.
"""

from __future__ import annotations

import random
from collections import Counter

from startup.cases import STAMP, Case, Content
from startup.lines import Lines
from startup.payloads import Payloads
from startup.workshop import extension
from support.pythons import Interpreter

ELEMENTS = frozenset(
    """
    venv-links venv-copies base outside-link lib64 include-spelling include-duplicate include-missing cfg-in-bin
    home-spelling home-duplicate home-other home-missing
    bin-lib-dynload bin-stdlib zip-library zip-library-venv pth-underscore pybuilddir setup-local pythonhome platlibdir
    user-site user-base no-user-site pythonpath pythonpath-here pythonpath-zip pythonpath-site
    locale-c locale-none utf8-mode pycache-prefix optimize-variable
    flag-I flag-s flag-S flag-E flag-P flag-O flag-W flag-utf8 flag-frozen flag-hash-pycs flag-pycache
    stdlib-customize stdlib-module bytes-name finder egg start-files site-link
    extension broken-extension sourceless timestamp checked unchecked zip package namespace cache-link
    pth-link pth-dangling pth-directory pth-undecodable pth-utf16 pth-bom
    body-import body-path body-class module-call line-call
    line-addsitedir line-exec line-path line-proc line-exit line-block line-customize line-from
    """.split()
)
"""What random environments are mixed of, besides plain modules and import lines."""


class Draft(Lines, Payloads):
    """One environment while it is made up."""

    def __init__(self, rng: random.Random, interpreter: Interpreter, debian: bool) -> None:
        super().__init__(rng, interpreter)
        self.debian = debian
        self.used: Counter[str] = Counter()
        self.start = "venv/bin/python"
        self.flags: list[str] = []
        self.environ: dict[str, str] = {"LANG": "C.UTF-8"}
        self.directories: list[str] = []
        self.bases = ["base"]
        self.homed = False
        """Whether the pyvenv.cfg names the base."""
        self.sites: list[str] = []
        """Directories that may be site directories, whichever of them are."""

    def may(self, element: str, chance: float) -> bool:
        """Whether this environment has an element."""
        assert element in ELEMENTS, element
        drawn = self.rng.random() < chance
        self.used[element] += drawn
        return drawn

    @property
    def minor(self) -> tuple[int, int]:
        return self.interpreter.minor

    # Where it stands --------------------------------------------------------------------------------------------

    def make(self, found: str) -> Case:
        """Fill everything, and give it as a description."""
        self._layout()
        self.folders = [f"around/{name}" for name in ("one", "two", "nested", "päth", "with space")]
        if self.may("bytes-name", 0.1):
            self.folders.append("around/caf\udce9")
        self.directories += self.folders
        self.archive()
        self._redirectors()
        self._users()
        for place in [*self.sites, *self.folders[:4]]:
            self.modules(place)
            self.customize(place)
        for place in self.sites:
            self.startup_files(place)
        self.nested_files(self.folders[2])
        self._standard_library()
        self._variables()
        self._flags()
        return Case(
            self.minor, self.files, self.marks, self.start, tuple(self.flags), self.environ, tuple(self.directories),
            tuple(self.bases), found,
        )  # fmt: skip

    def _layout(self) -> None:
        rng = self.rng
        if self.may("base", 0.15):
            self.start = "base/bin/" + rng.choice(["python3", "{python}"])
            self._base_sites("base")
            if rng.random() < 0.2:
                self.link("elsewhere/python", "{env}/base/bin/{python}")
                self.start = "elsewhere/python"
            return
        copies = self.may("venv-copies", 0.3)
        if not copies:
            self.used["venv-links"] += 1
        name = rng.choice(["python", "python3", "{python}"])
        if copies:
            self.files["venv/bin/" + name] = Content(kind="program")
        else:
            self.link("venv/bin/" + name, rng.choice(["{env}/base/bin/{python}", "../../base/bin/python3"]))
        self.start = "venv/bin/" + name
        if not copies and self.may("outside-link", 0.05):
            self.link("elsewhere/python", "{env}/" + self.start)
            self.start = "elsewhere/python"
        self._cfg(copies)
        self.sites.append("venv/lib/{python}/site-packages")
        if self.may("lib64", 0.15):
            self.link("venv/lib64", "lib")
        if self.debian:
            names = ("local/lib/{python}/dist-packages", "lib/python3/dist-packages", "lib/{python}/dist-packages")
            self.sites += [f"venv/{name}" for name in names if rng.random() < 0.3]
        if rng.random() < 0.5:
            self._base_sites("base")

    def _base_sites(self, base: str) -> None:
        if not self.debian:
            self.sites.append(f"{base}/lib/{{python}}/site-packages")
            return
        names = ("local/lib/{python}/dist-packages", "lib/python3/dist-packages", "lib/{python}/site-packages")
        self.sites += [f"{base}/{name}" for name in names if self.rng.random() < 0.6]

    def _cfg(self, copies: bool) -> None:
        rng = self.rng
        home = "home = {env}/base/bin"
        if self.may("home-other", 0.08):
            self.bases.append("other")
            home = "home = {env}/other/bin"
            if rng.random() < 0.5:
                self._base_sites("other")
        lines = [home]
        if self.may("home-spelling", 0.1):
            path = home.removeprefix("home = ")
            lines = [rng.choice(["home={}", "HOME = {}", "  home  =  {}", "home\t=\t{}", "#home = {}"]).format(path)]
        if self.may("home-duplicate", 0.05):
            self.bases = ["base", "other"]
            lines = rng.sample([*lines, "home = {env}/other/bin"], 2)
        if not copies and self.may("home-missing", 0.05):
            # Where nothing is, 3.11 and later take the library that was compiled in: not ours to fill.
            lines = [] if self.minor >= (3, 11) else rng.choice([[], ["home = {env}/nowhere/bin"]])
        # So does a copy without a usable home.
        exact = "home = " if self.minor < (3, 11) else ("home", "HOME", "  home")
        if copies and not any(line.startswith(exact) for line in lines):
            lines = [home]
        include = rng.choice(["include-system-site-packages = true", "include-system-site-packages = false"])
        values = ["TRUE", " True ", "1", "yes", '"true"', "true # x", "", "False"]
        if self.may("include-spelling", 0.2):
            key = rng.choice(["include-system-site-packages", "Include-System-Site-Packages"])
            include = f"{key}{rng.choice(['=', ' = '])}{rng.choice(values)}"
        if self.may("include-duplicate", 0.1):
            include += f"\ninclude-system-site-packages = {rng.choice(['true', 'false'])}"
        if self.may("include-missing", 0.1):
            include = rng.choice(["", "include_system_site_packages = false"])
        lines.insert(rng.randint(0, len(lines)), include)
        self.homed = any("home" in line and "#home" not in line for line in lines)
        text = rng.choice(["\n", "\n", "\n", "\r\n"]).join([*lines, "version = 3.9.9", ""])
        self.file("venv/pyvenv.cfg", text)
        if self.may("cfg-in-bin", 0.06):
            value = rng.choice(["true", "false"])
            self.file("venv/bin/pyvenv.cfg", f"{home}\ninclude-system-site-packages = {value}\n")
            if rng.random() < 0.3:
                del self.files["venv/pyvenv.cfg"]
            if rng.random() < 0.3:
                self.sites.append("venv/bin/lib/{python}/site-packages")

    def _redirectors(self) -> None:
        rng = self.rng
        venv = self.start.startswith("venv")
        if self.may("zip-library", 0.06):
            self.zip("base/lib/{zip}")
        if venv and self.homed and self.may("zip-library-venv", 0.04):
            self.zip("venv/lib/{zip}")
        if self.may("bin-stdlib", 0.03):
            self.link("base/bin/lib/{python}", "{env}/base/lib/{python}")
        elif self.may("bin-lib-dynload", 0.05):
            place = "base/bin/lib/{python}/lib-dynload"
            self.directories.append(place)
            self.customize(place)
            self.modules(place)
            if rng.random() < 0.5:
                self.sites.append("base/bin/lib/{python}/site-packages")
        if self.may("pth-underscore", 0.04):
            self._underscore()
        if self.may("pybuilddir", 0.03):
            if self.minor >= (3, 11):
                self.link("base/Lib", "lib/{python}")
                self.file("base/bin/pybuilddir.txt", rng.choice(["", "build", "../build\n"]))
            else:
                self.file("base/bin/pybuilddir.txt", "../../around/built" + rng.choice(["", "\n"]))
                self.directories.append("around/built")
                self.customize("around/built")
        if self.may("setup-local", 0.02):
            self.file("base/bin/Modules/Setup.local", "")
            self.link("base/bin/Lib", "../lib/{python}")
            if not self.used["bin-stdlib"] and not self.used["bin-lib-dynload"]:
                self.link("base/bin/lib/{python}/lib-dynload", "{env}/base/lib/{python}/lib-dynload")
        if self.may("pythonhome", 0.03):
            self.bases = [*dict.fromkeys([*self.bases, "other"])]
            self.environ["PYTHONHOME"] = "{env}/other"
            self._base_sites("other")
        if self.minor >= (3, 9) and self.may("platlibdir", 0.03):
            for base in self.bases:
                self.link(f"{base}/lib64", "lib")
            if self.used["setup-local"]:
                self.link("base/bin/lib64", "lib")
            self.environ["PYTHONPLATLIBDIR"] = "lib64"

    def _underscore(self) -> None:
        rng = self.rng
        name = rng.choice([self.start, self.start, "base/bin/{python}"])
        lines = ["# a comment", "../../base/lib/{python}", "../../base/lib/{python}/lib-dynload", "../../around/one"]
        if rng.random() < 0.6:
            lines.insert(rng.randint(1, 4), "import site")
        if rng.random() < 0.3:
            lines.insert(1, "import os")
        self.file(name + "._pth", "\n".join(lines) + "\n")

    def _users(self) -> None:
        rng = self.rng
        if self.may("user-site", 0.5):
            self.sites.append("home/.local/lib/{python}/site-packages")
        if self.may("user-base", 0.15):
            self.environ["PYTHONUSERBASE"] = rng.choice(["{env}/around/userbase", "{env}/around/userbase/", "~/x"])
            self.sites.append("around/userbase/lib/{python}/site-packages")
        if self.may("no-user-site", 0.12):
            self.environ["PYTHONNOUSERSITE"] = rng.choice(["1", "0", "", "x", "00", "-1", " 1"])

    def _standard_library(self) -> None:
        """Payloads in the base's own library: they come before every site directory."""
        if self.may("stdlib-customize", 0.05):
            self.plain("base/lib/{python}", self.rng.choice(["sitecustomize", "usercustomize"]))
        if self.may("stdlib-module", 0.05):
            self.module("base/lib/{python}/lib-dynload" if self.rng.random() < 0.3 else "base/lib/{python}", "alpha")

    # How it is started ------------------------------------------------------------------------------------------

    def _variables(self) -> None:
        rng = self.rng
        if self.may("locale-c", 0.1):
            self.environ["LC_ALL"] = rng.choice(["C", "POSIX", "C.UTF-8"])
        elif self.may("locale-none", 0.08):
            self.environ["LANG"] = rng.choice(["", "C", "POSIX"])
            if rng.random() < 0.4:
                self.environ["PYTHONCOERCECLOCALE"] = "0"
            if rng.random() < 0.3:
                self.environ["LC_CTYPE"] = "C.UTF-8"
        if self.may("utf8-mode", 0.08):
            self.environ["PYTHONUTF8"] = rng.choice(["0", "1"])
        if self.may("pythonpath", 0.25):
            places = [f"{{env}}/{folder}" for folder in self.folders]
            if self.may("pythonpath-site", 0.2):
                places += [f"{{env}}/{site}" for site in self.sites] * 3
            if self.may("pythonpath-zip", 0.3):
                places += ["{env}/around/bundle.zip", "{env}/around/bundle.zip/inner"] * 3
            if self.may("pythonpath-here", 0.25):
                places += ["", ".", "relative", "./relative/../relative", "{env}/around/missing"] * 2
            self.environ["PYTHONPATH"] = ":".join(rng.sample(places, rng.randint(1, 3)))
        if self.may("pycache-prefix", 0.06):
            self.environ["PYTHONPYCACHEPREFIX"] = "{env}/around/cache"
        if self.may("optimize-variable", 0.04):
            self.environ["PYTHONOPTIMIZE"] = rng.choice(["1", "2", "0", "x", "7"])

    def _flags(self) -> None:
        rng, flags = self.rng, self.flags
        for flag, chance in (("I", 0.05), ("s", 0.05), ("E", 0.06), ("S", 0.03)):
            if self.may(f"flag-{flag}", chance):
                flags.append(f"-{flag}")
        if self.minor >= (3, 11) and self.may("flag-P", 0.04):
            flags.append("-P")
        if self.may("flag-O", 0.12):
            flags.append(rng.choice(["-O", "-OO"]))
        if self.may("flag-W", 0.05):
            flags.append(rng.choice(["-Wignore", "-Wdefault::DeprecationWarning"]))
        if self.may("flag-utf8", 0.07):
            flags.append(rng.choice(["-Xutf8", "-Xutf8=1", "-Xutf8=0"]))
        if self.minor >= (3, 11) and self.may("flag-frozen", 0.05):
            flags.append(rng.choice(["-Xfrozen_modules=off", "-Xfrozen_modules=on", "-Xfrozen_modules"]))
        if self.may("flag-hash-pycs", 0.07):
            flags += ["--check-hash-based-pycs", rng.choice(["always", "never", "default"])]
        if self.may("flag-pycache", 0.04):
            flags.append("-Xpycache_prefix={env}/around/cache")


def random_case(seed: str, interpreter: Interpreter, debian: bool) -> tuple[Case, Counter[str]]:
    """The environment of a seed, and the elements that it has."""
    extension()
    draft = Draft(random.Random(seed), interpreter, debian)
    return draft.make(seed), draft.used


__all__ = ["ELEMENTS", "STAMP", "random_case"]
