"""The plan of an interpreter whose patch level no file tells: every side of its boundaries, joined."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from envcheck.environments.discover import find_environment
from envcheck.files.root import Files
from envcheck.model.environment import Environment
from envcheck.model.invocation import Invocation
from envcheck.model.startup import Occurrence, StartupEntry, StartupPlan
from envcheck.startup.joined import joined
from envcheck.startup.plan import make_plan
from startup.trees import Place

TO_1, TO_3, FROM_4 = "Python before 3.12.2", "Python 3.12.2 to 3.12.3", "Python 3.12.4 or later"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """3.12 has two boundaries, so three sides."""
    return Place(tmp_path, "3.12")


def test_what_every_side_runs_carries_no_condition(place: Place) -> None:
    place.write("a.pth", "import os\n")
    (entry,) = place.plan().entries
    assert (entry.runs, entry.when, [o.when for o in entry.occurrences]) == (2, None, [None, None])


def test_what_some_sides_run_names_them(place: Place) -> None:
    place.write(".a.pth", "import os; hidden = 1\n")
    place.write("b.pth", b"\xef\xbb\xbfimport os; bom = 1\n")
    place.write("c.pth", "# x\x0cimport os; wide = 1\n")
    when = {e.code: e.when for e in place.plan(LC_ALL="C.UTF-8").entries if e.runs}
    assert when == {
        "import os; hidden = 1": f"only on {TO_1}",
        "import os; bom = 1": f"only on {FROM_4}",
        "import os; wide = 1": f"only on {FROM_4}",
    }


def test_a_line_whose_number_a_form_feed_moves_is_one_entry(place: Place) -> None:
    place.write("a.pth", "# x\x0c# y\nimport os; moved = 1\nimport os; moved = 1\n")
    found = [(e.line, e.runs, e.when) for e in place.plan(LC_ALL="C.UTF-8").entries]
    assert found == [(2, 2, None), (3, 2, None)]


def test_a_line_that_fails_on_some_sides_only_runs_on_all(place: Place) -> None:
    # Up to 3.12.1 the hidden file adds the directory before the first pass meets the import.
    place.write("lib/late.py")
    place.write(".a.pth", "lib\n")
    place.write("b.pth", "import late\n")
    place.write("c.pth", "lib\n")
    entry = place.entries()["import late"]
    assert entry.when is None
    assert [o.outcome for o in entry.occurrences] == ["runs", "runs"] and entry.runs == 2


def test_a_line_that_only_one_side_reaches_in_its_first_pass(place: Place) -> None:
    place.write("lib/late.py")
    place.write(".a.pth", "lib\n")
    place.write("b.pth", "import late\nimport os; after = 1\n")
    place.write("c.pth", "lib\n")
    entry = place.entries()["import os; after = 1"]
    assert (entry.runs, entry.when) == (2, None)
    assert [o.when for o in entry.occurrences] == [f"only on {TO_1}", None]


def test_what_an_entry_loads_on_one_side_only_is_in_its_closure_with_the_condition(place: Place) -> None:
    place.write("one/m.py")
    place.write("two/m.py")
    place.write(".a.pth", "one\n")
    place.write("b.pth", "two\nimport m\n")
    entry = place.entries()["import m"]
    assert entry.when is None
    assert {file.path: file.when for file in entry.closure} == {
        str(place.site / "one/m.py"): f"only on {TO_1}",
        str(place.site / "two/m.py"): f"only on {TO_3}, {FROM_4}",
    }


def test_a_path_line_that_one_side_adds_is_added(place: Place) -> None:
    place.write("lib/m.py")
    place.write(".a.pth", "lib\n")
    place.write("b.pth", "lib\n")
    lines = {line.path: line.added for line in place.plan().path_lines}
    assert lines == {str(place.site / ".a.pth"): True, str(place.site / "b.pth"): True}


def test_an_abort_of_one_side_is_not_certain_and_hides_nothing(place: Place) -> None:
    place.write(".a.pth", "import sys; sys.exit()\n")
    place.write("b.pth", "import os\n")
    plan = place.plan()
    assert [abort.certain for abort in plan.aborts] == [False]
    entry = next(entry for entry in plan.entries if entry.code == "import os")
    assert entry.runs == 2 and entry.when == f"only on {TO_3}, {FROM_4}"


def test_entries_stand_in_the_order_of_their_own_side(place: Place) -> None:
    place.write(".a.pth", "import os; a = 1\n")
    place.write("b.pth", "import os; b = 1\nimport os; b2 = 1\n# x\x0cimport os; b3 = 1\n")
    place.write("c.pth", "import os; c = 1\n")
    ran = [entry.code for entry in place.plan().entries if entry.runs]
    assert ran == [f"import os; {name} = 1" for name in ("a", "b", "b2", "b3", "c")]


class Counted(str):
    """Text that counts how often it is compared."""

    compared = 0

    def __eq__(self, other: object) -> bool:
        Counted.compared += 1
        return super().__eq__(other)

    __hash__ = str.__hash__


def test_joining_compares_each_entry_with_few_others() -> None:
    def side(name: str, count: int) -> StartupPlan:
        return StartupPlan(
            tuple(StartupEntry("pth-import", "/a.pth", n, Counted(f"{name} {n}")) for n in range(count)), (), ()
        )

    plan = joined([side("one", 500), side("two", 500), side("one", 500)], ["a", "b", "c"])
    assert len(plan.entries) == 1000 and Counted.compared < 20_000


# The path configuration ----------------------------------------------------------------------------------------------


def tree(root: Path, minor: str, *bases: str, home: str) -> Path:
    """A venv whose interpreter links into ``base``, with ``home`` elsewhere; no file tells the patch level."""
    for base in bases:
        library = root / base / "lib" / f"python{minor}"
        (library / "lib-dynload").mkdir(parents=True)
        (library / "site-packages").mkdir()
        (library / "os.py").touch()
        (library / "sitecustomize.py").write_text(f"{base} = 1\n")
        (root / base / "bin").mkdir()
        (root / base / "bin" / f"python{minor}").touch()
    (root / "venv/bin").mkdir(parents=True)
    (root / f"venv/lib/python{minor}/site-packages").mkdir(parents=True)
    (root / "venv/bin/python").symlink_to(root / bases[0] / "bin" / f"python{minor}")
    (root / "venv/pyvenv.cfg").write_text(f"home = {root / home / 'bin'}\ninclude-system-site-packages = true\n")
    return root / "venv"


def of_tree(venv: Path) -> tuple[Environment, StartupPlan]:
    files, invocation = Files(), Invocation((), {"LANG": "C.UTF-8"})
    environment = find_environment(files, str(venv), invocation)
    return environment, make_plan(files, environment, invocation)


def test_a_home_elsewhere_leads_to_the_library_of_each_side(tmp_path: Path) -> None:
    environment, plan = of_tree(tree(tmp_path, "3.14", "base", "other", home="other"))
    assert environment.python.patch is None
    assert {(e.path.split("/")[-4], e.when) for e in plan.entries if e.kind == "sitecustomize" and e.runs} == {
        ("base", "only on Python 3.14.10 or later"),
        ("other", "only on Python before 3.14.10"),
    }
    shared = [site.path for site in environment.site_dirs if "/venv/" not in site.path]
    assert shared == [str(tmp_path / base / "lib/python3.14/site-packages") for base in ("base", "other")]
    assert not plan.path_certain


def test_a_build_tree_is_one_before_the_landmark_went(tmp_path: Path) -> None:
    venv = tree(tmp_path, "3.13", "base", home="base")
    landmark = tmp_path / "base/bin/Modules/Setup.local"
    landmark.parent.mkdir()
    landmark.touch()
    (tmp_path / "base/bin/Lib").mkdir()
    (tmp_path / "base/bin/Lib/os.py").touch()
    (tmp_path / "base/bin/Lib/sitecustomize.py").touch()
    environment, plan = of_tree(venv)
    assert {(e.path.split("/")[-2], e.when) for e in plan.entries if e.kind == "sitecustomize" and e.runs} == {
        ("Lib", "only on Python before 3.13.15"),
        ("python3.13", "only on Python 3.13.15 or later"),
    }
    assert str(landmark) in dict(environment.redirectors)


def test_where_every_release_comes_to_the_same_there_is_one_side(tmp_path: Path) -> None:
    environment, plan = of_tree(tree(tmp_path, "3.14", "base", home="base"))
    assert environment.sides == ()
    assert [e.when for e in plan.entries] == [None]


def test_a_patch_level_that_is_known_gives_one_side(tmp_path: Path) -> None:
    venv = tree(tmp_path, "3.14", "base", "other", home="other")
    for base in ("base", "other"):
        header = tmp_path / base / "include/python3.14/patchlevel.h"
        header.parent.mkdir(parents=True)
        header.write_text('#define PY_VERSION "3.14.2"\n')
    environment, plan = of_tree(venv)
    assert (environment.python.version, environment.sides) == ("3.14.2", ())
    assert [e.path.split("/")[-4] for e in plan.entries if e.runs] == ["other"]


def test_an_entry_that_is_reached_very_often_is_joined_in_time(place: Place) -> None:
    occurrences = tuple(Occurrence(number, number, "runs") for number in range(1, 20_001))
    entry = StartupEntry("pth-import", "/a.pth", 1, "import os", occurrences=occurrences)
    sides = [StartupPlan((entry._replace(occurrences=occurrences[number:]),), (), ()) for number in range(2)]
    began = time.process_time()
    (found,) = joined(sides, ["one", "two"]).entries
    assert time.process_time() - began < 1
    assert [o.when for o in found.occurrences[:2]] == ["only on one", None]
