"""Names and files that are to give a manifest's digest though they are not what the locked wheel installs."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from support.anchoring import Project, make_project
from support.pythons import Interpreter
from support.records import add_row
from support.scanning import Scan
from support.venvs import Venv, install, make_venv
from support.wheels import Wheel, build_wheel, record_hash


@pytest.fixture
def project(tmp_path: Path, colours: Wheel, shapes: Wheel) -> Project:
    return make_project(tmp_path / "project", [colours, shapes])


@pytest.fixture(params=["wheels", "file"])
def witness(request: pytest.FixtureRequest, project: Project) -> list[str | Path]:
    """What a scan takes as witness: wheels, or the anchors file alone."""
    return project.with_wheels() if request.param == "wheels" else project.with_file()


def assurance(found: Scan, name: str) -> str:
    (only,) = [one for one in found.environment["distributions"] if one["name"] == name]
    return str(only["assurance"])


def replace_rows(venv: Venv, names: list[str], row: bytes) -> None:
    """One row, as it is, in place of several."""
    record = venv.dist_info("colours") / "RECORD"
    lines = record.read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if line.partition(b",")[0].decode() not in names]
    assert len(lines) - len(kept) == len(names)
    record.write_bytes(b"".join(kept) + row)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\n\n"])
def test_one_row_that_reads_like_two_lines_of_the_manifest(
    venv: Venv, attacker: Any, witness: list[str | Path], end: str
) -> None:
    """The manifest is lines of location, NUL and digest: a location that holds all of that would be a line more."""
    first, second = "colours/__init__.py", "colours/mix.py"
    digests = [record_hash((venv.site / one).read_bytes()).removeprefix("sha256=") for one in (first, second)]
    path = f"{first}\0{digests[0]}{end}S/{second}"
    replace_rows(venv, [first, second], f'"{path}",sha256={digests[1]},1\n'.encode())
    for one in (first, second):
        (venv.site / one).write_text(attacker.payload())
    found = attacker.scan(venv, *witness)
    assert assurance(found, "colours") != "anchored", found.told()
    assert found.rules("high"), found.told()


@pytest.mark.parametrize(
    "name",
    [
        "colours/mix.py ",
        "colours/ mix.py",
        "colours/mix.py\n",
        "colours/\nmix.py",
        "colours/mix\r.py",
        "colours/Mix.py",
        "Colours/mix.py",
        "colours/./other.py",
        "colours//other.py",
        "colours/mi\u0301x.py",
        unicodedata.normalize("NFC", "colours/mi\u0301x.py"),
        "colours/mix.py\u200b",
    ],
    ids=ascii,
)
def test_a_file_whose_name_is_nearly_that_of_a_locked_one(
    venv: Venv, attacker: Any, witness: list[str | Path], name: str
) -> None:
    target = venv.site / name
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, "w") as stream:
        stream.write(attacker.payload())
    row = f'"{name}",{record_hash(target.read_bytes())},{target.stat().st_size}\n'
    with (venv.dist_info("colours") / "RECORD").open("a", newline="") as record:
        record.write(row)
    found = attacker.scan(venv, *witness)
    assert "record-forged" in found.rules("critical"), found.told()


@pytest.mark.parametrize("name", ["pip9", "pip3.99", "colours3", "colours-3.9"])
def test_a_command_of_a_version_that_nobody_declared(
    venv: Venv, attacker: Any, witness: list[str | Path], name: str
) -> None:
    """pip makes such names for itself, with the body of its own command."""
    script = venv.bin / name
    script.write_text(f"#!{venv.python}\n{attacker.payload()}")
    script.chmod(0o755)
    add_row(venv.dist_info("colours"), script)
    found = attacker.scan(venv, *witness)
    assert found.at(script, severity="high") or "record-forged" in found.rules("critical"), found.told()


@pytest.mark.parametrize("name", ["pip9", "pip3.99", "pip"])
def test_a_command_that_pip_could_have_made_with_another_body(
    tmp_path: Path, interpreter: Interpreter, attacker: Any, name: str
) -> None:
    wheel = build_wheel(
        tmp_path / "built", "pip", "99.0", {"pip.py": "def main():\n    pass\n"}, console_scripts={"pip": "pip:main"}
    )
    project = make_project(tmp_path / "project", [wheel])
    venv = make_venv(tmp_path / "venv", interpreter)
    install(venv, [wheel])
    assert attacker.scan(venv, *project.with_wheels()).at_least("medium") == []
    script = venv.bin / name
    script.write_text(f"#!{venv.python}\n{attacker.payload()}")
    script.chmod(0o755)
    add_row(venv.dist_info("pip"), script)
    for options in (project.with_wheels(), project.with_file()):
        found = attacker.scan(venv, *options)
        assert found.at(script, severity="high"), found.told()


@pytest.mark.parametrize("name", ["RECORD.jws", "RECORD.p7s", "REQUESTED", "uv_build.json"])
def test_what_installers_write_themselves_holds_no_code_that_runs(
    venv: Venv, attacker: Any, witness: list[str | Path], name: str
) -> None:
    """The closed list is of names: each is inert, and only the distribution's own directory may have it."""
    info = venv.dist_info("colours")
    (info / name).write_text(attacker.payload())
    add_row(info, info / name)
    assert attacker.scan(venv, *witness).at_least("high") == []
    other = venv.site / "colours" / name
    shutil.copy2(info / name, other)
    add_row(info, other)
    found = attacker.scan(venv, *witness)
    assert "record-forged" in found.rules("critical"), found.told()


def test_a_source_archive_under_a_wheels_name_proves_nothing(
    tmp_path: Path, venv: Venv, attacker: Any, colours: Wheel
) -> None:
    """The lock has its hash, and calls it a wheel."""
    project = make_project(tmp_path / "project", [colours])
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        member = tarfile.TarInfo("colours-1.0/colours/__init__.py")
        archive.addfile(member, io.BytesIO(b""))
    place = project.wheelhouse / colours.path.name
    place.write_bytes(data.getvalue())
    project.lock.write_text(colours._replace(sha256=sha256_of(place)).requirement + "\n")
    found = attacker.scan(venv, *project.with_wheels())
    assert "archive-hostile" in found.rules("high"), found.told()
    assert assurance(found, "colours") == "recorded"
    ran = project.anchor()
    assert ran.code == 1 and "archive-hostile" in ran.stderr
    assert "colours" not in project.anchors.read_text()


def test_a_wheel_with_two_lines_is_not_believed_wherever_they_stand(
    venv: Venv, attacker: Any, project: Project
) -> None:
    project.anchor()
    header, explained, one, two = project.anchors.read_text().splitlines()
    name, archive, _ = one.split()
    again = f"{name} {archive} {'A' * 43}"
    project.anchors.write_text("\n".join([header, explained, one, two, again, ""]))
    found = attacker.scan(venv, "--lock", project.lock)
    assert "anchors-invalid" in found.at(project.anchors, severity="high"), found.told()
    assert assurance(found, "colours") == assurance(found, "shapes") == "recorded"


def test_the_anchors_file_of_another_lock_proves_nothing(
    tmp_path: Path, venv: Venv, attacker: Any, project: Project, colours: Wheel
) -> None:
    other = build_wheel(tmp_path / "other", "colours", "2.0", {"colours/__init__.py": ""})
    theirs = make_project(tmp_path / "theirs", [other])
    theirs.anchor()
    found = attacker.scan(venv, "--lock", project.lock, "--anchors", theirs.anchors)
    assert {assurance(found, one) for one in ("colours", "shapes")} == {"recorded"}, found.told()
    assert "anchors-stale" in found.rules("low")


def sha256_of(path: Path) -> str:
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()
