"""METADATA, direct_url.json and entry_points.txt, as bytes that anybody may have written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.formats.bytecode import source_key
from envcheck.formats.entrypoints import EntryPoint, parse_entry_points
from envcheck.installed.metadata import (
    contradicts,
    from_directory_name,
    is_platform_built,
    parse_direct_url,
    parse_headers,
)


def test_headers_end_at_the_first_blank_line() -> None:
    data = b"Metadata-Version: 2.1\r\nName: demo\r\nversion: 1.0\r\n"
    data += b"Requires-Dist: a>=1\r\nRequires-Dist: b;\r\n c\r\n\r\nName: x"
    assert parse_headers(data) == ("demo", "1.0", ("a>=1", "b; c"))


def test_the_first_name_counts() -> None:
    assert parse_headers(b"Name: demo\nName: evil\nVersion: 1\n").name == "demo"


@given(st.binary(max_size=300))
def test_any_bytes_are_headers_of_something(data: bytes) -> None:
    found = parse_headers(data)
    assert found.name is None or "\n" not in found.name


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("demo-1.0.dist-info", ("demo", "1.0")),
        ("my_pkg-1.0.post1.dist-info", ("my_pkg", "1.0.post1")),
        ("my-pkg-1.0.dist-info", ("my-pkg", "1.0")),
        ("demo-1.0-py3.11.egg-info", ("demo", "1.0")),
        ("demo-1.0-py3.11-linux-x86_64.egg", ("demo", "1.0")),
        ("demo.egg-info", ("demo", "")),
        ("demo.egg-link", ("demo", "")),
    ],
)
def test_a_directory_name_tells_name_and_version(name: str, parts: tuple[str, str]) -> None:
    assert from_directory_name(name) == parts


@pytest.mark.parametrize(
    ("directory", "name", "version", "fits"),
    [
        ("zope.interface-5.0.dist-info", "zope.interface", "5.0", True),
        ("zope_interface-5.0.dist-info", "zope.interface", "5.0", True),
        ("torch-2.1.0+cpu.dist-info", "torch", "2.1.0+cpu", True),
        ("demo-1.0_local.dist-info", "demo", "1.0+local", True),
        ("demo-1.0rc1.dist-info", "demo", "1.0.rc1", True),
        ("backports.ssl-match-3.5.dist-info", "backports.ssl-match", "3.5", True),
        ("demo.egg-info", "demo", "9", True),
        ("demo-1.0.dist-info", "demo", "1.1", False),
        ("demo-1.0.dist-info", "demmo", "1.0", False),
    ],
)
def test_a_directory_name_fits_its_metadata_or_not(directory: str, name: str, version: str, fits: bool) -> None:
    headers = parse_headers(f"Name: {name}\nVersion: {version}\n".encode())
    assert (contradicts(directory, headers) is None) is fits


def test_direct_url_forms() -> None:
    editable = parse_direct_url(b'{"url": "file:///srv/x", "dir_info": {"editable": true}}')
    assert editable is not None and editable.editable
    git = parse_direct_url(b'{"url": "https://index.example/x", "vcs_info": {"vcs": "git", "commit_id": "abc"}}')
    assert git is not None and (git.vcs, git.commit) == ("git", "abc")
    archive = parse_direct_url(b'{"url": "https://index.example/x.whl", "archive_info": {"hash": "sha256=AB"}}')
    assert archive is not None and archive.archive_sha256 == "ab"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"null",
        b'{"url": 1}',
        b'{"url": "x", "dir_info": [1]}',
        b"[" * 100_000,
        b"\xff\xfe",
        b'{"url": "\\ud800"}',
    ],
)
def test_a_hostile_direct_url_is_no_error(data: bytes) -> None:
    found = parse_direct_url(data)
    assert found is None or not found.editable


def test_entry_points_are_read_as_installers_read_them() -> None:
    text = b"# c\n[console_scripts]\na = m:f\nb=m.n:C.run [extra]\nbroken\n c : d\n"
    text += b"[gui_scripts]\ng = m : f\n[pytest11]\np = m\n"
    assert parse_entry_points(text) == (
        EntryPoint("console_scripts", "a", "m", "f"),
        EntryPoint("console_scripts", "b", "m.n", "C.run"),
        EntryPoint("gui_scripts", "g", "m", "f"),
        EntryPoint("pytest11", "p", "m", ""),
    )


@given(st.binary(max_size=200))
def test_any_bytes_are_entry_points_of_something(data: bytes) -> None:
    parse_entry_points(data)


def test_a_bare_linux_tag_was_built_here() -> None:
    assert is_platform_built(b"Wheel-Version: 1.0\nTag: cp311-cp311-linux_x86_64\n")
    assert not is_platform_built(b"Tag: cp311-cp311-manylinux_2_17_x86_64\nTag: py3-none-any\n")


@pytest.mark.parametrize(
    ("key", "source"),
    [
        ("a/__pycache__/m.cpython-311.pyc", "a/m.py"),
        ("__pycache__/m.cpython-313t.opt-2.pyc", "m.py"),
        ("a/__pycache__/m.pypy310.pyc", "a/m.py"),
        ("a/__pycache__/m.cpython-311.nbi", None),
        ("a/__pycache__/m.pyc", None),
        ("a/m.cpython-311.pyc", None),
        ("m.py", None),
    ],
)
def test_bytecode_names_its_source(key: str, source: str | None) -> None:
    assert source_key(key) == source
