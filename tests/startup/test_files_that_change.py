"""Startup files that cannot be read, and those that other startup files make or delete while Python starts.

What lies there is planned. What a file would become is told of the code that makes it: it writes files, and where.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from startup.rows import Row
from support.pythons import Interpreter, of_minor

RowOf = Callable[[Interpreter], Row]
BORDERS = ((3, 8), (3, 11), (3, 15))
MAKES = "import os; n = os.open(sitedir + '/b.pth', 66); os.write(n, b\"{mark}\"); os.close(n)\n"


def unprivileged() -> list[str]:
    """What a command is put behind so that the permissions of files count, also for root."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root reads every file, and setpriv is not on PATH")
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]


def scanned(row: Row, *before: str) -> tuple[int, Any]:
    """The exit code of a light scan, and its report."""
    command = [*before, sys.executable, "-m", "envcheck", "scan", "--startup-only", "--format", "json", str(row.venv)]
    done = subprocess.run(command, env=row.environ(), capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize("minor", BORDERS)
def test_a_pth_that_cannot_be_read_is_passed_over_and_said_so(minor: tuple[int, int], row_of: RowOf) -> None:
    row = row_of(of_minor(minor)).fill({"a.pth": 'import os; mark("a")\n', "b.pth": 'import os; mark("b")\n'})
    (row.site / "a.pth").chmod(0)
    before = unprivileged()
    marks = row.venv / "marks"
    marks.unlink(missing_ok=True)
    subprocess.run([*before, str(row.venv / "bin/python"), "-B", "-c", "pass"], env=row.environ(), check=False)
    assert set(marks.read_text().split()) == {"b"}
    code, report = scanned(row, *before)
    (environment,) = report["environments"]
    assert [os.path.basename(entry["path"]) for entry in environment["startup"]] == ["b.pth"]
    assert code in (1, 3)
    assert f"{row.site}/a.pth" in [missed["path"] for missed in environment["not_seen"]]


@pytest.mark.parametrize("minor", BORDERS)
def test_a_pth_that_another_deletes_is_planned_all_the_same(minor: tuple[int, int], row_of: RowOf) -> None:
    files = {"a.pth": "import os; os.unlink(sitedir + '/b.pth')\n", "b.pth": 'import os; mark("b")\n'}
    row = row_of(of_minor(minor)).fill(files)
    planned = row.planned()
    # From 3.15 on all files are read before the first line runs.
    assert row.start() == (["b"] if minor >= (3, 15) else [])
    assert set(planned.possible) == {"b"}


@pytest.mark.parametrize("minor", BORDERS)
def test_a_pth_that_another_makes_runs_in_the_next_pass_and_its_maker_writes_files(
    minor: tuple[int, int], row_of: RowOf
) -> None:
    mark = "import os; os.close(os.open(os.environ['ENVCHECK_MARKS'], 66))"
    row = row_of(of_minor(minor)).fill({"a.pth": MAKES.format(mark=mark)})
    _, report = scanned(row)
    (entry,) = report["environments"][0]["startup"]
    assert "writes-files" in entry["capabilities"]
    row.start()
    assert (row.site / "b.pth").exists()
    assert (row.venv / "marks").exists() is (minor < (3, 15))
