"""`envcheck anchor`: the committed file, whether it is complete and current, and what `verify` makes of it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from envcheck.anchors.committed import read_committed
from envcheck.files.root import Files
from envcheck.formats.manifest import fold, is_left_out, is_made_script, manifest_digest
from envcheck.model.errors import UsageError
from support.anchoring import Project, make_project
from support.pythons import Interpreter
from support.scanning import envcheck, scan
from support.venvs import Venv, install, make_venv
from support.wheels import Wheel, build_wheel, record_hash


@pytest.fixture
def project(tmp_path: Path, colours: Wheel, shapes: Wheel) -> Project:
    return make_project(tmp_path / "project", [colours, shapes])


def test_it_has_one_short_sorted_line_a_wheel(project: Project, colours: Wheel, shapes: Wheel) -> None:
    ran = project.anchor()
    assert ran.code == 0, ran.stderr
    header, explained, *lines = project.anchors.read_text().splitlines()
    assert header == "envcheck anchors 1 of requirements.txt" and explained.startswith("# ")
    assert [line.split()[0] for line in lines] == [colours.path.name, shapes.path.name]
    assert all(len(line) < 160 for line in lines)
    archive = record_hash(colours.path.read_bytes()).removeprefix("sha256=")
    assert lines[0].split()[1] == archive


def test_the_digest_can_be_made_by_hand(project: Project, shapes: Wheel) -> None:
    """Over sorted lines of location, NUL and digest: as the documentation says."""
    import zipfile

    project.anchor()
    (line,) = [line for line in project.anchors.read_text().splitlines() if line.startswith("shapes")]
    with zipfile.ZipFile(shapes.path) as archive:
        rows = sorted(
            f"S/{name}\0{record_hash(archive.read(name)).removeprefix('sha256=')}"
            for name in archive.namelist()
            if not name.endswith("/RECORD")
        )
    assert line.split()[2] == record_hash("\n".join(rows).encode()).removeprefix("sha256=")


def test_it_is_the_same_each_time(project: Project) -> None:
    project.anchor()
    first = project.anchors.read_bytes()
    project.anchors.unlink()
    project.anchor()
    assert project.anchors.read_bytes() == first


def test_lines_of_wheels_that_are_not_at_hand_stay_while_they_are_locked(project: Project, colours: Wheel) -> None:
    project.anchor()
    before = project.anchors.read_bytes()
    next(project.wheelhouse.glob("colours-*")).unlink()
    ran = project.anchor()
    assert "1 of them as they were in the file" in ran.stdout.decode()
    assert project.anchors.read_bytes() == before
    project.lock.write_text(project.lock.read_text().replace(colours.requirement + "\n", ""))
    project.anchor()
    assert "colours" not in project.anchors.read_text()


def test_a_package_without_a_wheel_at_hand_is_named(project: Project) -> None:
    next(project.wheelhouse.glob("colours-*")).unlink()
    ran = project.anchor()
    assert "no wheel at hand of 1 package: colours 1.0" in ran.stderr
    checked = project.anchor("--check")
    assert checked.code == 1 and "colours 1.0" in checked.stderr
    assert project.anchor("--check", "--except", "Colours").code == 0


def test_check_tells_a_complete_and_current_file(project: Project) -> None:
    missing = envcheck("anchor", "--lock", project.lock, "--check")
    assert missing.code == 2 and "there is no anchors file" in missing.stderr
    project.anchor()
    assert envcheck("anchor", "--lock", project.lock, "--check").code == 0


def test_check_tells_a_lock_that_went_on(project: Project, tmp_path: Path) -> None:
    project.anchor()
    newer = build_wheel(tmp_path / "newer", "shapes", "2.1", {"shapes.py": "CORNERS = 5\n"})
    lines = [line for line in project.lock.read_text().splitlines() if not line.startswith("shapes")]
    project.lock.write_text("\n".join([*lines, newer.requirement, ""]))
    ran = envcheck("anchor", "--lock", project.lock, "--check")
    assert ran.code == 1
    assert "anchors-stale" in ran.stderr and "shapes 2.1" in ran.stderr


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda text: text.replace("envcheck anchors 1", "envcheck anchors 9"), 1),
        (lambda text: "", 1),
        (lambda text: text.replace(" ", "  "), 1),
        (lambda text: text + "one two\n", 5),
        (lambda text: text + "x.whl a b\n", 5),
        (lambda text: text.replace("shapes-2.0-py3-none-any.whl ", "shapes-2.0-py3-none-any.whl !"), 4),
        (lambda text: text[:-3] + "\n", 4),
    ],
)
def test_a_file_that_is_not_of_its_format_is_not_believed(
    project: Project, venv: Venv, change: object, line: int
) -> None:
    assert callable(change)
    project.anchor()
    project.anchors.write_text(change(project.anchors.read_text()))
    found = scan("--lock", project.lock, venv.path)
    (one,) = [finding for finding in found.findings if finding["rule"] == "anchors-invalid"]
    assert (one["severity"], one["line"]) == ("high", line), one
    assert {each["assurance"] for each in found.environment["distributions"]} == {"recorded"}
    assert envcheck("anchor", "--lock", project.lock, "--check").code == 1


def test_a_named_file_must_be_there(project: Project, venv: Venv) -> None:
    ran = envcheck("scan", "--lock", project.lock, "--anchors", project.path / "none", venv.path)
    assert ran.code == 2 and "there is no anchors file" in ran.stderr
    with pytest.raises(UsageError):
        read_committed(Files(), str(project.path))


def test_a_file_may_lie_elsewhere(project: Project, venv: Venv, tmp_path: Path) -> None:
    project.anchor("-o", tmp_path / "kept")
    assert not project.anchors.exists()
    found = scan("--lock", project.lock, "--anchors", tmp_path / "kept", venv.path)
    assert found.environment["lock"]["anchors"] == "file"
    assert found.environment["lock"]["anchored"]["path"] == str(tmp_path / "kept")


def test_hashes_of_other_algorithms_anchor_as_well(project: Project, venv: Venv, colours: Wheel) -> None:
    sha512 = hashlib.sha512(colours.path.read_bytes()).hexdigest()
    project.lock.write_text(project.lock.read_text().replace(f"sha256:{colours.sha256}", f"sha512:{sha512}"))
    for options in (project.with_wheels(), project.with_file()):
        found = scan(*options, venv.path)
        assert {one["assurance"] for one in found.environment["distributions"]} == {"anchored"}, found.told()
    assert "sha512=" in project.anchors.read_text()


def test_weak_hashes_anchor_nothing(project: Project, venv: Venv, colours: Wheel) -> None:
    md5 = hashlib.md5(colours.path.read_bytes()).hexdigest()
    project.lock.write_text(project.lock.read_text().replace(f"sha256:{colours.sha256}", f"md5:{md5}"))
    found = scan(*project.with_wheels(), venv.path)
    assert {"name": "colours", "version": "1.0", "reason": "no-hash"} in found.environment["lock"]["anchored"][
        "unanchored"
    ]


# verify


def test_verify_ends_with_the_sentence_that_a_log_needs(project: Project, venv: Venv) -> None:
    ran = envcheck("verify", *project.with_wheels(), "--require-anchors", venv.path)
    assert ran.code == 0, ran.stdout.decode()
    lines = [line for line in ran.stdout.decode().splitlines() if line]
    sentence = next(line for line in lines if line.startswith("verified:"))
    assert sentence == "verified: 2 distributions, 10 files match requirements.txt (2 anchored)"


def test_verify_requires_anchors_but_for_what_is_excepted(project: Project, venv: Venv) -> None:
    next(project.wheelhouse.glob("colours-*")).unlink()
    options = [*project.with_wheels(), venv.path]
    assert scan("verify", *options).code == 0
    required = scan("verify", "--require-anchors", *options)
    assert required.code == 1
    (one,) = [finding for finding in required.findings if finding["rule"] == "unanchored"]
    assert one["severity"] == "medium" and "colours 1.0" in one["message"]
    excepted = envcheck("verify", "--require-anchors", "--except", "Colours", *options)
    assert excepted.code == 0
    assert "(1 anchored, 1 excepted)" in excepted.stdout.decode()


def test_verify_requires_anchors_where_there_are_none_at_all(project: Project, venv: Venv) -> None:
    found = scan("verify", "--lock", project.lock, "--require-anchors", venv.path)
    assert found.code == 1 and "unanchored" in found.rules("medium")
    plain = envcheck("verify", "--lock", project.lock, venv.path)
    assert plain.code == 0
    assert "match their own RECORD (0 anchored)" in plain.stdout.decode()


def test_what_stands_behind_anchored_is_in_the_report(project: Project, venv: Venv) -> None:
    ran = envcheck("scan", *project.with_wheels(), venv.path)
    text = " ".join(ran.stdout.decode().split())
    assert "10 files proven by it" in text
    document = scan(*project.with_wheels(), venv.path).document
    assert json.dumps(document["environments"][0]["lock"]["anchored"]["files"]) == "10"


# The canonical manifest


def test_locations_do_not_depend_on_prefix_version_or_depth() -> None:
    assert fold("lib/python3.11/site-packages/a/b.py") == fold("lib64/python3.13t/site-packages/a/b.py") == "S/a/b.py"
    assert fold("bin/tool") == fold("Scripts/tool") == "B/tool"
    assert fold("include/site/python3.11/My_Package/x.h") == "H/my-package/x.h"
    assert fold("share/doc/x") == "P/share/doc/x"


def test_the_closed_list_is_closed() -> None:
    info, files = "a-1.dist-info", {"S/a.py": "x", "S/p/b.py": "y"}

    def left(location: str) -> bool:
        return is_left_out(location, info, files, frozenset({"tool", "pip"}))

    assert all(left(f"S/{info}/{name}") for name in ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json"))
    assert left("S/__pycache__/a.cpython-311.pyc") and left("S/p/__pycache__/b.cpython-311.opt-2.pyc")
    assert left("B/tool") and left("B/pip3.11") and left("B/pip3")
    for location in (
        f"S/{info}/METADATA",
        f"S/{info}/sub/INSTALLER",
        "S/other-1.dist-info/INSTALLER",
        "S/INSTALLER",
        "S/a.pyc",
        "S/__pycache__/b.cpython-311.pyc",  # of no listed source
        "S/p/__pycache__/a.cpython-311.pyc",
        "S/__pycache__/a.pyc",
        "B/tool2",
        "B/easy_install",
        "P/INSTALLER",
    ):
        assert not left(location), location
    assert not is_made_script("pip3.11", frozenset({"tool"}))


def test_a_manifest_is_of_all_its_files() -> None:
    files = {"S/a.py": "x", "S/b.py": "y"}
    assert manifest_digest(files) == manifest_digest(dict(reversed(files.items())))
    assert manifest_digest(files) != manifest_digest({"S/a.py": "y", "S/b.py": "x"})
    assert manifest_digest(files) != manifest_digest({"S/a.py": "x"})


def test_lines_for_another_platform_alone_are_no_alarm(tmp_path: Path, interpreter: Interpreter) -> None:
    """The file was made on another system; only a lock that names archives tells which wheel is meant here."""
    files = {"demo.py": "VALUE = 1\n"}
    here = build_wheel(tmp_path / "w", "demo", "1.0", files, tag="py3-none-any")
    there = build_wheel(tmp_path / "w", "demo", "1.0", {"demo.py": "VALUE = 2\n"}, tag="cp311-cp311-win_amd64")
    project = make_project(tmp_path / "project", [there])
    lock = project.path / "pylock.toml"
    rows = [
        f'{{url = "https://index.example/{one.path.name}", hashes = {{sha256 = "{one.sha256}"}}}}'
        for one in (here, there)
    ]
    lock.write_text(
        'lock-version = "1.0"\ncreated-by = "tests"\n[[packages]]\nname = "demo"\nversion = "1.0"\n'
        f"wheels = [{', '.join(rows)}]\n"
    )
    ran = envcheck("anchor", "--lock", lock, "--wheels", project.wheelhouse)
    assert ran.code == 0 and "1 other locked archives" in ran.stdout.decode(), ran.stderr
    venv = make_venv(tmp_path / "venv", interpreter)
    install(venv, [here])
    found = scan("--lock", lock, venv.path)
    assert "record-forged" not in found.rules(), found.told()
    assert [one["reason"] for one in found.environment["lock"]["anchored"]["unanchored"]] == ["not-in-file"]
    both = scan("--lock", lock, "--wheels", here.path.parent, venv.path)
    assert {one["assurance"] for one in both.environment["distributions"]} == {"anchored"}, both.told()
