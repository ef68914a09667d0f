"""Files that hang, exhaust or mislead their reader: a scan ends, tells what it did not see, and shows it safely."""

from __future__ import annotations

import json
import os
import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from support import scanning
from support.scanning import envcheck
from support.venvs import Venv

QUICK = 30.0
"""Seconds within which every scan here ends."""


def fifo_instead(path: Path) -> None:
    """A FIFO in the place of a file: opened the plain way, it hangs for ever."""
    path.unlink(missing_ok=True)
    os.mkfifo(path)


# Files that hang


def test_a_fifo_named_like_a_pth(venv: Venv, attacker: Any) -> None:
    fifo_instead(venv.site / "x.pth")
    found = attacker.scan(venv, timeout=QUICK)
    assert str(venv.site / "x.pth") in found.not_seen or found.at(venv.site / "x.pth", severity="high"), found.told()
    assert found.code in (1, 3)


@pytest.mark.parametrize("name", ["RECORD", "METADATA", "INSTALLER", "direct_url.json", "entry_points.txt"])
def test_a_fifo_in_a_dist_info(venv: Venv, attacker: Any, name: str) -> None:
    fifo_instead(venv.dist_info("colours") / name)
    found = attacker.scan(venv, timeout=QUICK)
    assert found.at_least("medium"), found.told()


@pytest.mark.parametrize(("name", "severity"), [("colours/mix.py", "medium"), ("new.py", "low"), ("fifo.dat", "low")])
def test_a_fifo_among_the_modules(venv: Venv, attacker: Any, name: str, severity: str) -> None:
    """It cannot be imported (``importlib`` takes regular files only), but it may stand where a module was."""
    fifo_instead(venv.site / name)
    found = attacker.scan(venv, timeout=QUICK)
    assert found.at(venv.site / name, severity=severity), found.told()


def test_a_fifo_named_sitecustomize_is_not_what_runs(venv: Venv, attacker: Any) -> None:
    fifo_instead(venv.site / "sitecustomize.py")
    found = attacker.scan(venv, timeout=QUICK)
    assert not found.ran(), found.told()
    assert attacker.start(venv) == {}


@pytest.mark.parametrize("name", ["bin/colours", "bin/python", "bin/new"])
def test_a_fifo_among_the_scripts(venv: Venv, attacker: Any, name: str) -> None:
    fifo_instead(venv.path / name)
    found = attacker.scan(venv, timeout=QUICK)
    assert found.at_least("medium"), found.told()


def test_a_fifo_named_pyvenv_cfg(venv: Venv, attacker: Any) -> None:
    fifo_instead(venv.path / "pyvenv.cfg")
    ran = envcheck("scan", venv.path, cwd=attacker.elsewhere, timeout=QUICK)
    assert ran.code in (1, 2, 3), ran
    assert not attacker.marks.exists()


@pytest.mark.parametrize("how", ["chosen", "named"])
@pytest.mark.parametrize("name", ["uv.lock", "requirements.txt", "pyproject.toml"])
def test_a_fifo_named_like_a_lock(venv: Venv, attacker: Any, tmp_path: Path, name: str, how: str) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "pyproject.toml").write_text("[project]\nname = 'shop'\nversion = '1'\n")
    fifo_instead(project / name)
    if name == "pyproject.toml":
        (project / "uv.lock").write_text("version = 1\nrequires-python = '>=3.8'\n")
    named = ["--lock", str(project / name)] if how == "named" else []
    ran = envcheck("scan", *named, venv.path, cwd=project, timeout=QUICK)
    if how == "named":
        assert ran.code == 2, ran
        assert name in ran.stderr
        assert len(ran.stderr.splitlines()) <= 2


def test_a_fifo_included_by_a_requirements_file(venv: Venv, attacker: Any, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "more.txt")
    (tmp_path / "requirements.txt").write_text("-r more.txt\n-c more.txt\n")
    ran = envcheck("scan", "--lock", tmp_path / "requirements.txt", venv.path, timeout=QUICK)
    assert ran.code != 0, ran


def test_requirements_that_include_themselves(venv: Venv, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("-r requirements.txt\n-r ./requirements.txt\n-c requirements.txt\n")
    ran = envcheck("scan", "--lock", tmp_path / "requirements.txt", venv.path, timeout=QUICK)
    assert ran.code in (0, 1, 2, 3)


def test_a_target_that_is_a_fifo(attacker: Any) -> None:
    os.mkfifo(attacker.elsewhere / "python")
    ran = envcheck("scan", attacker.elsewhere / "python", timeout=QUICK)
    assert ran.code == 2


# Files that exhaust


@pytest.mark.parametrize(
    "name",
    ["x.pth", "sitecustomize.py", "colours/mix.py", "colours/huge.py", "huge.so", "colours-1.0.dist-info/RECORD"],
)
def test_a_sparse_file_of_many_terabytes(venv: Venv, attacker: Any, name: str) -> None:
    path = venv.site / name
    with open(path, "r+b" if path.exists() else "wb") as stream:
        stream.truncate(1 << 43)
    found = attacker.scan(venv, timeout=QUICK)
    assert found.code in (1, 3), found.told()
    assert found.document["scan"]["complete"] is False or found.at(path, severity="high"), found.told()


@pytest.mark.parametrize("name", ["pyvenv.cfg", "bin/colours"])
def test_a_sparse_file_of_many_terabytes_outside_the_site_directory(venv: Venv, attacker: Any, name: str) -> None:
    with open(venv.path / name, "r+b") as stream:
        stream.truncate(1 << 43)
    ran = envcheck("scan", venv.path, cwd=attacker.elsewhere, timeout=QUICK)
    assert ran.code in (1, 2, 3), ran


def test_a_lock_of_many_terabytes(venv: Venv, tmp_path: Path) -> None:
    with open(tmp_path / "uv.lock", "wb") as stream:
        stream.truncate(1 << 43)
    ran = envcheck("scan", "--lock", tmp_path / "uv.lock", venv.path, timeout=QUICK)
    assert ran.code == 2


def test_a_pth_of_a_hundred_thousand_lines(venv: Venv, attacker: Any) -> None:
    (venv.site / "x.pth").write_text("nowhere\n" * 100_000 + attacker.import_line())
    found = attacker.scan(venv, timeout=QUICK)
    assert found.at(venv.site / "x.pth", 100_001, "high") or found.code == 3, found.told()


def test_a_module_that_is_nested_beyond_any_parser(venv: Venv, attacker: Any) -> None:
    (venv.site / "x.pth").write_text("import deep\n")
    (venv.site / "deep.py").write_text("x = " + "(" * 200_000)
    found = attacker.scan(venv, timeout=QUICK)
    assert found.at(venv.site / "x.pth", 1, "high"), found.told()


@pytest.mark.parametrize("expression", ["-" * 100_000 + "1", "a" + ".a" * 100_000, "+".join("1" * 50_000), "9" * 5000])
def test_an_import_line_that_exhausts_a_parser(venv: Venv, attacker: Any, expression: str) -> None:
    (venv.site / "x.pth").write_text(f"import os; x = {expression}\n")
    found = attacker.scan(venv, timeout=QUICK)
    assert found.at(venv.site / "x.pth", 1, "high"), found.told()


# Links


def test_loops_of_links(venv: Venv, attacker: Any) -> None:
    (venv.site / "self").symlink_to("self")
    (venv.site / "one.pth").symlink_to("two.pth")
    (venv.site / "two.pth").symlink_to("one.pth")
    (venv.site / "colours" / "up").symlink_to("..")
    (venv.site / "colours" / "round").symlink_to(venv.path)
    (venv.site / "whole").symlink_to("/")
    (venv.bin / "bin").symlink_to(".")
    attacker.scan(venv, timeout=QUICK)


def test_site_packages_that_is_a_link_to_itself(venv: Venv, attacker: Any) -> None:
    venv.site.rename(venv.site.with_name("moved"))
    venv.site.symlink_to(venv.site)
    ran = envcheck("scan", venv.path, cwd=attacker.elsewhere, timeout=QUICK)
    assert ran.code in (0, 1, 2, 3)


def test_a_target_that_is_a_loop(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    ran = envcheck("scan", tmp_path / "loop", timeout=QUICK)
    assert ran.code == 2


def test_directories_deeper_than_a_path_can_be_long(venv: Venv, attacker: Any) -> None:
    here = os.getcwd()
    os.chdir(venv.site)
    try:
        for _ in range(60):
            os.mkdir("d" * 100)
            os.chdir("d" * 100)
        Path("deep.py").write_text("")
    finally:
        os.chdir(here)
    found = attacker.scan(venv, timeout=QUICK)
    assert found.code in (1, 3), found.told()


# Names

NAMES = {
    "newline": b"a\nINFO all is well.py",
    "carriage return": b"a\rok.py",
    "escape": b"\x1b[2J\x1b[1;1Hclean.py",
    "operating system command": b"\x1b]0;title\x07.py",
    "c1": "\x9b2J.py".encode(),
    "bidi": "\u202eyp.ssenmrah.py".encode(),
    "isolate": "\u2066x\u2069.py".encode(),
    "zero width": "a\u200bb\ufeff.py".encode(),
    "not utf-8": b"caf\xe9\xff.py",
    "encoded surrogate": b"\xed\xa0\x80.py",
    "markup": b"[red]bold[-]<script>.py",
    "workflow command": b"::error file=x::y.py",
    "delete": b"x\x7f.py",
    "tag characters": "x\U000e0041.py".encode(),
    "line separator": "a\u2028b.py".encode(),
    "backslash": b"a\\x1b[31m.py",
    "combining": ("e" + "\u0301" * 80 + ".py").encode(),
}


def plant(directory: Path, name: bytes) -> None:
    with open(os.path.join(os.fsencode(directory), name), "wb") as stream:
        stream.write(b"import os\n")


def assert_shown_safely(output: bytes) -> None:
    """What a terminal would act on is not there: controls, bidirectional overrides, invisible characters."""
    text = output.decode("utf-8")
    acting = {
        character
        for character in text
        if (unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") and character != "\n")
    }
    assert not acting, f"{sorted(map(hex, map(ord, acting)))} in\n{text!r}"


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
@pytest.mark.parametrize("kind", ["module", "pth"])
def test_a_hostile_name_is_shown_safely(venv: Venv, attacker: Any, name: bytes, kind: str) -> None:
    plant(venv.site, name if kind == "module" else name[:-3] + b".pth")
    found = attacker.scan(venv)
    assert found.code == 1, found.told()
    assert "startup-code-unowned" in found.rules() or kind == "module", found.told()
    ran = envcheck("scan", venv.path, cwd=attacker.elsewhere)
    assert ran.code == 1
    assert_shown_safely(ran.stdout)
    assert_shown_safely(ran.stderr.encode())


def test_hostile_names_are_told_apart_and_the_report_stays_valid_json(venv: Venv, attacker: Any) -> None:
    for name in NAMES.values():
        plant(venv.site, name)
    ran = envcheck("scan", "--format", "json", venv.path, cwd=attacker.elsewhere)
    document = json.loads(ran.stdout)
    assert ran.stdout.isascii()
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", ran.stdout)
    text = json.dumps(document)
    assert "\\ud" not in re.sub(r"\\ud[89ab]..\\ud[cdef]..", "", text), "a lone surrogate"
    paths = {
        path for finding in document["environments"][0]["findings"] for path in finding["evidence"].get("paths", [])
    }
    paths |= {finding["path"] for finding in document["environments"][0]["findings"]}
    assert sum(str(path).startswith(str(venv.site) + "/") and str(path).endswith(".py") for path in paths) == len(NAMES)
    assert any(path.endswith("caf\\xe9\\xff.py") for path in paths if path)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_hostile_code_is_shown_safely_and_whole(venv: Venv, attacker: Any, name: bytes) -> None:
    """The same characters inside an import line."""
    text = name.decode("utf-8", "surrogateescape")
    if any("\udc80" <= character <= "\udcff" for character in text) or set(text) & set("\n\r\x1b\x07\x9b\u2028"):
        text = text.replace("\n", " ").replace("\r", " ").replace("\u2028", " ")
    line = f"import os; x = '''{text}'''"
    (venv.site / "x.pth").write_bytes(line.encode("utf-8", "surrogateescape") + b"\n")
    ran = envcheck("scan", venv.path, cwd=attacker.elsewhere)
    assert ran.code == 1
    assert_shown_safely(ran.stdout)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_a_hostile_name_on_the_command_line_is_shown_safely(tmp_path: Path, name: bytes) -> None:
    ran = envcheck("scan", os.fsdecode(os.path.join(os.fsencode(tmp_path), name)))
    assert ran.code == 2
    assert_shown_safely(ran.stderr.encode())


def test_a_hostile_distribution_name_is_shown_safely(venv: Venv, attacker: Any) -> None:
    info = venv.site / "x-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: \x1b[31mx\u202e\nVersion: 1.0\x1b[0m\n")
    (info / "INSTALLER").write_text("\x1b[2J")
    for form in ("json", "terminal"):
        ran = envcheck("scan", "--format", form, venv.path, cwd=attacker.elsewhere)
        assert_shown_safely(ran.stdout)


def test_an_environment_whose_own_path_is_hostile(tmp_path: Path, venv: Venv) -> None:
    moved = os.path.join(os.fsencode(tmp_path), b"\x1b[31m\xff\n\xe2\x80\xae")
    os.symlink(venv.path, moved)
    (venv.site / "x.pth").write_text("import os\n")
    ran = envcheck("scan", os.fsdecode(moved), cwd="/", env=scanning.environ())
    assert ran.code == 1
    assert_shown_safely(ran.stdout)


def test_twenty_thousand_import_lines_take_no_more_than_their_share(venv: Venv) -> None:
    """Each is told with its place among them, which must not be searched for anew each time: the scan would hang."""
    lines = 20_000
    (venv.site / "many.pth").write_text("".join(f"import sys; number = {n}\n" for n in range(lines)))
    found = scanning.scan(venv.path, "--startup-only")
    assert len(found.document["environments"][0]["findings"]) == lines
    assert found.code == 1
