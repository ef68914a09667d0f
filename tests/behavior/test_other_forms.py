"""Bytecode and native libraries are told by their names and strings alone."""

from __future__ import annotations

import importlib.util
import marshal
import struct
from collections.abc import Callable

import pytest

from envcheck.behavior.account import account_of_file

HEADER = importlib.util.MAGIC_NUMBER + bytes(12)


def pyc(text: str) -> bytes:
    return HEADER + marshal.dumps(compile(text, "x.py", "exec"))


@pytest.mark.parametrize(
    ("text", "capability"),
    [
        ("import os\nos.system('x')", "process"),
        ("from os import system\nsystem('x')", "process"),
        ("import os\ndef f():\n  os.system('x')", "process"),
        ("import subprocess\nsubprocess.Popen('x')", "process"),
        ("import urllib.request\nurllib.request.urlopen('https://c2.example/')", "network"),
        ("import base64\nexec(base64.b64decode('x'))", "decode"),
        ("import base64\nexec(base64.b64decode('x'))", "dynamic-code"),
        ("import ctypes\nctypes.CDLL('x')", "native-code"),
        ("import sys\nsys.meta_path.append(1)", "import-machinery"),
        ("open('/root/.aws/credentials')", "credentials"),
        ("import os\nprint(os.environ)", "environment"),
    ],
)
def test_bytecode_is_told_by_its_names(text: str, capability: str) -> None:
    account = account_of_file("x.pyc", pyc(text))
    assert account.form == "bytecode"
    assert account.understood
    assert capability in account.capabilities


def test_plain_bytecode_has_no_capability() -> None:
    assert account_of_file("x.pyc", pyc("import os\nx = os.path.join('a', 'b')")).capabilities == ()


def test_bytecode_under_any_name_is_known_by_its_magic_number() -> None:
    assert account_of_file("x.py", pyc("import os\nos.system('x')")).form == "bytecode"


@pytest.mark.parametrize("data", [HEADER, HEADER + b"\xe3", b"\0" * 40, b"", HEADER + b")\x01" * 5_000 + b"N"])
def test_damaged_bytecode_is_not_understood(data: bytes) -> None:
    account = account_of_file("x.pyc", data)
    assert not account.understood
    assert account.why


def test_code_in_a_constant_of_bytecode_is_taken_out() -> None:
    import base64

    inner = base64.b64encode(b"import os\nos.system('https://c2.example')\n" * 2).decode()
    account = account_of_file("x.pyc", pyc(f"import base64\nexec(base64.b64decode({inner!r}))"))
    assert "executes-decoded" in {flow.kind for flow in account.flows}
    assert [layer.how[0] for layer in account.layers] == ["base64"]


def library(symbols: list[str], text: bytes) -> bytes:
    """A shared library that takes these symbols from others, as far as section headers tell."""
    names = b"\0" + b"".join(symbol.encode() + b"\0" for symbol in symbols)
    rows, at = struct.pack("<IBBHQQ", 0, 0, 0, 0, 0, 0), 1
    for symbol in symbols:
        rows += struct.pack("<IBBHQQ", at, 0x12, 0, 0, 0, 0)
        at += len(symbol) + 1
    header = 64
    sections = [(0, 0, 0, 0, 0), (1, 11, header, len(rows), 2), (1, 3, header + len(rows), len(names), 0)]
    table = b"".join(
        struct.pack("<IIQQQQIIQQ", name, kind, 0, 0, offset, size, link, 0, 0, 24)
        for name, kind, offset, size, link in sections
    )
    body = rows + names + text
    head = b"\x7fELF\x02\x01\x01" + bytes(9)
    head += struct.pack("<HHIQQQIHHHHHH", 3, 0x3E, 1, 0, 0, header + len(body), 0, 64, 56, 0, 64, 3, 2)
    return head + body + table  # fmt: skip


def test_a_native_library_is_told_by_the_symbols_that_it_takes() -> None:
    account = account_of_file("x.so", library(["system", "connect", "PyRun_SimpleString"], b"\0https://c2.example/x\0"))
    assert account.form == "native"
    assert {"process", "network", "dynamic-code"} <= set(account.capabilities)
    assert [indicator.value for indicator in account.indicators] == ["https://c2.example/x"]


def test_strings_of_a_native_library_tell_what_it_looks_for() -> None:
    account = account_of_file("x.so", library([], b"\0/root/.ssh/id_rsa\0"))
    assert account.capabilities == ("credentials",)


def test_a_file_that_is_no_library_is_read_as_source() -> None:
    assert account_of_file("x.so", b"no library").form == "source"


def windows_library(*functions: str) -> bytes:
    """A DLL of 64 bits with one section, whose import table takes functions of one library."""
    base, at = 0x1000, 0x200
    names, places = b"", []
    start = 40 + 8 * (len(functions) + 1)
    for function in functions:
        places.append(base + start + len(names))
        names += b"\0\0" + function.encode() + b"\0"
    table = struct.pack("<IIIII", base + 40, 0, 0, base + start + len(names), base + 40) + bytes(20)
    table += b"".join(struct.pack("<Q", place) for place in places) + bytes(8) + names + b"ws2_32.dll\0"
    head = b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + struct.pack("<HH12xHH", 0x8664, 1, 240, 0x2022)
    optional = struct.pack("<H", 0x20B) + bytes(118) + struct.pack("<II", base, 40)
    head += optional + bytes(240 - len(optional))
    head += b".idata\0\0" + struct.pack("<IIII", len(table), base, len(table), at) + bytes(16)
    return head + bytes(at - len(head)) + table


def mac_library(*functions: str) -> bytes:
    """A dylib of 64 bits whose symbol table has these undefined, and one of its own."""
    names, rows = b"\0", b""
    for name, kind in (*((f"_{function}", 0x01) for function in functions), ("_fork", 0x0F)):
        rows += struct.pack("<IBBHQ", len(names), kind, 0, 0, 0)
        names += name.encode() + b"\0"
    at = 32 + 24
    command = struct.pack("<IIIIII", 2, 24, at, len(functions) + 1, at + len(rows), len(names))
    return struct.pack("<IIIIIIII", 0xFEEDFACF, 0x0100000C, 0, 6, 1, 24, 0, 0) + command + rows + names


def universal(library: bytes) -> bytes:
    return struct.pack(">II", 0xCAFEBABE, 2) + struct.pack(">IIIII", 0x0100000C, 0, 64, len(library), 0) * 2 + bytes(
        16
    ) + library  # fmt: skip


def test_a_windows_library_is_told_by_its_import_table() -> None:
    account = account_of_file("x.pyd", windows_library("connect", "WinExec"))
    assert account.capabilities == ("process", "network")
    assert {use.means for use in account.uses} >= {"takes connect from a library", "takes WinExec from a library"}


@pytest.mark.parametrize("wrap", [bytes, universal], ids=["one architecture", "universal"])
def test_a_mac_library_is_told_by_its_undefined_symbols(wrap: Callable[[bytes], bytes]) -> None:
    account = account_of_file("x.so", wrap(mac_library("connect", "PyRun_SimpleString")))
    assert account.capabilities == ("network", "dynamic-code")


@pytest.mark.parametrize("library", [windows_library("connect"), universal(mac_library("connect"))])
def test_a_damaged_library_is_read_as_far_as_it_makes_sense(library: bytes) -> None:
    for at in range(0, len(library), 3):
        for value in (b"\0", b"\xff\xff\xff\xff"):
            account_of_file("x.pyd", library[:at] + value + library[at + len(value) :])
        account_of_file("x.pyd", library[:at])
