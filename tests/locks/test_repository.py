"""A lock's state against HEAD, read from ``.git`` as files: the same that git itself says."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from envcheck.files.root import Files
from envcheck.locks.repository import lock_state
from locks.lockers import commit, git


@pytest.fixture
def project(tmp_path: Path) -> Path:
    directory = tmp_path / "project"
    (directory / "service").mkdir(parents=True)
    git(directory, "init", "-q", "-b", "main")
    lock(directory).write_text("".join(f"alpha=={n}\n" for n in range(2000)))
    commit(directory, "one")
    return directory


def lock(directory: Path) -> Path:
    return directory / "service" / "requirements.txt"


def state(path: Path) -> tuple[str, str | None]:
    found = lock_state(Files(), str(path), path.read_bytes())
    return found.state, found.why


def test_committed_modified_staged_and_untracked(project: Path) -> None:
    assert state(lock(project)) == ("committed", None)
    lock(project).write_text("beta==1\n")
    assert state(lock(project)) == ("modified", None)
    git(project, "add", "-A")
    assert state(lock(project)) == ("modified", None)
    other = project / "uv.lock"
    other.write_text("")
    assert state(other) == ("untracked", None)


def test_objects_and_references_in_packs(project: Path) -> None:
    """Thirty revisions of a file make deltas of deltas."""
    for number in range(30):
        lock(project).write_text(lock(project).read_text() + f"beta=={number}\n")
        commit(project, str(number))
    git(project, "gc", "-q", "--aggressive")
    assert not list((project / ".git" / "refs" / "heads").iterdir())
    assert state(lock(project)) == ("committed", None)
    old = git(project, "show", "HEAD~29:service/requirements.txt")
    lock(project).write_text(old)
    assert state(lock(project)) == ("modified", None)
    git(project, "checkout", "-qf", "HEAD~29")
    assert state(lock(project)) == ("committed", None)


def test_a_work_tree_of_its_own(project: Path, tmp_path: Path) -> None:
    git(project, "worktree", "add", "-q", str(tmp_path / "tree"), "-b", "other")
    assert state(lock(tmp_path / "tree")) == ("committed", None)
    lock(tmp_path / "tree").write_text("x==1\n")
    assert state(lock(tmp_path / "tree")) == ("modified", None)


def test_line_ends_that_a_checkout_turned_around(project: Path) -> None:
    lock(project).write_bytes(lock(project).read_bytes().replace(b"\n", b"\r\n"))
    assert state(lock(project)) == ("committed", None)


def test_no_repository_and_no_commit(tmp_path: Path) -> None:
    path = tmp_path / "uv.lock"
    path.write_text("")
    assert state(path) == ("none", None)
    git(tmp_path, "init", "-q")
    assert state(path) == ("untracked", "the repository has no commit") or state(path)[0] == "unknown"


def test_a_shallow_or_damaged_repository_is_unknown(project: Path) -> None:
    tree = git(project, "rev-parse", "HEAD^{tree}").strip()
    stored = project / ".git" / "objects" / tree[:2] / tree[2:]
    stored.chmod(0o600)
    stored.write_bytes(b"\x78\x9c" + b"\0" * 40)
    assert state(lock(project)) == ("unknown", "an object of the repository is damaged")
    stored.unlink()
    found, why = state(lock(project))
    assert found == "unknown"
    assert "missing" in (why or "")


@pytest.mark.parametrize("text", ["ref: refs/heads/../../../etc/passwd", "ref: HEAD", "x" * 9000, "\0", ""])
def test_a_hostile_head_is_unknown(project: Path, text: str) -> None:
    (project / ".git" / "HEAD").write_text(text)
    assert state(lock(project))[0] == "unknown"


def test_a_bomb_in_an_object_is_unknown(project: Path) -> None:
    import zlib

    tree = git(project, "rev-parse", "HEAD^{tree}").strip()
    stored = project / ".git" / "objects" / tree[:2] / tree[2:]
    stored.chmod(0o600)
    stored.write_bytes(zlib.compress(b"tree 1\0" + b"\0" * (40 << 20)))
    assert state(lock(project))[0] == "unknown"


def test_a_reftable_is_unknown(tmp_path: Path) -> None:
    try:
        git(tmp_path, "init", "-q", "--ref-format=reftable")
    except (AssertionError, subprocess.CalledProcessError):
        pytest.skip("this git has no reftable")
    (tmp_path / "uv.lock").write_text("")
    commit(tmp_path, "one")
    assert state(tmp_path / "uv.lock") == ("unknown", "the repository keeps its references in a reftable")


def test_a_work_tree_of_a_repository_with_a_reftable_is_unknown(tmp_path: Path) -> None:
    """Git leaves a HEAD there that names no branch: it must not be taken for a repository without commits."""
    main = tmp_path / "main" / ".git"
    own = main / "worktrees" / "tree"
    own.mkdir(parents=True)
    (main / "reftable").mkdir()
    (main / "objects").mkdir()
    for directory in (main, own):
        (directory / "HEAD").write_text("ref: refs/heads/.invalid\n")
    (own / "commondir").write_text("../..\n")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / ".git").write_text(f"gitdir: {own}\n")
    (tmp_path / "tree" / "uv.lock").write_text("")
    assert state(tmp_path / "tree" / "uv.lock") == ("unknown", "the repository keeps its references in a reftable")


def test_objects_named_by_sha256(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main", "--object-format=sha256")
    path = tmp_path / "uv.lock"
    path.write_text("x")
    commit(tmp_path, "one")
    assert state(path) == ("committed", None)
    git(tmp_path, "gc", "-q")
    assert state(path) == ("committed", None)
    path.write_text("y")
    assert state(path) == ("modified", None)


def test_a_submodule_a_shallow_clone_and_objects_elsewhere(project: Path, tmp_path: Path) -> None:
    commit(project, "two")
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "-q", "-b", "main")
    git(outer, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(project), "inner")
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{project}", str(tmp_path / "shallow"))
    for place in (outer / "inner", tmp_path / "shallow"):
        assert state(lock(place)) == ("committed", None)
        lock(place).write_text("x")
        assert state(lock(place)) == ("modified", None)
    git(tmp_path, "clone", "-q", "--shared", str(project), str(tmp_path / "shared"))
    assert state(lock(tmp_path / "shared")) == ("unknown", "an object lies in another repository (alternates)")


def test_a_pointer_to_the_bytes_counts_as_the_bytes(project: Path) -> None:
    text = "alpha==1\n" * 10
    digest = hashlib.sha256(text.encode()).hexdigest()
    lock(project).write_text(f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(text)}\n")
    commit(project, "two")
    lock(project).write_text(text)
    assert state(lock(project)) == ("committed", None)
    lock(project).write_text(text + "beta==1\n")
    assert state(lock(project)) == ("modified", None)


def test_what_the_repository_has_encrypted_is_unknown(project: Path) -> None:
    lock(project).write_bytes(b"\0GITCRYPT\0" + b"x" * 40)
    commit(project, "two")
    lock(project).write_text("alpha==1\n")
    assert state(lock(project)) == ("unknown", "the repository has it encrypted")
