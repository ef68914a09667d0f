"""The decoders of Python's own library: encoded bytes in, decoded ones out, within bounds. A bomb is cut, not burst."""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from collections.abc import Callable

from envcheck.behavior.budget import MAX_VALUE, Budget, TooLarge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envcheck.model.nouns import TypeAlias

    Data: TypeAlias = "str | bytes"

_MEMORY = 64 << 20
"""What the dictionary of an lzma stream may take."""
_SLOW_PURE = frozenset({"base85", "ascii85"})
"""Decoders that are written in Python: work a byte."""
_SLOW_CODECS = frozenset({"idna", "punycode"})


class Undecodable(Exception):
    """The decoder refuses the data."""


def decode(step: str, data: Data, budget: Budget) -> Data:
    """One step of decoding. Raises `Undecodable`, `TooLarge` or `Spent`."""
    budget.step(1 + (len(data) // (4 if step in _SLOW_PURE else 512)))
    try:
        found = _STEPS[step](data)
    except (ValueError, LookupError, TypeError, EOFError, OSError, MemoryError, OverflowError, AssertionError) as error:
        raise Undecodable(str(error)) from None
    except Exception as error:
        # zlib.error, lzma.LZMAError, binascii.Error, struct.error: no common base.
        raise Undecodable(type(error).__name__) from None
    if len(found) > MAX_VALUE:
        budget.cut(f"something in it unpacks to more than {MAX_VALUE:,} bytes")
        raise TooLarge
    budget.take(len(found))
    return found


def step_of(name: str, codec: str | None = None) -> str | None:
    """The step that a function of this canonical name takes (``base64.b64decode``); ``codec`` for `codecs.decode`."""
    if name in ("codecs.decode", "codecs.getdecoder()"):
        return step_of_codec(codec)
    return FUNCTIONS.get(name)


def step_of_codec(codec: str | None) -> str | None:
    """The step that a codec takes which is none of text: ``rot13``, ``hex``, ``zlib``."""
    if codec is None:
        return None
    plain = codec.lower().replace("-", "_").removesuffix("_codec")
    return _CODECS.get(plain.replace("_", ""))


def text_codec(codec: str, size: int) -> str | None:
    """A codec's name where it is one that text may be decoded or encoded by here."""
    plain = codec.lower().replace("-", "_")
    if not re.fullmatch("[a-z0-9_]{1,24}", plain) or step_of_codec(codec) is not None:
        return None
    return None if plain in _SLOW_CODECS and size > 10_000 else plain


def _bytes(data: Data) -> bytes:
    return data.encode("latin-1") if isinstance(data, str) else data


def _zlib(bits: int) -> Callable[[Data], bytes]:
    def unpack(data: Data) -> bytes:
        import zlib

        found, rest = b"", _bytes(data)
        while rest:
            stream = zlib.decompressobj(bits)
            found += stream.decompress(rest, MAX_VALUE + 1 - len(found))
            if len(found) > MAX_VALUE:
                return found
            if not stream.eof:
                raise ValueError("cut")
            # gzip: one member after another.
            rest = stream.unused_data.lstrip(b"\0") if bits == 31 else b""
        return found

    return unpack


def _bz2(data: Data) -> bytes:
    import bz2

    return bz2.BZ2Decompressor().decompress(_bytes(data), MAX_VALUE + 1)


def _lzma(data: Data) -> bytes:
    import lzma

    return lzma.LZMADecompressor(memlimit=_MEMORY).decompress(_bytes(data), MAX_VALUE + 1)


def _rot13(data: Data) -> str:
    return codecs.decode(data if isinstance(data, str) else data.decode("latin-1"), "rot13")


def _quoted(data: Data) -> bytes:
    return binascii.a2b_qp(_bytes(data))


def _uu(data: Data) -> bytes:
    return codecs.decode(_bytes(data), "uu")


_STEPS: dict[str, Callable[[Data], Data]] = {
    "base64": lambda data: base64.b64decode(_bytes(data)),
    "base64 (url-safe)": lambda data: base64.urlsafe_b64decode(_bytes(data)),
    "base32": lambda data: base64.b32decode(_bytes(data)),
    "base16": lambda data: base64.b16decode(_bytes(data), casefold=True),
    "base85": lambda data: base64.b85decode(_bytes(data)),
    "ascii85": lambda data: base64.a85decode(_bytes(data), adobe=_bytes(data).startswith(b"<~")),
    "hex": lambda data: binascii.unhexlify(b"".join(_bytes(data).split())),
    "zlib": _zlib(15),
    "deflate": _zlib(-15),
    "gzip": _zlib(31),
    "bz2": _bz2,
    "lzma": _lzma,
    "rot13": _rot13,
    "quoted-printable": _quoted,
    "uuencode": _uu,
}

FUNCTIONS = {
    "base64.b64decode": "base64",
    "base64.standard_b64decode": "base64",
    "base64.urlsafe_b64decode": "base64 (url-safe)",
    "base64.decodebytes": "base64",
    "base64.decodestring": "base64",
    "binascii.a2b_base64": "base64",
    "base64.b32decode": "base32",
    "base64.b16decode": "base16",
    "base64.b85decode": "base85",
    "base64.a85decode": "ascii85",
    "binascii.unhexlify": "hex",
    "binascii.a2b_hex": "hex",
    "bytes.fromhex": "hex",
    "bytearray.fromhex": "hex",
    "zlib.decompress": "zlib",
    "gzip.decompress": "gzip",
    "bz2.decompress": "bz2",
    "lzma.decompress": "lzma",
    "binascii.a2b_qp": "quoted-printable",
    "quopri.decodestring": "quoted-printable",
    "zlib.decompressobj().decompress": "zlib",
    "bz2.BZ2Decompressor().decompress": "bz2",
    "lzma.LZMADecompressor().decompress": "lzma",
}
_CODECS = {
    "rot13": "rot13",
    "hex": "hex",
    "base64": "base64",
    "zlib": "zlib",
    "zip": "zlib",
    "bz2": "bz2",
    "quopri": "quoted-printable",
    "quotedprintable": "quoted-printable",
    "qp": "quoted-printable",
    "uu": "uuencode",
}
_MAGIC = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\0", "lzma"),
    (b"x\x9c", "zlib"),
    (b"x\xda", "zlib"),
    (b"x\x01", "zlib"),
    (b"x^", "zlib"),
)


def looks_like(data: Data) -> str | None:
    """The decoder whose output these bytes would be input of, by how they begin or what they are made of."""
    raw = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
    for magic, step in _MAGIC:
        if raw.startswith(magic):
            return step
    if len(raw) < 24:
        return None
    packed = b"".join(raw.split())
    if len(packed) % 2 == 0 and re.fullmatch(rb"[0-9a-fA-F]+", packed):
        return "hex"
    if len(packed) % 4 == 0 and re.fullmatch(rb"[A-Za-z0-9+/]+={0,2}", packed):
        return "base64"
    if len(packed) % 4 == 0 and re.fullmatch(rb"[A-Za-z0-9_-]+={0,2}", packed):
        return "base64 (url-safe)"
    if len(packed) % 8 == 0 and re.fullmatch(rb"[A-Z2-7]+={0,6}", packed):
        return "base32"
    return None
