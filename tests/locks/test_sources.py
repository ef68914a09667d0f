"""Whether a distribution comes from where the lock says."""

from __future__ import annotations

from pathlib import Path

import pytest

from envcheck.files.root import Files
from envcheck.locks.compare import compare
from envcheck.locks.read import read_lock
from envcheck.model.errors import LockError
from envcheck.model.inventory import Direct, Distribution
from envcheck.model.lock import Drift
from envcheck.model.report import Options
from support.samples import ENVIRONMENT, SITE

ONE, TWO = "1" * 64, "2" * 64
COMMIT, OTHER = "a" * 40, "b" * 40
INDEX = 'registry = "https://index.example/simple"'
GIT = f'git = "https://code.example/alpha.git?branch=main#{COMMIT}"'
URL = 'url = "https://files.example/alpha-1.0-py3-none-any.whl"'
WHEEL = f'wheels = [{{ url = "https://files.example/alpha-1.0-py3-none-any.whl", hash = "sha256:{ONE}" }}]'


def installed(direct: Direct | None, name: str = "alpha", version: str = "1.0") -> Distribution:
    return Distribution(name, version, f"{SITE}/{name}-{version}.dist-info", SITE, direct=direct)


def drift(directory: Path, source: str, direct: Direct | None, version: str = "1.0") -> Drift:
    path = directory / "uv.lock"
    path.write_text(f'version = 1\n[[package]]\nname = "alpha"\nversion = "1.0"\nsource = {{ {source} }}\n{WHEEL}\n')
    lock = read_lock(Files(), str(path))
    (found,) = compare(Files(), lock, ENVIRONMENT, [installed(direct, version=version)], Options()).drifts
    return found


@pytest.mark.parametrize(
    ("source", "direct"),
    [
        (INDEX, None),
        (INDEX, Direct("https://mirror.example/alpha-1.0-py3-none-any.whl", archive_sha256=ONE)),
        (GIT, Direct("https://code.example/alpha", vcs="git", commit=COMMIT)),
        (GIT, Direct("ssh://git@mirror.example/alpha.git", vcs="git", commit=COMMIT.upper())),
        (URL, Direct("https://files.example/alpha-1.0-py3-none-any.whl")),
        (URL, Direct("https://mirror.example/alpha-1.0-py3-none-any.whl", archive_sha256=ONE)),
    ],
)
def test_the_source_that_the_lock_says(tmp_path: Path, source: str, direct: Direct | None) -> None:
    found = drift(tmp_path, source, direct)
    assert (found.state, found.detail) == ("match", None)


@pytest.mark.parametrize(
    ("source", "direct", "detail"),
    [
        (
            INDEX,
            Direct("https://me:secret@code.example/alpha", vcs="git", commit=COMMIT),
            f"installed from git+https://code.example/alpha at {COMMIT[:12]}, the lock says an index",
        ),
        (
            INDEX,
            Direct("file:///tmp/alpha", editable=True),
            "installed from file:///tmp/alpha (editable), the lock says an index",
        ),
        (
            INDEX,
            Direct("https://files.example/alpha-1.0-py3-none-any.whl", archive_sha256=TWO),
            "installed from https://files.example/alpha-1.0-py3-none-any.whl, the lock says an index",
        ),
        (GIT, None, "installed from an index, the lock says https://code.example/alpha.git"),
        (
            GIT,
            Direct("https://code.example/alpha.git", vcs="git", commit=OTHER),
            f"installed from git+https://code.example/alpha.git at {OTHER[:12]}, the lock says commit {COMMIT[:12]}",
        ),
        (
            GIT,
            Direct("https://code.example/alpha.git", vcs="git", commit=COMMIT, subdirectory="evil"),
            "installed from evil of the repository, the lock says the root",
        ),
        (URL, None, "installed from an index, the lock says https://files.example/alpha-1.0-py3-none-any.whl"),
        (
            URL,
            Direct("https://files.example/alpha-1.0-py3-none-any.whl", archive_sha256=TWO),
            f"the archive that was installed has sha256 {TWO[:12]}…, the lock says {ONE[:12]}…",
        ),
        (
            URL,
            Direct("https://evil.example/alpha-1.0-py3-none-any.whl"),
            "installed from https://evil.example/alpha-1.0-py3-none-any.whl, "
            "the lock says https://files.example/alpha-1.0-py3-none-any.whl",
        ),
    ],
)
def test_another_source(tmp_path: Path, source: str, direct: Direct | None, detail: str) -> None:
    found = drift(tmp_path, source, direct)
    assert (found.state, found.detail) == ("source", detail)


def test_a_commit_says_more_than_a_version(tmp_path: Path) -> None:
    direct = Direct("https://code.example/alpha", vcs="git", commit=COMMIT)
    assert drift(tmp_path, GIT, direct, version="1.1.dev3").state == "match"


@pytest.mark.parametrize(("version", "state"), [("1.0.0", "match"), ("1.0+local", "version"), ("1.0.post1", "version")])
def test_versions_are_compared_as_versions(tmp_path: Path, version: str, state: str) -> None:
    assert drift(tmp_path, INDEX, None, version).state == state


def test_a_local_version_is_allowed_by_a_pin_of_its_public_part(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("alpha==1.0\n")
    lock = read_lock(Files(), str(tmp_path / "requirements.txt"))
    (found,) = compare(Files(), lock, ENVIRONMENT, [installed(None, version="1.0+cpu")], Options()).drifts
    assert found.state == "match"


def test_the_project_is_ignored_only_where_it_is_the_project(tmp_path: Path) -> None:
    here = Direct(f"file://{tmp_path}", editable=True)
    elsewhere = Direct("file:///srv/elsewhere", editable=True)
    assert drift(tmp_path, 'editable = "."', here, version="0.9").state == "ignored"
    assert drift(tmp_path, 'editable = "."', elsewhere).state == "source"
    assert drift(tmp_path, 'editable = "."', None).state == "source"
    assert drift(tmp_path, 'virtual = "."', None).state == "source"


def test_an_editable_of_the_project_that_a_requirements_file_belongs_to(tmp_path: Path) -> None:
    (tmp_path / "requirements").mkdir()
    path = tmp_path / "requirements" / "dev.txt"
    path.write_text(f"beta==1.0 --hash=sha256:{ONE}\n")
    lock = read_lock(Files(), str(path))
    own = installed(Direct(f"file://{tmp_path}", editable=True))
    other = installed(Direct(f"file://{tmp_path}/vendored", editable=True), "gamma")
    states = {d.name: d.state for d in compare(Files(), lock, ENVIRONMENT, [own, other], Options()).drifts}
    assert states == {"alpha": "ignored", "beta": "missing", "gamma": "extra"}


def test_an_unknown_version_or_platform_makes_nothing_missing(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("alpha==1.0\n")
    lock = read_lock(Files(), str(tmp_path / "requirements.txt"))
    for python in (ENVIRONMENT.python._replace(platform=""), ENVIRONMENT.python._replace(version_assumed=True)):
        assert compare(Files(), lock, ENVIRONMENT._replace(python=python), [], Options()).drifts == ()


def test_a_lock_that_is_not_the_one_that_was_named_by_hash_is_refused(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("alpha==1.0\n")
    lock = read_lock(Files(), str(tmp_path / "requirements.txt"))
    compare(Files(), lock, ENVIRONMENT, [], Options(lock_sha256=lock.sha256.upper()))
    with pytest.raises(LockError, match=f"^requirements.txt: its sha256 is {lock.sha256}$"):
        compare(Files(), lock, ENVIRONMENT, [], Options(lock_sha256=ONE))
