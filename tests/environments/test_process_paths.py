"""Paths of the process that starts Python: symbolic, never followed in this one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from envcheck.files.process import names_process
from envcheck.files.root import Files
from environments.trees import library, program, scan, sites, write

DISGUISES = [
    "/proc/self/cwd",
    "/dev/fd/9",
    "/proc/thread-self/cwd",
    "/proc/self/root/../self/cwd",
    "{tmp}/link",
    "{tmp}/far/in",
]


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A base; and a library in this process's own directory that must never be taken."""
    library(tmp_path / "base", "3.12", "3.12.4")
    library(tmp_path / "here", "3.12", "3.12.9")
    (tmp_path / "here/bin").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    (tmp_path / "link").symlink_to("/proc/self/cwd")
    (tmp_path / "far").symlink_to("/proc/self")
    program(tmp_path / "base/bin/python3.12")
    return tmp_path / "base"


@pytest.fixture(params=DISGUISES)
def disguise(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(request.param).format(tmp=tmp_path)


def venv(base: Path, home: str) -> Path:
    place = base.parent / "v"
    (place / "lib/python3.12/site-packages").mkdir(parents=True)
    (place / "bin").mkdir()
    (place / "bin/python").symlink_to(base / "bin/python3.12")
    write(place / "pyvenv.cfg", f"home = {home}\ninclude-system-site-packages = true\n")
    return place


def test_each_disguise_is_known(base: Path, disguise: str) -> None:
    assert names_process(Files(), disguise + "/lib")
    assert not names_process(Files(), str(base))


def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert not names_process(Files(), str(tmp_path / "a/x"))


def test_pythonpath_keeps_it_as_text(base: Path, disguise: str) -> None:
    found = scan(base, PYTHONPATH=f"{disguise}::.")
    assert found.initial_path[:2] == (os.path.normpath(disguise), "")


@pytest.mark.parametrize("name", ["PYTHONHOME", "PYTHONUSERBASE", "HOME", "PYTHONEXECUTABLE"])
def test_a_variable_never_leads_into_this_process(base: Path, disguise: str, name: str) -> None:
    value = f"{disguise}/bin/python" if name == "PYTHONEXECUTABLE" else disguise
    files = Files()
    found = scan(base, files=files, **{name: value})
    assert all(str(base) in site for site in sites(found))
    assert found.stdlib in (None, str(base / "lib/python3.12"))
    assert found.python.version in ("3.12", "3.12.4")
    assert [missed for missed in files.not_seen if disguise in missed.path]


def test_home_of_a_venv_never_leads_into_this_process(base: Path, disguise: str) -> None:
    files = Files()
    found = scan(venv(base, f"{disguise}/bin"), files=files)
    assert "here" not in " ".join([*sites(found), *found.initial_path, found.stdlib or ""])
    assert [missed for missed in files.not_seen if disguise in missed.path]


def test_an_interpreter_that_is_a_link_into_the_process_is_not_read(base: Path) -> None:
    place = venv(base, f"{base}/bin")
    (place / "bin/python").unlink()
    (place / "bin/python").symlink_to("/proc/self/exe")
    files = Files()
    found = scan(place, files=files)
    assert found.python.minor == (3, 12)
    assert str(place / "bin/python") in [missed.path for missed in files.not_seen]
