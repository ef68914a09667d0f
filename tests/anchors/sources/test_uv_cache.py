"""uv's cache is no witness: the documents say so, a script shows it, and no search looks there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from envcheck.anchors.sources import find
from envcheck.files.root import Files
from support.looking import User, by_hash, wanted_of
from support.pythons import Interpreter
from support.venvs import make_venv, run
from support.wheels import Wheel

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "tests" / "demonstrations" / "uv_cache.py"


def test_one_edit_in_an_environment_reaches_the_next_ones_through_uvs_cache(uv: str) -> None:
    done = subprocess.run(
        [sys.executable, "-I", str(SCRIPT), "--uv", uv], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = done.stdout.splitlines()
    for way in ("uv pip install", "uv pip install --require-hashes", "uv sync --locked"):
        assert f"{way}: the added line is there, and uv did not complain" in told
    assert "uv pip install --require-hashes --refresh: as in the wheel" in told
    assert "the wheel in the index still has the hash that was asked for: yes" in told


def test_the_documents_name_the_script_and_show_what_it_prints() -> None:
    page = (ROOT / "docs" / "wheels.md").read_text(encoding="utf-8")
    assert str(SCRIPT.relative_to(ROOT)) in page
    assert "uv pip install --require-hashes: the added line is there, and uv did not complain" in page


def test_no_search_looks_into_uvs_cache(
    uv: str, user: User, interpreter: Interpreter, colours: Wheel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even where it happens to hold a file that has the wheel's name and bytes."""
    venv = make_venv(user.home / "venv", interpreter)
    options = ("--find-links", str(colours.path.parent), "--no-index", "--cache-dir", str(user.cache / "uv"))
    run([uv, "pip", "install", "-q", "--python", str(venv.python), *options, "colours==1.0"])
    assert list((user.cache / "uv").glob("archive-v*"))
    planted = user.cache / "uv" / "wheels-v7" / colours.path.name
    planted.parent.mkdir(exist_ok=True)
    planted.write_bytes(colours.path.read_bytes())
    looked_at: list[str] = []
    stat = Files.stat
    monkeypatch.setattr(Files, "stat", lambda self, path: looked_at.append(path) or stat(self, path))
    assert find(Files(), [wanted_of(colours), by_hash(colours)], user.places()) == {}
    assert str(user.cache / "pip") in looked_at
    assert not [path for path in looked_at if os.path.join(".cache", "uv") in path]
