"""The attacker edits files and whatever speaks for them; the lock, with its archives' hashes, is out of reach.

Each attack is held against the wheels themselves, and against the committed anchors file alone.
"""

from __future__ import annotations

import os
import py_compile
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.anchoring import Project, make_project
from support.pythons import Interpreter
from support.records import add_row, change_rows
from support.scanning import Scan, envcheck
from support.venvs import Venv, find_tool, install, make_venv, run
from support.wheels import Wheel, build_wheel, record_hash


@pytest.fixture
def project(tmp_path: Path, colours: Wheel, shapes: Wheel) -> Project:
    return make_project(tmp_path / "project", [colours, shapes])


@pytest.fixture(params=["wheels", "file"])
def witness(request: pytest.FixtureRequest, project: Project) -> list[str | Path]:
    """What a scan takes as witness: wheels, or the anchors file alone."""
    return project.with_wheels() if request.param == "wheels" else project.with_file()


def distribution(found: Scan, name: str) -> dict[str, Any]:
    (only,) = [one for one in found.environment["distributions"] if one["name"] == name]
    return only


def forged(found: Scan, path: Path | str) -> bool:
    """Whether ``record-forged`` (critical) is told at a place, or, without a wheel at hand, of its distribution."""
    rules = found.at(path, severity="critical")
    by_digest = [
        one for one in found.findings if one["rule"] == "record-forged" and one["path"].endswith(".dist-info/RECORD")
    ]
    return "record-forged" in rules or bool(by_digest)


def rewrite_row(venv: Venv, path: Path, name: str = "colours") -> None:
    """Make RECORD say what is there."""
    relative = os.path.relpath(path, venv.site)
    data = path.read_bytes()
    change_rows(
        venv.dist_info(name),
        lambda row: [row[0], record_hash(data), str(len(data))] if row[0] == relative else row,
    )


def test_what_was_installed_from_locked_wheels_is_anchored(
    venv: Venv, attacker: Any, witness: list[str | Path]
) -> None:
    found = attacker.scan(venv, *witness)
    assert found.findings == [], found.told()
    assert {one["assurance"] for one in found.environment["distributions"]} == {"anchored"}
    assert found.environment["lock"]["anchors"] == ("wheels" if "--wheels" in witness else "file")
    assert found.environment["lock"]["anchored"]["unanchored"] == []


def test_an_edited_module_whose_row_was_rewritten(venv: Venv, attacker: Any, witness: list[str | Path]) -> None:
    module = venv.site / "colours" / "mix.py"
    module.write_text(module.read_text() + attacker.payload())
    rewrite_row(venv, module)
    assert attacker.scan(venv, "--no-lock").findings == []
    found = attacker.scan(venv, *witness)
    assert forged(found, module), found.told()
    assert distribution(found, "colours")["assurance"] == "modified"
    assert distribution(found, "shapes")["assurance"] == "anchored"


def test_the_evidence_of_a_forged_file_is_what_the_wheel_has(
    venv: Venv, attacker: Any, project: Project, colours: Wheel
) -> None:
    module = venv.site / "colours" / "mix.py"
    module.write_text(module.read_text() + attacker.payload())
    rewrite_row(venv, module)
    found = attacker.scan(venv, *project.with_wheels())
    (one,) = [finding for finding in found.findings if finding["rule"] == "record-forged"]
    with zipfile.ZipFile(colours.path) as archive:
        original = archive.read("colours/mix.py")
    assert record_hash(original) == record_hash(bytes(original))
    import hashlib

    assert one["evidence"]["expected"] == hashlib.sha256(original).hexdigest()
    assert one["evidence"]["sha256"] == hashlib.sha256(module.read_bytes()).hexdigest()
    assert f"{len(original):,} bytes there, {module.stat().st_size:,} here" in one["message"]


def test_an_edited_module_whose_row_was_left(venv: Venv, attacker: Any, witness: list[str | Path]) -> None:
    module = venv.site / "colours" / "mix.py"
    module.write_text(module.read_text() + attacker.payload())
    found = attacker.scan(venv, *witness)
    assert found.at(module, severity="high") == ["file-modified"], found.told()
    assert "record-forged" not in found.rules()


def test_a_removed_module_whose_row_was_left(venv: Venv, attacker: Any, witness: list[str | Path]) -> None:
    module = venv.site / "colours" / "mix.py"
    module.unlink()
    found = attacker.scan(venv, *witness)
    assert found.at(module) == ["file-missing"], found.told()
    assert "record-forged" not in found.rules()


def test_a_removed_module_whose_row_was_removed(venv: Venv, attacker: Any, witness: list[str | Path]) -> None:
    module = venv.site / "colours" / "mix.py"
    module.unlink()
    change_rows(venv.dist_info("colours"), lambda row: None if row[0].endswith("mix.py") else row)
    found = attacker.scan(venv, *witness)
    assert found.at(module) == ["file-missing"] or forged(found, module), found.told()


def test_an_edited_module_whose_row_was_removed(venv: Venv, attacker: Any, witness: list[str | Path]) -> None:
    module = venv.site / "colours" / "mix.py"
    module.write_text(attacker.payload())
    change_rows(venv.dist_info("colours"), lambda row: None if row[0].endswith("mix.py") else row)
    found = attacker.scan(venv, *witness)
    assert set(found.at(module, severity="high")) & {"file-modified", "file-unowned"}, found.told()


def test_a_module_whose_row_was_removed_and_whose_bytes_were_not_is_no_alarm(
    venv: Venv, attacker: Any, project: Project
) -> None:
    change_rows(venv.dist_info("colours"), lambda row: None if row[0].endswith("mix.py") else row)
    found = attacker.scan(venv, *project.with_wheels())
    assert found.at_least("low") == [], found.told()


def test_an_added_module_with_a_row(venv: Venv, attacker: Any, witness: list[str | Path]) -> None:
    module = venv.site / "colours" / "helper.py"
    module.write_text(attacker.payload())
    add_row(venv.dist_info("colours"), module)
    assert attacker.scan(venv, "--no-lock").findings == []
    found = attacker.scan(venv, *witness)
    assert forged(found, module), found.told()


def test_a_listed_pth(venv: Venv, attacker: Any, witness: list[str | Path]) -> None:
    hook = venv.site / "colours.pth"
    hook.write_text(attacker.import_line())
    add_row(venv.dist_info("colours"), hook)
    found = attacker.scan(venv, *witness)
    assert forged(found, hook), found.told()
    assert "startup-code-unowned" in found.at(hook, 1, "high"), found.told()
    (entry,) = [one for one in found.startup if one["path"] == str(hook)]
    assert entry["assurance"] == "unrecorded"
    assert attacker.start(venv)["ran"] > 0


def test_a_forged_file_that_runs_at_startup_is_modified(
    tmp_path: Path, attacker: Any, interpreter: Interpreter, wheels: Path
) -> None:
    hooked = build_wheel(
        wheels, "hooked", "1.0", {"hooked.pth": "import hooked_boot\n", "hooked_boot.py": "READY = 1\n"}
    )
    project = make_project(tmp_path / "project", [hooked])
    venv = make_venv(tmp_path / "venv", interpreter)
    install(venv, [hooked])
    clean = attacker.scan(venv, *project.with_wheels())
    assert {one["assurance"] for one in clean.startup} == {"anchored"}
    assert {file["assurance"] for one in clean.startup for file in one["closure_files"]} == {"anchored"}
    module = venv.site / "hooked_boot.py"
    module.write_text(attacker.payload())
    rewrite_row(venv, module, "hooked")
    found = attacker.scan(venv, *project.with_wheels())
    (entry,) = found.startup
    assert [file["assurance"] for file in entry["closure_files"]] == ["modified"]
    assert entry["verdict"] == "hostile"
    assert "startup-code-modified" in found.rules("critical"), found.told()
    light = attacker.scan(venv, "--startup-only", "--wheels", project.wheelhouse)
    assert [one["assurance"] for one in light.startup] == ["recorded"]


def test_the_body_of_a_command_whose_row_was_rewritten(venv: Venv, attacker: Any, witness: list[str | Path]) -> None:
    script = venv.bin / "colours"
    script.write_text(script.read_text() + attacker.payload())
    rewrite_row(venv, script)
    found = attacker.scan(venv, *witness)
    assert "script-modified" in found.at(script, severity="high"), found.told()
    assert distribution(found, "colours")["assurance"] == "modified"


def test_a_script_of_the_wheel_whose_row_was_rewritten(venv: Venv, attacker: Any, witness: list[str | Path]) -> None:
    script = venv.bin / "colours-plain"
    script.write_text(script.read_text() + attacker.payload())
    rewrite_row(venv, script)
    found = attacker.scan(venv, *witness)
    assert forged(found, script), found.told()


def test_a_script_of_the_wheel_that_starts_another_interpreter(
    venv: Venv, attacker: Any, witness: list[str | Path]
) -> None:
    script = venv.bin / "colours-plain"
    first, _, rest = script.read_text().partition("\n")
    script.write_text(f"#!/tmp/python3\n{rest}")
    assert first != "#!/tmp/python3"
    rewrite_row(venv, script)
    found = attacker.scan(venv, *witness)
    assert forged(found, script), found.told()


def test_another_entry_point_with_its_script_and_rows(venv: Venv, attacker: Any, witness: list[str | Path]) -> None:
    info = venv.dist_info("colours")
    (info / "entry_points.txt").write_text("[console_scripts]\ncolours = colours:main\npaint = colours.mix:mix\n")
    rewrite_row(venv, info / "entry_points.txt")
    script = venv.bin / "paint"
    original = (venv.bin / "colours").read_text()
    script.write_text(
        original.replace("from colours import main", "from colours.mix import mix").replace("main()", "mix()")
    )
    script.chmod(0o755)
    add_row(info, script)
    found = attacker.scan(venv, *witness)
    assert forged(found, info / "entry_points.txt"), found.told()


@pytest.mark.parametrize(
    "place",
    [
        "colours/evil.pyc",  # imported in place of a source
        "colours/__pycache__/evil.{tag}.pyc",  # of no source
        "colours/__pycache__/mix.pyc",  # not the form of a cached file
    ],
)
def test_rows_of_bytecode_beyond_what_installers_make(
    venv: Venv, attacker: Any, witness: list[str | Path], place: str, tmp_path: Path
) -> None:
    source = tmp_path / "evil.py"
    source.write_text(attacker.payload())
    minor = "".join(map(str, venv.interpreter.minor))
    target = venv.site / place.format(tag=f"cpython-{minor}")
    target.parent.mkdir(exist_ok=True)
    py_compile.compile(str(source), cfile=str(target))
    add_row(venv.dist_info("colours"), target)
    found = attacker.scan(venv, *witness)
    assert forged(found, target), found.told()


def test_the_bytecode_of_a_listed_source_is_no_forgery(venv: Venv, attacker: Any, witness: list[str | Path]) -> None:
    for cache in venv.site.rglob("__pycache__"):
        shutil.rmtree(cache)
    assert attacker.scan(venv, *witness).findings == []


def rebuilt(directory: Path, tag: str = "py3-none-any", **more: str) -> Wheel:
    """Another build of colours 1.0, with other bytes in most of its files."""
    return build_wheel(
        directory,
        "colours",
        "1.0",
        {
            "colours/__init__.py": "NAMES = ('red',)\n\n\ndef main():\n    print(*NAMES)\n",
            "colours/mix.py": "def mix(one, other):\n    return other\n",
            "colours/data.txt": "blue\n",
            **more,
        },
        console_scripts={"colours": "colours:main"},
        scripts={"colours-plain": "#!python\nimport colours\ncolours.main()\n"},
        tag=tag,
    )


def test_a_distribution_exchanged_for_another_build_of_its_version(
    venv: Venv, attacker: Any, project: Project, tmp_path: Path
) -> None:
    install(venv, [rebuilt(tmp_path / "other")], "--reinstall" if find_tool("uv") else "--force-reinstall")
    assert attacker.scan(venv, "--no-lock").findings == []
    found = attacker.scan(venv, *project.with_wheels())
    (one,) = [finding for finding in found.findings if finding["rule"] == "record-forged"]
    assert one["severity"] == "critical"
    assert "colours 1.0 is another build than the lock pins" in one["message"]
    assert one["path"] == str(venv.dist_info("colours"))
    by_file = attacker.scan(venv, *project.with_file())
    assert "record-forged" in by_file.rules("critical"), by_file.told()


def test_without_a_wheel_at_hand_the_finding_says_how_to_get_one(venv: Venv, attacker: Any, project: Project) -> None:
    module = venv.site / "colours" / "mix.py"
    module.write_text(attacker.payload())
    rewrite_row(venv, module)
    found = attacker.scan(venv, *project.with_file())
    (one,) = [finding for finding in found.findings if finding["rule"] == "record-forged"]
    assert "--wheels DIR" in one["message"] and "--fetch" in one["message"]
    assert one["path"] == str(venv.dist_info("colours") / "RECORD")


def test_of_two_locked_builds_the_installed_one_is_taken(
    venv: Venv, attacker: Any, project: Project, colours: Wheel, tmp_path: Path
) -> None:
    other = rebuilt(tmp_path / "other", tag="py2.py3-none-any")
    shutil.copy2(other.path, project.wheelhouse)
    text = project.lock.read_text()
    project.lock.write_text(text.replace(colours.sha256, f"{colours.sha256} --hash=sha256:{other.sha256}"))
    for witness in (project.with_wheels(), project.with_file()):
        assert attacker.scan(venv, *witness).findings == []
    module = venv.site / "colours" / "mix.py"
    module.write_text(attacker.payload())
    rewrite_row(venv, module)
    found = attacker.scan(venv, *project.with_wheels())
    assert found.at(module, severity="critical") == ["record-forged"], found.told()


def repack(wheel: Path, change: Callable[[str, bytes], bytes]) -> None:
    """The same members, RECORD and all, with other bytes."""
    with zipfile.ZipFile(wheel) as archive:
        members = [(info, archive.read(info)) for info in archive.infolist()]
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for info, data in members:
            archive.writestr(info, change(info.filename, data))


def test_a_wheel_that_was_repacked_with_its_own_record(venv: Venv, attacker: Any, project: Project) -> None:
    module = venv.site / "colours" / "mix.py"
    module.write_text(attacker.payload())
    wheel = next(project.wheelhouse.glob("colours-*.whl"))
    repack(wheel, lambda name, data: module.read_bytes() if name == "colours/mix.py" else data)
    found = attacker.scan(venv, *project.with_wheels())
    assert found.at(wheel, severity="high") == ["archive-mismatch"], found.told()
    assert found.at(module, severity="high") == ["file-modified"]
    (reason,) = found.environment["lock"]["anchored"]["unanchored"]
    assert reason == {"name": "colours", "version": "1.0", "reason": "doubtful"}


def test_a_wheel_of_the_wheelhouse_that_is_not_the_locked_one(
    venv: Venv, attacker: Any, project: Project, tmp_path: Path
) -> None:
    other = rebuilt(tmp_path / "other")
    install(venv, [other], "--reinstall" if find_tool("uv") else "--force-reinstall")
    (project.wheelhouse / other.path.name).write_bytes(other.path.read_bytes())
    found = attacker.scan(venv, *project.with_wheels())
    (one,) = [finding for finding in found.findings if finding["rule"] == "archive-mismatch"]
    assert one["severity"] == "high" and one["evidence"]["sha256"] == other.sha256
    assert distribution(found, "colours")["assurance"] == "recorded"
    assert distribution(found, "shapes")["assurance"] == "anchored"


def change_digest(anchors: Path, name: str) -> None:
    lines = anchors.read_text().split("\n")
    changed = [line[:-1] + ("A" if line[-1] != "A" else "E") if line.startswith(name) else line for line in lines]
    assert changed != lines
    anchors.write_text("\n".join(changed))


def test_an_anchors_file_whose_digest_was_changed(venv: Venv, attacker: Any, project: Project) -> None:
    project.anchor()
    change_digest(project.anchors, "colours")
    alone = attacker.scan(venv, "--lock", project.lock)
    assert "record-forged" in alone.rules("critical"), alone.told()
    with_wheels = attacker.scan(venv, *project.with_wheels())
    assert with_wheels.at(project.anchors, severity="high") == ["anchors-invalid"], with_wheels.told()
    assert {one["assurance"] for one in with_wheels.environment["distributions"]} == {"anchored"}
    checked = project.anchor("--check")
    assert checked.code == 1 and "anchors-invalid" in checked.stderr


def test_an_anchors_file_with_a_hash_that_the_lock_does_not_have(
    venv: Venv, attacker: Any, project: Project, tmp_path: Path
) -> None:
    other = rebuilt(tmp_path / "other")
    install(venv, [other], "--reinstall" if find_tool("uv") else "--force-reinstall")
    theirs = make_project(tmp_path / "theirs", [other])
    theirs.anchor()
    project.anchor()
    (line,) = [one for one in theirs.anchors.read_text().split("\n") if one.startswith("colours")]
    ours = [line if one.startswith("colours") else one for one in project.anchors.read_text().split("\n")]
    project.anchors.write_text("\n".join(ours))
    found = attacker.scan(venv, "--lock", project.lock)
    assert "anchors-invalid" in found.at(project.anchors, severity="high"), found.told()
    assert distribution(found, "colours")["assurance"] == "recorded"


@pytest.mark.parametrize("place", ["wheels", "anchors"])
def test_a_target_is_not_its_own_witness(venv: Venv, project: Project, place: str) -> None:
    inside = venv.path / "kept"
    shutil.copytree(project.wheelhouse, inside)
    shutil.copy2(project.lock, inside / "envcheck.anchors")
    named = inside if place == "wheels" else inside / "envcheck.anchors"
    ran = envcheck("scan", "--lock", project.lock, f"--{place}", named, venv.path)
    assert ran.code == 2
    assert "lies inside the scanned environment" in ran.stderr


def test_an_anchors_file_in_the_target_is_not_chosen_by_itself(venv: Venv, attacker: Any, project: Project) -> None:
    project.anchor()
    inside = venv.path / "requirements.txt"
    shutil.copy2(project.lock, inside)
    shutil.move(project.anchors, venv.path / "envcheck.anchors")
    found = attacker.scan(venv, "--lock", inside)
    assert found.environment["lock"]["anchors"] == "none"
    assert "anchored" not in {one["assurance"] for one in found.environment["distributions"]}


def test_what_a_poisoned_cache_of_uv_installs_is_found(
    uv: str, tmp_path: Path, attacker: Any, project: Project, interpreter: Interpreter
) -> None:
    """One edit in an environment that uv made reaches all that it makes afterwards, with hashes required."""
    cache = tmp_path / "uv-cache"
    command = [uv, "pip", "install", "-q", "--cache-dir", str(cache), "--no-index", "--require-hashes"]
    command += [f"--find-links={project.wheelhouse}", "-r", str(project.lock)]
    first = make_venv(tmp_path / "first", interpreter)
    run([*command, "--python", str(first.python)], UV_LINK_MODE="hardlink")
    module = first.site / "colours" / "mix.py"
    if module.stat().st_nlink < 2:
        pytest.skip("uv could not link its cache into an environment here")
    with module.open("a") as stream:
        stream.write(attacker.payload())
    second = make_venv(tmp_path / "second", interpreter)
    run([*command, "--python", str(second.python)], UV_LINK_MODE="hardlink")
    poisoned = second.site / "colours" / "mix.py"
    assert poisoned.read_bytes() == module.read_bytes(), "uv installed what was edited elsewhere"
    for witness in (project.with_wheels(), project.with_file()):
        found = attacker.scan(second, *witness)
        assert found.at(poisoned, severity="high"), found.told()
    rewrite_row(second, poisoned)
    found = attacker.scan(second, *project.with_wheels())
    assert found.at(poisoned, severity="critical") == ["record-forged"], found.told()


def test_a_second_package_excuses_only_what_its_own_wheel_has(
    tmp_path: Path, attacker: Any, interpreter: Interpreter
) -> None:
    """Two locked wheels ship one ``__init__.py``, as namespace packages did; a third, in no lock, ships it too."""
    one = build_wheel(tmp_path / "w", "first", "1.0", {"shared/__init__.py": "# one\n", "shared/one.py": "A = 1\n"})
    two = build_wheel(tmp_path / "w", "second", "1.0", {"shared/__init__.py": "# two\n", "shared/two.py": "B = 2\n"})
    evil = build_wheel(tmp_path / "w", "third", "1.0", {"shared/__init__.py": attacker.payload() + "\n"})
    project = make_project(tmp_path / "project", [one, two])
    venv = make_venv(tmp_path / "venv", interpreter)
    for wheel in (one, two):
        install(venv, [wheel])
    for witness in (project.with_wheels(), project.with_file()):
        found = attacker.scan(venv, *witness)
        assert found.rules() <= {"record-conflict"}, found.told()
        assert found.at_least("medium") == []
        assert {each["assurance"] for each in found.environment["distributions"]} <= {"anchored", "unrecorded"}
    install(venv, [evil])
    for witness in (project.with_wheels(), project.with_file()):
        found = attacker.scan(venv, *witness)
        assert "file-modified" in found.at(venv.site / "shared" / "__init__.py", severity="high"), found.told()
