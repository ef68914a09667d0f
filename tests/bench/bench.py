"""Times envcheck beside yardsticks that are named, in one run.

(a) a full scan, as a user types it, over a bare ``os.read`` and ``hashlib`` loop on the files that RECORDs hash, with
``sha256sum --check`` beside it; the memory that it takes;
(b) a startup-only scan over ``fetter inspect``, which starts the environment's own interpreter: as a clean process that
is started directly, where sources run; the same where bytecode runs in their place, which is then compiled again to
prove it; and as the command, which is two processes;
(c) what the plan of a hundred startup files adds to a startup-only scan, over what they add to the interpreter's start;
(d) growth with the number of files.

Repeats alternate, so that what else the machine does falls on both sides; figures are medians. The caches of the file
system are warm. Run by ``make bench``; it judges nothing, and exits with 0 unless something does not work.
"""

from __future__ import annotations

import argparse
import csv
import glob
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from statistics import median
from typing import NamedTuple

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import trees

CHUNK = 256 << 10


class Row(NamedTuple):
    """A measured thing, what it is measured by, and the greatest ratio that is aimed at."""

    name: str
    seconds: float
    yardstick: str
    yardstick_seconds: float
    aim: float | None

    @property
    def ratio(self) -> float:
        return self.seconds / self.yardstick_seconds

    @property
    def verdict(self) -> str:
        if self.aim is None:
            return ""
        return "ok" if self.ratio <= self.aim else "over"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("venv", help="the environment to look at")
    parser.add_argument("--tool", required=True, metavar="VENV", help="the environment that envcheck is installed in")
    parser.add_argument("--fetter", required=True, metavar="FILE", help="the fetter command")
    parser.add_argument("--lock", metavar="FILE", help="the lock of the environment")
    parser.add_argument("--full", type=int, default=7, metavar="N", help="repeats of (a)")
    parser.add_argument("--startup", type=int, default=25, metavar="N", help="repeats of (b)")
    parser.add_argument(
        "--growth", type=int, nargs="*", default=[1_000, 5_000, 20_000, 50_000], metavar="FILES", help="sizes of (d)"
    )
    options = parser.parse_args()
    venv, tool = os.path.abspath(options.venv), os.path.abspath(options.tool)
    paths = recorded_files(venv)
    package = only(os.path.join(tool, "lib", "python3*", "site-packages", "envcheck", "__main__.py"))
    command = [os.path.join(tool, "bin", "envcheck"), "scan"]
    direct = [sys.executable, "-I", "-S", package, "scan"]
    lock = ["--lock", os.path.abspath(options.lock)] if options.lock else ["--no-lock"]

    full = [*command, *lock, "--format", "json", venv]
    report = json.loads(run(full))
    verified = sum(environment["files"]["verified"] for environment in report["environments"])
    distributions = sum(len(environment["distributions"]) for environment in report["environments"])
    with tempfile.TemporaryDirectory(prefix="envcheck-bench-") as scratch:
        lists = checksum_lists(paths, scratch, 2)
        scan, loop, check_one, check_two = alternate(
            options.full,
            lambda: run(full),
            lambda: read_and_hash(paths),
            lambda: sha256sum([*lists]),
            lambda: sha256sum([[name] for name in lists]),
        )

    light = ["--startup-only", "--format", "json", venv]
    fetter = [options.fetter, "-q", "-c", "0", "-e", os.path.join(venv, "bin", "python"), "inspect", "display"]
    floor = [sys.executable, "-I", "-S", "-c", "pass"]
    proved, two, bare = alternate(
        options.startup,
        lambda: run([*direct, *light], environ={}),
        lambda: run([*command, *light]),
        lambda: run(floor, environ={}),
    )
    with sources_only(venv):
        one, peer = alternate(
            options.startup,
            lambda: run([*direct, *light], environ={}),
            lambda: run(fetter, environ={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}),
        )

    print(f"{distributions} distributions; {len(paths):,} files hashed by the loop, {verified:,} verified by the scan")
    print(f"an interpreter that starts with -I -S and does nothing: {bare * 1000:.1f} ms\n")
    with tempfile.TemporaryDirectory(prefix="envcheck-bench-") as scratch:
        plan, start = plan_cost(direct, scratch, options.startup)
        show(
            [
                Row("full scan", scan, "read and hash", loop, 1.25),
                Row("full scan", scan, "sha256sum -c", check_one, None),
                Row("full scan", scan, "sha256sum -c, 2", check_two, None),
                Row("--startup-only, one process", one, "fetter inspect", peer, 1.0),
                Row("... and bytecode to prove", proved, "fetter inspect", peer, None),
                Row("--startup-only, the command", two, "fetter inspect", peer, None),
                Row("plan of 100 startup files", plan, "their own start", start, None),
            ]
        )
        print(f"\nthe plan of 100 startup files costs {plan * 1000:.1f} ms (aim: under 50)")
        print(f"peak memory of a full scan: {peak_memory(full) >> 20} MiB over all its processes (aim: 80)\n")
        growth(command, scratch, options.growth)


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


@contextmanager
def sources_only(venv: str) -> Iterator[None]:
    """Without the bytecode of what setuptools runs at startup, while it lasts."""
    (cache,) = glob.glob(
        os.path.join(glob.escape(venv), "lib", "python3*", "site-packages", "_distutils_hack", "__py*")
    )
    os.rename(cache, cache + ".aside")
    try:
        yield
    finally:
        os.rename(cache + ".aside", cache)


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


def plan_cost(direct: Sequence[str], scratch: str, repeats: int) -> tuple[float, float]:
    """Seconds that 100 startup files add to a startup-only scan, and to the start of the interpreter itself."""
    few = trees.with_startup_files(os.path.join(scratch, "few"), 0)
    many = trees.with_startup_files(os.path.join(scratch, "many"), 100)
    light = ["--startup-only", "--format", "json"]
    scan_few, scan_many, start_few, start_many = alternate(
        repeats,
        lambda: run([*direct, *light, few], environ={}),
        lambda: run([*direct, *light, many], environ={}),
        lambda: run([os.path.join(few, "bin", "python"), "-c", "pass"], environ={}),
        lambda: run([os.path.join(many, "bin", "python"), "-c", "pass"], environ={}),
    )
    return scan_many - scan_few, start_many - start_few


def peak_memory(command: Sequence[str]) -> int:
    """Bytes that a command's processes hold at most, what they share counted once (Linux's PSS, looked at often)."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        peak = max(peak, sum(proportional_size(each) for each in family(process.pid)))
        time.sleep(0.005)
    return peak


def family(process: int) -> list[int]:
    """A process and those that it started."""
    found = [process]
    for one in found:
        try:
            with open(f"/proc/{one}/task/{one}/children", encoding="ascii") as stream:
                found.extend(map(int, stream.read().split()))
        except OSError:
            continue
    return found


def proportional_size(process: int) -> int:
    """Bytes of memory, shared pages divided among those that share them."""
    try:
        with open(f"/proc/{process}/smaps_rollup", encoding="ascii") as stream:
            return sum(int(line.split()[1]) << 10 for line in stream if line.startswith("Pss:"))
    except OSError:
        return 0


def growth(command: Sequence[str], scratch: str, counts: Sequence[int]) -> None:
    """Print seconds and memory for environments of growing size."""
    print(f"{'files':>9}{'scan':>12}{'read and hash':>16}{'ratio':>8}{'memory':>10}")
    for count in counts:
        venv = trees.with_files(os.path.join(scratch, f"of-{count}"), count)
        paths = recorded_files(venv)
        scan_it = [*command, "--no-lock", "--format", "json", venv]
        scan, loop = alternate(3, partial(run, scan_it), partial(read_and_hash, paths))
        memory = peak_memory(scan_it) >> 20
        print(f"{count:>9,}{scan * 1000:>9.0f} ms{loop * 1000:>13.0f} ms{scan / loop:>8.2f}{memory:>6} MiB")


def alternate(repeats: int, *subjects: Callable[[], object]) -> list[float]:
    """The median of each subject's seconds over rounds in which each runs once; a first round is not counted."""
    seconds: list[list[float]] = [[] for _ in subjects]
    for number in range(repeats + 1):
        for subject, times in zip(subjects, seconds, strict=True):
            started = time.perf_counter()
            subject()
            if number:
                times.append(time.perf_counter() - started)
    return [median(times) for times in seconds]


def run(command: Sequence[str], environ: dict[str, str] | None = None) -> bytes:
    """What a command prints; findings (1) and an incomplete scan (3) are answers too."""
    done = subprocess.run(command, env=environ, capture_output=True, check=False)
    if done.returncode not in (0, 1, 3):
        sys.exit(f"{' '.join(command)}: exit {done.returncode}\n{done.stderr.decode(errors='replace')}")
    return done.stdout


def only(pattern: str) -> str:
    """The one path that a pattern stands for."""
    found = glob.glob(pattern)
    if len(found) != 1:
        sys.exit(f"{pattern}: {len(found)} files instead of one")
    return found[0]


def show(rows: Sequence[Row]) -> None:
    """The table."""
    print(f"{'':<29}{'median':>10}   {'yardstick':<15}{'median':>10}{'ratio':>8}{'aim':>8}")
    for row in rows:
        aim = "" if row.aim is None else f"≤ {row.aim:g}"
        print(
            f"{row.name:<29}{row.seconds * 1000:>7.1f} ms   {row.yardstick:<15}{row.yardstick_seconds * 1000:>7.1f} ms"
            f"{row.ratio:>8.2f}{aim:>8}  {row.verdict}".rstrip()
        )


if __name__ == "__main__":
    main()
