"""Each reason why nothing in the lock vouches for a distribution, and what `verify` says of it in its last line."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from envcheck.model.anchor import REASONS
from support.anchoring import Project, make_project
from support.records import add_row
from support.scanning import envcheck, scan
from support.venvs import Venv, find_tool
from support.wheels import Wheel

COMMIT = "c" * 40
SOURCES = {
    "not-locked": "",
    "git": f'[packages.vcs]\ntype = "git"\nurl = "https://index.example/colours"\ncommit-id = "{COMMIT}"\n',
    "directory": '[packages.directory]\npath = "colours"\n',
    "sdist": '[packages.sdist]\nname = "colours-1.0.tar.gz"\nurl = "https://index.example/colours-1.0.tar.gz"\n'
    f'hashes = {{sha256 = "{"5" * 64}"}}\n',
    "no-hash": '[[packages.wheels]]\nname = "colours-1.0-py3-none-any.whl"\n'
    f'url = "https://index.example/colours-1.0-py3-none-any.whl"\nhashes = {{md5 = "{"5" * 32}"}}\n',
    "no-wheel": '[[packages.wheels]]\nname = "colours-1.0-py3-none-any.whl"\n'
    f'url = "https://index.example/colours-1.0-py3-none-any.whl"\nhashes = {{sha256 = "{"5" * 64}"}}\n',
}


@pytest.fixture
def project(tmp_path: Path, shapes: Wheel) -> Project:
    """It has the wheel of `shapes` alone."""
    return make_project(tmp_path / "project", [shapes])


def lock_with(project: Project, shapes: Wheel, source: str) -> Path:
    lock = project.path / "pylock.toml"
    text = 'lock-version = "1.0"\ncreated-by = "x"\n'
    text += f'[[packages]]\nname = "shapes"\nversion = "{shapes.version}"\n[[packages.wheels]]\n'
    text += f'name = "{shapes.path.name}"\nurl = "https://index.example/{shapes.path.name}"\n'
    text += f'hashes = {{sha256 = "{shapes.sha256}"}}\n'
    if source:
        version = "" if "directory" in source or "vcs" in source else 'version = "1.0"\n'
        text += f'[[packages]]\nname = "colours"\n{version}{source}'
    lock.write_text(text)
    return lock


@pytest.mark.parametrize("reason", SOURCES)
def test_the_reason_is_told_in_words_and_as_data(project: Project, venv: Venv, shapes: Wheel, reason: str) -> None:
    lock = lock_with(project, shapes, SOURCES[reason])
    options = ("--lock", lock, "--wheels", project.wheelhouse, "--ignore", "colours")
    found = scan(*options, venv.path)
    assert found.environment["lock"]["anchored"]["unanchored"] == [
        {"name": "colours", "version": "1.0", "reason": reason}
    ], found.told()
    (one,) = [each for each in found.findings if each["rule"] == "unanchored"]
    assert one["severity"] == "info" and REASONS[reason] in one["message"]
    required = envcheck("verify", "--require-anchors", *options, venv.path)
    lines = required.stdout.decode().strip().splitlines()
    assert required.code == 1
    assert lines[-1] == "not verified: 2 distributions against pylock.toml: there are findings"


def test_an_editable_install_is_told_as_that(project: Project, venv: Venv, shapes: Wheel) -> None:
    info = venv.dist_info("colours")
    (info / "direct_url.json").write_text(json.dumps({"url": "file:///srv/x", "dir_info": {"editable": True}}))
    add_row(info, info / "direct_url.json")
    lock = lock_with(project, shapes, "")
    found = scan("--lock", lock, "--wheels", project.wheelhouse, "--ignore", "colours", venv.path)
    reasons = {one["name"]: one["reason"] for one in found.environment["lock"]["anchored"]["unanchored"]}
    assert reasons == {"colours": "editable"}, found.told()


def test_what_anchored_stands_on_is_told(project: Project, venv: Venv) -> None:
    """The lock's own hash, and whether it is as it was committed."""
    git = find_tool("git")
    if git is None:
        pytest.skip("git is not on PATH")

    def run(*arguments: str) -> None:
        identity = ("-c", "user.name=ana", "-c", "user.email=ana@index.example", "-c", "commit.gpgsign=false")
        subprocess.run([git, *identity, *arguments], cwd=project.path, check=True, capture_output=True)

    run("init", "-q")
    run("add", "requirements.txt")
    run("commit", "-q", "-m", "lock")

    def told() -> str:
        ran = envcheck("scan", *project.with_wheels(), "--ignore", "colours", venv.path)
        return " ".join(ran.stdout.decode().split())

    digest = hashlib.sha256(project.lock.read_bytes()).hexdigest()
    assert f"sha256 {digest[:12]}" in told()
    before = told()
    project.lock.write_text(project.lock.read_text() + "# later\n")
    assert "HEAD" in told() and told() != before
