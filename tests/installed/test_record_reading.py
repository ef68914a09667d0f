"""RECORD as it exists in the wild, and as nobody should write it."""

from __future__ import annotations

import base64
import csv
import hashlib
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envcheck.formats.record import Lookup, hash_field, hash_fields, names_directory, parse, read_hash
from envcheck.installed.places import Place

DIGEST = hashlib.sha256(b"x").digest()
B64 = base64.urlsafe_b64encode(DIGEST).decode()
PLACE = Place("/env/lib/python3.11/site-packages", "/env")

paths = st.text(st.characters(codec="utf-8", exclude_characters="\n\r\0"), min_size=1, max_size=30).filter(
    lambda text: text != "\ufeff" and not text.startswith("\ufeff")
)
odd_paths = st.lists(
    st.sampled_from(["a", "b.py", "..", ".", "", "c d", "\\", "lib", "python3.11", "site-packages", 'q"', ","]),
    min_size=1,
    max_size=6,
).map("/".join)


def rows(data: bytes) -> list[tuple[str, str]]:
    found = parse(data)
    return [pair for pair in zip(found.paths, found.hashes, strict=True) if pair[0]]


def test_reads_the_rows_that_pip_and_uv_write() -> None:
    assert rows(b"a/b.py,sha256=abc,12\na/__pycache__/b.pyc,,\na-1.dist-info/RECORD,,\n") == [
        ("a/b.py", "sha256=abc"),
        ("a/__pycache__/b.pyc", ""),
        ("a-1.dist-info/RECORD", ""),
    ]


def test_takes_crlf_a_byte_order_mark_and_no_final_newline() -> None:
    assert rows(b"\xef\xbb\xbfa.py,sha256=x,1\r\nb.py,,\r\nc.py,,") == [
        ("a.py", "sha256=x"),
        ("b.py", ""),
        ("c.py", ""),
    ]


def test_takes_one_to_four_columns_and_refuses_more() -> None:
    found = parse(b"a\nb,sha256=x\nc,sha256=y,1\nd,sha256=z,1,more\ne,f,g,h,i\n")
    assert [pair for pair in zip(found.paths, found.hashes, strict=True) if pair[0]] == [
        ("a", ""),
        ("b", "sha256=x"),
        ("c", "sha256=y"),
        ("d", "sha256=z"),
    ]
    assert found.invalid == ((5, "5 columns"),)


def test_takes_quoted_paths_with_commas_quotes_and_newlines() -> None:
    found = parse(b'"a,b.py",sha256=x,1\n"say ""hi"".py",sha256=y,2\n"new\nline.py",,\nlast.py,,\n')
    assert found.paths == ["a,b.py", 'say "hi".py', "new\nline.py", "last.py"]
    assert [found.line(index) for index in range(4)] == [1, 2, 3, 5]


def test_says_which_row_has_a_nul() -> None:
    assert parse(b"a.py,,\nb\0.py,sha256=x,1\n").invalid == ((2, "a path with a NUL character"),)


def test_a_field_over_the_bound_of_csv_is_invalid_and_no_error() -> None:
    assert parse(b'"' + b"a" * 200_000 + b'",,\nb.py,,\n').invalid


def test_undecodable_names_survive() -> None:
    assert rows(b"caf\xe9.py,,\n") == [("caf\udce9.py", "")]


@given(st.binary(max_size=400))
def test_any_bytes_are_read_without_an_error(data: bytes) -> None:
    found = parse(data)
    assert len(found.paths) == len(found.hashes)
    for index in range(len(found.paths)):
        assert found.line(index) >= 1


@given(st.lists(st.tuples(paths, st.sampled_from(["", "sha256=" + B64, "md5=x"]), st.sampled_from(["", "12"]))))
def test_what_csv_writes_is_read_back(written: list[tuple[str, str, str]]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(written)
    assert rows(text.getvalue().encode()) == [(path, field) for path, field, _ in written]


@pytest.mark.parametrize(
    "value",
    [B64, B64.rstrip("="), DIGEST.hex(), DIGEST.hex().upper(), base64.b64encode(DIGEST).decode()],
    ids=["padded", "unpadded", "hex", "upper-case hex", "standard alphabet"],
)
def test_every_spelling_of_a_sha256_is_one_hash(value: str) -> None:
    assert read_hash("sha256=" + value) == ("strong", "sha256", DIGEST)


def test_stronger_hashes_prove_too() -> None:
    digest = hashlib.sha512(b"x").digest()
    assert read_hash("sha512=" + base64.urlsafe_b64encode(digest).decode()).digest == digest


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        ("", "none"),
        ("sha256=", "none"),
        ("md5=abc", "weak"),
        ("sha1=abc", "weak"),
        ("sha256=tooshort", "invalid"),
        ("sha256=" + "é" * 43, "invalid"),
        ("sha256", "invalid"),
        ("rot13=abc", "invalid"),
    ],
)
def test_what_proves_nothing_is_told_apart(field: str, kind: str) -> None:
    assert read_hash(field).kind == kind


@given(st.text(max_size=120))
def test_any_hash_field_is_read_without_an_error(field: str) -> None:
    assert read_hash(field).kind in ("strong", "weak", "none", "invalid")


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=9))
def test_many_digests_are_spelt_as_one_is(digests: list[bytes]) -> None:
    assert hash_fields(digests) == [hash_field(digest) for digest in digests]
    assert all(read_hash(field).digest == digest for field, digest in zip(hash_fields(digests), digests, strict=True))


def test_a_digest_that_is_none_matches_no_row() -> None:
    assert hash_fields([DIGEST, "unreadable", DIGEST])[1] == "-"


@settings(max_examples=400)
@given(st.lists(st.tuples(st.one_of(paths, odd_paths), st.sampled_from(["", "sha256=x"]))), st.one_of(paths, odd_paths))
def test_searching_the_bytes_finds_what_parsing_all_rows_finds(written: list[tuple[str, str]], wanted: str) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows((path, field, "") for path, field in written)
    data = text.getvalue().encode()
    for path in [wanted, *(path for path, _ in written)]:
        key = PLACE.key(path)
        if not key or names_directory(path):
            continue
        parsed = parse(data)
        whole = [
            field
            for row, field in zip(parsed.paths, parsed.hashes, strict=True)
            if row and PLACE.key(row) == key and not names_directory(row)
        ]
        assert sorted(Lookup(data).fields(key, PLACE.key)) == sorted(whole)
        top, slash, _ = key.partition("/")
        if whole and slash and top:
            assert Lookup(data).mentions(top)


@given(st.one_of(paths, odd_paths))
def test_no_row_leads_out_of_the_prefix(path: str) -> None:
    key = PLACE.key(path)
    if key is not None:
        absolute = PLACE.path(key)
        assert absolute.startswith("/env/")
        assert "/../" not in absolute + "/" or ".." not in absolute.split("/")


@pytest.mark.parametrize(
    ("row", "key"),
    [
        ("pkg/mod.py", "pkg/mod.py"),
        ("./pkg/mod.py", "pkg/mod.py"),
        ("pkg\\mod.py", "pkg/mod.py"),
        ("pkg//mod.py", "pkg/mod.py"),
        ("pkg/../mod.py", "mod.py"),
        ("../site-packages/mod.py", "mod.py"),
        ("../../../bin/x", "/env/bin/x"),
        ("/env/bin/x", "/env/bin/x"),
        ("/env/lib/python3.11/site-packages/mod.py", "mod.py"),
        ("../../../../etc/passwd", None),
        ("../../../../environment/x", None),
        ("/etc/passwd", None),
        ("//etc/passwd", None),
        ("C:\\Windows\\x", None),
        ("c:x", None),
    ],
)
def test_a_row_stands_for_one_place_or_none(row: str, key: str | None) -> None:
    assert PLACE.key(row) == key


def test_pip_install_target_records_scripts_two_directories_up() -> None:
    place = Place("/srv/target", "/srv/target", loose=True)
    assert place.key("../../bin/x") == "bin/x"
    assert place.key("bin/x") == "bin/x"
    assert place.key("../../../x") is None
    assert place.key("../x") is None
