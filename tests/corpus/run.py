"""Makes environments of popular packages with many tools, scans each, and says what was found in what is clean.

    PYTHONPATH=tests python -m corpus.run [--only WORDS] [--again] FOLDER

Environments that nothing is done to after their scan are kept in FOLDER, and made again when the lock changes. Each
report lies beside its environment. Exits with 1 where an environment has a finding of medium or above, or something
that was not seen. Run by ``make corpus``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import envcheck
from corpus import makers
from corpus.makers import Made, Maker, Workshop
from corpus.wheelhouse import FOLDER, LOCK, Wheelhouse
from envcheck.model.report import Options
from envcheck.reports.json import render
from support.scanning import SEVERITIES
from support.scanning import envcheck as run_envcheck

HOUR = 3600.0


class Row(NamedTuple):
    """An environment: what it is called, how it is made, and what is done to it for a further row each."""

    name: str
    make: Maker
    after: tuple[tuple[str, Callable[[Made], None]], ...] = ()
    options: tuple[str, ...] = ()


WHOLE = (
    Row("pip, 3.11", makers.by_pip(makers.NEW_PIP, (3, 11))),
    Row("uv copy, 3.11", makers.by_uv("copy", (3, 11))),
    Row("uv hardlink, 3.11", makers.by_uv("hardlink", (3, 11))),
    Row("uv symlink, 3.11", makers.by_uv("symlink", (3, 11))),
    Row(
        f"pip {makers.OLD_PIP}, 3.11",
        makers.by_pip(makers.OLD_PIP, (3, 11)),
        (("... without its __pycache__", makers.without_bytecode),),
        ("--deep",),
    ),
    Row("pip, 3.13", makers.by_pip(makers.NEW_PIP, (3, 13))),
    Row("uv hardlink, 3.13", makers.by_uv("hardlink", (3, 13))),
    Row("uv symlink, 3.13", makers.by_uv("symlink", (3, 13))),
    Row("uv copy, 3.13", makers.by_uv("copy", (3, 13)), (("... after importing everything", makers.after_imports),)),
)
"""The whole lock."""

SMALL = (
    Row("uv venv --relocatable", makers.small_by_uv(["--relocatable"], ["--link-mode", "copy"])),
    Row("uv --compile-bytecode", makers.small_by_uv([], ["--compile-bytecode"])),
    Row(f"small by pip {makers.OLD_PIP}", makers.small_by_pip(makers.OLD_PIP)),
    Row("virtualenv with its seeds", makers.small_in_virtualenv),
    Row("pip --target", makers.target_directory("pip")),
    Row("uv --target", makers.target_directory("uv")),
    Row("poetry", makers.by_locker("poetry")),
    Row("pdm", makers.by_locker("pdm")),
    Row("pipenv", makers.by_locker("pipenv")),
    Row("Debian venv", makers.debian_venv()),
    Row("Debian base", makers.debian_base),
    Row("Debian venv, system site", makers.debian_venv_with_system_site),
    Row("conda prefix", makers.conda_prefix),
)
"""A few packages of it."""


class Result(NamedTuple):
    """What a scan of one environment said."""

    name: str
    seconds: float
    document: dict[str, Any]
    note: str = ""
    failed: bool = False

    @property
    def environments(self) -> list[dict[str, Any]]:
        return [each for each in self.document.get("environments", ()) if each["files"]["verified"]]

    @property
    def findings(self) -> list[dict[str, Any]]:
        return [found for each in self.document.get("environments", ()) for found in each["findings"]]

    @property
    def not_seen(self) -> list[dict[str, Any]]:
        return [missed for each in self.document.get("environments", ()) for missed in each["not_seen"]]

    @property
    def alarms(self) -> list[str]:
        """What a clean environment must not have."""
        bad = [found for found in self.findings if SEVERITIES.index(found["severity"]) >= 2]
        return [f"{f['severity']} {f['rule']} {f['path']}: {f['message']}" for f in bad] + [
            f"not seen: {missed['path']}: {missed['why']}" for missed in self.not_seen
        ]

    def line(self) -> str:
        """A row of the table."""
        if self.note:
            return f"{self.name:<32} {self.note}"
        counts = Counter(found["severity"] for found in self.findings)
        environments = self.document["environments"]
        distributions = sum(len(each["distributions"]) for each in environments)
        files = sum(each["files"]["verified"] for each in environments)
        columns = "".join(f"{counts[severity]:>6}" for severity in reversed(SEVERITIES))
        return f"{self.name:<32}{distributions:>6}{files:>9,}{columns}{len(self.not_seen):>8}{self.seconds:>9.1f}"


HEADER = f"{'environment':<32}{'dists':>6}{'files':>9}" + "".join(f"{s[:4]:>6}" for s in reversed(SEVERITIES))
HEADER += f"{'unseen':>8}{'seconds':>9}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the environments are made")
    parser.add_argument("--only", metavar="WORDS", help="the rows whose name holds this")
    parser.add_argument("--again", action="store_true", help="make anew what is there")
    options = parser.parse_args()
    shop = Workshop(options.folder.resolve(), Wheelhouse(FOLDER))
    results = []
    print(HEADER, flush=True)
    for row in (*WHOLE, *SMALL):
        if options.only is None or options.only in row.name:
            for result in judged(shop, row, options.again):
                print(result.line(), flush=True)
                results.append(result)
    print()
    for result in results:
        for line in (*result.alarms, *quieter(result)):
            print(f"{result.name}: {line}")
    return 1 if any(result.alarms or result.failed for result in results) else 0


def judged(shop: Workshop, row: Row, again: bool = False) -> list[Result]:
    """Make, scan, change and scan."""
    folder = shop.folder / "".join(c if c.isalnum() or c == "." else "-" for c in row.name)
    state = folder / "made.json"
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    known = json.loads(state.read_text()) if state.exists() else {}
    if again or known.get("lock") != digest:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            made = row.make(shop, folder)
        except pytest.skip.Exception as missing:
            return [Result(row.name, 0.0, {}, f"SKIPPED: {missing}")]
        except (AssertionError, OSError, RuntimeError) as error:
            return [Result(row.name, 0.0, {}, f"NOT MADE: {error}", failed=True)]
    else:
        made = Made(*(Path(one) if one else None for one in known["made"]))
    results = [scanned(row.name, made, folder, row.options)]
    for name, change in row.after:
        state.unlink(missing_ok=True)
        change(made)
        results.append(scanned(name, made, folder, row.options))
    if not row.after:
        state.write_text(json.dumps({"lock": digest, "made": [str(one) if one else None for one in made]}))
    return results


def scanned(name: str, made: Made, folder: Path, options: Sequence[str]) -> Result:
    """As the command says it."""
    started = time.perf_counter()
    if made.root is not None:
        lock = str(made.lock) if made.lock else None
        text = render(envcheck.scan(str(made.path), Options(root=str(made.root), lock=lock)))
    else:
        lock = ["--lock", str(made.lock)] if made.lock else ["--no-lock"]
        ran = run_envcheck("scan", "--format", "json", *lock, *options, made.path, timeout=HOUR)
        text = ran.stdout.decode()
        if ran.code not in (0, 1, 3):
            raise RuntimeError(f"{name}: exit {ran.code}: {ran.stderr}")
    seconds = time.perf_counter() - started
    (folder / f"{name.strip('. ')}.json").write_text(text)
    return Result(name, seconds, json.loads(text))


def quieter(result: Result) -> list[str]:
    """How many findings below medium there are of each rule, and the first of them."""
    told: dict[str, list[dict[str, Any]]] = {}
    for found in result.findings:
        if SEVERITIES.index(found["severity"]) < 2:
            told.setdefault(f"{found['severity']} {found['rule']}", []).append(found)
    return [f"{len(found):>4} {rule}: {found[0]['path']}: {found[0]['message']}" for rule, found in told.items()]


if __name__ == "__main__":
    sys.exit(main())
