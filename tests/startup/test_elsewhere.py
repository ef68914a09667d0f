"""What does not run here says where it would; each claim is one that the interpreters at hand can be asked about."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from catalogue.samples import bundled, namespace_lines
from envcheck.model.startup import StartupEntry
from startup.test_standard_imports import planned
from startup.trees import Place
from support.pythons import Interpreter, every_version, of_minor
from support.scanning import environ, scan
from support.venvs import Venv, make_venv

LINE = "import os; open(os.environ['ENVCHECK_MARKS'], 'a').write('{}\\n')"


def dormant(entries: tuple[StartupEntry, ...]) -> dict[str, str | None]:
    """Mark to place elsewhere, of entries that do not run."""
    return {
        (entry.code or os.path.basename(entry.path)).rpartition("write('")[2][:2]: entry.elsewhere
        for entry in entries
        if not entry.runs
    }


FILES: dict[str, bytes] = {
    ".hidden.pth": LINE.format("m0").encode(),
    "feed.pth": b"# harmless\x0c" + LINE.format("m1").encode(),
    "blank.pth": b"  " + LINE.format("m2").encode(),
    "mark.pth": b"\xef\xbb\xbf" + LINE.format("m3").encode(),
    "suppressed.pth": LINE.format("m5").encode(),
    "suppressed.start": b"# nothing\n",
    "separator.pth": "# harmless\u2028".encode() + LINE.format("m6").encode(),
}
WHERE: dict[str, str] = {
    "m0": "on Python 3.8 to 3.8.18, 3.9 to 3.9.18, 3.10 to 3.10.13, 3.11 to 3.11.7, 3.12 to 3.12.1",
    "m1": "on Python 3.12.4 and later",
    "m2": "on Python 3.15 and later",
    "m3": "on Python 3.12.4 and later",
    "m5": "on Python before 3.15, which reads no .start file",
    "m6": "on Python 3.12.4 and later",
}


def filled(tmp_path: Path, interpreter: Interpreter) -> Venv:
    venv = make_venv(tmp_path / "venv", interpreter)
    for name, data in FILES.items():
        (venv.site / name).write_bytes(data)
    return venv


def says(where: str, version: tuple[int, int, int]) -> bool:
    """Whether a release is one of those that the words name."""
    text = where.partition(",  ")[0].removeprefix("on Python ")
    if text.startswith("before 3.15"):
        return version < (3, 15, 0)
    for part in text.split(", "):
        if not part[0].isdecimal():
            continue
        words = part.split()
        first = tuple(map(int, words[0].split(".")))
        if len(words) == 3 and words[1] == "to":
            last = tuple(map(int, words[2].split(".")))
            if first <= version and (version <= last or version[: len(last)] == last):
                return True
        elif words[1:] == ["and", "later"] and version >= first:
            return True
    return False


@pytest.mark.parametrize("interpreter", every_version())
def test_each_line_runs_exactly_where_the_words_say(interpreter: Interpreter, tmp_path: Path) -> None:
    venv = filled(tmp_path, interpreter)
    marks = tmp_path / "marks"
    venv.start(ENVCHECK_MARKS=str(marks))
    real = set(marks.read_text().split()) if marks.exists() else set()
    assert real == {mark for mark, where in WHERE.items() if says(where, interpreter.version)}
    plan = planned(venv, (), {"LANG": "C.UTF-8", "HOME": os.devnull})
    assert dormant(plan.entries) == {mark: where for mark, where in WHERE.items() if mark not in real}


def test_what_follows_a_failing_line_runs_on_the_version_that_goes_on(tmp_path: Path) -> None:
    place = Place(tmp_path, "3.14.2")
    place.write("a.pth", "import no_such_module_anywhere\nimport marker")
    entries = place.entries()
    assert (entries["import marker"].runs, entries["import no_such_module_anywhere"].elsewhere) == (0, None)
    assert (entries["import marker"].elsewhere or "").startswith("on Python 3.15 and later")


def test_blanks_around_a_line_make_it_no_other_entry(tmp_path: Path) -> None:
    place = Place(tmp_path, "3.12.4")
    place.write("a.pth", "# café\nimport sys  \t\nimport os\r\n")
    assert [(entry.line, entry.runs) for entry in place.plan().entries] == [(2, 2), (3, 2)]


def test_code_that_only_older_line_ends_keep_together_is_an_entry(tmp_path: Path) -> None:
    place = Place(tmp_path, "3.12.4")
    place.write("a.pth", "import sys;\x0cimport sys.evil\n")
    entries = place.entries()
    assert entries["import sys;\x0cimport sys.evil"].elsewhere == "on Python 3.8 to 3.12.3"
    assert "control-characters" in entries["import sys;\x0cimport sys.evil"].notes


def test_a_directory_that_code_adds_is_looked_at_too(tmp_path: Path) -> None:
    place = Place(tmp_path, "3.11.7")
    more = tmp_path / "more"
    place.write(str(more / "b.pth"), b"import sys\n# harmless\x0cimport sys.evil\n")
    place.write("a.pth", f"import site; site.addsitedir({str(more)!r})")
    assert place.entries()["import sys.evil"].elsewhere == "on Python 3.12.4 and later"


def test_many_lines_of_another_version_take_bounded_work(tmp_path: Path) -> None:
    place = Place(tmp_path, "3.11.7")
    place.write("a.pth", b"".join(b"#\x0cimport sys; x = %d\n" % number for number in range(20_000)))
    plan = place.plan()
    assert len(plan.entries) == 20_000
    assert {entry.elsewhere for entry in plan.entries} == {"on Python 3.12.4 and later"}


def test_a_start_file_runs_on_the_version_that_reads_it(tmp_path: Path) -> None:
    place = Place(tmp_path, "3.14.2")
    place.write("a.start", "os:getcwd")
    (entry,) = place.plan().entries
    assert entry.elsewhere == "on Python 3.15 and later"


def test_a_shadowed_and_a_disabled_customize_module_say_when_they_would_run(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.write(str(place.stdlib / "sitecustomize.py"))
    place.write("sitecustomize.py")
    place.write("usercustomize.py")
    found = {os.path.relpath(e.path, place.site): e.elsewhere for e in place.plan().entries if not e.runs}
    assert found["sitecustomize.py"] == f"as soon as {place.stdlib}/sitecustomize.py is gone"
    assert "where the user site is enabled" in (found["usercustomize.py"] or "")


@pytest.mark.parametrize(
    ("flags", "more"), [(("-s",), {}), (("-I",), {}), ((), {"PYTHONNOUSERSITE": "1"})], ids=["-s", "-I", "variable"]
)
def test_the_user_site_is_dormant_where_only_flags_keep_it_out(
    flags: tuple[str, ...], more: dict[str, str], tmp_path: Path
) -> None:
    interpreter = of_minor((3, 12))
    shared = make_venv(tmp_path / "shared", interpreter, "--without-pip", "--system-site-packages")
    alone = make_venv(tmp_path / "alone", interpreter)
    user = tmp_path / "home" / ".local" / "lib" / "python3.12" / "site-packages"
    user.mkdir(parents=True)
    (user / "a.pth").write_text(LINE.format("m0"))
    (user / "usercustomize.py").write_text(LINE.format("m1"))
    variables = {"LANG": "C.UTF-8", "HOME": str(tmp_path / "home"), **more}
    ours = [entry for entry in planned(shared, flags, variables).entries if entry.path.startswith(str(user))]
    assert [(entry.runs, entry.reason) for entry in ours] == [(0, "the user site is disabled here")] * 2
    assert all("where the user site is enabled" in (entry.elsewhere or "") for entry in ours)
    assert not [entry for entry in planned(alone, flags, variables).entries if entry.path.startswith(str(user))]
    marks = tmp_path / "marks"
    shared.start("pass", ENVCHECK_MARKS=str(marks), HOME=str(tmp_path / "home"))
    assert marks.read_text().split() == ["m0", "m1"]


def test_what_lies_dormant_and_nobody_accounts_for_is_a_finding_that_says_where_it_runs(tmp_path: Path) -> None:
    venv = make_venv(tmp_path / "venv", of_minor((3, 11)))
    (venv.site / "feed.pth").write_bytes(FILES["feed.pth"])
    found = scan("--startup-only", venv.path, env=environ())
    (finding,) = [one for one in found.findings if one["rule"] == "startup-dormant"]
    assert "It would run on Python 3.12.4 and later." in finding["message"]
    assert finding["evidence"]["elsewhere"] == "on Python 3.12.4 and later"
    assert [entry["elsewhere"] for entry in found.startup] == ["on Python 3.12.4 and later"]


@pytest.mark.parametrize("minor", [(3, 8), (3, 11), (3, 12), (3, 15)])
def test_files_as_honest_tools_write_them_are_not_dormant_on_any_version(
    minor: tuple[int, int], tmp_path: Path
) -> None:
    place = Place(tmp_path, "{}.{}.1".format(*minor))
    wheel = bundled(of_minor((3, 11)), "setuptools")
    with zipfile.ZipFile(wheel) as archive:
        place.write("distutils-precedence.pth", archive.read("distutils-precedence.pth"))
    place.write("shop-nspkg.pth", namespace_lines(wheel, "shop", "shop.parts"))
    place.write("windows.pth", "# paths\r\nwin32\r\nwin32\\lib\r\n\r\nimport sys\r\n")
    place.write("project.pth", f"{tmp_path}/café\n")
    place.write("_virtualenv.pth", "import _virtualenv")
    place.write("_virtualenv.py", "import sys\n")
    assert [entry for entry in place.plan().entries if not entry.runs] == []


def test_a_hundred_ordinary_site_files_are_read_once(tmp_path: Path) -> None:
    place = Place(tmp_path, "3.12.4")
    for number in range(100):
        place.write(f"package{number}.pth", "/srv/project\nimport sys\n")
    before = place.files.bytes_read
    place.plan()
    read = place.files.bytes_read - before
    assert read == 100 * len("/srv/project\nimport sys\n")
