"""Hostile and broken zip archives: facts about what is odd, never an exception, never more work than the bounds."""

from __future__ import annotations

import hashlib
import io
import random
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envcheck.anchors.wheel import WheelRead, read_wheel
from envcheck.files.ranges import Range
from envcheck.files.root import Files
from envcheck.formats.archive import Archive, read_archive
from envcheck.model.anchor import Held

INFO = "demo-1.0.dist-info"
RECORD = f"{INFO}/RECORD"


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytearray:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return bytearray(stream.getvalue())


def wheel(**more: bytes) -> bytearray:
    return zipped({"demo.py": b"VALUE = 1\n" * 50, **more, RECORD: b"demo.py,,\n"})


def read(data: bytes) -> Archive:
    return read_archive(lambda at, size: bytes(data[at : at + size]) if at >= 0 else b"", len(data))


def whole(tmp_path: Path, data: bytes) -> WheelRead:
    """Read as a wheel: local headers and the bytes of every member too."""
    path = tmp_path / "demo-1.0-py3-none-any.whl"
    path.write_bytes(data)
    return read_wheel(Files(), Held(str(path)), "demo", ("sha256",), None)


def kinds(found: Archive | WheelRead) -> set[str]:
    return {oddity.kind for oddity in found.oddities}


def commented(comment: bytes) -> bytes:
    """A wheel with a comment behind it."""
    data = wheel()
    return bytes(patched(data, end(data) + 20, "<H", len(comment))) + comment


def with_zip64_end(count: int = 2, at: int | None = None) -> bytes:
    """A wheel that also has the end of a zip64 archive, which may say something else."""
    data = wheel()
    place = end(data)
    length, offset = struct.unpack_from("<2L", data, place + 12)
    long = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, length, offset)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, place if at is None else at, 1)
    return bytes(data[:place]) + long + locator + bytes(data[place:])


def central(data: bytearray, number: int = 0) -> int:
    """Where a member's entry of the central directory begins."""
    at = data.find(b"PK\1\2")
    for _ in range(number):
        at = data.find(b"PK\1\2", at + 1)
    return at


def end(data: bytearray) -> int:
    return data.rfind(b"PK\5\6")


def patched(data: bytearray, at: int, form: str, *values: int) -> bytearray:
    struct.pack_into(form, data, at, *values)
    return data


def test_an_ordinary_wheel_is_certain(tmp_path: Path) -> None:
    found = whole(tmp_path, wheel())
    assert found.certain and found.oddities == ()
    assert [entry.name for entry in found.archive.safe] == ["demo.py", RECORD]
    assert found.contents["demo.py"].size == 500


def test_stored_members_and_zip64_are_read(tmp_path: Path) -> None:
    assert whole(tmp_path, zipped({"demo.py": b"", RECORD: b""}, zipfile.ZIP_STORED)).certain
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        with archive.open(zipfile.ZipInfo("demo.py"), "w", force_zip64=True) as member:
            member.write(b"VALUE = 1\n")
        archive.writestr(RECORD, b"")
    assert whole(tmp_path, stream.getvalue()).certain


def test_members_that_were_written_to_a_pipe_are_read(tmp_path: Path) -> None:
    """Their sizes stand behind them, in data descriptors."""

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.data = b""

        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override]
            self.data += bytes(data)
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[arg-type]
        archive.writestr("demo.py", b"VALUE = 1\n")
        archive.writestr(RECORD, b"")
    assert whole(tmp_path, pipe.data).certain


Make = Callable[[], bytes]

AMBIGUOUS: dict[str, tuple[Make, str]] = {
    "nothing": (lambda: b"", "no-archive"),
    "no archive": (lambda: b"text " * 100, "no-archive"),
    "a tail": (lambda: bytes(wheel()) + b"tail", "surrounded"),
    "a head": (lambda: b"#!/bin/sh\n" + bytes(wheel()), "surrounded"),
    "an archive behind another": (lambda: bytes(wheel()) + bytes(wheel()), "surrounded"),
    "an end in its comment": (lambda: commented(b"PK\5\6" + bytes(18)), "surrounded"),
    "an archive in its comment": (lambda: commented(bytes(zipped({"evil.py": b"", RECORD: b""}))), "surrounded"),
    "two ends that differ": (lambda: with_zip64_end(count=1), "inconsistent"),
    "a second end that is elsewhere": (lambda: with_zip64_end(at=0), "inconsistent"),
    "a cut directory": (lambda: bytes(patched(data := wheel(), end(data) + 8, "<2H", 9, 9)), "inconsistent"),
    "more members than counted": (lambda: bytes(patched(data := wheel(), end(data) + 8, "<2H", 1, 1)), "inconsistent"),
    "several parts": (lambda: bytes(patched(data := wheel(), end(data) + 4, "<H", 1)), "inconsistent"),
    "an encrypted member": (lambda: bytes(patched(data := wheel(), central(data) + 8, "<H", 1)), "encrypted"),
    "an unknown compression": (lambda: bytes(patched(data := wheel(), central(data) + 10, "<H", 14)), "method"),
    "an impossible size": (lambda: bytes(patched(data := wheel(), central(data) + 24, "<L", 4_000_000_000)), "bomb"),
    "another name inside": (lambda: bytes(wheel()).replace(b"demo.py", b"evil.py", 1), "header-mismatch"),
    "another method inside": (lambda: bytes(patched(wheel(), 8, "<H", 0)), "header-mismatch"),
    "another size inside": (lambda: bytes(patched(wheel(), 22, "<L", 499)), "header-mismatch"),
    "no local header": (lambda: bytes(patched(wheel(), 0, "<L", 0)), "header-mismatch"),
    "two members in one place": (lambda: bytes(patched(data := wheel(), central(data, 1) + 42, "<L", 0)), "overlap"),
    "a wrong checksum": (
        lambda: bytes(patched(patched(data := wheel(), central(data) + 16, "<L", 1), 14, "<L", 1)),
        "damaged",
    ),
    "two metadata directories": (lambda: bytes(wheel(**{"other-1.0.dist-info/METADATA": b""})), "no-wheel"),
    "no metadata directory": (lambda: bytes(zipped({"demo.py": b""})), "no-wheel"),
    "another project": (lambda: bytes(zipped({"other-1.0.dist-info/RECORD": b""})), "no-wheel"),
    "no RECORD": (lambda: bytes(zipped({f"{INFO}/METADATA": b""})), "no-wheel"),
}


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_an_archive_without_one_content_proves_nothing(name: str, tmp_path: Path) -> None:
    make, kind = AMBIGUOUS[name]
    found = whole(tmp_path, make())
    assert kind in kinds(found), found.oddities
    assert not found.certain


def test_both_ends_of_a_wheel_may_say_the_same(tmp_path: Path) -> None:
    assert whole(tmp_path, with_zip64_end()).certain


@pytest.mark.parametrize("changed", [b"demo.py,,\n", b"PK\1\2"], ids=["its RECORD", "its directory"])
def test_what_was_read_of_another_file_than_was_hashed_proves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: bytes
) -> None:
    """The wheel is put in its place when its members are read, and before it is hashed."""
    right = bytes(zipped({"demo.py": b"VALUE = 1\n", RECORD: b"demo.py,,\n"}, zipfile.ZIP_STORED))
    at = right.rindex(changed) + len(changed) - 2
    if changed.startswith(b"PK"):
        at = right.rindex(changed) + 16 + 22  # what the last member may do
    wrong = right[:at] + bytes([right[at] ^ 1]) + right[at + 1 :]
    path = tmp_path / "demo-1.0-py3-none-any.whl"
    path.write_bytes(wrong)
    hashing = Range.hash

    def exchanged(self: Range, *arguments: Any) -> dict[str, str]:
        path.write_bytes(right)
        return hashing(self, *arguments)

    monkeypatch.setattr(Range, "hash", exchanged)
    found = read_wheel(Files(), Held(str(path)), "demo", ("sha256",), None)
    assert found.hashes["sha256"] == hashlib.sha256(right).hexdigest()
    assert not found.certain


def test_a_member_between_members_is_seen(tmp_path: Path) -> None:
    """An installer that reads from the beginning sees it; the directory does not have it."""
    whole_archive = zipped({"demo.py": b"1", "hidden.py": b"evil", RECORD: b""}, zipfile.ZIP_STORED)
    begin, after = central(whole_archive, 1), central(whole_archive, 2)
    data = whole_archive[:begin] + whole_archive[after:]
    patched(data, end(data) + 8, "<2H", 2, 2)
    length = struct.unpack_from("<L", data, end(data) + 12)[0] - (after - begin)
    patched(data, end(data) + 12, "<L", length)
    found = whole(tmp_path, bytes(data))
    assert kinds(found) == {"hidden-member"} and not found.certain


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("../evil.py", "parent"),
        ("a/../../evil.py", "parent"),
        ("/etc/evil", "absolute"),
        ("C:/evil.py", "drive"),
        ("a\\evil.py", "backslash"),
        ("./evil.py", "odd-name"),
        ("a//evil.py", "odd-name"),
        ("a\x1bevil.py", "odd-name"),
    ],
)
def test_a_member_that_no_installer_writes_is_in_no_manifest(name: str, kind: str, tmp_path: Path) -> None:
    data = bytes(wheel(**{"X" * len(name): b"evil"})).replace(b"X" * len(name), name.encode())
    found = whole(tmp_path, data)
    assert kinds(found) == {kind} and found.certain
    assert name not in {entry.name for entry in found.archive.safe}


def test_the_last_of_several_members_of_one_name_counts(tmp_path: Path) -> None:
    data = bytes(zipped({"m1.py": b"first", "m2.py": b"second!", RECORD: b""})).replace(b"m1.py", b"m2.py")
    found = whole(tmp_path, data)
    assert kinds(found) == {"duplicate"} and found.certain
    assert found.contents["m2.py"].size == len(b"second!")


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    bomb = zipped({"demo.py": bytes(64 << 20), RECORD: b""})
    patched(bomb, central(bomb) + 24, "<L", 1000)  # the directory says less
    patched(bomb, 22, "<L", 1000)
    found = whole(tmp_path, bytes(bomb))
    assert "damaged" in kinds(found)
    assert "demo.py" not in found.contents


@settings(max_examples=200)
@given(st.binary(max_size=400))
def test_no_bytes_are_an_error(data: bytes) -> None:
    read(data)
    read(data + bytes(wheel()[-22:]))


def test_no_change_of_a_wheel_is_an_error(tmp_path: Path) -> None:
    """Bytes changed at random: it is hashed as it is, and what is certain is whole."""
    original = bytes(wheel(**{"data.bin": bytes(range(256))}))
    draw = random.Random(1)
    for _ in range(400):
        data = bytearray(original)
        for _ in range(draw.randint(1, 4)):
            data[draw.randrange(len(data))] = draw.randrange(256)
        found = whole(tmp_path, bytes(data))
        assert found.hashes["sha256"] == hashlib.sha256(data).hexdigest()
        if found.certain:
            assert set(found.contents) == {entry.name for entry in found.archive.safe}
            assert all(found.contents[entry.name].size == entry.size for entry in found.archive.safe)
