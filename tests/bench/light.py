"""A startup-only scan over ``fetter inspect``, and what startup files add to it."""

from __future__ import annotations

import glob
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import trees
from measure import Row, Times, alternate, run, show


def startup_scan(command: Sequence[str], direct: Sequence[str], fetter: str, venv: str, repeats: int) -> None:
    """Print how a light scan compares with fetter, which starts the environment's own interpreter."""
    light = ["--startup-only", "--format", "json", venv]
    inspect = [fetter, "-q", "-c", "0", "-e", os.path.join(venv, "bin", "python"), "inspect", "display"]
    floor = [sys.executable, "-I", "-S", "-c", "pass"]
    proved, two, bare = alternate(
        repeats,
        lambda: run([*direct, *light], environ={}),
        lambda: run([*command, *light]),
        lambda: run(floor, environ={}),
    )
    with sources_only(venv):
        one, peer = alternate(
            repeats,
            lambda: run([*direct, *light], environ={}),
            lambda: run(inspect, environ={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}),
        )
    with tempfile.TemporaryDirectory(prefix="envcheck-bench-") as scratch:
        plan, start = plan_cost(direct, scratch, repeats)
    show(
        [
            Row("--startup-only, one process", one, "fetter inspect", peer, 1.0),
            Row("... and bytecode to prove", proved, "fetter inspect", peer),
            Row("--startup-only, the command", two, "fetter inspect", peer),
            Row("plan of 100 startup files", plan, "their own start", start),
        ]
    )
    print(f"an interpreter that starts with -I -S and does nothing: {bare.seconds * 1000:.1f} ms")
    print(f"the plan of a hundred startup files costs {plan.seconds * 1000:.1f} ms (aim: under 50)")


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


def plan_cost(direct: Sequence[str], scratch: str, repeats: int) -> tuple[Times, Times]:
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
    return difference(scan_many, scan_few), difference(start_many, start_few)


def difference(one: Times, other: Times) -> Times:
    return Times(one.seconds - other.seconds, one.cpu - other.cpu)
