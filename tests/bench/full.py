"""A full scan over a bare loop of ``os.read`` and ``hashlib``, and growth with the number of files."""

from __future__ import annotations

import csv
import glob
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import partial

import trees
from measure import Row, alternate, peak_memory, run, show

CHUNK = 256 << 10


def full_scan(command: Sequence[str], venv: str, lock: str | None, repeats: int) -> None:
    """Print how a scan of an environment compares with hashing its files."""
    against = ["--lock", lock] if lock else ["--no-lock"]
    scan_it = [*command, *against, "--format", "json", venv]
    report = json.loads(run(scan_it))
    verified = sum(environment["files"]["verified"] for environment in report["environments"])
    distributions = sum(len(environment["distributions"]) for environment in report["environments"])
    paths = recorded_files(venv)
    megabytes = sum(map(os.path.getsize, paths)) >> 20
    print(
        f"{distributions} distributions; {len(paths):,} files of {megabytes:,} MiB hashed by the loop, "
        f"{verified:,} verified by the scan"
    )
    with tempfile.TemporaryDirectory(prefix="envcheck-bench-") as scratch:
        lists = checksum_lists(paths, scratch, 2)
        scan, loop, one, two = alternate(
            repeats,
            lambda: run(scan_it),
            lambda: read_and_hash(paths),
            lambda: sha256sum([*lists]),
            lambda: sha256sum([[name] for name in lists]),
        )
    show(
        [
            Row("full scan", scan, "read and hash", loop, 1.25),
            Row("full scan", scan, "sha256sum -c", one),
            Row("full scan", scan, "sha256sum -c, 2", two),
        ]
    )
    print(f"peak memory: {peak_memory(scan_it) >> 20} MiB over all its processes (aim: 80)")


def recorded_files(venv: str) -> list[str]:
    """Every file for which a RECORD of the environment holds a hash, once, in path order."""
    found = set()
    records = os.path.join(glob.escape(venv), "lib", "python3*", "site-packages", "*.dist-info", "RECORD")
    for record in glob.glob(records):
        site = os.path.dirname(os.path.dirname(record))
        with open(record, newline="", encoding="utf-8") as rows:
            for name, digest, _ in csv.reader(rows):
                path = os.path.normpath(os.path.join(site, name))
                if digest and os.path.isfile(path):
                    found.add(path)
    if not found:
        sys.exit(f"{venv}: no RECORD there holds a hash")
    return sorted(found)


def read_and_hash(paths: Sequence[str]) -> None:
    """The least that verifying can cost in one thread: open, read, hash, close."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        digest = hashlib.sha256()
        while chunk := os.read(descriptor, CHUNK):
            digest.update(chunk)
        os.close(descriptor)
        digest.digest()


def checksum_lists(paths: Sequence[str], scratch: str, count: int) -> list[str]:
    """Files of that many parts for ``sha256sum --check``."""
    names = []
    for part in range(count):
        names.append(os.path.join(scratch, f"sums{part}"))
        with open(names[-1], "w", encoding="utf-8", errors="surrogateescape") as stream:
            for path in paths[part::count]:
                with open(path, "rb") as content:
                    stream.write(f"{hashlib.sha256(content.read()).hexdigest()}  {path}\n")
    return names


def sha256sum(lists: Sequence[str | list[str]]) -> None:
    """Check lists one after the other in one process, or each in a process of its own."""
    together = [name for name in lists if isinstance(name, str)]
    commands = [together] if together else [name for name in lists if isinstance(name, list)]
    running = [subprocess.Popen(["sha256sum", "--check", "--quiet", *command]) for command in commands]
    if any(process.wait() for process in running):
        sys.exit("sha256sum finds a file that differs from itself")


_SCAN = """
import sys
sys.path.insert(0, sys.argv[1])
from envcheck.scanner import attribution, scan
if sys.argv[3] == "without":
    attribution.Accounts._ask = lambda self, question, quick=False: None
report = scan(sys.argv[2])
plan = report.environments[0].plan
asked = [item.account for entry in plan.entries for item in (entry, *entry.closure)]
print(len([account for account in asked if account is not None]))
"""
"""A scan in a process of its own, with or without the accounts of what startup code does."""


def accounts(packages: str, venv: str, repeats: int) -> None:
    """Print what the accounts of startup code add to a full scan."""
    one, other = ([sys.executable, "-I", "-S", "-c", _SCAN, packages, venv, which] for which in ("with", "without"))
    found = [int(run(command)) for command in (one, other)]
    if not found[0] or found[1]:
        sys.exit(f"{venv}: {found[0]} accounts with, {found[1]} without; there is nothing to compare")
    distributions = len(glob.glob(os.path.join(glob.escape(venv), "lib", "python3*", "site-packages", "*.dist-info")))
    print(f"{distributions} distributions, {found[0]} accounts of startup code")
    with_them, without = alternate(repeats, lambda: run(one), lambda: run(other))
    show([Row("scan with accounts", with_them, "scan without", without, 1.15)])


def growth(command: Sequence[str], counts: Sequence[int], repeats: int = 3) -> None:
    """Print seconds and memory for environments of growing size."""
    print(f"{'files':>9}{'scan':>12}{'read and hash':>16}{'ratio':>8}{'of CPU time':>14}{'memory':>10}")
    for count in counts:
        with tempfile.TemporaryDirectory(prefix="envcheck-bench-") as scratch:
            venv = trees.with_files(os.path.join(scratch, f"of-{count}"), count)
            paths = recorded_files(venv)
            scan_it = [*command, "--no-lock", "--format", "json", venv]
            scan, loop = alternate(repeats, partial(run, scan_it), partial(read_and_hash, paths))
            memory = peak_memory(scan_it) >> 20
        row = Row("scan", scan, "loop", loop)
        print(
            f"{count:>9,}{row.taken.seconds * 1000:>9.0f} ms{row.by.seconds * 1000:>13.0f} ms{row.ratio:>8.2f}"
            f"{row.cpu_ratio:>14.2f}{memory:>6} MiB"
        )
