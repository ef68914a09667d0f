"""Which file a module's name leads to: finders, archives, editable finders."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.files.root import Files
from envcheck.model.environment import Environment, Python
from envcheck.startup.modules import Finders
from envcheck.startup.names import is_builtin
from envcheck.startup.suffixes import extension_suffixes
from envcheck.startup.zips import read_archive, read_member


def environment(version: str = "3.11.7", platform: str = "linux-x86_64-glibc2.36", **more: bool) -> Environment:
    python = Python(version, "binary", "cpython", "cp", platform, None, "/base")._replace(**more)
    return Environment("/venv", "venv", python, (), (), None, None, None, None)


def suffixes(**target: object) -> list[str]:
    return [suffix for suffix, _ in extension_suffixes(environment(**target))]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ({}, [".cpython-311-x86_64-linux-gnu.so", ".abi3.so", ".so", ".py", ".pyc"]),
        (
            {"platform": "linux-aarch64-musl1.2"},
            [".cpython-311-aarch64-linux-musl.so", ".abi3.so", ".so", ".py", ".pyc"],
        ),
        ({"platform": "macosx-11-arm64"}, [".cpython-311-darwin.so", ".abi3.so", ".so", ".py", ".pyc"]),
        (
            {"version": "3.13.1", "free_threaded": True},
            [".cpython-313t-x86_64-linux-gnu.so", ".so", ".py", ".pyc"],
        ),
        ({"platform": "win-amd64"}, [".cp311-win_amd64.pyd", ".pyd", ".py", ".pyc"]),
    ],
)
def test_extension_suffixes_are_tried_in_the_interpreters_order(target: dict[str, object], expected: list[str]) -> None:
    assert suffixes(**target) == expected


def test_they_are_those_of_the_interpreter_that_runs_this() -> None:
    from importlib.machinery import all_suffixes

    if not sys.platform.startswith("linux"):
        pytest.skip("the tag's platform part is compared on Linux only")
    version = "{}.{}.{}".format(*sys.version_info)
    import platform

    own = suffixes(version=version, platform=f"linux-{platform.machine()}-glibc2.36")
    assert set(own) == set(all_suffixes())


def test_names_that_no_file_answers_for() -> None:
    assert is_builtin("sys", (3, 8), False) and is_builtin("os", (3, 8), False)
    assert is_builtin("importlib.util", (3, 11), True) and not is_builtin("importlib.util", (3, 10), False)
    assert is_builtin("_typing", (3, 12), True) and not is_builtin("_typing", (3, 11), True)
    assert not is_builtin("json", (3, 13), True)


def test_names_are_case_sensitive(tmp_path: Path) -> None:
    (tmp_path / "SiteCustomize.py").write_text("")
    finders = Finders(Files(), environment())
    assert finders.find(str(tmp_path), "sitecustomize") is None
    assert finders.find(str(tmp_path), "SiteCustomize") is not None


def test_a_directory_named_like_a_module_is_no_module(tmp_path: Path) -> None:
    (tmp_path / "m.py").mkdir()
    assert Finders(Files(), environment()).find(str(tmp_path), "m") is None


def made(
    form: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED, prefix: bytes = b"", comment: bytes = b""
) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", compression) as archive:
        for name, data in form.items():
            archive.writestr(name, data)
        archive.comment = comment
    return prefix + held.getvalue()


@pytest.mark.parametrize("prefix", [b"", b"#!/bin/sh\nexit\n"])
@pytest.mark.parametrize("comment", [b"", b"a comment"])
@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_are_read_whatever_stands_before_or_after_them(
    tmp_path: Path, prefix: bytes, comment: bytes, compression: int
) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(made({"m.py": b"x = 1\n" * 50, "p/__init__.py": b""}, compression, prefix, comment))
    files = Files()
    archive = read_archive(files, str(path), (3, 11))
    assert archive is not None and set(archive.members) == {"m.py", "p/__init__.py"}
    assert read_member(files, archive, "m.py") == b"x = 1\n" * 50


def test_an_archive_prefers_packages_and_bytecode(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    names = ["m/__init__.pyc", "m/__init__.py", "m.pyc", "m.py"]
    finders = Finders(Files(), environment())
    for start in range(len(names)):
        path = tmp_path / f"{start}.zip"
        path.write_bytes(made(dict.fromkeys(reversed(names[start:]), b"")))
        found = finders.find(str(path), "m")
        assert found is not None and found.member == names[start]


def test_a_directory_inside_an_archive_may_stand_on_sys_path(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(made({"inner/m.py": b""}))
    found = Finders(Files(), environment()).find(f"{path}/inner", "m")
    assert found is not None and found.path == f"{path}/inner/m.py"


def test_the_encryption_flag_and_local_names_are_ignored_as_zipimport_does(tmp_path: Path) -> None:
    data = bytearray(made({"m.py": b"import sys; print('ran')"}, zipfile.ZIP_STORED))
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1
    data[30:34] = b"x.py"
    path = tmp_path / "a.zip"
    path.write_bytes(bytes(data))
    files = Files()
    archive = read_archive(files, str(path), (3, 11))
    assert archive is not None and read_member(files, archive, "m.py").startswith(b"import sys")
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(path)!r}); import m"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert ran.stdout == "ran\n"


def test_a_file_that_is_no_archive_is_an_empty_entry(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("no archive")
    files = Files()
    assert Finders(files, environment()).find(str(tmp_path / "x"), "m") is None and files.not_seen == ()


@given(st.binary(max_size=200), st.data())
def test_a_damaged_archive_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, junk: bytes, data: st.DataObject
) -> None:
    whole = made({"m.py": b"x = 1", "n/__init__.py": b"y = 2" * 20})
    start = data.draw(st.integers(0, len(whole)))
    path = tmp_path_factory.getbasetemp() / "damaged.zip"
    path.write_bytes(whole[:start] + junk + whole[start + len(junk) :])
    from envcheck.files.root import Unreadable

    files = Files()
    try:
        archive = read_archive(files, str(path), (3, 11))
        for name in archive.members if archive else ():
            read_member(files, archive, name)
    except Unreadable:
        pass
