"""`--diff PATH`: an installed file beside what its locked wheel has, shown safely."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.anchoring import Project, make_project
from support.records import change_rows
from support.scanning import envcheck
from support.venvs import Venv
from support.wheels import Wheel, record_hash


@pytest.fixture
def project(tmp_path: Path, colours: Wheel, shapes: Wheel) -> Project:
    return make_project(tmp_path / "project", [colours, shapes])


def shown(project: Project, venv: Venv, path: str | Path, **options: Any) -> list[str]:
    ran = envcheck("scan", *project.with_wheels(), "--fail-on", "never", "--diff", path, venv.path, **options)
    assert ran.code == 0, ran.stderr
    return ran.stdout.decode().splitlines()


def test_a_forged_file_is_shown_beside_the_wheels(venv: Venv, project: Project) -> None:
    module = venv.site / "colours" / "mix.py"
    module.write_text(module.read_text() + "EVIL = '\x1b[2J\u202e'\n")
    data = module.read_bytes()
    change_rows(
        venv.dist_info("colours"), lambda row: [row[0], record_hash(data), ""] if row[0].endswith("mix.py") else row
    )
    for named in ("colours/mix.py", module, module.relative_to(venv.path)):
        lines = shown(project, venv, named)
        assert "--- colours-1.0-py3-none-any.whl" in lines
        assert f"+++ {module}" in lines
        assert "+EVIL = '⟨ESC⟩[2J⟨U+202E⟩'" in lines
        assert not any("\x1b" in line for line in lines)


def test_what_is_no_text_is_told_by_size_and_hash(venv: Venv, project: Project) -> None:
    (venv.site / "colours" / "data.txt").write_bytes(b"red\0")
    lines = shown(project, venv, "colours/data.txt")
    assert any(line.startswith("--- colours-1.0-py3-none-any.whl: 4 bytes, sha256 ") for line in lines), lines
    assert any(line.startswith("+++ ") and ": 4 bytes, sha256 " in line for line in lines)


def test_a_file_that_is_gone_and_one_that_is_the_same(venv: Venv, project: Project) -> None:
    (venv.site / "colours" / "data.txt").unlink()
    assert any("is not there" in line for line in shown(project, venv, "colours/data.txt"))
    assert any("the same as in colours-1.0" in line for line in shown(project, venv, "colours/mix.py"))


def test_without_a_wheel_it_says_how_to_get_one(venv: Venv, project: Project) -> None:
    project.anchor()
    ran = envcheck("scan", "--lock", project.lock, "--diff", "colours/mix.py", venv.path)
    assert "--wheels DIR" in ran.stdout.decode()
    nothing = envcheck("scan", *project.with_wheels(), "--diff", "nothing.py", venv.path)
    assert "no locked wheel at hand has it" in nothing.stdout.decode()
    assert envcheck("scan", *project.with_wheels(), "--diff", "", venv.path).code == 2
