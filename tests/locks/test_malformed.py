"""Whatever stands in a lock, reading it ends in a Lock or in a LockError of one line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from envcheck.files.root import Files
from envcheck.locks.markers import for_python
from envcheck.locks.read import read_lock
from envcheck.locks.select import chosen, default_members, index, select
from envcheck.model.errors import LockError
from support.samples import PYTHON

EXAMPLES = int(os.environ.get("ENVCHECK_EXAMPLES", "300"))
QUIET = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

WORDS = st.sampled_from(
    ["alpha", "beta", "1.0", ".", "https://index.example/alpha-1.0-py3-none-any.whl", "sha256:" + "0" * 64, "", "\0",
     "os_name == 'posix'", "extra == 'extra-5-alpha-x'", "../..", "http://[", "git+x", "é", "\ud7ff", "a" * 300]
)  # fmt: skip
KEYS = st.sampled_from(
    ["name", "version", "source", "wheels", "sdist", "url", "hash", "size", "marker", "extra", "registry", "git",
     "editable", "virtual", "dependencies", "optional-dependencies", "dev-dependencies", "resolution-markers", "path"]
)  # fmt: skip
VALUES = st.recursive(
    WORDS | st.integers(-3, 3) | st.booleans() | st.floats(allow_nan=False, allow_infinity=False, width=16),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)
PACKAGE: dict[str, Any] = {
    "name": "alpha",
    "version": "1.0",
    "source": {"editable": "."},
    "dependencies": [{"name": "alpha", "marker": "os_name == 'posix'"}],
    "wheels": [{"url": "https://index.example/alpha-1.0-py3-none-any.whl", "hash": "sha256:" + "0" * 64}],
}


def toml(value: object) -> str:
    """A value as TOML writes it inline."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)


def outcome(path: Path) -> None:
    """Read, and select where there is something to select from."""
    refused: LockError | None = None
    try:
        lock = read_lock(Files(), str(path))
        markers = for_python(PYTHON)
        assert markers is not None
        packages = index(lock)
        select(lock, markers, chosen(lock, default_members(lock, packages), all_extras=True, all_groups=True), packages)
    except LockError as error:
        refused = error
    if refused is not None:
        assert "\n" not in refused.message
        assert refused.message.startswith(path.name) or path.suffix == ".txt"


@QUIET
@given(changes=st.dictionaries(KEYS, VALUES, max_size=4), manifest=VALUES)
def test_wrong_values_in_uv_lock(tmp_path: Path, changes: dict[str, object], manifest: object) -> None:
    path = tmp_path / "uv.lock"
    text = f"version = 1\nmanifest = {toml(manifest)}\npackage = [{toml({**PACKAGE, **changes})}]\n"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    outcome(path)


@QUIET
@given(data=st.binary(max_size=300), name=st.sampled_from(["uv.lock", "requirements.txt", "some.lock"]))
def test_any_bytes(tmp_path: Path, data: bytes, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    outcome(path)


PIECES = st.sampled_from(
    ["alpha", "==", "1.0", " ", "\\\n", "\n", "#", ";", "--hash", "=", ":", "sha256", "-e", "-r", "-c", "git+https://",
     "index.example", "/", "@", "[", "]", "x", "python_version", ">", "'3'", '"', "${A}", "\u2028", "\ufeff", "\0", "-",
     "file:", "//", "%", "..", "egg", "&", "requirements.txt", ".whl", "~", "(", ")"]
)  # fmt: skip


@QUIET
@given(pieces=st.lists(PIECES, max_size=30))
def test_any_pieces_of_a_requirements_file(tmp_path: Path, pieces: list[str]) -> None:
    path = tmp_path / "requirements.txt"
    path.write_bytes("".join(pieces).encode("utf-8", "surrogatepass"))
    outcome(path)


HUGE = {
    "extras": "alpha" + "[x]" * 50_000,
    "brackets": "(" * 100_000,
    "marker": "alpha ; " + "(" * 20_000 + "os_name == 'x'",
    "joined": "alpha" + " \\\n" * 100_000,
    "editables": "-e " * 50_000,
    "version": "alpha==" + "1." * 90_000,
    "url": "alpha @ " + "a" * 150_000,
    "hashes": "alpha==1.0 " + "--hash=sha256:00 " * 10_000,
    "lines": ("x" * 100 + "\n") * 20_000,
    "blanks": " " * 190_000 + "#" + "\n",
    "words": ("a " * 60_000) + "#\n",
    "gap": "a" + " " * 190_000 + "b#\n",
}


def test_huge_lines_end(tmp_path: Path) -> None:
    """Work that is the square of what stands there, or worse, takes hours: the name of what was under way is told."""
    for name, text in HUGE.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "requirements.txt").write_text(text)
    code = (
        "import sys; sys.path[:0] = sys.argv[1:2]\n"
        "from pathlib import Path\nfrom locks.test_malformed import outcome\n"
        "for name in sys.argv[3:]: print(name, flush=True); outcome(Path(sys.argv[2], name, 'requirements.txt'))"
    )
    command = [sys.executable, "-c", code, str(Path(__file__).parents[1]), str(tmp_path), *HUGE]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    except subprocess.TimeoutExpired as error:
        pytest.fail(f"no end: {(error.stdout or b'').split()[-1:]}")
    assert (done.returncode, done.stdout.split()) == (0, list(HUGE)), done.stderr
