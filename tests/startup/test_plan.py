"""The startup plan of environments made by hand: order, number, conditions, and what does not run."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from envcheck.formats import source
from startup.trees import Place, outcomes


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


TAG = ".cpython-311-x86_64-linux-gnu"
PATCHES = "open('/nowhere/x', 'w').write('x')"
"""Something that might change what a later line does."""


# Order and number ---------------------------------------------------------------------------------------------------


def test_an_import_line_of_a_venv_runs_twice_before_3_15_and_once_after(tmp_path: Path) -> None:
    for version, runs in (("3.11.7", 2), ("3.14.2", 2), ("3.15.0", 1)):
        place = Place(tmp_path / version, version)
        place.write("a.pth", "import os\n")
        entry = place.entries()["import os"]
        assert entry.runs == runs and [o.number for o in entry.occurrences] == list(range(1, runs + 1))


def test_entries_stand_in_the_order_in_which_they_first_run(place: Place) -> None:
    place.write("b.pth", "import sys; b1 = 1\nimport sys; b2 = 1\n")
    place.write("B.pth", "import sys; B = 1\n")
    place.write("_a.pth", "import sys; a = 1\n")
    place.write("sitecustomize.py")
    codes = [entry.code for entry in place.plan().entries]
    assert codes == ["import sys; B = 1", "import sys; a = 1", "import sys; b1 = 1", "import sys; b2 = 1", None]


def test_an_entry_carries_its_file_line_code_and_digest(place: Place) -> None:
    path = place.write("a.pth", "# x\nimport os; x = 1\n")
    (entry,) = place.plan().entries
    assert (entry.path, entry.line, entry.code) == (str(path), 2, "import os; x = 1")
    assert entry.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_without_site_nothing_runs(place: Place) -> None:
    place.write("a.pth", "import os\n")
    place.write("sitecustomize.py")
    assert place.plan("-S").entries == () and place.plan("-IS").entries == ()


def test_a_file_that_is_no_pth_is_not_read(place: Place) -> None:
    for name in ("a.PTH", "a.pth~", "a.pth ", "a.pth.bak"):
        place.write(name, "import os\n")
    assert place.plan().entries == ()


# Path lines ---------------------------------------------------------------------------------------------------------


def test_a_path_line_joins_sys_path_once_if_it_exists(place: Place) -> None:
    place.write("lib/m.py")
    place.write("a.pth", "lib\nlib/../lib\nmissing\n~\n$HOME\n")
    plan = place.plan()
    assert [(line.line, line.added) for line in plan.path_lines] == [
        (1, True), (2, False), (3, False), (4, False), (5, False),
    ]  # fmt: skip
    assert plan.sys_path == (str(place.stdlib), str(place.site), str(place.site / "lib"))


def test_an_import_line_sees_the_paths_of_earlier_lines_and_of_the_earlier_pass(place: Place) -> None:
    place.write("lib/late.py")
    place.write("a.pth", "import late\nimport os; x = 1\n")
    place.write("z.pth", "lib\n")
    entries = place.entries()
    assert outcomes(entries["import late"]) == ["fails", "runs"]
    assert outcomes(entries["import os; x = 1"]) == ["skipped", "runs"]
    assert entries["import late"].loads == str(place.site / "lib" / "late.py")


def test_on_3_15_every_path_line_comes_before_the_first_import_line(tmp_path: Path) -> None:
    place = Place(tmp_path, "3.15.0")
    place.write("lib/late.py")
    place.write("a.pth", "import late\n")
    place.write("z.pth", "lib\n")
    assert outcomes(place.entries()["import late"]) == ["runs"]


@pytest.mark.parametrize("target", ["/proc/self/cwd", "/proc/thread-self/cwd", "/dev/fd/3", "/proc/1/cwd/x"])
def test_the_current_directory_in_disguise_is_symbolic_and_never_looked_into(
    place: Place, target: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text("")
    monkeypatch.chdir(tmp_path)
    place.write("a.pth", f"{target}\n")
    plan = place.plan()
    assert [(line.added, line.symbolic) for line in plan.path_lines] == [(True, True)]
    assert plan.entries == () and target in plan.sys_path


def test_a_link_to_the_current_directory_is_symbolic_too(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text("")
    monkeypatch.chdir(tmp_path)
    (place.site / "one").symlink_to("/proc/self")
    (place.site / "two").symlink_to("one/cwd")
    (place.site / "sitecustomize").symlink_to("/proc/self/cwd")
    place.write("a.pth", "two\n")
    plan = place.plan()
    assert [line.symbolic for line in plan.path_lines] == [True] and plan.entries == ()


# Failing and ending -------------------------------------------------------------------------------------------------


def test_a_line_that_fails_for_certain_ends_its_file_but_not_the_next(place: Place) -> None:
    place.write("a.pth", "import absent\nimport os; x = 1\n")
    place.write("b.pth", "import os; y = 1\n")
    entries = place.entries()
    assert outcomes(entries["import absent"]) == ["fails", "fails"]
    assert entries["import os; x = 1"].runs == 0 and "line 1 fails" in (entries["import os; x = 1"].reason or "")
    assert entries["import os; y = 1"].runs == 2


def test_on_3_15_the_file_goes_on_after_a_line_that_fails(tmp_path: Path) -> None:
    place = Place(tmp_path, "3.15.0")
    place.write("a.pth", "import absent\nimport os; x = 1\n")
    assert place.entries()["import os; x = 1"].runs == 1


def test_a_failure_that_earlier_code_may_prevent_hides_nothing(place: Place) -> None:
    place.write("a.pth", f"import os; {PATCHES}\nimport absent\nimport os; x = 1\n")
    entry = place.entries()["import os; x = 1"]
    assert entry.runs == 2 and "absent" in (entry.when or "") and entry.reason is None


def test_an_unconditional_exit_ends_the_start(place: Place) -> None:
    place.write("a.pth", "import sys; sys.exit(0)\nimport os; x = 1\n")
    place.write("sitecustomize.py")
    plan = place.plan()
    (abort,) = plan.aborts
    assert abort.certain and (abort.path, abort.line) == (str(place.site / "a.pth"), 1)
    assert [entry.runs for entry in plan.entries] == [1, 0, 0]
    assert all("start ends" in (entry.reason or "") for entry in plan.entries[1:])


@pytest.mark.parametrize("text", ["raise SystemExit", "raise KeyboardInterrupt()", "import os; os._exit(0)"])
def test_an_exit_that_earlier_code_may_prevent_is_no_certainty(place: Place, text: str) -> None:
    place.write("a.pth", f"import os; {PATCHES}; {text}\n")
    place.write("sitecustomize.py")
    plan = place.plan()
    assert [abort.certain for abort in plan.aborts] == [False]
    customize = plan.entries[-1]
    assert customize.kind == "sitecustomize" and customize.runs == 1 and customize.when


def test_an_exit_under_a_condition_is_none(place: Place) -> None:
    place.write("a.pth", "import sys; sys.flags.safe_path and sys.exit()\n")
    assert place.plan().aborts == ()


def test_a_pth_that_cannot_be_decoded_ends_the_start(place: Place) -> None:
    place.write("a.pth", b"import os; a = 1\n\xff\n")
    place.write("b.pth", "import os; b = 1\n")
    plan = place.plan(LC_ALL="C.UTF-8")
    assert [(abort.path, abort.certain) for abort in plan.aborts] == [(str(place.site / "a.pth"), True)]
    assert [entry.runs for entry in plan.entries] == [0, 0]


def test_inside_addsitedir_it_ends_the_line_only(place: Place, tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "m.pth").write_bytes(b"\xff")
    place.write("a.pth", f"import site; site.addsitedir({str(tmp_path / 'more')!r})\n")
    place.write("b.pth", "import os; b = 1\n")
    plan = place.plan(LC_ALL="C.UTF-8")
    assert plan.aborts == () and [entry.runs for entry in plan.entries] == [2, 2]


def test_a_fifo_hangs_the_start_and_not_the_scan(place: Place) -> None:
    os.mkfifo(place.site / "a.pth")
    place.write("b.pth", "import os\n")
    plan = place.plan()
    assert [abort.certain for abort in plan.aborts] == [True] and "hangs" in plan.aborts[0].why
    assert plan.entries[0].runs == 0


def test_a_hidden_fifo_hangs_nothing_from_3_11_8_on(tmp_path: Path) -> None:
    place = Place(tmp_path, "3.11.8")
    os.mkfifo(place.site / ".a.pth")
    assert place.plan().aborts == ()


def test_directories_and_dangling_links_are_passed_over(place: Place) -> None:
    (place.site / "a.pth").mkdir()
    (place.site / "b.pth").symlink_to("nowhere")
    place.write("c.pth", "import os\n")
    plan = place.plan()
    assert [entry.runs for entry in plan.entries] == [2] and plan.aborts == ()


# What does not run here ---------------------------------------------------------------------------------------------


def test_a_hidden_pth_is_dormant_where_it_is_skipped_and_runs_where_not(tmp_path: Path) -> None:
    for version, runs in (("3.11.7", 2), ("3.11.8", 0)):
        place = Place(tmp_path / version, version)
        place.write(".a.pth", "import os\n")
        (entry,) = place.plan().entries
        assert entry.runs == runs and (runs > 0 or ("leading-dot" in entry.notes and entry.reason))


def test_with_an_unknown_patch_level_a_hidden_pth_carries_the_condition(tmp_path: Path) -> None:
    place = Place(tmp_path, "3.12")
    place.write(".a.pth", "import os\n")
    place.write("b.pth", "import os; b = 1\n# x\x0cimport os; c = 1\n")
    entries = place.entries()
    assert entries["import os"].runs == 2 and entries["import os"].when == "only on Python before 3.12.2"
    assert entries["import os; b = 1"].runs == 2 and entries["import os; b = 1"].when is None
    hidden = [entry for entry in place.plan().entries if entry.code == "import os; c = 1" and entry.runs]
    assert [entry.when for entry in hidden] == ["only on Python 3.12.4 or later"]


def test_start_files_are_dormant_before_3_15(place: Place) -> None:
    place.write("a.start", "m:f\n# x\nnot one\n")
    (entry,) = place.plan().entries
    assert (entry.kind, entry.code, entry.runs) == ("start-entry-point", "m:f", 0) and entry.reason


def test_on_3_15_a_start_file_takes_the_place_of_import_lines(tmp_path: Path) -> None:
    place = Place(tmp_path, "3.15.0")
    place.write("m.py", "def f(): pass\n")
    place.write("a.pth", "import os; x = 1\nlib\n")
    (place.site / "lib").mkdir()
    place.write("a.start", "m:f\nm:f\n")
    place.write("b.pth", "import os; y = 1\n")
    entries = place.entries()
    assert entries["import os; x = 1"].runs == 0 and "a.start" in (entries["import os; x = 1"].reason or "")
    assert entries["import os; y = 1"].runs == 1
    assert [e.runs for e in place.plan().entries if e.kind == "start-entry-point"] == [1, 1]
    assert entries["m:f"].loads is None or entries["m:f"].loads == str(place.site / "m.py")
    assert str(place.site / "lib") in place.plan().sys_path


def test_a_start_file_that_is_not_utf8_suppresses_nothing(tmp_path: Path) -> None:
    place = Place(tmp_path, "3.15.0")
    place.write("a.pth", "import os\n")
    place.write("a.start", b"\xff")
    assert place.entries()["import os"].runs == 1


# sitecustomize and usercustomize ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "winner"),
    [
        (["sitecustomize.py"], "sitecustomize.py"),
        (["sitecustomize/__init__.py", "sitecustomize.py"], "sitecustomize/__init__.py"),
        ([f"sitecustomize{TAG}.so", "sitecustomize.abi3.so"], f"sitecustomize{TAG}.so"),
        (["sitecustomize.abi3.so", "sitecustomize.so"], "sitecustomize.abi3.so"),
        (["sitecustomize.so", "sitecustomize.py"], "sitecustomize.so"),
        (["sitecustomize.py", "sitecustomize.pyc"], "sitecustomize.py"),
        (["sitecustomize.cpython-310-x86_64-linux-gnu.so", "sitecustomize.pyc"], "sitecustomize.pyc"),
        (["sitecustomize/__init__.abi3.so", "sitecustomize/__init__.py"], "sitecustomize/__init__.abi3.so"),
    ],
)  # fmt: skip
def test_the_finders_order_decides_which_candidate_runs(place: Place, files: list[str], winner: str) -> None:
    for name in files:
        magic = b"\xa7\r\r\n\1" + bytes(11) + b"code"
        place.write(name, b"\x7fELF" if name.endswith(".so") else magic if name.endswith(".pyc") else b"")
    entries = place.entries()
    assert [name for name, entry in entries.items() if entry.runs] == [winner]
    for name, entry in entries.items():
        if name != winner:
            assert entry.shadowed_by == str(place.site / winner) and entry.reason


def test_a_directory_without_init_yields_to_a_later_module(place: Place) -> None:
    (place.site / "sitecustomize").mkdir()
    place.write("lib/sitecustomize.py")
    place.write("a.pth", "lib\n")
    assert place.entries()["lib/sitecustomize.py"].runs == 1


def test_a_broken_extension_runs_nothing_and_blocks_what_is_behind_it(place: Place) -> None:
    place.write("sitecustomize.so", b"no library")
    place.write("sitecustomize.py")
    entries = place.entries()
    assert entries["sitecustomize.so"].runs == 0 and "ELF" in (entries["sitecustomize.so"].reason or "")
    assert entries["sitecustomize.py"].runs == 0


def test_a_path_line_outside_the_environment_supplies_it(place: Place, tmp_path: Path) -> None:
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    (outside / "sitecustomize.py").write_text("import helper\n")
    (outside / "helper.py").write_text("")
    place.write("a.pth", f"{outside}\n")
    (entry,) = place.plan().entries
    assert (entry.kind, entry.runs, entry.outside) == ("sitecustomize", 1, str(outside))
    assert [file.path for file in entry.closure] == [str(outside / "helper.py")]


def test_the_first_on_sys_path_wins_and_the_rest_are_dormant(place: Place, tmp_path: Path) -> None:
    first = tmp_path / "first"
    first.mkdir()
    (first / "sitecustomize.py").write_text("")
    place.write("sitecustomize.py")
    place.initial = (str(first), str(place.stdlib))
    plan = place.plan()
    assert [(entry.path, entry.runs) for entry in plan.entries] == [
        (str(first / "sitecustomize.py"), 1), (str(place.site / "sitecustomize.py"), 0),
    ]  # fmt: skip


def test_usercustomize_needs_the_user_site(place: Place) -> None:
    place.write("usercustomize.py")
    (entry,) = place.plan().entries
    assert entry.runs == 0 and "user site" in (entry.reason or "")
    place.user_site = True
    (entry,) = place.plan().entries
    assert entry.runs == 1


def test_a_line_that_imports_sitecustomize_runs_it_early_and_once(place: Place) -> None:
    place.write("a.pth", "import sitecustomize\nimport os; x = 1\n")
    place.write("sitecustomize.py")
    plan = place.plan()
    assert [(entry.kind, entry.runs) for entry in plan.entries] == [
        ("pth-import", 2), ("sitecustomize", 1), ("pth-import", 2),
    ]  # fmt: skip


def test_taking_it_out_of_sys_modules_disables_it(place: Place) -> None:
    place.write("a.pth", "import sys; sys.modules['sitecustomize'] = None\n")
    place.write("sitecustomize.py")
    assert place.entries()["sitecustomize.py"].runs == 0
    place.write("a.pth", f"import sys; {PATCHES}; sys.modules['sitecustomize'] = None\n")
    entry = place.entries()["sitecustomize.py"]
    assert entry.runs == 1 and entry.when


def test_an_editable_finder_answers_for_sitecustomize(place: Place, tmp_path: Path) -> None:
    source = tmp_path / "src"
    source.mkdir()
    (source / "sitecustomize.py").write_text("")
    name = "__editable___p_1_0_finder"
    place.write("__editable__.p-1.0.pth", f"import {name}; {name}.install()")
    place.write(
        f"{name}.py",
        f"MAPPING: dict[str, str] = {{'sitecustomize': {str(source / 'sitecustomize')!r}}}\nNAMESPACES = {{}}\n"
        "def install():\n    pass\n",
    )
    entry = place.plan().entries[-1]
    assert (entry.kind, entry.path, entry.runs) == ("sitecustomize", str(source / "sitecustomize.py"), 1)
    assert entry.outside == str(source)


# Closure ------------------------------------------------------------------------------------------------------------


def test_the_closure_holds_the_files_that_an_entry_is_the_first_to_load(place: Place) -> None:
    place.write("p/__init__.py", "from . import one\nfrom p.two import x\n")
    place.write("p/one.py", "import os, json\n")
    place.write("p/two.py", "x = 1\n")
    place.write("p/unused.py")
    place.write("a.pth", "import p\n")
    place.write("b.pth", "import p; import p.unused\n")
    (place.stdlib / "json.py").write_text("")
    entries = place.entries()
    names = {code: [os.path.relpath(file.path, place.site) for file in e.closure] for code, e in entries.items()}
    assert names == {
        "import p": ["p/__init__.py", "p/one.py", "p/two.py"],
        "import p; import p.unused": ["p/unused.py"],
    }
    assert entries["import p"].loads == str(place.site / "p" / "__init__.py")


def test_a_conditional_import_is_followed(place: Place) -> None:
    place.write("hook/__init__.py")
    place.write("a.pth", "import os; e = os.environ.get('X', 'y') == 'y'; e and __import__('hook').add();\n")
    (entry,) = place.plan().entries
    assert entry.loads == str(place.site / "hook" / "__init__.py") and entry.runs == 2


def test_a_module_planted_in_the_standard_library_is_followed(place: Place) -> None:
    (place.stdlib / "planted.py").write_text("")
    (place.stdlib / "json.py").write_text("")
    place.write("a.pth", "import json, planted\n")
    (entry,) = place.plan().entries
    assert [file.path for file in entry.closure] == [str(place.stdlib / "planted.py")]


def test_the_standard_library_shadowed_by_another_place_is_followed(place: Place, tmp_path: Path) -> None:
    first = tmp_path / "first"
    first.mkdir()
    (first / "json.py").write_text("")
    (first / "os.py").write_text("")
    place.initial = (str(first), str(place.stdlib))
    place.write("a.pth", "import json, os\n")
    (entry,) = place.plan().entries
    assert [file.path for file in entry.closure] == [str(first / "json.py")]


def test_addsitedir_gives_entries_of_their_own(place: Place, tmp_path: Path) -> None:
    more = tmp_path / "more"
    more.mkdir()
    (more / "m.pth").write_text("import os; m = 1\n")
    (more / "sitecustomize.py").write_text("")
    place.write("a.pth", f"import site; site.addsitedir({str(more)!r})\n")
    entries = place.entries()
    assert entries["import os; m = 1"].runs == 2 and entries["import os; m = 1"].outside == str(more)
    assert [e.outside for e in entries.values() if e.kind == "sitecustomize"] == [str(more)]


def test_a_directory_that_adds_itself_is_cut_and_said_so(place: Place) -> None:
    place.write("a.pth", f"import site; site.addsitedir({str(place.site)!r})\n")
    (entry,) = place.plan().entries
    assert entry.runs == 2 and entry.unresolved and place.files.not_seen


def test_what_cannot_be_followed_is_listed(place: Place) -> None:
    place.write("a.pth", "import os; exec(os.environ.get('X'))\nimport os; __import__(os.environ.get('Y'))\n")
    unresolved = [entry.unresolved for entry in place.plan().entries]
    assert unresolved == [
        ("exec of text that is not literal",), ("__import__ of a name that is not literal",),
    ]  # fmt: skip


def test_source_of_another_grammar_is_not_understood_and_still_runs(tmp_path: Path) -> None:
    place = Place(tmp_path, "3.15.0")
    place.write("a.pth", "import os; lazy import evil\nimport os; x = 1\n")
    entries = place.entries()
    assert entries["import os; lazy import evil"].runs == 1
    assert "not understood" in " ".join(entries["import os; lazy import evil"].unresolved)
    assert entries["import os; x = 1"].runs == 1


def test_a_member_of_a_zip_archive_is_spelt_as_its_file(place: Place) -> None:
    import zipfile

    with zipfile.ZipFile(place.site / "lib.zip", "w") as archive:
        archive.writestr("sitecustomize.py", "import helper")
        archive.writestr("helper/__init__.py", "")
    place.write("a.pth", "lib.zip\n")
    (entry,) = place.plan().entries
    assert entry.path == str(place.site / "lib.zip" / "sitecustomize.py")
    assert [file.path for file in entry.closure] == [str(place.site / "lib.zip" / "helper" / "__init__.py")]


# Bounds -------------------------------------------------------------------------------------------------------------


def test_a_huge_pth_is_read_up_to_the_bound_and_reported(place: Place) -> None:
    place.files.limits = place.files.limits._replace(startup=1000)
    place.write("a.pth", "import os; x = 1\n" + "# padding\n" * 500 + "import os; y = 1\n")
    entries = place.entries()
    assert entries["import os; x = 1"].runs == 2
    assert any("larger than the bound" in missed.why for missed in place.files.not_seen)


def test_modules_that_import_one_another_end(place: Place) -> None:
    place.write("one.py", "import two\n")
    place.write("two.py", "import one\nimport absent\n")
    place.write("a.pth", "import one\nimport two\n")
    place.plan()


def test_another_implementation_is_not_modelled(tmp_path: Path) -> None:
    place = Place(tmp_path, "3.10.14", implementation="pypy")
    place.write("a.pth", "import os\n")
    plan = place.plan()
    assert plan.entries == () and "pypy" in (plan.not_modelled or "")


def test_a_line_is_parsed_once_however_often_it_runs(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    real = source.parse
    monkeypatch.setattr(source, "parse", lambda text: (parsed.append(text), real(text))[1])
    for number in range(100):
        place.write(f"f{number}.pth", f"import os, sys; p = os.environ.get('A{number}', 'b'); x = sys.version_info\n")
    assert all(entry.runs == 2 for entry in place.plan().entries)
    assert len(parsed) == 100
