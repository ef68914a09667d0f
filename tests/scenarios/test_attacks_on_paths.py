"""Attacks on what leads elsewhere: path lines, known tools' path files, options of interpreters, rows without hashes.

Each is found where it stands, and its payload never runs while envcheck looks.
"""

from __future__ import annotations

import os
import py_compile
import subprocess
from pathlib import Path
from typing import Any

import pytest

from support.records import Row, change_rows
from support.venvs import Venv, install
from support.wheels import build_wheel

REWRITE = (
    "import sys; sys.__plen = len(sys.path)\n{}\n"
    "import sys; new = sys.path[sys.__plen:]; del sys.path[sys.__plen:]; "
    "p = getattr(sys, '__egginsert', 0); sys.path[p:p] = new; sys.__egginsert = p + len(new)\n"
)


def test_an_unowned_path_line_to_a_directory_outside(venv: Venv, attacker: Any) -> None:
    pth = venv.site / "extra.pth"
    pth.write_text(f"{attacker.elsewhere}\n")
    (attacker.elsewhere / "simplejson.py").write_text(attacker.payload())
    found = attacker.scan(venv)
    assert "file-unowned" in found.at(pth, severity="high"), found.told()
    assert "startup-path-outside" in found.at(pth, 1), found.told()
    venv.start("import simplejson")
    assert attacker.marks.exists()


def test_an_installed_path_line_changed_to_a_directory_outside(venv: Venv, attacker: Any, wheels: Path) -> None:
    install(venv, [build_wheel(wheels, "paths", "1.0", {"paths.pth": "colours\n"})])
    pth = venv.site / "paths.pth"
    pth.write_text(f"{attacker.elsewhere}\n")
    found = attacker.scan(venv)
    assert "file-modified" in found.at(pth, severity="high"), found.told()


@pytest.mark.parametrize("where", ["outside", "egg"])
def test_an_easy_install_pth_that_goes_before_the_standard_library(venv: Venv, attacker: Any, where: str) -> None:
    directory = attacker.elsewhere if where == "outside" else venv.site / "evil.egg"
    directory.mkdir(exist_ok=True)
    (directory / "json.py").write_text(attacker.payload())
    pth = venv.site / "easy-install.pth"
    pth.write_text(REWRITE.format(directory if where == "outside" else "./evil.egg"))
    found = attacker.scan(venv)
    assert "startup-code-unowned" in found.at(pth, 1, "high"), found.told()
    venv.start("import json")
    assert attacker.marks.exists()


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("homebrew_deps.pth", "import site; site.addsitedir('{}')\n"),
        ("_uv_ephemeral_overlay.pth", 'import site; site.addsitedir("{}")\n'),
        ("pipx_shared.pth", "{}\n"),
    ],
)
def test_a_known_tools_path_file_is_told_with_where_it_leads(
    venv: Venv, attacker: Any, name: str, text: str, inside: bool
) -> None:
    directory = venv.path / "share" if inside else attacker.elsewhere
    directory.mkdir(exist_ok=True)
    pth = venv.site / name
    pth.write_text(text.format(directory))
    found = attacker.scan(venv)
    assert found.at(pth, 1) == ["startup-path-outside"], found.told()


@pytest.mark.parametrize("call", ['"{}"', '__import__("os").fsdecode(b"{}")'])
def test_startup_code_behind_a_known_tools_path_file(venv: Venv, attacker: Any, call: str) -> None:
    pth = attacker.elsewhere / "planted.pth"
    pth.write_text(attacker.import_line())
    overlay = venv.site / "_uv_ephemeral_overlay.pth"
    overlay.write_text(f"import site; site.addsitedir({call.format(attacker.elsewhere)})")
    found = attacker.scan(venv)
    assert "startup-code-unowned" in found.at(pth, 1, "high"), found.told()
    assert "startup-path-outside" in found.at(overlay, 1), found.told()
    assert attacker.start(venv)["ran"]


@pytest.mark.parametrize("hashed", [True, False])
def test_a_console_script_whose_interpreter_is_given_code(venv: Venv, attacker: Any, hashed: bool) -> None:
    script = venv.bin / "colours"
    first, rest = script.read_text().split("\n", 1)
    script.write_text(f"{first} -c{attacker.payload().replace(' ', '')}\n{rest}")
    if not hashed:
        change_rows(venv.dist_info("colours"), lambda row: [row[0], "", ""] if row[0].endswith("bin/colours") else row)
    found = attacker.scan(venv)
    assert "script-modified" in found.at(script, severity="high"), found.told()
    subprocess.run([str(script)], check=False, capture_output=True)
    assert attacker.marks.exists()


def test_entry_points_changed_and_taken_out_of_the_record(venv: Venv, attacker: Any) -> None:
    info = venv.dist_info("colours")
    (info / "entry_points.txt").write_text("[console_scripts]\ncolours = shapes:main\n")
    script = venv.bin / "colours"
    script.write_text(script.read_text().replace("from colours", "from shapes"))

    def without(row: Row) -> Row | None:
        if row[0].endswith("/entry_points.txt"):
            return None
        return [row[0], "", ""] if row[0].endswith("bin/colours") else row

    change_rows(info, without)
    found = attacker.scan(venv)
    assert "file-unowned" in found.at(info / "entry_points.txt", severity="high"), found.told()


@pytest.mark.parametrize("name", ["wheel", "setuptools", "pip"])
def test_a_seed_that_brings_startup_code_of_its_own(
    venv: Venv, attacker: Any, wheels: Path, locked: Path, name: str
) -> None:
    install(venv, [build_wheel(wheels, name, "99.0", {f"{name}_init.pth": attacker.import_line()})])
    found = attacker.scan(venv, "--lock", locked)
    assert "startup-code-unowned" in found.at(venv.site / f"{name}_init.pth", 1, "high"), found.told()


def test_unchecked_bytecode_in_a_package_that_is_a_link(venv: Venv, attacker: Any) -> None:
    moved = attacker.elsewhere / "colours"
    os.rename(venv.site / "colours", moved)
    (venv.site / "colours").symlink_to(moved)
    payload = attacker.elsewhere / "payload.py"
    payload.write_text(attacker.payload())
    cached = moved / "__pycache__" / f"mix.cpython-{''.join(map(str, venv.interpreter.minor))}.pyc"
    cached.parent.mkdir(exist_ok=True)
    code = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(str(payload), str(cached), invalidation_mode=code, doraise=True)
    found = attacker.scan(venv)
    place = venv.site / "colours" / "__pycache__" / cached.name
    assert "bytecode-unchecked" in found.at(place, severity="medium"), found.told()


def test_installed_files_that_list_code_of_a_package_without_a_hash(venv: Venv, attacker: Any) -> None:
    info = venv.site / "evil.egg-info"
    info.mkdir()
    (info / "PKG-INFO").write_text("Metadata-Version: 1.0\nName: evil\nVersion: 1\n")
    (info / "installed-files.txt").write_text("../colours/__init__.abi3.so\n")
    planted = venv.site / "colours" / "__init__.abi3.so"
    planted.write_bytes(b"\x7fELF")
    found = attacker.scan(venv)
    assert "record-unhashed" in found.at(planted, severity="medium"), found.told()


def test_path_lines_without_end(venv: Venv, attacker: Any) -> None:
    (venv.site / "endless.pth").write_text("a\n" * 3_000_000)
    found = attacker.scan(venv)
    assert str(venv.site / "endless.pth") in found.not_seen, found.told()
    assert "file-unowned" in found.at(venv.site / "endless.pth", severity="high")


def test_directories_without_end_on_the_path(venv: Venv, attacker: Any) -> None:
    places = [venv.path / "d" / str(number) for number in range(2_500)]
    for place in places:
        place.mkdir(parents=True)
    (venv.site / "a.pth").write_text("".join(f"{place}\n" for place in places))
    calls = "".join(f"import site; site.addsitedir('{place}')\n" for place in places[:300])
    (venv.site / "b.pth").write_text(calls)
    found = attacker.scan(venv)
    assert str(venv.site / "a.pth") in found.not_seen, found.told()
