"""Which bytes run for a module, and as what text: bytecode or source, and PEP 263; judged by real interpreters."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable

import pytest

from envcheck.formats import bytecode
from envcheck.formats.source import cookie, decode
from startup.rows import Row, marked
from startup.workshop import bytecode_of
from support.pythons import Interpreter, of_minor

RowOf = Callable[[Interpreter], Row]
BORDERS = ((3, 8), (3, 11), (3, 15))
"""The oldest and the newest, and where the hash of sources changed."""
STAMP = 1_700_000_000
SOURCE = marked('mark("source")\n').encode()


@pytest.fixture(params=BORDERS, ids="{0[0]}.{0[1]}".format)
def row(request: pytest.FixtureRequest, row_of: RowOf) -> Row:
    return row_of(of_minor(request.param))


def fields(flags: int, *numbers: int) -> tuple[int, bytes]:
    return flags, struct.pack("<II", *(number & 0xFFFFFFFF for number in numbers))


CASES: dict[str, tuple[tuple[int, bytes], tuple[str, ...], bool]] = {
    "the same time and size": (fields(0, STAMP, len(SOURCE)), (), True),
    "a second later": (fields(0, STAMP + 1, len(SOURCE)), (), False),
    "another size": (fields(0, STAMP, len(SOURCE) + 1), (), False),
    "a time that differs by 2**32": (fields(0, STAMP + 2**32, len(SOURCE)), (), True),
    "an unchecked hash": (fields(1, 1, 2), (), True),
    "an unchecked hash that is always checked": (fields(1, 1, 2), ("--check-hash-based-pycs", "always"), False),
    "a checked hash that is wrong": (fields(3, 1, 2), (), False),
    "a checked hash that is never checked": (fields(3, 1, 2), ("--check-hash-based-pycs", "never"), True),
    "a checked hash that is right": ((3, b""), (), True),
    "the check flag alone": (fields(2, STAMP, len(SOURCE)), (), True),
    "unknown flags": (fields(4, STAMP, len(SOURCE)), (), False),
}


@pytest.mark.parametrize("case", CASES)
def test_cached_bytecode_runs_or_not(row: Row, case: str) -> None:
    (flags, field), options, accepted = CASES[case]
    made = bytecode_of(row.interpreter)
    minor = row.interpreter.minor
    field = field or bytecode.source_hash(SOURCE, int.from_bytes(made.magic[:2], "little"), minor)
    source = row.write("m.py", SOURCE, STAMP)
    cached = row.write("__pycache__/m.cpython-{}{}.pyc".format(*minor), made.file(0, flags, field))
    row.write("a.pth", "import m\n")
    assert set(row.start(*options)) == {"P0" if accepted else "source"}
    flag = ("=".join(options),) if options else ()
    (entry,) = [entry for entry in row.plan(*flag).entries if entry.code == "import m"]
    assert entry.loads == str(cached if accepted else source)


@pytest.mark.parametrize(
    ("name", "flags", "environ", "taken"),
    [
        ("__pycache__/m.{tag}.opt-1.pyc", (), {}, False),
        ("__pycache__/m.{tag}.opt-1.pyc", ("-O",), {}, True),
        ("__pycache__/m.{tag}.opt-2.pyc", ("-OO",), {}, True),
        ("__pycache__/m.{tag}.opt-1.pyc", ("-OO",), {}, False),
        ("__pycache__/m.{tag}.pyc", ("-O",), {}, False),
        ("__pycache__/m.{tag}.opt-1.pyc", (), {"PYTHONOPTIMIZE": "1"}, True),
        ("__pycache__/m.{tag}.opt-1.pyc", ("-E",), {"PYTHONOPTIMIZE": "1"}, False),
        ("__pycache__/m.{tag}.pyc", (), {"PYTHONPYCACHEPREFIX": "{around}/cache"}, False),
        ("{around}/cache{site}/m.{tag}.pyc", (), {"PYTHONPYCACHEPREFIX": "{around}/cache"}, True),
        ("{around}/cache{site}/m.{tag}.pyc", ("-I",), {"PYTHONPYCACHEPREFIX": "{around}/cache"}, False),
        ("m.pyc", (), {}, False),
        ("__pycache__/m.cpython-27.pyc", (), {}, False),
    ],
)
def test_where_bytecode_is_looked_for(
    row: Row, name: str, flags: tuple[str, ...], environ: dict[str, str], taken: bool
) -> None:
    tag = "cpython-{}{}".format(*row.interpreter.version)
    path = name.format(tag=tag, around=row.around, site=row.site)
    source = row.write("m.py", SOURCE)
    cached = row.write(path, bytecode_of(row.interpreter).file(0, 1, bytes(8)))
    row.write("a.pth", "import m\n")
    assert set(row.start(*flags, **environ)) == {"P0" if taken else "source"}
    (entry,) = [entry for entry in row.plan(*flags, **environ).entries if entry.code == "import m"]
    assert entry.loads == str(cached if taken else source)


def test_bytecode_through_a_linked_cache(row: Row) -> None:
    tag = "cpython-{}{}".format(*row.interpreter.version)
    row.write("m.py", SOURCE)
    row.write(str(row.around / f"m.{tag}.pyc"), bytecode_of(row.interpreter).file(0, 1, bytes(8)))
    os.symlink(row.around, row.site / "__pycache__")
    row.write("a.pth", "import m\n")
    assert set(row.start()) == {"P0"}
    (entry,) = [entry for entry in row.plan().entries if entry.code == "import m"]
    assert entry.loads == str(row.site / "__pycache__" / f"m.{tag}.pyc")


@pytest.mark.parametrize("flags", [0, 1, 3])
def test_bytecode_without_source(row: Row, flags: int) -> None:
    path = row.write("m.pyc", bytecode_of(row.interpreter).file(0, flags, bytes(8)))
    row.write("a.pth", "import m\n")
    assert set(row.start()) == {"P0"}
    (entry,) = [entry for entry in row.plan().entries if entry.code == "import m"]
    assert entry.loads == str(path)


def test_a_cache_without_a_source_is_no_module(row: Row) -> None:
    tag = "cpython-{}{}".format(*row.interpreter.version)
    row.write(f"__pycache__/m.{tag}.pyc", bytecode_of(row.interpreter).file(0, 1, bytes(8)))
    row.write("a.pth", "import m\n")
    assert row.start() == row.planned().possible == []


def test_a_linked_source_has_its_cache_beside_the_link(row: Row) -> None:
    tag = "cpython-{}{}".format(*row.interpreter.version)
    row.write(str(row.around / "m.py"), SOURCE)
    os.symlink(row.around / "m.py", row.site / "m.py")
    cached = row.write(f"__pycache__/m.{tag}.pyc", bytecode_of(row.interpreter).file(0, 1, bytes(8)))
    row.write("a.pth", "import m\n")
    assert set(row.start()) == {"P0"}
    (entry,) = [entry for entry in row.plan().entries if entry.code == "import m"]
    assert entry.loads == str(cached)


# Text ---------------------------------------------------------------------------------------------------------------

SOURCES = {
    "utf-7": b"# coding: utf-7\n#+AAo-import evil\n",
    "unicode_escape": b"# coding: unicode_escape\n#\\nimport evil\n",
    "raw_unicode_escape": b"# coding: raw_unicode_escape\n#\\u000aimport evil\n",
    "unicode escapes of the word": b"# coding: unicode_escape\n\\x69mport evil\n",
    "rot13": b"# coding: rot13\nvzcbeg rivy\n",
    "hex": b"# coding: hex\n696d706f7274206576696c\n",
    "undefined": b"# coding: undefined\nimport evil\n",
    "idna": b"# coding: idna\nimport evil\n",
    "punycode": b"# coding: punycode\nimport evil\n-",
    "utf-16": b"# coding: utf-16\n" + "import evil\n".encode("utf-16-le"),
    "a name with a tail": b"# coding: utf-8-unix\nimport evil\n",
    "latin-1 with a tail": b"# coding: latin-1-dos\nx = '\xe9'\nimport evil\n",
    "underscores and capitals": b"# coding: UTF_8\nimport evil\n",
    "a second line behind a long first": b"#" + b" " * 9000 + b"\n# coding: utf-7\n#+AAo-import evil\n",
    "far out on the first line": b"#" + b" " * 9000 + b"coding: utf-7\n#+AAo-import evil\n",
    "a third line": b"#\n#\n# coding: utf-7\n#+AAo-import evil\n",
    "behind code": b"x = 1\n# coding: utf-7\n#+AAo-import evil\n",
    "behind a form feed": b"\f\n# coding: utf-7\n#+AAo-import evil\n",
    "behind carriage returns": b"#\r# coding: utf-7\r#+AAo-import evil\r",
    "a mark and utf-8": b"\xef\xbb\xbf# coding: utf-8\nimport evil\n",
    "a mark and another": b"\xef\xbb\xbf# coding: utf-7\n#+AAo-import evil\n",
    "vim's": b"# vim: set fileencoding=utf-7 :\n#+AAo-import evil\n",
    "the second of two": b"# coding= coding: utf-7\n#+AAo-import evil\n",
    "japanese": "# coding: shift_jis\nx = '\u8868'\nimport evil\n".encode("shift_jis"),
    "an escape sequence": b"# coding: iso2022_jp\n#\x1b$B\x1b(B\nimport evil\n",
    "a carriage return in a comment": b"# harmless\rimport evil\n",
}


@pytest.mark.parametrize("name", SOURCES)
def test_source_runs_as_the_text_that_its_cookie_makes_of_it(row: Row, name: str) -> None:
    row.write("m.py", SOURCES[name])
    row.write("evil.py", 'mark("evil")\n')
    row.write("a.pth", "import m\n")
    assert set(row.start()) <= set(row.planned().possible)


def test_a_tail_of_a_known_name_is_ignored() -> None:
    assert cookie(b"# coding: utf-8-unix\n") == "utf-8"
    assert cookie(b"# coding: iso_8859_1-dos\n") == "iso-8859-1"


def test_a_codec_that_takes_the_square_of_the_time_is_bounded() -> None:
    with pytest.raises(ValueError, match="10,000 bytes"):
        decode(b"# coding: punycode\n" + b"a" * 100_000 + b"-" + b"b" * 100_000)
