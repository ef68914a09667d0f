"""Code inside of code is taken out, layer by layer, each with its hash and its own account."""

from __future__ import annotations

import base64
import bz2
import codecs
import gzip
import hashlib
import lzma
import zlib
from collections.abc import Callable

import pytest

from envcheck.behavior.source import account_of_text
from envcheck.model.behavior import Account, Layer

CODE = "import os; os.system('x')"


ESCAPED = "".join(f"\\x{ord(character):02x}" for character in CODE)


SHIFTED = "".join(chr(ord(character) + 1) for character in CODE)


def layers(account: Account) -> list[Layer]:
    return [layer for inner in account.within() for layer in inner.layers]


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


LAYERED: dict[str, tuple[str, str]] = {
    "base64": (f"import base64; exec(base64.b64decode('{b64(CODE.encode())}'))", "base64"),
    "base32": (f"import base64; exec(base64.b32decode({base64.b32encode(CODE.encode())!r}))", "base32"),
    "base85": (f"import base64; exec(base64.b85decode({base64.b85encode(CODE.encode())!r}))", "base85"),
    "ascii85": (f"import base64; exec(base64.a85decode({base64.a85encode(CODE.encode())!r}))", "ascii85"),
    "hex": (f"exec(bytes.fromhex('{CODE.encode().hex()}'))", "hex"),
    "zlib": (f"import zlib; exec(zlib.decompress({zlib.compress(CODE.encode())!r}))", "zlib"),
    "gzip": (f"import gzip; exec(gzip.decompress({gzip.compress(CODE.encode(), mtime=0)!r}))", "gzip"),
    "bz2": (f"import bz2; exec(bz2.decompress({bz2.compress(CODE.encode())!r}))", "bz2"),
    "lzma": (f"import lzma; exec(lzma.decompress({lzma.compress(CODE.encode())!r}))", "lzma"),
    "rot13": (f"import codecs; exec(codecs.decode({codecs.encode(CODE, 'rot13')!r}, 'rot13'))", "rot13"),
    "reversed": (f"exec({CODE[::-1]!r}[::-1])", "reversed"),
    "chr": (f"exec(''.join(chr(c) for c in {[ord(c) for c in CODE]}))", "character codes"),
    "bytes": (f"exec(bytes({list(CODE.encode())}))", "character codes"),
    "map": (f"exec(''.join(map(chr, {[ord(c) for c in CODE]})))", "character codes"),
    "xor": (f"exec(''.join(chr(c ^ 42) for c in {[ord(c) ^ 42 for c in CODE]}))", "xor"),
    "xor-loop": (f"s = ''\nfor c in {[ord(c) ^ 42 for c in CODE]}:\n  s += chr(c ^ 42)\nexec(s)", "xor"),
    "while-loop": (
        f"d = {[ord(c) + 3 for c in CODE]}\ni = 0\ns = ''\nwhile i < len(d):\n  s += chr(d[i] - 3)\n  i += 1\nexec(s)",
        "character codes",
    ),
    "function": (
        f"def d(s, k):\n  return ''.join(chr(ord(c) - k) for c in s)\nexec(d({SHIFTED!r}, 1))",
        "character codes",
    ),
    "every-second": (f"exec({''.join(c + 'z' for c in CODE)!r}[::2])", "every second character"),
    "eval-compile": (f"import base64; eval(compile(base64.b64decode('{b64(CODE.encode())}'), 'x', 'exec'))", "base64"),
    "hidden-exec": (
        f"getattr(__builtins__, 'ex' + 'ec')(__import__('base64').b64decode('{b64(CODE.encode())}'))",
        "base64",
    ),
    "guessed": (f"unknown('{b64((CODE + chr(10)).encode() * 4)}')", "base64"),
    "python -c": (f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {CODE!r}])", "python -c"),
    "shell": ("import os; os.system('python3 -c \"import os; os.remove(1)\"')", "python -c"),
    "unicode-escape": (f"exec({ESCAPED!r}.encode().decode('unicode_escape'))", "exec"),
}  # fmt: skip


@pytest.mark.parametrize("form", LAYERED)
def test_code_in_another_form_is_taken_out(form: str) -> None:
    text, step = LAYERED[form]
    found = layers(account_of_text(text))
    assert [layer for layer in found if step in layer.how], found
    layer = next(layer for layer in found if step in layer.how)
    assert layer.text is not None
    assert hashlib.sha256(layer.text.encode()).hexdigest() == layer.sha256
    assert layer.size == len(layer.text.encode())
    assert layer.account is not None
    assert layer.account.capabilities


@pytest.mark.parametrize("form", sorted(set(LAYERED) - {"guessed", "python -c", "shell", "unicode-escape"}))
def test_executing_what_was_decoded_is_told(form: str) -> None:
    account = account_of_text(LAYERED[form][0])
    assert "executes-decoded" in {flow.kind for flow in account.flows}
    assert {"decode", "dynamic-code", "process"} <= set(account.capabilities)


ENCODERS: list[Callable[[bytes], str]] = [
    lambda data: f"import base64; exec(base64.b64decode({base64.b64encode(data)!r}))",
    lambda data: f"import zlib; exec(zlib.decompress({zlib.compress(data)!r}))",
    lambda data: f"exec({data.decode()[::-1]!r}[::-1])",
]


def nested(depth: int) -> str:
    text = CODE
    for number in range(depth):
        text = ENCODERS[number % len(ENCODERS)](text.encode())
    return text


def test_layers_in_layers_are_followed() -> None:
    account = account_of_text(nested(6))
    assert account.understood
    assert len(layers(account)) == 6
    assert "process" in account.capabilities


def test_more_layers_than_are_followed_are_said_to_be() -> None:
    account = account_of_text(nested(12))
    assert "layers" in " ".join(str(inner.why) for inner in account.within())
    assert "executes-decoded" in {flow.kind for flow in account.flows}


def test_a_child_process_that_decodes_and_executes_is_seen_in_its_layer() -> None:
    inner = f"import base64; exec(base64.b64decode('{b64(CODE.encode())}'))"
    account = account_of_text(f'import os, subprocess, sys; subprocess.Popen([sys.executable, "-c", "{inner}"])')
    assert {"process", "decode", "dynamic-code"} <= set(account.capabilities)
    assert [layer.how for layer in layers(account)] == [("python -c",), ("base64", "exec")]
    assert [layer.text for layer in layers(account)] == [inner, CODE]


@pytest.mark.parametrize(
    "bomb",
    [
        f"import zlib; exec(zlib.decompress({zlib.compress(bytes(30_000_000))!r}))",
        f"import bz2; exec(bz2.decompress({bz2.compress(bytes(30_000_000))!r}))",
        f"import lzma; exec(lzma.decompress({lzma.compress(bytes(30_000_000))!r}))",
    ],
    ids=["zlib", "bz2", "lzma"],
)
def test_a_decompression_bomb_is_cut_and_said_to_be(bomb: str) -> None:
    account = account_of_text(bomb)
    assert not account.understood
    assert "unpacks to more than" in str(account.why)
    assert {"decode", "dynamic-code"} <= set(account.capabilities)


def test_a_marshalled_blob_is_described_and_not_loaded() -> None:
    import marshal

    blob = marshal.dumps(compile(CODE, "x", "exec"))
    account = account_of_text(f"import marshal; exec(marshal.loads({blob!r}))")
    assert [layer.how for layer in account.layers] == [("marshal",)]
    assert account.layers[0].account is not None
    assert "process" in account.layers[0].account.capabilities
    assert "executes-decoded" in {flow.kind for flow in account.flows}
