"""Wheels that are carelessly or oddly made: what real pip and real uv install of them is no attack, and is told as odd.

Each is built here. The lock names it, so that its bytes are what was asked for, however odd they are.
"""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from support import scanning
from support.anchoring import Project, make_project
from support.pythons import Interpreter
from support.venvs import Venv, make_venv, need_tool, quiet_environ
from support.wheels import Member, Wheel, build_odd_wheel

CODE = b"VALUE = 1\n"
Rows = Callable[[list[str]], list[str]]


def hashed(row: str, field: str) -> str:
    """A row with another hash field."""
    name, _, size = row.rsplit(",", 2)
    return f"{name},{field},{size}"


def first(change: Callable[[str], list[str]]) -> Rows:
    """Change RECORD's first row."""
    return lambda rows: [*change(rows[0]), *rows[1:]]


def digest(algorithm: str) -> str:
    raw = hashlib.new(algorithm, CODE).digest()
    return f"{algorithm}={base64.urlsafe_b64encode(raw).rstrip(b'=').decode()}"


class Odd(NamedTuple):
    """An odd wheel: members beside ``NAME/__init__.py``, its RECORD, and what is told of it."""

    name: str
    told: tuple[str, ...] = ()
    """Words of the evidence."""
    members: Callable[[str], list[Member]] = lambda name: []
    rows: Rows = lambda rows: rows
    entry_points: str = ""


def data(name: str, *rest: tuple[str, bytes]) -> list[Member]:
    return [Member(f"{name}-1.0.data/{path}", content) for path, content in rest]


MINOR = "{}.{}".format(*sys.version_info[:2])

ODD = [
    Odd("wronghash", ("another hash",), rows=first(lambda row: [hashed(row, "sha256=" + "A" * 43)])),
    Odd("norow", ("not listed",), rows=first(lambda row: [])),
    Odd("nohash", ("no hash",), rows=first(lambda row: [hashed(row, "")])),
    Odd("md5hash", ("weak hash (md5)",), rows=first(lambda row: [hashed(row, digest("md5"))])),
    Odd("sha1hash", ("weak hash (sha1)",), rows=first(lambda row: [hashed(row, digest("sha1"))])),
    Odd("sha512hash", rows=first(lambda row: [hashed(row, digest("sha512"))])),
    Odd("padded", rows=first(lambda row: [hashed(row, digest("sha256") + "=")])),
    Odd("hexhash", rows=first(lambda row: [hashed(row, "sha256=" + hashlib.sha256(CODE).hexdigest())])),
    Odd("nonsense", ("cannot be understood",), rows=first(lambda row: [hashed(row, "sha256=???")])),
    Odd("rowtwice", ("listed twice",), rows=first(lambda row: [row, row])),
    Odd("twohashes", ("listed twice",), rows=first(lambda row: [row, hashed(row, "sha256=" + "A" * 43)])),
    Odd("phantom", ("not in the wheel",), rows=lambda rows: ["phantom/gone.py,sha256=" + "A" * 43 + ",1", *rows]),
    Odd("crlf", rows=lambda rows: [row + "\r" for row in rows]),
    Odd("twins", ("case-twins",), lambda name: [Member("twins/A.py", b"A = 1\n"), Member("twins/a.py", b"a = 2\n")]),
    Odd("double", ("duplicate",), lambda name: [Member("double/m.py", b"A = 1\n"), Member("double/m.py", b"A = 2\n")]),
    Odd("linked", ("link",), lambda name: [Member("linked/other.py", b"__init__.py", 0o120777)]),
    Odd(
        "schemes",
        (),
        lambda name: data(
            name,
            ("purelib/schemes_pure.py", CODE),
            ("platlib/schemes_plat.py", CODE),
            ("data/share/schemes/text.txt", b"text\n"),
            ("headers/schemes.h", b"int schemes;\n"),
            ("scripts/schemes-run", b"#!python\nimport schemes\n"),
        ),
    ),
    Odd(
        "elsewhere",
        (),
        lambda name: data(
            name,
            (f"data/lib/python{MINOR}/site-packages/elsewhere_by_data.py", CODE),
            ("data/bin/elsewhere-tool", b"#!/bin/sh\nexit 0\n"),
            ("data/etc/elsewhere.conf", b"a = 1\n"),
        ),
    ),
    Odd("foreign", ("foreign-data",), lambda name: [Member("Foreign-1.0.data/purelib/foreign_pure.py", CODE)]),
    Odd(
        "over",
        ("duplicate",),
        lambda name: [Member("over/m.py", b"A = 1\n"), *data(name, ("purelib/over/m.py", b"A = 2\n"))],
    ),
    Odd(
        "shebangs",
        (),
        lambda name: data(
            name,
            ("scripts/shebang-u", b"#!python -u\nimport sys\n"),
            ("scripts/shebang-w", b"#!pythonw\nimport sys\n"),
            ("scripts/shebang-3", b"#!python3\nimport sys\n"),
            ("scripts/shebang-crlf", b"#!python\r\nimport sys\r\n"),
            ("scripts/shebang-sh", b"#!/bin/sh\nexit 0\n"),
            ("scripts/shebang-none", b"text\n"),
        ),
    ),
    Odd("accents", (), lambda name: [Member("accents/déjà_vu.py", CODE), Member("accents/数.txt", b"3\n")]),
    Odd("commas", (), lambda name: [Member('commas/a, "b".txt', b"text\n")]),
    Odd(
        "cached", (), lambda name: [Member("cached/__pycache__/__init__.cpython-36.pyc", b"\x33\x0d\r\n" + b"\0" * 20)]
    ),
    Odd(
        "named",
        (),
        lambda name: data(name, ("scripts/named-command", b"#!python\nimport named\n")),
        entry_points="[console_scripts]\nnamed-command = named:VALUE\n",
    ),
    Odd("columns", ("5 columns",), rows=lambda rows: ["a,b,c,d,e", *rows]),
    # uv reads every direct_url.json before it installs anything: this one is the last.
    Odd(
        "shipped",
        (),
        lambda name: [
            Member(f"shipped-1.0.dist-info/{file}", b"not yours\n")
            for file in ("INSTALLER", "REQUESTED", "direct_url.json")
        ],
    ),
]

HOSTILE = [
    Odd("parent", ("parent",), lambda name: [Member("../parent_evil.py", CODE)]),
    Odd("absolute", ("absolute",), lambda name: [Member("/tmp/absolute_evil.py", CODE)]),
    Odd("backslash", ("backslash",), lambda name: [Member("backslash\\evil.py", CODE)]),
]


def build(directory: Path, odd: Odd) -> Wheel:
    members = [Member(f"{odd.name}/__init__.py", CODE), *odd.members(odd.name)]
    return build_odd_wheel(directory, odd.name, members, rows=odd.rows, entry_points=odd.entry_points)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Wheel]:
    directory = tmp_path_factory.mktemp("odd")
    return {odd.name: build(directory, odd) for odd in ODD}


class Installed(NamedTuple):
    """All odd wheels that a tool takes, in one environment, and what it refuses."""

    tool: str
    venv: Venv
    project: Project
    refused: tuple[str, ...]


def try_to_install(tool: str, venv: Venv, wheel: Wheel) -> bool:
    """Whether pip or uv takes a wheel."""
    if tool == "pip":
        command = [sys.executable, "-I", "-m", "pip", "--python", str(venv.python), "install", "-q"]
    else:
        command = [need_tool("uv"), "pip", "install", "-q", "--python", str(venv.python), "--cache-dir"]
        command.append(str(venv.path.parent / "cache"))
    command += ["--no-index", "--no-deps", f"--find-links={wheel.path.parent}", f"{wheel.name}==1.0"]
    return not subprocess.run(command, env=quiet_environ(), capture_output=True, timeout=120).returncode


@pytest.fixture(scope="module", params=["pip", "uv"])
def installed(
    request: pytest.FixtureRequest,
    built: dict[str, Wheel],
    tmp_path_factory: pytest.TempPathFactory,
    interpreter: Interpreter,
) -> Installed:
    directory = tmp_path_factory.mktemp(request.param)
    venv = make_venv(directory / "venv", interpreter)
    refused = tuple(name for name, wheel in built.items() if not try_to_install(request.param, venv, wheel))
    return Installed(request.param, venv, make_project(directory / "project", built.values()), refused)


@pytest.fixture(params=["wheels", "file"])
def found(request: pytest.FixtureRequest, installed: Installed, tmp_path: Path) -> scanning.Scan:
    project = installed.project
    witness = project.with_wheels() if request.param == "wheels" else project.with_file()
    if request.param == "wheels":
        project.anchors.unlink(missing_ok=True)
    return scanning.scan(*witness, installed.venv.path, cwd=tmp_path)


def test_the_tools_install_nearly_all(installed: Installed) -> None:
    assert set(installed.refused) <= {"nonsense", "columns"}, installed.refused
    assert len(ODD) - len(installed.refused) >= 25


def test_all_that_was_installed_is_anchored_without_an_alarm(installed: Installed, found: scanning.Scan) -> None:
    there = {one["name"]: one["assurance"] for one in found.environment["distributions"]}
    assert set(there.values()) == {"anchored"}, found.told()
    assert set(there) == {odd.name for odd in ODD} - set(installed.refused)
    assert found.rules() <= {"archive-odd", "lock-missing"}, found.told()
    if found.environment["lock"]["anchors"] == "wheels":
        assert_each_is_told(installed, found)


def assert_each_is_told(installed: Installed, found: scanning.Scan) -> None:
    """The wheels are looked at; where only the anchors file is, its maker was told."""
    told = [one["evidence"] for one in found.findings if one["rule"] == "archive-odd"]
    texts = {one["name"]: " | ".join(one["odd"]) for one in told}
    for odd in ODD:
        if odd.name not in installed.refused:
            missing = [word for word in odd.told if word not in texts.get(odd.name, "")]
            assert not missing, (odd.name, texts.get(odd.name))
            assert odd.told or odd.name not in texts, texts[odd.name]


def test_who_makes_the_anchors_file_is_told_of_each(built: dict[str, Wheel], tmp_path: Path) -> None:
    ran = make_project(tmp_path / "project", built.values()).anchor()
    assert ran.code == 0
    for odd in ODD:
        assert (f"{odd.name}-1.0-py3-none-any.whl" in ran.stderr) == bool(odd.told), odd.name


def test_any_of_them_that_is_edited_is_found(installed: Installed, tmp_path: Path) -> None:
    """However odd, a changed file is a changed file."""
    kept = {}
    for name in ("wronghash", "norow", "nohash", "double", "foreign", "shipped", "commas", "twohashes"):
        module = installed.venv.site / name / "__init__.py"
        kept[module] = module.read_bytes()
        module.write_bytes(CODE + b"# edited\n")
    try:
        found = scanning.scan(*installed.project.with_wheels(), installed.venv.path, cwd=tmp_path)
        for module in kept:
            assert set(found.at(module, severity="high")) & {"file-modified", "record-forged"}, (module, found.told())
    finally:
        for module, content in kept.items():
            module.write_bytes(content)


@pytest.mark.parametrize("tool", ["pip", "uv"])
@pytest.mark.parametrize("odd", HOSTILE, ids=lambda odd: odd.name)
def test_a_locked_wheel_that_reaches_outside_is_told(
    odd: Odd, tool: str, tmp_path: Path, interpreter: Interpreter
) -> None:
    wheel = build(tmp_path / "odd", odd)
    project = make_project(tmp_path / "project", [wheel])
    venv = make_venv(tmp_path / "venv", interpreter)
    took = try_to_install(tool, venv, wheel)
    found = scanning.scan(*project.with_wheels(), venv.path, cwd=tmp_path)
    if took:
        (one,) = [one for one in found.findings if one["rule"] == "archive-hostile"]
        assert odd.told[0] in one["evidence"]["odd"][0] and one["severity"] == "high"
        (only,) = found.environment["distributions"]
        assert only["assurance"] == "anchored", found.told()
    ran = project.anchor()
    assert ran.code == 1 and "archive-hostile" in ran.stderr and odd.told[0] in ran.stderr
