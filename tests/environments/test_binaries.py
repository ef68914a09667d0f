"""ELF, PE and Mach-O headers, real and hostile."""

from __future__ import annotations

import os
import struct
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envcheck.environments.libraries import OpenBinary, find_library
from envcheck.environments.version import read_patchlevel, read_runtime
from envcheck.files.root import Files
from envcheck.formats.binary import Binary, read_binary, section_bytes, symbol_value
from environments.trees import write
from support.pythons import Interpreter
from support.venvs import run


def reader(data: bytes):  # type: ignore[no-untyped-def]
    return lambda offset, size: data[offset : offset + size]


def exercise(data: bytes) -> Binary | None:
    """Everything that may be asked of a binary."""
    read = reader(data)
    binary = read_binary(read)
    if binary is not None:
        for section in binary.sections[:8]:
            section_bytes(read, section)
        symbol_value(read, binary, "Py_Version", 4)
    return binary


def elf(
    *, needed: tuple[str, ...] = (), runpath: str = "", rpath: str = "", constants: bytes = b"", interp: str = ""
) -> bytes:
    """A small 64-bit little-endian ELF file with a dynamic section and ``.rodata``."""
    strings = b"\0"
    tags = []
    for tag, texts in ((1, needed), (29, (runpath,)), (15, (rpath,))):
        for text in filter(None, texts):
            tags.append((tag, len(strings)))
            strings += text.encode() + b"\0"
    at = 0x1000
    strings_at, interp_at = at, at + len(strings)
    loader = interp.encode() + b"\0" if interp else b""
    constants_at = interp_at + len(loader)
    tags += [(5, strings_at), (10, len(strings)), (0, 0)]
    dynamic = b"".join(struct.pack("<qQ", *tag) for tag in tags)
    dynamic_at = constants_at + len(constants)
    names = b"\0.rodata\0.shstrtab\0"
    names_at = dynamic_at + len(dynamic)
    sections_at = names_at + len(names)
    sections = bytes(64)
    sections += struct.pack("<IIQQQQIIQQ", 1, 1, 2, constants_at, constants_at, len(constants), 0, 0, 1, 0)
    sections += struct.pack("<IIQQQQIIQQ", 9, 3, 0, 0, names_at, len(names), 0, 0, 1, 0)
    end = sections_at + len(sections)
    programs = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, end, end, 4096)
    programs += struct.pack("<IIQQQQQQ", 2, 6, dynamic_at, dynamic_at, 0, len(dynamic), len(dynamic), 8)
    if interp:
        programs += struct.pack("<IIQQQQQQ", 3, 4, interp_at, interp_at, 0, len(loader), len(loader), 1)
    header = b"\x7fELF\2\1\1" + bytes(9)
    header += struct.pack("<HHIQQQIHHHHHH", 3, 0x3E, 1, 0, 64, sections_at, 0, 64, 56, len(programs) // 56, 64, 3, 2)
    return (header + programs).ljust(at, b"\0") + strings + loader + constants + dynamic + names + sections


def test_what_the_loader_is_told() -> None:
    needed = ("libpython3.12.so.1.0", "libc.so.6")
    binary = exercise(elf(needed=needed, runpath="$ORIGIN/../lib:/x", interp="/lib/ld.so"))
    assert binary is not None
    assert (binary.kind, binary.machine, binary.bits, binary.interp) == ("elf", "x86_64", 64, "/lib/ld.so")
    assert binary.needed == needed
    assert (binary.runpath, binary.rpath) == (("$ORIGIN/../lib", "/x"), ())


@pytest.mark.parametrize(
    ("head", "kind", "machine"),
    [
        (b"\xcf\xfa\xed\xfe" + struct.pack("<I", 0x0100000C), "mach-o", "arm64"),
        (b"\xca\xfe\xba\xbe" + struct.pack(">I", 2), "mach-o", "universal2"),
        (b"MZ" + bytes(58) + b"\x40\0\0\0PE\0\0\x64\x86", "pe", "amd64"),
    ],
)
def test_other_systems_binaries_by_kind_and_machine(head: bytes, kind: str, machine: str) -> None:
    binary = exercise(head + bytes(64))
    assert binary is not None
    assert (binary.kind, binary.machine) == (kind, machine)


@pytest.mark.parametrize(
    "data", [b"", b"\x7fELF", b"MZ", b"\xca\xfe\xba\xbe\0\0\0\x41", b"#!/bin/sh\n", b"\x7fELF\3\1" + bytes(60)]
)
def test_what_is_no_binary(data: bytes) -> None:
    assert exercise(data) is None


@given(st.binary(max_size=200), st.sampled_from([b"", b"\x7fELF\2\1\1", b"\x7fELF\1\2\1", b"MZ", b"\xcf\xfa\xed\xfe"]))
def test_any_bytes_give_facts_or_none(data: bytes, head: bytes) -> None:
    exercise(head + data)


@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(0, 0x1400), st.binary(min_size=1, max_size=8)), max_size=12))
def test_a_binary_with_any_damage_gives_facts_or_none(damage: list[tuple[int, bytes]]) -> None:
    data = bytearray(
        elf(needed=("libpython3.12.so.1.0",), runpath="/x", constants=b"\x003.12.4\0", interp="/lib/ld.so")
    )
    for at, piece in damage:
        data[at : at + len(piece)] = piece
    exercise(bytes(data))


def test_any_real_program_is_read() -> None:
    with OpenBinary(Files(), os.path.realpath(sys.executable)) as (_, binary):
        assert binary is not None


def test_the_platform_and_library_of_a_real_interpreter(interpreter: Interpreter) -> None:
    runtime = read_runtime(Files(), interpreter.path)
    assert runtime is not None
    assert (runtime.version, runtime.minor) == (interpreter.text, interpreter.minor)
    if sys.platform == "linux":
        ask = "import os; print(os.confstr('CS_GNU_LIBC_VERSION'))"  # its own, which need not be the machine's
        name, version = run([interpreter.path, "-I", "-S", "-c", ask]).split()
        assert runtime.platform == f"linux-{os.uname().machine}-{name}{version}"


# Versions ---------------------------------------------------------------------------------------------------------


def version_of(place: Path, constants: bytes, minor: str = "3.9") -> str | None:
    program = write(place / f"bin/python{minor}", elf(constants=constants))
    runtime = read_runtime(Files(), str(program))
    assert runtime is not None
    return runtime.version


@pytest.mark.parametrize(
    ("constants", "version"),
    [
        (b"\x003.9.18\0", "3.9.18"),
        (b"\x003.9.0rc2+\0", "3.9.0rc2"),
        (b"\0/opt/3.9.18\0", "3.9.18"),  # the linker has merged it into the prefix
        (b"\0/opt/3.9.1\0x\x003.9.18\0", "3.9.18"),
        (b"\0/opt/3.9.1\0/x/3.9.18\0", None),
        (b"\x0013.9.18\0", None),
        (b"\x001.3.9.18\0", None),
        (b"\x003.9.18 (main)\0", None),
        (b"\x003.10.2\0", None),
    ],
)
def test_the_version_among_the_constants(tmp_path: Path, constants: bytes, version: str | None) -> None:
    assert version_of(tmp_path, constants) == version


def test_a_library_is_found_as_the_loader_finds_it(tmp_path: Path) -> None:
    program = write(tmp_path / "bin/python3")
    for name in ("lib", "far", "env"):
        write(tmp_path / name / "libpython3.9.so.1.0")

    def found(binary: bytes, library_path: str = "", name: str = "libpython3.9.so.1.0") -> str | None:
        facts = read_binary(reader(binary))
        assert facts is not None
        path = find_library(Files(), name, str(program), facts, library_path)
        return None if path is None else os.path.relpath(os.path.realpath(path), tmp_path).split("/")[0]

    assert found(elf(runpath="$ORIGIN/../lib")) == "lib"
    assert found(elf(runpath="${ORIGIN}/../lib"), f"{tmp_path}/env") == "env"
    assert found(elf(rpath=f"{tmp_path}/far"), f"{tmp_path}/env") == "far"
    assert found(elf(rpath=f"{tmp_path}/far", runpath=f"{tmp_path}/lib")) == "lib"
    assert found(elf(), name="$ORIGIN/../lib/libpython3.9.so.1.0") == "lib"
    assert found(elf(runpath="lib:.")) is None


def test_patchlevel_h(tmp_path: Path) -> None:
    header = tmp_path / "patchlevel.h"
    for text, version in (
        ('#define PY_VERSION\t"3.12.4"\n', "3.12.4"),
        ('# define PY_VERSION "3.15.0a1+"\n', "3.15.0a1"),
        ('#define PY_VERSION "3.12"\n', None),
        ('/* PY_VERSION "3.12.4" */\n', None),
        ("", None),
    ):
        write(header, text)
        assert read_patchlevel(Files(), str(header)) == version
