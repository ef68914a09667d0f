"""Subjects that take turns, and what each took: seconds, processor time, memory."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple


class Times(NamedTuple):
    """What one subject took at least: what else the machine does can only add to it."""

    seconds: float
    cpu: float
    """User and system seconds, of all processes."""


class Row(NamedTuple):
    """A measured thing, what it is measured by, and the greatest ratio of seconds that is aimed at."""

    name: str
    taken: Times
    yardstick: str
    by: Times
    aim: float | None = None

    @property
    def ratio(self) -> float:
        return self.taken.seconds / self.by.seconds

    @property
    def cpu_ratio(self) -> float:
        return self.taken.cpu / self.by.cpu

    @property
    def verdict(self) -> str:
        if self.aim is None:
            return ""
        return "ok" if self.ratio <= self.aim else "over"


def alternate(repeats: int, *subjects: Callable[[], object]) -> list[Times]:
    """The least that each subject took over rounds in which each runs once; a first round is not counted."""
    seconds: list[list[float]] = [[] for _ in subjects]
    cpu: list[list[float]] = [[] for _ in subjects]
    for number in range(repeats + 1):
        for index, subject in enumerate(subjects):
            busy, started = processor_time(), time.perf_counter()
            subject()
            if number:
                seconds[index].append(time.perf_counter() - started)
                cpu[index].append(processor_time() - busy)
    return [Times(min(one), min(other)) for one, other in zip(seconds, cpu, strict=True)]


def processor_time() -> float:
    """User and system seconds of this process and of those that it waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def run(command: Sequence[str], environ: dict[str, str] | None = None) -> bytes:
    """What a command prints; findings (1) and an incomplete scan (3) are answers too."""
    done = subprocess.run(command, env=environ, capture_output=True, check=False)
    if done.returncode not in (0, 1, 3):
        sys.exit(f"{' '.join(command)}: exit {done.returncode}\n{done.stderr.decode(errors='replace')}")
    return done.stdout


def peak_memory(command: Sequence[str], repeats: int = 3) -> int:
    """Bytes that a command's processes hold at most, what they share counted once (Linux's PSS, looked at often)."""
    peak = 0
    for _ in range(repeats):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
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


def show(rows: Sequence[Row]) -> None:
    """The table."""
    print(f"{'':<29}{'least':>11}   {'yardstick':<16}{'least':>11}{'ratio':>8}{'aim':>8}{'':6}{'of CPU time':>12}")
    for row in rows:
        aim = "" if row.aim is None else f"≤ {row.aim:g}"
        print(
            f"{row.name:<29}{row.taken.seconds * 1000:>8.1f} ms   {row.yardstick:<16}{row.by.seconds * 1000:>8.1f} ms"
            f"{row.ratio:>8.2f}{aim:>8}  {row.verdict:<4}{row.cpu_ratio:>12.2f}"
        )
