"""Claims in the environment that are to keep a distribution from being held against its locked wheel."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from support.anchoring import make_project
from support.pythons import Interpreter
from support.records import add_row, change_rows
from support.scanning import environ
from support.venvs import Venv, install, make_venv
from support.wheels import Wheel, build_wheel, record_hash


def edit(venv: Venv, relative: str, append: str, name: str) -> Path:
    """Change a file of a distribution, and its row."""
    path = venv.site / relative
    data = path.read_bytes() + append.encode()
    path.write_bytes(data)
    change_rows(
        venv.dist_info(name), lambda row: [row[0], record_hash(data), str(len(data))] if row[0] == relative else row
    )
    return path


def test_tags_that_were_changed_keep_no_wheel_from_being_compared(
    tmp_path: Path, interpreter: Interpreter, attacker: Any
) -> None:
    """The WHEEL file names the tags of a wheel that the lock has too, and that is not at hand."""
    wheels = [
        build_wheel(tmp_path / "built", "many", "1.0", {"many.py": f"PLACE = {tag!r}\n"}, tag=tag)
        for tag in ("py3-none-any", "py3-none-win_amd64")
    ]
    project = make_project(tmp_path / "project", wheels)
    project.lock.write_text(
        'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "many"\nversion = "1.0"\n'
        + "".join(
            f'[[packages.wheels]]\nname = "{wheel.path.name}"\nurl = "https://index.example/{wheel.path.name}"\n'
            f'hashes = {{sha256 = "{wheel.sha256}"}}\n'
            for wheel in wheels
        )
    )
    lock = project.lock.rename(project.path / "pylock.toml")
    wheels[1].path.unlink()
    (project.wheelhouse / wheels[1].path.name).unlink()
    venv = make_venv(tmp_path / "venv", interpreter)
    install(venv, [wheels[0]])
    options = ("--lock", lock, "--wheels", project.wheelhouse)
    clean = attacker.scan(venv, *options)
    assert clean.environment["lock"]["anchored"]["unanchored"] == [], clean.told()
    edit(venv, "many.py", attacker.payload(), "many")
    info = venv.dist_info("many")
    tags = (info / "WHEEL").read_text().replace("py3-none-any", "py3-none-win_amd64")
    (info / "WHEEL").write_text("")
    edit(venv, f"{info.name}/WHEEL", tags, "many")
    found = attacker.scan(venv, *options)
    assert found.rules("high"), json.dumps([found.environment["lock"]["anchored"], found.environment["distributions"]])


@pytest.mark.parametrize("how", ["wheels", "file"])
def test_a_distribution_that_calls_itself_editable_is_compared_all_the_same(
    tmp_path: Path, venv: Venv, attacker: Any, colours: Wheel, shapes: Wheel, how: str
) -> None:
    project = make_project(tmp_path / "project", [colours, shapes])
    options = project.with_wheels() if how == "wheels" else project.with_file()
    module = edit(venv, "colours/mix.py", attacker.payload(), "colours")
    info = venv.dist_info("colours")
    direct = info / "direct_url.json"
    direct.write_text(json.dumps({"url": "file:///srv/colours", "dir_info": {"editable": True}}))
    add_row(info, direct)
    found = attacker.scan(venv, *options)
    assert "record-forged" in found.rules("critical"), (module, found.told())


@pytest.mark.parametrize("script", ["colours-script.py", "colours.exe"])
def test_a_command_beside_a_declared_one_is_nobodys(
    tmp_path: Path, venv: Venv, attacker: Any, colours: Wheel, shapes: Wheel, script: str
) -> None:
    """Installers make such files on Windows only."""
    project = make_project(tmp_path / "project", [colours, shapes])
    path = venv.bin / script
    path.write_text(f"#!/bin/sh\necho {script}\n")
    path.chmod(0o755)
    add_row(venv.dist_info("colours"), path)
    found = attacker.scan(venv, *project.with_wheels())
    assert found.at(path, severity="high"), found.told()


def test_a_response_in_a_cache_that_is_not_the_locked_wheel_accuses_nobody(
    tmp_path: Path, venv: Venv, attacker: Any, colours: Wheel, shapes: Wheel
) -> None:
    """Poetry keeps the wheels that it builds under the same names as those that it fetches."""
    project = make_project(tmp_path / "project", [colours, shapes])
    lock = project.path / "poetry.lock"
    lock.write_text(
        "".join(
            f'[[package]]\nname = "{wheel.name}"\nversion = "{wheel.version}"\noptional = false\n'
            f'python-versions = ">=3.8"\ngroups = ["main"]\n'
            f'files = [{{file = "{wheel.path.name}", hash = "sha256:{wheel.sha256}"}}]\n\n'
            for wheel in (colours, shapes)
        )
        + '[metadata]\nlock-version = "2.1"\npython-versions = ">=3.8"\ncontent-hash = "00"\n'
    )
    home = tmp_path / "home"
    place = home / ".cache" / "pypoetry" / "artifacts" / "aa" / "bb" / "cc" / ("d" * 58)
    place.mkdir(parents=True)
    shutil.copy(shapes.path, place)
    built = build_wheel(tmp_path / "built", "colours", "1.0", {"colours/__init__.py": "built here\n"})
    shutil.copy(built.path, place)
    found = attacker.scan(venv, "--lock", lock, env=environ(home))
    assert "archive-mismatch" not in found.rules(), found.told()
    assert os.listdir(place)
