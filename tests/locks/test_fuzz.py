"""Every reader under mutation: whatever a value is turned into, a Lock or one line that names the place, in time."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import random
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from envcheck.files.root import Files
from envcheck.locks.constraints import alternatives, python_marker
from envcheck.locks.read import read_lock
from envcheck.locks.report import judge
from envcheck.locks.tables import Wrong
from envcheck.model.errors import LockError
from locks.test_malformed import outcome, toml

ROUNDS = int(os.environ.get("ENVCHECK_FUZZ", "400"))
"""Mutants of each format."""
SHA = "sha256:" + "0" * 64
URL = "https://index.example/alpha-1.0-py3-none-any.whl"

UV = {
    "version": 1,
    "requires-python": ">=3.9",
    "options": {"exclude-newer": "2026-01-01T00:00:00Z"},
    "manifest": {"members": ["alpha"], "requirements": [{"name": "alpha", "marker": "os_name == 'x'"}]},
    "package": [
        {
            "name": "alpha",
            "version": "1.0",
            "source": {"editable": "."},
            "resolution-markers": ["os_name == 'posix'"],
            "dependencies": [{"name": "beta", "marker": "extra == 'extra-5-alpha-x'", "extra": ["x"]}],
            "optional-dependencies": {"x": [{"name": "beta"}]},
            "dev-dependencies": {"dev": [{"name": "beta"}]},
            "metadata": {"requires-dist": [{"name": "beta", "specifier": ">=1"}]},
        },
        {
            "name": "beta",
            "version": "1.0",
            "source": {"registry": "https://index.example/simple"},
            "sdist": {"url": URL, "hash": SHA, "size": 1},
            "wheels": [{"url": URL, "hash": SHA, "upload-time": "2026-01-01T00:00:00Z"}],
        },
    ],
}
PYLOCK = {
    "lock-version": "1.0",
    "created-by": "tests",
    "requires-python": ">=3.9",
    "environments": ["os_name == 'posix'"],
    "extras": ["x"],
    "dependency-groups": ["dev"],
    "default-groups": ["dev"],
    "packages": [
        {
            "name": "alpha",
            "version": "1.0",
            "marker": "'x' in extras",
            "requires-python": ">=3.8",
            "wheels": [{"url": URL, "size": 1, "hashes": {"sha256": "0" * 64}}],
            "sdist": {"name": "alpha-1.0.tar.gz", "path": "../alpha-1.0.tar.gz", "hashes": {"sha256": "0" * 64}},
        },
        {"name": "beta", "vcs": {"type": "git", "url": "https://x.example/b", "commit-id": "0" * 40}},
        {"name": "gamma", "directory": {"path": ".", "editable": True}},
        {"name": "delta", "archive": {"url": URL, "hashes": {"sha256": "0" * 64}}},
    ],
}
POETRY = {
    "package": [
        {
            "name": "alpha",
            "version": "1.0",
            "optional": False,
            "python-versions": "^3.9",
            "groups": ["main", "dev"],
            "markers": {"main": "extra == 'x'"},
            "files": [{"file": "alpha-1.0-py3-none-any.whl", "hash": SHA, "url": URL}],
            "dependencies": {"beta": [{"version": "^1.0", "markers": "os_name == 'x'", "optional": True}], "c": "*"},
            "extras": {"x": ["beta (>=1)"]},
            "source": {"type": "git", "url": "https://x.example/b", "resolved_reference": "0" * 40},
        },
        {"name": "beta", "version": "1.0", "groups": ["main"], "markers": "os_name == 'x'", "files": []},
    ],
    "extras": {"x": ["alpha"]},
    "metadata": {"lock-version": "2.1", "python-versions": ">=3.9", "content-hash": "0", "files": {}},
}
OLD_POETRY = copy.deepcopy(POETRY)
OLD_POETRY["metadata"]["lock-version"] = "1.1"  # type: ignore[call-overload, index]
PDM = {
    "metadata": {
        "groups": ["default", "dev"],
        "strategy": ["inherit_metadata"],
        "lock_version": "4.5.0",
        "content_hash": SHA,
        "targets": [{"requires_python": ">=3.9", "platform": "manylinux_2_17_x86_64", "implementation": "cpython"}],
    },
    "package": [
        {
            "name": "alpha",
            "version": "1.0",
            "extras": ["x"],
            "groups": ["default", "dev"],
            "marker": "os_name == 'posix'",
            "dependencies": ["beta[x]>=1; os_name == 'x'"],
            "files": [{"file": "alpha-1.0-py3-none-any.whl", "hash": SHA}, {"url": URL, "hash": SHA}],
        },
        {"name": "beta", "git": "https://x.example/b", "ref": "main", "revision": "0" * 40},
        {"name": "gamma", "path": "./gamma", "editable": True},
    ],
}
OLD_PDM = copy.deepcopy(PDM)
OLD_PDM["metadata"]["strategy"] = []  # type: ignore[call-overload]
PIPENV = {
    "_meta": {"hash": {"sha256": "0"}, "pipfile-spec": 6, "requires": {"python_version": "3.11"}, "sources": []},
    "default": {
        "alpha": {"version": "==1.0", "hashes": [SHA], "markers": "os_name == 'x'", "extras": ["x"], "index": "pypi"},
        "beta": {"git": "https://x.example/b", "ref": "0" * 40, "subdirectory": "x"},
        "gamma": {"path": ".", "editable": True, "sys_platform": "== 'linux'"},
        "delta": {"file": URL},
    },
    "develop": {"epsilon": {"version": "*"}},
}
FORMATS: dict[str, tuple[str, dict[str, Any]]] = {
    "uv": ("uv.lock", UV),
    "pylock": ("pylock.toml", PYLOCK),
    "poetry": ("poetry.lock", POETRY),
    "poetry 1": ("poetry.lock", OLD_POETRY),
    "pdm": ("pdm.lock", PDM),
    "pdm graph": ("pdm.lock", OLD_PDM),
    "pipenv": ("Pipfile.lock", PIPENV),
}
VALUES: list[Any] = [
    *(7, -1, 2**70, True, 1.5, "", " ", "\0", "x" * 30_000, "../../x", "é", "\u202e", "http://[", "git+x@", "[x]"),
    *("(" * 3000, "1." * 5000, "os_name == ", "os_name == 'a' or " * 900 + "os_name == 'a'", "sha256:", "^", "~9" * 99),
    *([], {}, [[]], [{}], {"": ""}, {"name": "alpha"}, [7], ["alpha"], {"alpha": {}}, [[[[[[[[]]]]]]]]),
]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document, by the keys that lead to it."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, one in inner for place in places(one, (*path, key)))]


def mutate(document: dict[str, Any], randomness: random.Random) -> dict[str, Any]:
    changed = copy.deepcopy(document)
    for _ in range(randomness.choice((1, 1, 2, 4))):
        place = randomness.choice(places(changed)[1:])
        holder: Any = changed
        for key in place[:-1]:
            holder = holder[key]
        action = randomness.randrange(4)
        if action == 0:
            del holder[place[-1]]
        elif action == 1 and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[place[-1]]))
        elif action == 2 and isinstance(holder, dict):
            holder[randomness.choice(["name", "é", "", "x" * 300, "../x", "version"])] = holder[place[-1]]
        else:
            holder[place[-1]] = copy.deepcopy(randomness.choice(VALUES))
        if not changed:
            break
    return changed


def write(path: Path, document: dict[str, Any]) -> None:
    if path.suffix == ".lock" and path.name == "Pipfile.lock":
        path.write_text(json.dumps(document))
    else:
        text = "".join(f"{json.dumps(key)} = {toml(value)}\n" for key, value in document.items())
        path.write_bytes(text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("name", list(FORMATS))
def test_a_mutant_ends_in_a_lock_or_in_one_line(tmp_path: Path, name: str) -> None:
    file, document = FORMATS[name]
    path = tmp_path / file
    write(path, document)
    outcome(path)
    randomness = random.Random(int(os.environ.get("ENVCHECK_SEED", "1")))
    for _ in range(ROUNDS):
        write(path, mutate(document, randomness))
        outcome(path)


def test_a_package_of_no_group_is_refused_at_its_place(tmp_path: Path) -> None:
    """Found by mutants: no marker says when it belongs here."""
    document = copy.deepcopy(POETRY)
    document["package"][0]["groups"] = []  # type: ignore[index]
    write(tmp_path / "poetry.lock", document)
    with pytest.raises(LockError) as caught:
        read_lock(Files(), str(tmp_path / "poetry.lock"))
    assert caught.value.message == "poetry.lock: package[0].groups: is empty, expected names"


@pytest.mark.parametrize("name", list(FORMATS))
def test_a_project_beside_the_lock_is_hostile_too(tmp_path: Path, name: str) -> None:
    file, document = FORMATS[name]
    write(tmp_path / file, document)
    installer_of_pdm = {"only-binary": "beta,gamma"}
    project = {
        "project": {"name": "alpha", "dependencies": ["beta>=1"], "optional-dependencies": {"x": ["beta"]}},
        "dependency-groups": {"dev": ["beta", {"include-group": "more"}], "more": ["gamma"]},
        "tool": {
            "poetry": {"dependencies": {"python": "^3.9", "beta": "^1"}, "group": {"dev": {"optional": True}}},
            "pdm": {"dev-dependencies": {"dev": ["beta"]}, "source": [{"url": "x"}], "resolution": installer_of_pdm},
            "uv": {"default-groups": ["dev"], "no-build": True, "sources": {"beta": {"git": "x"}}},
        },
    }
    installer = {"installer": {"only-binary": [":all:"], "no-binary": "beta"}, "no-build-package": ["beta"]}
    beside = tmp_path / ("Pipfile" if file == "Pipfile.lock" else "pyproject.toml")
    randomness = random.Random(2)
    for _ in range(ROUNDS // 4):
        write(beside, mutate(project, randomness))
        for settings in ("uv.toml", "poetry.toml"):
            write(tmp_path / settings, mutate(installer, randomness))
        outcome(tmp_path / file)
        with contextlib.suppress(LockError):
            judge(Files(), str(tmp_path / file), ("3.12.1", "linux-x86_64-glibc2.36"), cooldown=7, now=1.8e9)


@pytest.mark.parametrize("name", list(FORMATS))
@pytest.mark.parametrize("shape", ["deep", "wide", "long"])
def test_depth_width_and_length_are_bounded(tmp_path: Path, name: str, shape: str) -> None:
    file, document = FORMATS[name]
    path = tmp_path / file
    opening, closing = ('{"a": ', "}") if file == "Pipfile.lock" else ("a = " + "[" * 1, "]")
    if shape == "deep":
        path.write_text(opening + "[" * 100_000 + "]" * 100_000 + closing)
    elif shape == "wide":
        key = next(key for key in ("package", "packages", "default") if key in document)
        many = copy.deepcopy(document)
        if isinstance(many[key], list):
            many[key] = [dict(many[key][-1], name=f"p{n}") for n in range(3000)]
        else:
            many[key] = {f"p{n}": many[key]["alpha"] for n in range(3000)}
        write(path, many)
    else:
        write(path, {**document, "comment": "x" * 3_000_000})
    started = time.process_time()
    tracemalloc.start()
    try:
        outcome(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert time.process_time() - started < 10
    assert peak < 200 << 20


@pytest.mark.parametrize(
    "text", ["^", "~", "9" * 1999, "^" + "9" * 1500, "||" * 900, ">=1 <2 !=1.5", "1.*", "==*", "x"]
)
def test_constraints_that_are_none(text: str) -> None:
    try:
        assert alternatives(text)
        python_marker(text)
    except Wrong:
        pass


@pytest.mark.parametrize(
    ("constraint", "specifier"),
    [
        ("^1.2.3", ">=1.2.3,<2"),
        ("^0.2.3", ">=0.2.3,<0.3"),
        ("^0.0.3", ">=0.0.3,<0.0.4"),
        ("^0", ">=0,<1"),
        ("~1.2.3", ">=1.2.3,<1.3"),
        ("~1", ">=1,<2"),
        ("1.2", "==1.2"),
        (">=1,<2", ">=1,<2"),
        (">=1 <2", ">=1,<2"),
        ("*", ""),
        ("1.*", "==1.*"),
    ],
)
def test_poetrys_constraints(constraint: str, specifier: str) -> None:
    assert alternatives(constraint) == (specifier,)
    assert alternatives(f"{constraint} || ^9") == (specifier, ">=9,<10")
