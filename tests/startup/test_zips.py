"""Archives on ``sys.path`` by zipimport's own rules, which the real interpreters decide."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable

import pytest

from startup.rows import Row, marked
from startup.workshop import bytecode_of
from support.pythons import Interpreter, of_minor

RowOf = Callable[[Interpreter], Row]
BORDERS = ((3, 8), (3, 12), (3, 13), (3, 15))
"""zip64 and the number of members since 3.13, implicit directories since 3.14."""


@pytest.fixture(params=BORDERS, ids="{0[0]}.{0[1]}".format)
def row(request: pytest.FixtureRequest, row_of: RowOf) -> Row:
    row = row_of(of_minor(request.param))
    row.write("a.pth", "{around}/x.zip\n{around}/behind\nimport m\n")
    row.write(str(row.around / "behind" / "m.py"), 'mark("behind")\n')
    return row


def archive(members: dict[str, str | bytes], comment: bytes = b"", method: int = zipfile.ZIP_STORED) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", method) as made:
        for name, data in members.items():
            made.writestr(name, marked(data) if isinstance(data, str) else data)
        made.comment = comment
    return held.getvalue()


PLAIN = {"m.py": 'mark("zipped")\n'}


def ran(row: Row, data: bytes) -> list[str]:
    """What ran, which must be what the plan says."""
    row.write(str(row.around / "x.zip"), data)
    real = row.start()
    assert row.planned().certain == real
    return sorted(set(real))


def test_a_module_in_an_archive(row: Row) -> None:
    assert ran(row, archive(PLAIN)) == ["zipped"]
    assert ran(row, archive(PLAIN, method=zipfile.ZIP_DEFLATED)) == ["zipped"]


@pytest.mark.parametrize("prefix", [b"#!/bin/sh\n", b"PK\x05\x06" * 9, b"\0" * 100_000])
def test_any_bytes_before_it(row: Row, prefix: bytes) -> None:
    assert ran(row, prefix + archive(PLAIN)) == ["zipped"]


def test_a_comment(row: Row) -> None:
    assert ran(row, archive(PLAIN, b"a comment")) == ["zipped"]
    assert ran(row, archive(PLAIN, b"c" * 65535)) == ["zipped"]


def test_a_comment_that_looks_like_the_end(row: Row) -> None:
    other = archive({"m.py": 'mark("other")\n'})
    assert ran(row, archive(PLAIN, b"PK\x05\x06" + bytes(18))) in (["behind"], ["zipped"])
    assert ran(row, archive(PLAIN, other[:65535])) in (["other"], ["behind"], ["zipped"])


def test_bytes_behind_it(row: Row) -> None:
    assert ran(row, archive(PLAIN) + b"behind") == ["zipped"]


def test_flags_and_local_names_are_ignored(row: Row) -> None:
    data = bytearray(archive(PLAIN))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    data[30:34] = b"x.py"
    assert ran(row, bytes(data)) == ["zipped"]


def test_packages_come_first(row: Row) -> None:
    assert ran(row, archive({"m.py": 'mark("module")\n', "m/__init__.py": 'mark("package")\n'})) == ["package"]


def bytecode(row: Row, flags: int = 1, field: bytes = bytes(8), magic: bytes | None = None) -> bytes:
    """Bytecode that marks P0 by the generator's payload."""
    made = bytecode_of(row.interpreter)
    return (magic or made.magic) + flags.to_bytes(4, "little") + field + made.bodies[0]


def test_bytecode_comes_before_source(row: Row) -> None:
    row.write(str(row.around / "x.zip"), archive({**PLAIN, "m.pyc": bytecode(row)}))
    assert set(row.start()) == {"P0"}
    (entry,) = [entry for entry in row.plan().entries if entry.code == "import m"]
    assert entry.loads == str(row.around / "x.zip" / "m.pyc")


@pytest.mark.parametrize("where", ["m.pyc", "m/__init__.pyc"])
def test_bytecode_of_another_version_gives_way_to_the_next_form(row: Row, where: str) -> None:
    assert ran(row, archive({**PLAIN, where: bytecode(row, magic=b"\0\1\r\n")})) == ["zipped"]


@pytest.mark.parametrize("field", [bytes(8), struct.pack("<II", 1, len(marked(PLAIN["m.py"])))])
def test_stale_bytecode_gives_way_to_the_source(row: Row, field: bytes) -> None:
    assert ran(row, archive({**PLAIN, "m.pyc": bytecode(row, 0, field)})) == ["zipped"]


def test_what_is_no_archive_falls_through(row: Row) -> None:
    for data in (b"", b"no archive", b"PK\x05\x06", archive(PLAIN)[:-1], archive(PLAIN)[40:]):
        assert ran(row, data) == ["behind"]


def test_a_name_that_is_no_utf8(row: Row) -> None:
    data = archive({"\xe9\xe9.py": "", **PLAIN}).replace("\xe9\xe9".encode(), b"\xff\xff\xff\xff")
    row.write(str(row.around / "x.zip"), data)
    assert set(row.start()) <= set(row.planned().possible)


def test_a_number_of_members_that_is_wrong_is_refused_from_3_13_on(row: Row) -> None:
    data = bytearray(archive(PLAIN))
    at = data.rindex(b"PK\x05\x06")
    data[at + 8 : at + 10] = b"\2\0"
    assert ran(row, bytes(data)) == (["zipped"] if row.interpreter.minor < (3, 13) else ["behind"])


def test_zip64_is_read_from_3_13_on(row: Row) -> None:
    plain = archive(PLAIN)
    at, end = plain.index(b"PK\x01\x02"), plain.rindex(b"PK\x05\x06")
    header = bytearray(plain[at:end])
    size = struct.unpack_from("<I", header, 24)[0]
    header[20:28], header[42:46], header[30:32] = b"\xff" * 8, b"\xff" * 4, struct.pack("<H", 28)
    header += struct.pack("<HHQQQ", 1, 24, size, size, 0)
    wide = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, len(header), at)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, at + len(header), 1)
    last = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    data = plain[:at] + bytes(header) + wide + locator + last
    assert ran(row, data) == (["behind"] if row.interpreter.minor < (3, 13) else ["zipped"])


@pytest.mark.parametrize("entry", [True, False])
def test_a_namespace_in_an_archive_needs_an_entry_of_its_own_up_to_3_13(row: Row, entry: bool) -> None:
    row.write("a.pth", "{around}/x.zip\nimport ns.m\n")
    members: dict[str, str | bytes] = {"ns/": ""} if entry else {}
    expected = ["deep"] if entry or row.interpreter.minor >= (3, 14) else []
    assert ran(row, archive({**members, "ns/m.py": 'mark("deep")\n'})) == expected


def test_a_directory_in_an_archive_may_stand_on_sys_path(row: Row) -> None:
    row.write("a.pth", "{around}/x.zip/inner\nimport m\n")
    (row.around / "x.zip").write_bytes(archive({"inner/m.py": 'mark("inner")\n'}))
    # The path does not exist as a file: the line adds nothing.
    assert set(row.start()) == set(row.planned().possible) == set()


def test_data_that_is_damaged_fails(row: Row) -> None:
    data = bytearray(archive(PLAIN, method=zipfile.ZIP_DEFLATED))
    data[40:44] = b"\xff\xff\xff\xff"
    row.write(str(row.around / "x.zip"), bytes(data))
    assert set(row.start()) <= set(row.planned().possible)


def test_sitecustomize_in_an_archive_shadows_those_behind_it(row: Row) -> None:
    row.write("sitecustomize.py", 'mark("site")\n')
    row.write("a.pth", "import sys; sys.path.insert(0, '{around}/x.zip')\n")
    (row.around / "x.zip").write_bytes(archive({"sitecustomize.py": 'mark("zipped")\n'}))
    assert row.start() == row.planned().certain == ["zipped"]
    shadowed = next(entry for entry in row.plan().entries if entry.path == str(row.site / "sitecustomize.py"))
    assert shadowed.shadowed_by == str(row.around / "x.zip" / "sitecustomize.py")


def test_eggs_that_easy_install_puts_before_the_standard_library(row: Row) -> None:
    row.write("a.pth", "")
    row.write("one.egg/wave.py", 'mark("wave")\n')
    row.write("one.egg/sitecustomize.py", 'mark("custom")\n')
    row.write(
        "easy-install.pth",
        "import sys; sys.__plen = len(sys.path)\n./one.egg\n"
        "import sys; new=sys.path[sys.__plen:]; del sys.path[sys.__plen:]; "
        "p=getattr(sys,'__egginsert',0); sys.path[p:p]=new; sys.__egginsert = p+len(new)\n",
    )
    row.write("z.pth", "import wave\n")
    real = row.start()
    # 3.15 applies the path line before the line that counts how many there are.
    assert set(real) == ({"custom"} if row.interpreter.minor >= (3, 15) else {"wave", "custom"})
    assert set(real) <= set(row.planned().possible)
