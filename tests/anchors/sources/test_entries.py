"""An entry of pip's old HTTP cache: where the body lies, of any MessagePack, at any cost an attacker can make."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.anchors.sources.cachecontrol import HEAD, PREFIX, body_range

BODY = b"PK\x03\x04 the body"


def packed(value: Any) -> bytes:
    """MessagePack, in the shortest form, as its library writes it (https://github.com/msgpack/msgpack spec.md)."""
    if value is None or value is True or value is False:
        return {None: b"\xc0", False: b"\xc2", True: b"\xc3"}[value]
    if isinstance(value, int):
        if 0 <= value < 128:
            return bytes([value])
        return b"\xce" + struct.pack(">I", value) if value >= 0 else b"\xd3" + struct.pack(">q", value)
    if isinstance(value, float):
        return b"\xcb" + struct.pack(">d", value)
    if isinstance(value, bytes):
        return sized(len(value), (0xC4, 0xC5, 0xC6)) + value
    if isinstance(value, str):
        data = value.encode()
        return (bytes([0xA0 | len(data)]) if len(data) < 32 else sized(len(data), (0xD9, 0xDA, 0xDB))) + data
    if isinstance(value, list):
        head = bytes([0x90 | len(value)]) if len(value) < 16 else b"\xdc" + struct.pack(">H", len(value))
        return head + b"".join(map(packed, value))
    head = bytes([0x80 | len(value)]) if len(value) < 16 else b"\xde" + struct.pack(">H", len(value))
    return head + b"".join(packed(key) + packed(item) for key, item in value.items())


def sized(size: int, kinds: tuple[int, int, int]) -> bytes:
    if size < 256:
        return bytes([kinds[0], size])
    return bytes([kinds[1]]) + struct.pack(">H", size) if size < 65536 else bytes([kinds[2]]) + struct.pack(">I", size)


def entry(document: Any) -> bytes:
    return PREFIX + packed(document)


def body_in(data: bytes) -> bytes | None:
    found = body_range(data[:HEAD])
    return None if found is None else data[found[0] : found[0] + found[1]]


TEXT = st.text(max_size=40)
PLAIN = st.none() | st.booleans() | st.integers(-(2**40), 2**31) | st.floats() | TEXT | st.binary(max_size=300)
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=4
)


@given(
    st.binary(max_size=400),
    st.dictionaries(TEXT.filter(lambda name: name != "body"), PLAIN | st.dictionaries(TEXT, TEXT, max_size=20)),
    st.dictionaries(TEXT.filter(lambda name: name != "response"), PLAIN),
    st.integers(0, 3),
)
def test_the_body_is_found_wherever_it_stands(
    body: bytes, rest: dict[str, Any], around: dict[str, Any], place: int
) -> None:
    pairs = list(rest.items())
    response = dict([*pairs[:place], ("body", body), *pairs[place:]])
    others = list(around.items())
    assert body_in(entry(dict([*others[:place], ("response", response), *others[place:]]))) == body


def test_a_body_that_is_longer_than_what_is_looked_at_is_told_by_its_length() -> None:
    data = entry({"response": {"body": bytes(300_000), "status": 200}})
    assert body_range(data[:HEAD]) == (data.index(bytes(100)), 300_000)


@pytest.mark.parametrize(
    "document",
    [
        {"response": {"status": 200}},
        {"response": {"body": "text"}},
        {"response": {"body": None}},
        {"response": [BODY]},
        {"request": {"body": BODY}},
        {"vary": {"response": {"body": BODY}}},
        {7: {"body": BODY}},
        [{"response": {"body": BODY}}],
        BODY,
    ],
)
def test_what_cachecontrol_does_not_write_has_no_body(document: Any) -> None:
    assert body_range(entry(document)) is None


def test_only_the_version_that_is_data_is_read() -> None:
    """``cc=1`` is a pickle."""
    good = entry({"response": {"body": BODY}})
    assert body_range(good) is not None
    for version in (b"cc=0,", b"cc=1,", b"cc=2,", b"cc=3,", b"cc=5,", b""):
        assert body_range(version + good[len(PREFIX) :]) is None


@given(st.binary(max_size=2000))
def test_any_bytes_are_read_without_harm(data: bytes) -> None:
    found = body_range(PREFIX + data)
    assert found is None or (found[0] >= len(PREFIX) and found[1] >= 0)


@given(
    st.lists(
        st.sampled_from(
            [
                b"\x81",
                b"\x8f",
                b"\xde\xff\xff",
                b"\xa8response",
                b"\xa4body",
                b"\xdc\xff\xff",
                b"\x90",
                b"\xc6\xff\xff\xff\xff",
                b"\xdb\xff\xff\xff\xff",
                b"\xc1",
                b"\xdf\xff\xff\xff\xff",
                b"\xc7",
            ]
        ),
        max_size=60,
    )
)
def test_any_order_of_beginnings_is_read_without_harm(pieces: list[bytes]) -> None:
    body_range(PREFIX + b"".join(pieces))


@pytest.mark.parametrize(
    "data",
    [b"\x81" * HEAD, b"\xde\xff\xff" * 20_000, b"\x81\xa1a" + b"\xdc\x03\xe8" * 20_000, b"\x81\xa1a" + b"\x91" * HEAD],
)
def test_nothing_nested_or_long_takes_long(data: bytes) -> None:
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    import sys

    sys.setprofile(count)
    try:
        assert body_range(PREFIX + data) is None
    finally:
        sys.setprofile(None)
    assert calls < 500_000
