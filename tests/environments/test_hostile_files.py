"""No bytes of a target's make the search for its interpreter fail, hang or leave."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envcheck.environments import pyvenv
from envcheck.environments.discover import find_environment
from envcheck.environments.version import from_hex, parse_version
from envcheck.files.limits import Limits
from envcheck.files.root import Files
from envcheck.model.errors import TargetError
from envcheck.model.invocation import Invocation
from environments.trees import library, program, scan, sites, write

LINES = st.sampled_from(
    [b"home = /x/bin", b"home=/y", b"HOME = /z", b"include-system-site-packages = true", b"version = 3.11.4",
     b"version_info = 3.99.9.final.0", b"implementation = GraalPy", b"=", b"\xff\xfe", b"\0", b"\r", b"# home = /n",
     b"version = \xd9\xa3.11.4", b"version = 3.11.4\xb2", b"home = \x1b[31m", b"home = ../.."]
)  # fmt: skip


@given(st.lists(LINES | st.binary(max_size=40)))
def test_any_bytes_are_a_pyvenv_cfg(lines: list[bytes]) -> None:
    data = b"\n".join(lines)
    cfg = pyvenv.parse_site("/v/pyvenv.cfg", data)
    home = pyvenv.tokens_home(data)
    assert (cfg.fatal is None) is _is_utf8(data)
    assert home is None or "\n" not in home


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


@settings(max_examples=60, deadline=None)
@given(
    lines=st.lists(LINES | st.binary(max_size=40)), head=st.sampled_from([b"", b"\x7fELF\2\1\1", b"MZ", b"#!/bin/sh\n"])
)
def test_any_venv_is_scanned(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], head: bytes) -> None:
    tmp_path = tmp_path_factory.mktemp("venv")
    (tmp_path / "lib/python3.11/site-packages").mkdir(parents=True, exist_ok=True)
    write(tmp_path / "pyvenv.cfg", b"\n".join(lines))
    write(tmp_path / "bin/python", head + b"\xff" * 600)
    assert scan(tmp_path).python.minor == (3, 11)


@given(st.text())
def test_any_text_is_a_version_or_none(text: str) -> None:
    version = parse_version(text)
    assert version is None or all(part.isascii() for part in version.split("."))


@given(st.integers(0, 2**32 - 1))
def test_any_number_is_a_version_or_none(value: int) -> None:
    assert from_hex(value) is None or from_hex(value).startswith("3.")  # type: ignore[union-attr]


def test_version_numbers_are_spelled_as_python_spells_them() -> None:
    assert from_hex(0x030B07F0) == "3.11.7"
    assert from_hex(0x030F00C1) == "3.15.0rc1"
    assert parse_version("3.15.0.candidate.1") == "3.15.0rc1"
    assert parse_version("3.12.4.final.0") == "3.12.4"
    assert parse_version("3.12.4+") == "3.12.4"


@given(target=st.text(max_size=20))
@settings(max_examples=50, deadline=None)
def test_any_target_is_found_or_refused(target: str) -> None:
    with contextlib.suppress(TargetError):
        find_environment(Files(), "/nonexistent/" + target, Invocation(directory="/"))


@pytest.mark.parametrize("name", ["bin/python", "bin/python3", "pyvenv.cfg"])
def test_a_loop_of_links_ends(tmp_path: Path, name: str) -> None:
    (tmp_path / "lib/python3.11/site-packages").mkdir(parents=True)
    write(tmp_path / "pyvenv.cfg", "home = /x\n")
    (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).symlink_to(tmp_path / name)
    assert sites(scan(tmp_path))


def test_a_fifo_as_interpreter_or_library_hangs_nobody(tmp_path: Path) -> None:
    library(tmp_path / "base", "3.11")
    (tmp_path / "base/bin").mkdir()
    for name in ("bin/python3.11", "include", "lib/python3.11/site.py"):
        os.mkfifo(tmp_path / "base" / name)
    assert scan(tmp_path / "base").python.version == "3.11"


def test_a_pyvenv_cfg_over_the_bound_is_noted_and_taken_as_sharing_the_system(tmp_path: Path) -> None:
    library(tmp_path / "base", "3.9", "3.9.1")
    program(tmp_path / "base/bin/python3.9")
    (tmp_path / "v/lib/python3.9/site-packages").mkdir(parents=True)
    (tmp_path / "v/bin").mkdir()
    (tmp_path / "v/bin/python").symlink_to(tmp_path / "base/bin/python3.9")
    head = f"home = {tmp_path}/base/bin\ninclude-system-site-packages = false\n"
    write(tmp_path / "v/pyvenv.cfg", head + "x = y\n" * 100)
    files = Files(limits=Limits(small=200))
    found = scan(tmp_path / "v", files=files)
    assert [entry.origin for entry in found.site_sequence] == ["venv", "venv", "base"]
    assert [missed.path for missed in files.not_seen] == [str(tmp_path / "v/pyvenv.cfg")]


def test_redirectors_beside_the_interpreter_are_listed(tmp_path: Path) -> None:
    library(tmp_path / "base", "3.12", "3.12.1")
    program(tmp_path / "base/bin/python3.12")
    for name in ("bin/pybuilddir.txt", "bin/Modules/Setup.local", "lib/python312.zip"):
        write(tmp_path / "base" / name)
    (tmp_path / "v/lib/python3.12/site-packages").mkdir(parents=True)
    (tmp_path / "v/bin").mkdir()
    (tmp_path / "v/bin/python").symlink_to(tmp_path / "base/bin/python3.12")
    write(tmp_path / "v/bin/python3._pth")
    write(tmp_path / "v/pyvenv.cfg", f"home = {tmp_path}/base/bin\n")
    assert [path for path, _ in scan(tmp_path / "v").redirectors] == [
        str(tmp_path / "v/bin/python3._pth"),
        str(tmp_path / "base/bin/pybuilddir.txt"),
        str(tmp_path / "base/bin/Modules/Setup.local"),
        str(tmp_path / "base/lib/python312.zip"),
    ]


def test_a_mounted_machine_is_read_below_its_root_only(tmp_path: Path) -> None:
    library(tmp_path / "opt/py", "3.12", "3.12.1")
    program(tmp_path / "opt/py/bin/python3.12")
    site = tmp_path / "srv/v/lib/python3.12/site-packages"
    site.mkdir(parents=True)
    (tmp_path / "srv/v/bin").mkdir()
    (tmp_path / "srv/v/bin/python").symlink_to("/opt/py/bin/python3.12")
    write(tmp_path / "srv/v/pyvenv.cfg", "home = /opt/py/bin\ninclude-system-site-packages = true\n")
    found = scan("/srv/v", files=Files(str(tmp_path)), HOME="/home/a")
    assert sites(found) == [
        "/srv/v/lib/python3.12/site-packages",
        "/srv/v/lib/python3.12/site-packages",
        "/opt/py/lib/python3.12/site-packages",
    ]
    assert (found.python.version, found.python.base_prefix) == ("3.12.1", "/opt/py")
    with pytest.raises(TargetError):
        scan(tmp_path / "srv/v", files=Files(str(tmp_path)))


def test_an_account_without_home_variable_is_looked_up_in_the_targets_own_passwd(tmp_path: Path) -> None:
    library(tmp_path / "opt/py", "3.12", "3.12.1")
    program(tmp_path / "opt/py/bin/python3.12")
    write(tmp_path / "etc/passwd", "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\nbroken\n")
    invocation = Invocation((), {}, (1000, 1000), (1000, 1000))
    found = find_environment(Files(str(tmp_path)), "/opt/py", invocation)
    assert found.user_site == "/home/ann/.local/lib/python3.12/site-packages"
