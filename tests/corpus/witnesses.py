"""Proves environments of the corpus by each kind of witness, and says whether the witnesses agree.

    PYTHONPATH=tests python -m corpus.witnesses FOLDER

An index on this machine has the wheelhouse. A pip that keeps responses as pip does now, and one that keeps them as pip
did before 23.3, install the hashed lock from it, each with a cache of its own that is empty before; uv locks a project
and installs that. Then each environment is scanned against both kinds of lock, with one witness at a time and nothing
else at hand: the directory of wheels, either pip's cache, what envcheck fetches from the index, the anchors file alone.
Exits with 1 where a distribution is not anchored, a file is not compared, anything of medium or above is found, or two
witnesses differ. Run by ``make corpus``; FOLDER is deleted before and after.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from packaging.markers import Marker
from packaging.tags import compatible_tags, cpython_tags, platform_tags
from packaging.utils import canonicalize_name, parse_wheel_filename

from corpus.makers import NEW_PIP, OLD_PIP, SMALL, Workshop, own_minor
from corpus.wheelhouse import FOLDER, LOCK, Wheelhouse, part_of_lock, pinned
from locks.indexes import Index
from support.scanning import SEVERITIES, environ
from support.scanning import envcheck as run_envcheck
from support.servers import CACHEABLE
from support.venvs import Venv, make_venv, need_tool, quiet_environ
from support.wheels import Wheel

HOUR = 3600.0
_MADE = frozenset({"RECORD", "RECORD.jws", "RECORD.p7s", "INSTALLER", "REQUESTED", "direct_url.json"})
"""What installers write themselves, or leave out: no wheel's is compared."""
_OWN = re.compile(r"[^/]+\.dist-info/[^/]+")
"""Of the wheel itself; setuptools brings those of others along."""


class Witness(NamedTuple):
    """What a scan has to go by: options, and the variables that say where caches lie."""

    name: str
    options: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()


class Row(NamedTuple):
    """What one scan said."""

    environment: str
    lock: str
    witness: str
    source: str
    assurances: dict[str, str]
    """By distribution."""
    files: int
    findings: tuple[str, ...]
    """Of medium or above."""
    milder: Counter[str]
    seconds: float

    def line(self) -> str:
        """A row of the table."""
        anchored = sum(one == "anchored" for one in self.assurances.values())
        label = f"{self.environment:<12}{self.lock:<18}{self.witness:<15}{self.source:<8}"
        counts = f"{anchored:>5}/{len(self.assurances):<5}{self.files:>8,}{len(self.findings):>9}"
        return f"{label}{counts}{self.seconds:>9.1f}  {', '.join(f'{n} {rule}' for rule, n in self.milder.items())}"


HEADER = f"{'installed by':<12}{'lock':<18}{'witness':<15}{'source':<8}{'anchored':>11}{'files':>8}{'findings':>9}"
HEADER += f"{'seconds':>9}  below medium"


class Bench:
    """The environments, the locks and the witnesses, in a folder."""

    def __init__(self, shop: Workshop, index: Index, names: Sequence[str], minor: tuple[int, int]) -> None:
        self.folder = shop.folder
        self._shop = shop
        self._index = index
        self._minor = minor
        self._base = shop.base(minor)
        self._names = list(names)
        self.requirements = self._place("lock") / "requirements.txt"
        self.requirements.write_text(part_of_lock(names) if names else LOCK.read_text())
        self.uv_lock = self._place("project") / "uv.lock"

    def install(self) -> dict[str, Path]:
        """Each installer's environment."""
        return {
            f"pip {NEW_PIP}": self._by_pip(NEW_PIP, self._shop.house.pip(NEW_PIP)),
            f"pip {OLD_PIP}": self._by_pip(OLD_PIP, self._shop.house.pip(OLD_PIP)),
            "uv": self._by_uv(),
        }

    def _by_pip(self, version: str, program: Path) -> Path:
        venv = make_venv(self.folder / version / "env", self._base)
        self._run(
            [
                *(sys.executable, "-I", str(program), "--python", str(venv.python), "install", "--quiet"),
                *(
                    "--index-url",
                    self._index.url,
                    "--trusted-host",
                    "127.0.0.1",
                    "--cache-dir",
                    str(self.cache(version)),
                ),
                *("--no-deps", "--require-hashes", "--requirement", str(self.requirements)),
            ]
        )
        return venv.path

    def _by_uv(self) -> Path:
        """From a lock of its own; what the index does not have is not for this platform."""
        project = self.uv_lock.parent
        major, minor = self._minor
        here = "sys_platform == 'linux' and platform_python_implementation == 'CPython'"
        (project / "pyproject.toml").write_text(
            "[project]\nname = 'shop'\nversion = '0.1.0'\n"
            f"requires-python = '>={self._base.text},<{major}.{minor + 1}'\ndependencies = {self._pins()}\n"
            f'[tool.uv]\npackage = false\nno-build = true\nenvironments = ["{here}"]\n'
            f"[[tool.uv.index]]\nurl = '{self._index.url}'\ndefault = true\n"
        )
        venv = Venv(project / ".venv", self._base)
        for command in (["lock"], ["sync", "--locked", "--link-mode", "hardlink"]):
            where = (
                "--project",
                str(project),
                "--python",
                self._base.path,
                "--cache-dir",
                str(self.folder / "uv-cache"),
            )
            self._run([need_tool("uv"), *command, "--quiet", *where], UV_OFFLINE="0", UV_NO_CONFIG="0")
        return venv.path

    def _pins(self) -> list[str]:
        """What the requirements file asks for here; a name may have a pin for each of several platforms."""
        values = {"python_full_version": self._base.text, "python_version": "{}.{}".format(*self._minor)}
        found = []
        for pin, _, marker in (
            line.rstrip(" \\").partition(" ; ") for line in self.requirements.read_text().splitlines()
        ):
            name, equal, _ = pin.partition("==")
            if equal and name in self._index.projects and (not marker or Marker(marker).evaluate(values)):
                found.append(pin)
        return found

    def witnesses(self, lock: Path) -> list[Witness]:
        """All of them; the anchors file is made from the wheelhouse, and lies nowhere near the lock."""
        anchors = self.folder / f"{lock.name}.anchors"
        where = ("--lock", str(lock), "--wheels", str(self._shop.house.folder), "-o", str(anchors))
        made = run_envcheck("anchor", *where, timeout=HOUR)
        assert made.code == 0, made.stderr
        fetched = self.folder / f"{lock.name}.fetched"
        return [
            Witness("wheels", ("--wheels", str(self._shop.house.folder))),
            Witness("pip's cache", variables=(("PIP_CACHE_DIR", str(self.cache(NEW_PIP))),)),
            Witness("old pip's", variables=(("PIP_CACHE_DIR", str(self.cache(OLD_PIP))),)),
            Witness("--fetch", ("--fetch", "--index-url", self._index.url), (("XDG_CACHE_HOME", str(fetched)),)),
            Witness("anchors file", ("--anchors", str(anchors))),
        ]

    def scan(self, environment: str, path: Path, lock: Path, witness: Witness) -> Row:
        """One witness, and a home directory without anything."""
        home = self._place("home")
        started = time.perf_counter()
        command = ("scan", "--format", "json", "--lock", str(lock), *witness.options, str(path))
        ran = run_envcheck(*command, env=environ(home, **dict(witness.variables)), timeout=HOUR)
        seconds = time.perf_counter() - started
        assert ran.code in (0, 1, 3), f"exit {ran.code}: {ran.stderr}"
        (told,) = json.loads(ran.stdout)["environments"]
        bad = [one for one in told["findings"] if SEVERITIES.index(one["severity"]) >= SEVERITIES.index("medium")]
        return Row(
            environment,
            lock.name,
            witness.name,
            told["lock"]["anchors"],
            {one["name"]: one["assurance"] for one in told["distributions"]},
            told["lock"]["anchored"]["files"],
            (*(f"{one['rule']} {one['path']}: {one['message']}" for one in bad), *_missed(told)),
            Counter(one["rule"] for one in told["findings"] if one not in bad),
            seconds,
        )

    def members(self, names: Sequence[str]) -> int:
        """How many files the wheels of these distributions have installers write: counted in the archives."""
        here = list(platform_tags())
        tags = [*cpython_tags(self._minor, platforms=here), *compatible_tags(self._minor, platforms=here)]
        rank = {tag: at for at, tag in enumerate(tags)}
        best = [min(self._index.projects[canonicalize_name(name)], key=lambda one: _rank(one, rank)) for name in names]
        return sum(len(_written(one.path)) for one in best)

    def cache(self, version: str) -> Path:
        return self.folder / version / "cache"

    def _place(self, name: str) -> Path:
        path = self.folder / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def _run(self, command: Sequence[str], **variables: str) -> None:
        """A tool that may ask the index on this machine, for as long as it takes."""
        settings = quiet_environ(**variables)
        done = subprocess.run(
            command, env=settings, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")


def compared(bench: Bench) -> list[Row]:
    """Every environment against every lock by every witness, each told as it is done."""
    rows: list[Row] = []
    environments = bench.install()
    for lock in (bench.requirements, bench.uv_lock):
        for witness in bench.witnesses(lock):
            for name, path in environments.items():
                rows.append(bench.scan(name, path, lock, witness))
                print(rows[-1].line(), flush=True)
    return rows


def failures(bench: Bench, rows: Sequence[Row]) -> list[str]:
    """What must not be, as sentences."""
    found = []
    for row in rows:
        label = f"{row.environment}, {row.lock}, {row.witness}"
        found += [f"{label}: {one}" for one in row.findings]
        found += [f"{label}: {name} is {said}" for name, said in row.assurances.items() if said != "anchored"]
        members = bench.members(sorted(row.assurances))
        if row.files != members:
            found.append(f"{label}: {row.files:,} files compared, the wheels have {members:,}")
    for environment in dict.fromkeys(row.environment for row in rows):
        said = [row for row in rows if row.environment == environment]
        for row in said[1:]:
            if (row.assurances, row.files) != (said[0].assurances, said[0].files):
                found.append(f"{environment}: {row.lock} by {row.witness} is not as by {said[0].witness}")
    return found


def _missed(told: dict[str, Any]) -> list[str]:
    return [f"not seen: {one['path']}: {one['why']}" for one in told["not_seen"]]


def _rank(wheel: Wheel, rank: dict[Any, int]) -> int:
    tags = parse_wheel_filename(wheel.path.name)[3]
    return min((rank[tag] for tag in tags if tag in rank), default=len(rank))


@functools.lru_cache(maxsize=1000)
def _written(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
    return [name for name in names if not (_OWN.fullmatch(name) and name.partition("/")[2] in _MADE)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the environments are made, and deleted again")
    parser.add_argument("--small", action="store_true", help="with a few packages only")
    options = parser.parse_args()
    folder = options.folder.resolve()
    shutil.rmtree(folder, ignore_errors=True)
    house = Wheelhouse(FOLDER)
    names = SMALL if options.small else ()
    try:
        with Index(house.wheels(pinned(names)), CACHEABLE) as index:
            bench = Bench(Workshop(folder, house), index, names, own_minor())
            print(HEADER, flush=True)
            rows = compared(bench)
            wrong = failures(bench, rows)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print()
    print("\n".join(wrong) or "every distribution is anchored by every witness, and they agree")
    return 1 if wrong else 0


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())
