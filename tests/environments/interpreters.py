"""What the real interpreters say of themselves; only ever started on the tests' own environments."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

# What site would do, in the interpreter's own words: every directory that it processes, with repetitions, and nothing
# of what stands in them.
_ASK = """
import sys, json
path = list(sys.path)
import site
seen = []
site.addsitedir = lambda sitedir, *rest, **more: seen.append(sitedir)
if hasattr(site, "StartupState"):  # from 3.15, PEP 829: each directory once in a batch
    site.StartupState.addsitedir = lambda state, sitedir: sitedir in seen or seen.append(sitedir)
site.execsitecustomize = site.execusercustomize = lambda: None
site.main()
import os
print(json.dumps({"path": path, "seen": seen, "enabled": site.ENABLE_USER_SITE, "user": site.USER_SITE,
    "prefix": sys.prefix, "base": sys.base_prefix, "version": sys.version.split()[0],
    "cwd": os.getcwd(), "stdlib": os.path.dirname(os.__file__)}))
"""


class Word(NamedTuple):
    """What a real interpreter says."""

    path: list[str]
    seen: list[str]
    enabled: bool | None
    user: str | None
    prefix: str
    base: str
    version: str
    cwd: str
    stdlib: str


def run(
    program: object,
    *arguments: str,
    environ: dict[str, str],
    directory: Path,
    become: Callable[[], None] | None = None,
) -> str:
    """Its output, or a failure that shows what it said; ``become`` changes the new process before it starts."""
    done = subprocess.run(
        [str(program), *arguments],
        env=environ,
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=become,
    )
    fallen = re.search(r"(?m)^Could not find platform independent libraries[^$]*?stdlib dir = '(.*)'$", done.stderr)
    if fallen and not os.path.exists(fallen[1]):
        pytest.skip(f"it falls back on its compiled-in {fallen[1]}, and was moved away from there")
    assert done.returncode == 0, done.stderr
    return done.stdout


def ask(program: object, *flags: str, environ: dict[str, str], directory: Path) -> Word:
    """Start it with ``-S`` and let ``site`` tell which directories it would process."""
    said = json.loads(run(program, "-S", *flags, "-c", _ASK, environ=environ, directory=directory))
    isolated = any("I" in flag or "P" in flag for flag in flags)
    if not isolated or said["path"][0] == "":
        # The working directory, which -c puts first after everything else.
        assert said["path"].pop(0) == ""
    return Word(**said)
