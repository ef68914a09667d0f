"""pylock.toml: what `packaging` selects is what we select, uv's exports are read, and its gaps are closed."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import tomli
from packaging.pylock import Pylock, PylockSelectError
from packaging.tags import compatible_tags, cpython_tags

from envcheck.files.root import Files
from envcheck.locks.fitness import unfit
from envcheck.locks.markers import for_python
from envcheck.locks.read import read_lock
from envcheck.locks.select import Choice, select
from envcheck.model.environment import Python
from envcheck.model.errors import LockError
from locks.indexes import Index
from locks.projects import FORKS, MACHINES, dry_run, make, uv
from support.pythons import Interpreter

SHA = "0" * 64
VERSIONS = ("3.8.18", "3.9.18", "3.10.13", "3.11.7", "3.12.1", "3.13.0", "3.14.0")
HEAD = """
lock-version = "1.0"
created-by = "tests"
requires-python = ">=3.9"
environments = [
    "sys_platform == 'linux'", "sys_platform == 'win32'", "sys_platform == 'darwin' and python_version >= '3.10'",
]
extras = ["deep", "wide"]
dependency-groups = ["dev", "docs"]
default-groups = ["dev"]
"""
MARKERS = {
    "alpha": None,
    "beta": "'deep' in extras",
    "gamma": "'dev' in dependency_groups or ('docs' in dependency_groups and sys_platform == 'win32')",
    "delta": "python_version < '3.11'",
    "epsilon": "platform_machine == 'aarch64' or platform_machine == 'arm64'",
    "zeta": "'wide' in extras and 'docs' not in dependency_groups",
    "eta": "python_full_version >= '3.12.1' and implementation_name == 'cpython'",
    "theta": "os_name == 'nt' and 'deep' not in extras",
}


def entry(name: str, marker: str | None = None, version: str = "1.0") -> str:
    line = f'marker = "{marker}"\n' if marker else ""
    file = f"{name}-{version}-py3-none-any.whl"
    return (
        f'[[packages]]\nname = "{name}"\nversion = "{version}"\n{line}'
        f'wheels = [{{url = "https://files.index.example/{file}", hashes = {{sha256 = "{SHA}"}}}}]\n'
    )


def write(directory: Path, text: str) -> Path:
    (directory / "pylock.toml").write_text(text)
    return directory / "pylock.toml"


CASES = list(
    itertools.product(VERSIONS, MACHINES, ((), ("deep",), ("deep", "wide")), (None, (), ("docs",), ("dev", "docs")))
)


def test_selection_equals_packagings(tmp_path: Path) -> None:
    path = write(tmp_path, HEAD + "".join(entry(name, marker) for name, marker in MARKERS.items()))
    lock = read_lock(Files(), str(path))
    pylock = Pylock.from_dict(tomli.loads(path.read_text()))
    assert len(CASES) >= 300
    refused = 0
    for version, platform, extras, groups in CASES:
        minor = tuple(map(int, version.split(".")[:2]))
        python = Python(version, "binary", "cpython", "cp{}{}".format(*minor), MACHINES[platform][1], None, "")
        markers = for_python(python)
        assert markers is not None
        platforms = ["any_platform"]
        interpreter = "cp{}{}".format(*minor)
        tags = [
            *cpython_tags(minor, abis=[interpreter], platforms=platforms),
            *compatible_tags(minor, interpreter, platforms),
        ]
        ours = {
            (package.name, package.version)
            for package in select(
                lock,
                markers,
                Choice((), frozenset(extras), frozenset(lock.default_groups if groups is None else groups)),
            ).packages
        }
        try:
            found = pylock.select(
                environment=markers.values,  # type: ignore[arg-type]
                tags=tags,
                extras=extras,
                dependency_groups=groups,
            )
            theirs = {(package.name, str(package.version)) for package, _ in found}
        except PylockSelectError:
            refused += 1
            assert list(unfit(lock, markers)), (version, platform)
            continue
        assert list(unfit(lock, markers)) == []
        assert ours == theirs, (version, platform, extras, groups)
    assert 0 < refused < len(CASES) // 2


@pytest.mark.parametrize("options", [(), ("--extra", "deep"), ("--group", "docs", "--no-default-groups")], ids=" ".join)
def test_what_uv_exports_selects_what_uv_syncs(
    tmp_path: Path, package_index: Index, interpreter: Interpreter, options: tuple[str, ...]
) -> None:
    (tmp_path / "project").mkdir()
    directory = make(tmp_path / "project", FORKS, package_index).parent
    uv(directory, package_index, "export", "-q", "--format", "pylock.toml", "-o", "pylock.toml", *options)
    lock = read_lock(Files(), str(directory / "pylock.toml"))
    assert lock.problems == ()
    for platform in MACHINES:
        version = interpreter.text
        python = Python(version, "binary", "cpython", "cp311", MACHINES[platform][1], None, "")
        markers = for_python(python)
        assert markers is not None
        packages = select(lock, markers, Choice(())).packages
        ours = {(p.name, p.version or "" if p.source_kind == "registry" else "@") for p in packages}
        assert ours == dry_run(directory, package_index, interpreter, platform, options)


@pytest.mark.parametrize(
    ("change", "rule", "words"),
    [
        (("sha256 = ", "md5 = "), "lock-weak-hash", "only md5"),
        ((SHA, "0" * 40), "lock-weak-hash", "malformed sha256"),
        (("https://", "http://"), "lock-insecure-source", "fetched over http"),
        (("{url", '{name = "alpha-1.0-py2-none-any.whl", url'), "lock-insecure-source", "in its URL"),
        (("example/", "example/a/../"), "lock-insecure-source", "leads out of its directory"),
        (
            (
                'url = "https://files.index.example/alpha-1.0-py3-none-any.whl',
                'path = "../../alpha-1.0-py3-none-any.whl',
            ),
            "lock-insecure-source",
            "leads out of",
        ),
        (("example/alpha", "example/\u202ealpha"), None, ""),
    ],
)
def test_what_packaging_accepts_is_judged(
    tmp_path: Path, change: tuple[str, str], rule: str | None, words: str
) -> None:
    path = write(tmp_path, HEAD + entry("alpha").replace(*change))
    if rule is None:
        with pytest.raises(LockError, match=r"packages\[0\]\.wheels\[0\]: Invalid wheel filename"):
            read_lock(Files(), str(path))
        return
    Pylock.from_dict(tomli.loads(path.read_text()))
    (problem,) = read_lock(Files(), str(path)).problems
    assert problem.rule == rule
    assert words in problem.message


def test_a_commit_that_is_a_branch_can_move(tmp_path: Path) -> None:
    vcs = '[[packages]]\nname = "a"\n[packages.vcs]\ntype = "git"\nurl = "https://x.example/a"\ncommit-id = "main"\n'
    (problem,) = read_lock(Files(), str(write(tmp_path, HEAD + vcs))).problems
    assert problem.rule == "lock-mutable-reference"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[packages]]\nname = 'A_B'\n", "packages[0]: Exactly one of"),
        (entry("alpha").replace("https://files.index.example/alpha", "beta"), "packages[0].wheels[0]: Name in"),
        (entry("alpha", "nonsense"), "packages[0].marker: is not a valid environment marker"),
        (entry("alpha").replace('{sha256 = "' + SHA + '"}', "{}"), "packages[0].wheels[0].hashes: At least one hash"),
        ("[[packages]]\nname = 7\n", "packages[0].name: is an integer, expected a string"),
    ],
)
def test_an_error_names_the_key_path(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(LockError) as refusal:
        read_lock(Files(), str(write(tmp_path, HEAD + text)))
    assert refusal.value.message.startswith(f"pylock.toml: {message}") or "normalized" in refusal.value.message


def test_a_later_minor_version_is_read_and_told(tmp_path: Path) -> None:
    path = write(tmp_path, (HEAD + entry("alpha")).replace('lock-version = "1.0"', 'lock-version = "1.3"'))
    (problem,) = read_lock(Files(), str(path)).problems
    assert problem.rule == "lock-unreadable-entry"
