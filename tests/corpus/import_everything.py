"""Imports every module of the environment that this is started in, each top-level name in a process of its own.

What does not import, asks for a terminal, or takes too long is passed over: all that counts is what the others leave
behind.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor

SECONDS = 60
WALK = """
import importlib, os, pkgutil, sys, warnings
warnings.simplefilter("ignore")
name = sys.argv[1]
sys.argv = ["-"]
def attempt(name):
    try:
        return importlib.import_module(name)
    except BaseException:
        return None
module = attempt(name)
for found in pkgutil.walk_packages(getattr(module, "__path__", ()), name + ".", onerror=lambda name: None):
    if found.name.rpartition(".")[2] not in ("__main__", "conftest", "setup") and ".test" not in found.name:
        attempt(found.name)
os._exit(0)
"""


def names() -> list[str]:
    site = sysconfig.get_path("purelib")
    found = {
        entry.name.partition(".")[0]
        for entry in os.scandir(site)
        if entry.name.endswith((".py", ".so"))
        or (entry.is_dir() and os.path.exists(os.path.join(entry.path, "__init__.py")))
    }
    return sorted(name for name in found if name.isidentifier() and name not in ("antigravity", "this"))


def walk(name: str) -> None:
    command = [sys.executable, "-I", "-c", WALK, name]
    with contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            check=False,
        )


if __name__ == "__main__":
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(walk, names()))
