"""The header of a ``.pyc``, and which bytes CPython runs."""

from __future__ import annotations

import importlib.util
import py_compile
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.formats import bytecode
from startup.trees import Place

OWN = sys.version_info[:2]
MAGIC = bytecode.MAGIC_NUMBERS[3, 11][0].to_bytes(2, "little") + b"\r\n"
SOURCE = "value = 1\n"
STAMP = 1_700_000_000


def u32(number: int) -> bytes:
    return (number & 0xFFFFFFFF).to_bytes(4, "little")


def test_the_table_holds_the_magic_number_of_the_interpreter_that_runs_this() -> None:
    low, high = bytecode.MAGIC_NUMBERS[OWN]
    assert low <= int.from_bytes(importlib.util.MAGIC_NUMBER[:2], "little") <= high


def test_a_header_made_by_py_compile_is_read(tmp_path: Path) -> None:
    source = tmp_path / "m.py"
    source.write_text(SOURCE)
    for mode in py_compile.PycInvalidationMode:
        data = Path(py_compile.compile(str(source), invalidation_mode=mode) or "").read_bytes()
        header = bytecode.read_header(data, OWN)
        assert header is not None
        if header.hash_based:
            assert header.source_hash == bytecode.source_hash(SOURCE.encode(), header.magic, OWN)
            assert header.check_source is (mode is py_compile.PycInvalidationMode.CHECKED_HASH)
        else:
            found = source.stat()
            assert bytecode.matches_stat(header, found.st_mtime, found.st_size)


@pytest.mark.parametrize(("rounds", "digest"), [((2, 4), "cbe1740903d74b4f"), ((1, 3), "afbd63b540c50649")])
def test_source_hashes_are_siphash_2_4_up_to_3_10_and_1_3_after(rounds: tuple[int, int], digest: str) -> None:
    # What _imp.source_hash(1, b"abc") gives in 3.8 to 3.10, and in 3.11 to 3.13.
    assert bytecode.siphash(1, b"abc", *rounds).hex() == digest


@given(st.binary(max_size=64), st.sampled_from(sorted(bytecode.MAGIC_NUMBERS)))
def test_any_bytes_are_a_header_or_none(data: bytes, minor: tuple[int, int]) -> None:
    bytecode.read_header(data, minor)


CASES = {
    "the same time and size": (u32(0) + u32(STAMP) + u32(len(SOURCE)), True),
    "a time of one second later": (u32(0) + u32(STAMP + 1) + u32(len(SOURCE)), False),
    "another size": (u32(0) + u32(STAMP) + u32(len(SOURCE) + 1), False),
    "an unchecked hash, whatever it is": (u32(1) + bytes(8), True),
    "a checked hash that is wrong": (u32(3) + bytes(8), False),
    "a checked hash that is right": (u32(3) + bytecode.source_hash(SOURCE.encode(), 3495, (3, 11)), True),
    "unknown flags": (u32(4) + u32(STAMP) + u32(len(SOURCE)), False),
    "the check flag alone, with the same time": (u32(2) + u32(STAMP) + u32(len(SOURCE)), True),
}


@pytest.mark.parametrize("case", CASES)
def test_cached_bytecode_runs_instead_of_its_source_for(case: str, tmp_path: Path) -> None:
    fields, accepted = CASES[case]
    place = Place(tmp_path)
    place.write("a.pth", "import m\n")
    source = place.write("m.py", SOURCE, mtime=STAMP)
    cached = place.write("__pycache__/m.cpython-311.pyc", MAGIC + fields + b"code")
    entry = place.entries()["import m"]
    assert entry.loads == str(cached if accepted else source)
    (file,) = entry.closure
    assert file.path == str(source) and file.loads == (str(cached) if accepted else None)


def test_bytecode_of_another_version_or_tag_is_not_taken(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.write("a.pth", "import m\n")
    source = place.write("m.py", SOURCE, mtime=STAMP)
    place.write("__pycache__/m.cpython-310.pyc", MAGIC + u32(1) + bytes(8))
    place.write("__pycache__/m.cpython-311.pyc", b"\x00\x01\r\n" + u32(1) + bytes(8))
    place.write("m.pyc", MAGIC + u32(1) + bytes(8))
    assert place.entries()["import m"].loads == str(source)


def test_optimised_bytecode_is_taken_under_the_flag_or_variable_only(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.write("a.pth", "import m\n")
    source = place.write("m.py", SOURCE)
    cached = place.write("__pycache__/m.cpython-311.opt-1.pyc", MAGIC + u32(1) + bytes(8))
    assert place.entries()["import m"].loads == str(source)
    assert place.entries("-O")["import m"].loads == str(cached)
    assert place.entries(PYTHONOPTIMIZE="1")["import m"].loads == str(cached)
    assert place.entries("-E", PYTHONOPTIMIZE="1")["import m"].loads == str(source)


def test_a_pycache_prefix_takes_the_place_of_pycache(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.write("a.pth", "import m\n")
    source = place.write("m.py", SOURCE)
    place.write("__pycache__/m.cpython-311.pyc", MAGIC + u32(1) + bytes(8))
    prefix = tmp_path / "prefix"
    assert place.entries(PYTHONPYCACHEPREFIX=str(prefix))["import m"].loads == str(source)
    cached = prefix / str(place.site).lstrip("/") / "m.cpython-311.pyc"
    cached.parent.mkdir(parents=True)
    cached.write_bytes(MAGIC + u32(1) + bytes(8))
    assert place.entries(PYTHONPYCACHEPREFIX=str(prefix))["import m"].loads == str(cached)
    assert place.entries(f"-Xpycache_prefix={prefix}")["import m"].loads == str(cached)


def test_bytecode_behind_a_linked_cache_directory_is_found(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.write("a.pth", "import m\n")
    place.write("m.py", SOURCE)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "m.cpython-311.pyc").write_bytes(MAGIC + u32(1) + bytes(8))
    (place.site / "__pycache__").symlink_to(elsewhere)
    assert place.entries()["import m"].loads == str(place.site / "__pycache__" / "m.cpython-311.pyc")
