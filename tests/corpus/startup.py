"""Startup files of real packages, really installed: silent when intact, told after one byte of what starts is changed.

    PYTHONPATH=tests python -m corpus.startup FOLDER [ROW…]

Installs what `startup.txt` pins, editables by every backend, and what virtualenv and uv write for old interpreters,
scans each, then changes the startup files and what they load, a byte at a time. Exits with 1 where an intact
environment has a finding above ``info``, or a change none of ``high``. Run by ``make corpus``.
"""

from __future__ import annotations

import os
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from corpus.makers import Workshop, run
from corpus.wheelhouse import FOLDER, Wheelhouse, part_of_lock
from envcheck.model.invocation import Invocation
from envcheck.model.report import EnvironmentReport, Options
from envcheck.scanner import scan_targets
from support.editables import BACKENDS, write_project
from support.pythons import interpreter_where
from support.venvs import Venv, make_venv, make_with_uv, make_with_virtualenv, need_tool

LOCK = Path(__file__).with_name("startup.txt")
HOUSE = FOLDER / "startup"
"""The wheels that `startup.txt`, `startup-old.txt` and `startup-windows.txt` name."""
SLICE = (
    *(
        "autowrapt",
        "better-exceptions",
        "coloredlogs",
        "coverage-enable-subprocess",
        "future-fstrings",
        "future-typing",
    ),
    *("humanfriendly", "manhole", "pytest-cov", "repoze-lru", "setuptools", "sitecustomize-entrypoints"),
    *("sphinxcontrib-jsmath", "wrapt", "xstatic", "zope-event"),
)
"""What ``make test`` installs of it."""
OTHER_VERSIONS = ("setuptools 65, finder", "scikit-build-core 0.8", "meson-python 0.14")
"""Backends of a version that the wheelhouse has not."""
NEEDS = {"scikit-build-core": "cmake", "scikit-build-core, rebuild": "cmake", "maturin": "cargo"}
"""Programs that no wheel brings."""
ROUNDS = 12
"""Scans in which all that is loaded is changed, a part of the files in each."""


class Change(NamedTuple):
    """One file of which one byte was changed, and what was told about it."""

    path: str
    rules: tuple[str, ...]

    @property
    def told(self) -> bool:
        """Whether anybody would look at it."""
        return any(rule.startswith(("high ", "critical ")) for rule in self.rules)


def scanned(prefix: Path, whole: bool = False) -> EnvironmentReport:
    """Scan what starts, or ``whole`` with what is installed: which explains the paths of editable installs."""
    options = Options(Invocation(), startup_only=not whole)
    return scan_targets([str(prefix)], [options]).environments[0]


def told(report: EnvironmentReport) -> dict[str, tuple[str, ...]]:
    """The rules of all findings above ``info``, by path."""
    found: dict[str, list[str]] = {}
    for finding in report.findings:
        if finding.severity.label != "info" and finding.rule != "scan-not-clean-room":
            found.setdefault(str(finding.path), []).append(f"{finding.severity.label} {finding.rule}")
    return {path: tuple(rules) for path, rules in found.items()}


def alarms(report: EnvironmentReport) -> list[str]:
    """What an intact environment must not have."""
    wrong = [f"{path}: {', '.join(rules)}" for path, rules in told(report).items()]
    wrong += [
        f"{entry.path}: {entry.verdict}" for entry in report.plan.entries if entry.runs and entry.verdict != "expected"
    ]
    return wrong + [f"not seen: {missed.path}: {missed.why}" for missed in report.not_seen]


def owners(report: EnvironmentReport) -> set[str]:
    """The packages that the startup files belong to."""
    names = {entry.owner.name for entry in report.plan.entries if entry.owner is not None}
    return names | {entry.path for entry in report.plan.entries if entry.owner is None}


def subjects(report: EnvironmentReport) -> tuple[list[str], list[str]]:
    """The startup files, and the files that they load, of what lies in the environment."""
    inside = str(report.environment.path) + "/"
    named = {entry.path for entry in report.plan.entries} | {line.path for line in report.plan.path_lines}
    entries = sorted(path for path in named if path.startswith(inside))
    loaded = {file.path for entry in report.plan.entries for file in entry.closure if file.path.startswith(inside)}
    return entries, sorted(loaded.difference(entries))


def changes(prefix: Path, rounds: int = ROUNDS, alone: bool = True) -> Iterator[Change]:
    """Change one byte of each startup file, ``alone`` or in rounds; then of all that they load, in rounds."""
    report = scanned(prefix)
    entries, loaded = subjects(report)
    starting = {entry.path for entry in report.plan.entries}
    several = len(entries) if alone else rounds
    for files, times in ((entries, several), (loaded, rounds)):
        for group in filter(None, (files[start::times] for start in range(times))):
            # What only adds a directory to the path is verified with all else that is installed.
            yield from _changed(prefix, group, whole=files is entries and not starting.issuperset(group))


def _changed(prefix: Path, group: list[str], whole: bool) -> Iterator[Change]:
    kept = {path: (Path(path).read_bytes(), os.stat(path)) for path in group}
    for path, (data, times) in kept.items():
        Path(path).write_bytes(another(data))
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    found = told(scanned(prefix, whole))
    for path, (data, times) in kept.items():
        Path(path).write_bytes(data)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        yield Change(path, found.get(path, ()))


def another(data: bytes) -> bytes:
    """The same with one byte changed, as long as it was where that can be: its last line end is a blank."""
    if data[-1:] in (b"\n", b" "):
        return data[:-1] + (b" " if data[-1:] == b"\n" else b"\n")
    return data + b"\n"


# What is made -----------------------------------------------------------------------------------------------------

Maker = Callable[[Workshop, Path], Iterable[Path]]


def install(shop: Workshop, venv: Venv, *what: str) -> None:
    cache = str(shop.folder / "uv-cache")
    house = ("--no-index", "--find-links", str(shop.house.folder), "--no-deps", "--cache-dir", cache)
    run([need_tool("uv"), "pip", "install", "--quiet", "--python", str(venv.python), *house, *what])


def packages(*names: str) -> Maker:
    """All pinned packages in one environment, or some of them."""

    def make(shop: Workshop, folder: Path) -> Iterable[Path]:
        venv = make_venv(folder / "env", shop.base((3, 11)))
        lock = folder / "startup.txt"
        lock.write_text(part_of_lock(names, LOCK) if names else LOCK.read_text())
        install(shop, venv, "--require-hashes", "--requirement", str(lock))
        return [venv.path]

    return make


def editables(shop: Workshop, folder: Path) -> Iterable[Path]:
    """A project of each backend, in one environment."""
    venv = make_venv(folder / "env", shop.base((3, 11)))
    for number, backend in enumerate(BACKENDS):
        if backend not in OTHER_VERSIONS and (backend not in NEEDS or shutil.which(NEEDS[backend], path=os.defpath)):
            project = write_project(folder / f"project{number}", backend, f"shop{number}")
            install(shop, venv, "--editable", str(project))
    return [venv.path]


def developed(shop: Workshop, folder: Path) -> Iterable[Path]:
    """``setup.py develop`` of an old setuptools: ``easy-install.pth`` and an ``.egg-link``."""
    venv = make_venv(folder / "env", shop.base((3, 11)))
    install(shop, venv, "setuptools==68.2.2")
    project = folder / "project"
    (project / "shop").mkdir(parents=True)
    (project / "shop" / "__init__.py").write_text("")
    (project / "setup.py").write_text(
        "import setuptools; setuptools.setup(name='shop', version='1', packages=['shop'])\n"
    )
    run([str(venv.python), "setup.py", "--quiet", "develop", "--no-deps"], cwd=project)
    return [venv.path]


def shims(shop: Workshop, folder: Path) -> Iterable[Path]:
    """``_virtualenv.pth`` of virtualenv and of uv, which they write for old interpreters."""
    old = interpreter_where("CPython 3.9", lambda one: one.minor == (3, 9))
    return [make_with_virtualenv(folder / "virtualenv", old).path, make_with_uv(folder / "uv", old).path]


def windows(shop: Workshop, folder: Path) -> Iterable[Path]:
    """pywin32's wheel unpacked: it cannot be installed elsewhere than on Windows."""
    (wheel,) = shop.house.folder.glob("pywin32-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "target")
    return [folder / "target"]


ROWS: dict[str, Maker] = {
    "packages": packages(),
    "editables": editables,
    "setup.py develop": developed,
    "shims of old interpreters": shims,
    "pywin32, its wheel unpacked": windows,
}


def main() -> int:
    folder = Path(sys.argv[1]).resolve() / "startup"
    wanted = sys.argv[2:] or list(ROWS)
    shutil.rmtree(folder, ignore_errors=True)
    shop = Workshop(folder, Wheelhouse(HOUSE))
    failed = 0
    print(f"{'startup files of':<32}{'owners':>8}{'alarms':>8}{'changed':>9}{'told':>7}", flush=True)
    for name in wanted:
        place = folder / "".join(c if c.isalnum() else "-" for c in name)
        place.mkdir(parents=True)
        try:
            prefixes = list(ROWS[name](shop, place))
        except pytest.skip.Exception as missing:
            print(f"{name:<32}  SKIPPED: {missing}", flush=True)
            continue
        except RuntimeError as error:
            print(f"{name:<32}  NOT MADE: {error}", flush=True)
            failed += 1
            continue
        for prefix in prefixes:
            report = scanned(prefix, whole=True)
            wrong = alarms(report)
            made = list(changes(prefix))
            missed = [f"NOT TOLD: {one.path}: {one.rules}" for one in made if not one.told]
            row = f"{len(owners(report)):>8}{len(wrong):>8}{len(made):>9}{len(made) - len(missed):>7}"
            print(f"{name:<32}{row}", *wrong, *missed, sep="\n    ", flush=True)
            failed += len(wrong) + len(missed) + (not made)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
