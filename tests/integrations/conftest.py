"""The repository of envcheck as users' tools fetch it, and the wheels of a project that uses it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.workflows import PIP, ROOT, SOURCES, git


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository as a user's tools fetch it; a skip where nothing can be installed from an index."""
    asked = subprocess.run(
        [sys.executable, "-I", "-m", "pip", "download", "-q", "--no-deps", "-d", ".", "hatchling"],
        env={"PATH": os.defpath, "HOME": os.devnull, **PIP},
        cwd=tmp_path_factory.mktemp("asked"),
        capture_output=True,
        timeout=120,
    )
    if asked.returncode and b"No matching distribution" in asked.stderr:
        pytest.skip("no index of packages can be reached: what installs envcheck is not tried")
    made = tmp_path_factory.mktemp("repository")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, made / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif (ROOT / name).exists():
            shutil.copy2(ROOT / name, made / name)
    git(made, "init", "-q")
    git(made, "add", "-A")
    git(made, "commit", "-q", "-m", "envcheck")
    return made
