"""The terminal report: the verdict first, inside the width, inert whatever the target contains."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from xml.etree import ElementTree

import pytest
from rich.cells import cell_len

from envcheck.model.finding import Severity
from envcheck.model.inventory import Inventory
from envcheck.model.invocation import Invocation
from envcheck.model.ownership import Owner
from envcheck.model.report import Options, Report
from envcheck.model.startup import ClosureFile, StartupPlan
from envcheck.reports.terminal import screenshot, write
from reports import samples
from support.work import calls

SAMPLES = [
    samples.clean,
    samples.clean_without_lock,
    samples.attacked,
    samples.drifted,
    lambda: samples.drifted(40),
    samples.incomplete,
    samples.not_clean_room,
    samples.startup_only,
    samples.several,
]

HOSTILE = [
    "\x1b[2J\x1b[31mowned",
    "\x1b]8;;http://evil.example\x07link\x1b]8;;\x07",
    "\x1b]0;title\x07",
    "\x9b31m",
    "\x90q\x9c",
    "[red]markup[/red]",
    "[/]",
    "[link=file:///etc/passwd]x[/link]",
    "[bold",
    "\\[red]",
    ":smiley: :skull:",
    "\u202egpj.exe",
    "\u2066\u2067\u2068\u2069",
    "a\nCRITICAL  fake finding",
    "a\r✔ Nothing unexpected runs",
    "a\x08\x08\x08b",
    "\x0e\x0f",
    "\u200b\u200c\u200d\ufeff",
    "\u2028\u2029\x85\v\f",
    "a" + "\u0336" * 300,
    " " * 5000 + "x",
    "\t" * 500,
    "x" * 20_000,
    "日本語" * 200,
    "\udcff\udc80\ud800",
    "\ue000\U000f0000\U0010fffd",
    "\u3164\u115f\u2800\u00a0\u3000",
    "::error::pwned",
    "%0A::set-output",
    "<script>alert(1)</script>",
    "&lt;b&gt;",
    "]]>",
    "{count} {0} {",
    "%s %d %(x)s",
    "$(reboot) `id`",
    "../" * 100,
    "/",
    "-",
    ".",
    "\0",
    "|" * 90,
    "│ │ │",
    "⟨ESC⟩",
    "🤷🏽‍♀️🇩🇪",
    "שלום/עולם",
    "مرحبا",
    "\u0301",
    "\uffff\ufffe",
    "\U000e0001\U000e0041",
    "\x7f",
]
HOSTILE += [f"a{chr(code)}b" for code in (*range(1, 32), *range(128, 160))][: 100 - len(HOSTILE)]


def show(report: Report, width: int = 80, colour: bool = False, show_all: bool = False) -> str:
    stream = io.StringIO()
    write(report, stream, width=width, colour=colour, show_all=show_all)
    return stream.getvalue()


def flat(text: str) -> str:
    """Without line breaks, as a reader takes it in."""
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("width", [40, 80, 100, 160, 220])
@pytest.mark.parametrize("sample", SAMPLES)
def test_no_line_is_wider_than_the_page_or_ends_in_blanks(sample: Callable[[], Report], width: int) -> None:
    for line in show(sample(), width).splitlines():
        assert cell_len(line) <= width
        assert line == line.rstrip()


@pytest.mark.parametrize("width", [80, 160])
@pytest.mark.parametrize(
    ("sample", "verdict"),
    [
        (samples.clean, "✔ Nothing unexpected runs when Python starts (python, no flags, user ana)."),
        (samples.clean_without_lock, "✔ Nothing unexpected runs when Python starts"),
        (samples.attacked, "✘ Code that no installed package accounts for runs at every start of Python"),
        (samples.drifted, "! 3 packages are not what uv.lock asks for (python, no flags, user ana)."),
        (samples.incomplete, "! Nothing unexpected was found (python, no flags, user ana), but the scan is"),
        (samples.not_clean_room, "! Nothing unexpected was found (python, no flags, user ana), but this scan was"),
        (samples.startup_only, "✔ Nothing unexpected runs when Python starts (python, -I, user ana)."),
    ],
)
def test_the_verdict_is_the_third_line(sample: Callable[[], Report], verdict: str, width: int) -> None:
    lines = show(sample(), width).splitlines()
    assert lines[0].startswith(".venv · CPython 3.12.4")
    assert lines[2].startswith(verdict)


def test_a_clean_report_is_calm() -> None:
    text = show(samples.clean())
    assert len(text.splitlines()) <= 16
    assert "61 packages match uv.lock" in text
    assert "bytecode and the base 3.12.4's standard library were not compared with anything" in flat(text)
    assert text.endswith("0.41 s, 412 MB read. No interpreter was started, nothing was written.\n")


def test_what_runs_is_listed_in_order_with_owner_and_proof() -> None:
    lines = show(samples.clean()).splitlines()
    start = lines.index("Runs before your code")
    assert lines[start + 1].split() == ["1", "distutils-precedence.pth:1", "setuptools", "80.9.0", "anchored"]
    assert lines[start + 3].strip() == "loads _distutils_hack/__init__.py"
    assert lines[start + 4].split()[:3] == ["2", "__editable__.shop-0.1.0.pth:1", "shop"]


def test_recorded_does_not_look_like_proof() -> None:
    assert "recorded (not proven)" in show(samples.clean())
    assert "checked against the packages' own RECORD only" in flat(show(samples.clean_without_lock()))
    assert "no lock: nothing says what should be here" in flat(show(samples.clean_without_lock())).replace("No", "no")


def test_a_finding_answers_in_the_order_of_questions() -> None:
    text = show(samples.attacked())
    questions = ["CRITICAL", "shop_init.pth:1", "startup-code-unowned", "Runs first, 2 times", "│ import os", "Does  "]
    questions += ["Owner  ", "sha256  ", "Do  "]
    places = [text.index(question) for question in questions]
    assert places == sorted(places)


def test_the_rule_stands_at_the_right_edge() -> None:
    heads = [line for line in show(samples.attacked()).splitlines() if re.match("(CRITICAL|HIGH|MEDIUM|LOW)", line)]
    assert [len(line) for line in heads] == [80] * 5


@pytest.mark.parametrize("width", [80, 160])
def test_long_code_is_cut_after_eight_lines_and_says_by_how_much(width: int) -> None:
    text = show(samples.attacked(), width)
    code = [line[4:] for line in text.splitlines() if line.startswith("  │ ")]
    assert len(code) == 8
    found = re.search(r"… ([\d,]+) more characters: see --show-all", text)
    assert found
    # Blanks at the end of a wrapped line are not written.
    hidden = int(found[1].replace(",", ""))
    assert 0 <= len(samples.PAYLOAD) - hidden - sum(map(len, code)) <= 8


def test_show_all_shows_the_whole_code_and_every_path() -> None:
    text = show(samples.attacked(), show_all=True)
    code = "".join(line[4:] for line in text.splitlines() if line.startswith("  │ "))
    assert code.replace(" ", "") == samples.PAYLOAD.replace(" ", "")
    assert "module_103.py" in text
    assert "more:" not in text


def test_code_off_screen_is_brought_back() -> None:
    planted = samples.entry("quiet.pth", "import os;" + " " * 900 + "os.system('x')", None, "unrecorded")
    found = samples.finding("startup-code-hidden", Severity.HIGH, "It is hidden.", planted.path, 1)
    text = show(samples.report(samples.one((planted,), (found,))))
    assert "│ import os;⟨900 spaces⟩os.system('x')" in text


def test_one_finding_of_many_places_shows_a_count_and_three() -> None:
    text = show(samples.attacked())
    assert "104 files of code under tools" in text
    assert [line for line in text.splitlines() if "module_" in line] == [
        f"  - lib/python3.12/site-packages/tools/module_{n}.py" for n in range(3)
    ]
    assert "… 101 more: see --show-all" in text


def test_many_findings_of_one_rule_are_told_together() -> None:
    found = [samples.finding("file-modified", Severity.HIGH, f"{n}.", f"{samples.SITE}/{n}.py") for n in range(38)]
    report = samples.report(samples.one((), tuple(found)))
    text = show(report)
    assert "38 like these" in text
    assert "… 35 more: see --show-all" in text
    assert text.count("file-modified") == 1
    assert show(report, show_all=True).count("file-modified") == 38


def test_notes_are_a_sentence_a_rule_after_what_runs() -> None:
    text = show(samples.clean_without_lock())
    assert "(unanchored, 3 times; see --show-all)" in " ".join(text.split())
    assert text.index("Runs before your code") < text.index("Noted")
    assert "INFO" not in text
    assert "Noted" not in show(samples.clean_without_lock(), show_all=True)


def test_a_note_of_a_known_rule_is_told_in_its_words() -> None:
    note = samples.finding("startup-unresolved", Severity.INFO, "Imports x.", f"{samples.SITE}/a.pth", 1)
    text = flat(show(samples.report(samples.one((), (note,)))))
    assert "Noted A startup entry imports something that could not be followed. (startup-unresolved; see" in text


def test_a_path_that_leaves_no_room_for_its_rule_keeps_its_place_beside_the_severity() -> None:
    path = f"{samples.SITE}/{'directory/' * 4}module.py"
    found = samples.finding("startup-code-unowned", Severity.HIGH, "Runs.", path)
    lines = show(samples.report(samples.one((), (found,)))).splitlines()
    head = next(number for number, line in enumerate(lines) if line.startswith("HIGH"))
    assert lines[head].startswith("HIGH      lib/python3.12/")
    assert "          startup-code-unowned" in lines[head + 1 : head + 3]


def test_code_that_nobody_owns_or_vouches_for_is_not_called_unproven_twice() -> None:
    text = show(samples.attacked())
    assert "Owner    none" in text
    assert "Proof" not in text


def test_code_with_an_owner_says_how_its_bytes_are_proven() -> None:
    owner = Owner("distribution", "requests", "2.32.4")
    planted = samples.entry("a.pth", "import a", owner, "modified", verdict="unexpected")
    found = samples.finding("startup-code-modified", Severity.HIGH, "Changed.", planted.path, 1)
    text = show(samples.report(samples.one((planted,), (found,))))
    assert "Proof    modified" in text


def test_startup_findings_come_in_the_order_in_which_their_code_runs() -> None:
    entries = [samples.entry(name, "import x", None, "unrecorded") for name in ("z.pth", "m.pth", "a.pth")]
    found = [samples.finding("startup-code-unowned", Severity.HIGH, "Runs.", e.path, 1) for e in reversed(entries)]
    text = show(samples.report(samples.one(tuple(entries), tuple(found))))
    heads = [line.split("/")[-1].split()[0] for line in text.splitlines() if line.startswith("HIGH")]
    assert heads == ["z.pth:1", "m.pth:1", "a.pth:1"]


def test_findings_told_together_do_not_borrow_the_remedy_of_the_first() -> None:
    found = [
        samples.finding("lock-extra", Severity.MEDIUM, f"p{n}.", None, remedy=f"uninstall p{n}", name=f"p{n}")
        for n in range(9)
    ]
    text = show(samples.report(samples.one((), tuple(found))))
    assert "uninstall p0" not in text
    assert "  Do       " in text


def test_bytecode_that_an_entry_loads_is_named_by_its_source_and_counted_once() -> None:
    source, bytecode = f"{samples.SITE}/hack/__init__.py", f"{samples.SITE}/hack/__pycache__/__init__.cpython-312.pyc"
    closure = (ClosureFile(source, loads=bytecode), ClosureFile(f"{samples.SITE}/hack/more.py"))
    entry = samples.entry("hack.pth", "import hack", loads=bytecode, closure=closure)
    assert "loads hack/__init__.py and 1 more file\n" in show(samples.report(samples.one((entry,))))


def test_a_module_that_runs_from_its_bytecode_is_not_said_to_load_another_file() -> None:
    bytecode = f"{samples.SITE}/__pycache__/sitecustomize.cpython-312.pyc"
    entry = samples.entry("sitecustomize.py", None, kind="sitecustomize", line=None, loads=bytecode)
    text = show(samples.report(samples.one((entry,))))
    assert "runs from its bytecode" in text
    assert "loads" not in text


def test_everything_of_an_entry_is_shown_on_demand() -> None:
    code = "import hack; " + "hack.step(); " * 40
    closure = tuple(ClosureFile(f"{samples.SITE}/hack/part_{n}.py") for n in range(30))
    report = samples.report(samples.one((samples.entry("hack.pth", code, closure=closure),)))
    assert "see --show-all" not in show(report, show_all=True)
    assert show(report, show_all=True).count("hack.step();") == 40
    assert "- hack/part_29.py" in show(report, show_all=True)
    assert "part_29" not in show(report)


def test_both_hashes_of_a_changed_file_are_written_alike() -> None:
    for prefix in ("sha256=", "sha256:", ""):
        found = samples.finding(
            "file-modified",
            Severity.HIGH,
            "Differs.",
            f"{samples.SITE}/a.py",
            expected=prefix + "ab" * 32,
            sha256="c" * 64,
        )
        text = show(samples.report(samples.one((), (found,))))
        assert f"  sha256   {'c' * 64}\n  expected {'ab' * 32}\n" in text


def test_entries_that_do_not_run_are_summed_up_with_their_reasons() -> None:
    text = flat(show(samples.startup_only()))
    assert (
        "2 entries do not run here: usercustomize.py (the user site is off), "
        "tidy.pth:1 (its name begins with a dot)" in text
    )


def test_what_was_not_seen_is_listed() -> None:
    text = show(samples.incomplete())
    assert "Not seen" in text
    assert "  lib/python3.12/site-packages/private: permission denied\n" in text
    assert "  /usr/local/lib/python3.12/site-packages: input/output error\n" in text


def test_an_attacked_scan_says_also_that_it_is_incomplete() -> None:
    environment = samples.attacked().environments[0]._replace(not_seen=samples.incomplete().environments[0].not_seen)
    text = flat(show(samples.report(environment, clean_room=False)))
    assert "The scan is incomplete: 2 things could not be read." in text
    assert "This scan was not a clean one" in text


def test_waived_findings_are_counted_and_not_told() -> None:
    environment = samples.attacked().environments[0]
    waived = tuple(finding._replace(waived="ours") for finding in environment.findings)
    text = show(samples.report(environment._replace(findings=waived, comparison=None)))
    assert "✔ Nothing unexpected runs when Python starts, beyond what is waived" in text
    assert "5 waived" in text
    assert "CRITICAL" not in text


def test_every_environment_has_its_block() -> None:
    lines = show(samples.several()).splitlines()
    assert sum(line.startswith(".venv · ") for line in lines) == 2
    assert sum(line.startswith(("✔", "✘")) for line in lines) == 2
    assert "─" * 80 in lines


def test_nothing_runs_but_python() -> None:
    text = show(samples.report(samples.one((), compared=samples.comparison({}, 61))))
    assert "✔ Nothing but Python itself runs when Python starts" in text
    assert "Runs before your code" not in text  # it would say the same again


def test_nothing_runs_but_python_where_something_else_is_wrong() -> None:
    changed = samples.finding("file-modified", Severity.HIGH, "Differs.", f"{samples.SITE}/a.py")
    text = show(samples.report(samples.one((), (changed,))))
    assert "Runs before your code: nothing but Python itself" in text


def test_a_directory_without_an_interpreter_is_not_told_to_have_a_standard_library() -> None:
    first = samples.clean().environments[0]
    bare = first._replace(environment=first.environment._replace(kind="target-directory"))
    text = flat(show(samples.report(bare)))
    assert "No Python belongs to it: read as a site directory of CPython 3.12.4" in text.replace("no P", "No P")
    assert "standard library" not in text
    assert "bytecode was not compared with anything" in text


def test_another_python_than_cpython_is_not_called_clean() -> None:
    plan = StartupPlan((), (), (), not_modelled="PyPy starts in its own way")
    text = flat(show(samples.report(samples.one(())._replace(plan=plan))))
    assert "! Nothing unexpected was found" in text
    assert "PyPy starts in its own way" in text
    assert "✔" not in text


def test_an_unknown_rule_still_gives_a_verdict() -> None:
    found = samples.finding("surroundings-cron", Severity.HIGH, "A job.", "/etc/cron.d/x")
    text = show(samples.report(samples.one((), (found,))))
    assert "✘ Something in this environment is not as it should be: surroundings-cron" in flat(text)


def test_a_report_without_user_or_interpreter_says_so() -> None:
    report = samples.clean()._replace(options=Options())
    environment = report.environments[0].environment
    python = environment.python._replace(executable=None)
    changed = report.environments[0]._replace(environment=environment._replace(python=python))
    text = flat(show(report._replace(environments=(changed,))))
    assert text.startswith("/home/ana/shop/.venv · ")
    assert "(python, no flags, user unknown)" in text


@pytest.mark.parametrize("sample", SAMPLES)
def test_no_colour_means_no_escape_at_all(sample: Callable[[], Report]) -> None:
    assert "\x1b" not in show(sample())


@pytest.mark.parametrize("sample", SAMPLES)
def test_colour_adds_nothing_but_colour(sample: Callable[[], Report]) -> None:
    coloured = show(sample(), colour=True)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == show(sample())


@pytest.mark.parametrize("variable", ["NO_COLOR", "FORCE_COLOR", "COLUMNS", "JUPYTER_COLUMNS", "TTY_COMPATIBLE"])
def test_variables_do_not_override_the_caller(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, coloured = show(samples.clean()), show(samples.clean(), colour=True)
    monkeypatch.setenv(variable, "1")
    assert show(samples.clean()) == plain
    assert show(samples.clean(), colour=True) == coloured


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
@pytest.mark.parametrize("sample", [samples.attacked, samples.incomplete, lambda: samples.hostile("é✔│日本")])
def test_any_encoding_of_the_stream_will_do(sample: Callable[[], Report], encoding: str) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, errors="strict")
    write(sample(), stream, width=80, colour=False)
    stream.flush()
    text = raw.getvalue().decode(encoding)
    assert ("✔" in text or "✘" in text or "│" in text) == (encoding == "utf-8")


def test_without_a_terminal_the_page_is_80_wide() -> None:
    stream = io.StringIO()
    write(samples.attacked(), stream, width=None, colour=False)
    assert stream.getvalue() == show(samples.attacked(), 80)


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_inert(text: str, colour: bool) -> None:
    for show_all in (False, True):
        output = show(samples.hostile(text), colour=colour, show_all=show_all)
        plain = re.sub(r"\x1b\[[\d;]*m", "", output) if colour else output
        assert plain.replace("\n", "").isprintable()
        assert not set(plain) & set("\u3164\u115f\u2800\ufe0f")
        assert all(cell_len(line) <= 80 for line in plain.splitlines())
        if colour:
            assert set(re.findall(r"\x1b\[[\d;]*m", output)) <= set(re.findall(r"\x1b\[[\d;]*m", _palette()))


def _palette() -> str:
    return (
        show(samples.attacked(), colour=True)
        + show(samples.incomplete(), colour=True)
        + show(samples.hostile("x"), colour=True)
        + show(samples.hostile("x"), colour=True, show_all=True)
    )


def test_markup_and_emoji_codes_are_shown_as_they_are() -> None:
    output = show(samples.hostile("[red]:skull:[/red]"))
    assert "[red]:skull:[/red]" in output


def test_a_newline_in_a_name_cannot_begin_a_line() -> None:
    output = show(samples.hostile("a\nCRITICAL  fake\n✔ Nothing unexpected"))
    assert not re.search("^(CRITICAL|✔)", output, re.MULTILINE)


def test_a_huge_code_line_costs_only_what_is_shown() -> None:
    def report(length: int) -> Report:
        planted = samples.entry("big.pth", "import os;" + "\u200b \x1b" * length, None, "unrecorded")
        found = samples.finding("startup-code-unowned", Severity.HIGH, "Runs.", planted.path, 1, code=planted.code)
        return samples.report(samples.one((planted,), (found,)))

    long, huge = report(50_000), report(5_000_000)
    show(long)  # loads what it needs
    assert calls(lambda: show(huge)) < 1.1 * calls(lambda: show(long))


def test_many_entries_are_shortened_but_the_unexpected_are_all_shown() -> None:
    entries = [samples.entry(f"e{n}.pth", "import x", None, "known") for n in range(40)]
    entries[33] = entries[33]._replace(verdict="unexpected")
    text = show(samples.report(samples.one(tuple(entries))))
    assert [name in text for name in ("e11.pth", "e12.pth", "e33.pth")] == [True, False, True]
    assert "… 27 more entries: see --show-all" in text


def test_a_screenshot_is_a_picture_that_loads_nothing() -> None:
    svg = screenshot(samples.attacked(), "envcheck scan")
    ElementTree.fromstring(svg)
    assert ">envcheck&#160;scan<" in svg
    assert "url(http" not in svg.replace(" ", "")
    assert "@font-face" not in svg
    assert "shop_init.pth:1" in svg


@pytest.mark.parametrize("text", HOSTILE)
def test_a_screenshot_of_hostile_text_is_well_formed(text: str) -> None:
    svg = screenshot(samples.hostile(text), text)
    ElementTree.fromstring(svg)
    assert "<script" not in svg


def test_an_empty_inventory_is_no_error() -> None:
    environment = samples.clean().environments[0]._replace(inventory=Inventory())
    assert "0 files" in show(samples.report(environment))


def test_drift_that_is_raised_to_high_is_still_told_as_drift() -> None:
    environment = samples.drifted().environments[0]
    raised = tuple(finding._replace(severity=Severity.HIGH) for finding in environment.findings)
    text = show(samples.report(environment._replace(findings=raised)))
    assert "✘ 3 packages are not what uv.lock asks for" in text


def test_waived_drift_does_not_count() -> None:
    environment = samples.drifted().environments[0]
    waived = (environment.findings[0]._replace(waived="ours"), *environment.findings[1:])
    assert "! 2 packages are not what" in show(samples.report(environment._replace(findings=waived)))


def test_the_worst_is_told_first_whatever_the_order_of_rules() -> None:
    modified = samples.finding("file-modified", Severity.CRITICAL, "Differs.", f"{samples.SITE}/a.py")
    unowned = samples.finding("startup-code-unowned", Severity.HIGH, "Runs.", f"{samples.SITE}/b.pth", 1)
    assert "✘ Installed files were changed" in show(samples.report(samples.one((), (modified, unowned))))
    same = modified._replace(severity=Severity.HIGH)
    assert "✘ Code that no installed package" in show(samples.report(samples.one((), (same, unowned))))


def test_a_problem_of_the_lock_is_named_by_its_file_and_line_with_examples() -> None:
    lock = f"{samples.PROJECT}/requirements.txt"
    entries = [f"package-{n} has no hash" for n in range(9)]
    found = samples.finding("lock-unhashed", Severity.LOW, "No hash for 9 packages.", lock, 12, entries=entries)
    text = show(samples.report(samples.one((), (found,))))
    assert "LOW       requirements.txt:12" in text
    assert "  - package-2 has no hash\n    … 6 more: see --show-all" in text


def test_a_file_that_a_startup_entry_loads_says_by_which() -> None:
    changed = samples.finding(
        "bytecode-mismatch", Severity.HIGH, "Differs.", f"{samples.SITE}/_distutils_hack/__init__.py"
    )
    text = show(samples.report(samples.one(samples.expected_entries(), (changed,))))
    assert "Loaded at every start of this Python, by distutils-precedence.pth:1." in text


def test_variables_that_change_the_start_are_named_and_others_are_not() -> None:
    environ = {"USER": "ana", "PYTHONPATH": "/x", "PYTHON": "python3", "PYTHONDONTWRITEBYTECODE": "1"}
    report = samples.clean()._replace(options=Options(invocation=Invocation(environ=environ)))
    assert "(python, no flags, PYTHONPATH set, user ana)" in flat(show(report))


def test_a_version_that_no_file_tells_is_called_assumed() -> None:
    environment = samples.clean().environments[0]
    python = environment.environment.python._replace(version="3.13", version_assumed=True)
    changed = environment._replace(environment=environment.environment._replace(python=python))
    assert "CPython 3.13 (assumed)" in show(samples.report(changed)).splitlines()[0]


def test_a_condition_of_one_occurrence_is_told() -> None:
    first, second = samples.TWICE
    entry = samples.entry("a.pth", "import a", occurrences=(first, second._replace(when="only before 3.12.4")))
    assert "only before 3.12.4" in show(samples.report(samples.one((entry,))))


def test_an_incomplete_scan_that_found_something_does_not_say_that_nothing_was_found() -> None:
    environment = samples.incomplete().environments[0]
    dormant = samples.finding("startup-dormant", Severity.MEDIUM, "Does not run.", f"{samples.SITE}/a.pth")
    text = flat(show(samples.report(environment._replace(findings=(*environment.findings, dormant)))))
    assert "! 1 thing needs a look (python, no flags, user ana)." in text
    assert "The scan is incomplete" in text
    assert "Nothing unexpected" not in text


def test_only_our_own_words_stand_at_the_left_edge() -> None:
    words = "CRITICAL ✔ Nothing unexpected runs when Python starts. Runs before your code: nothing. " * 20
    report = samples.hostile(words)
    environment = report.environments[0]._replace(plan=StartupPlan((), (), (), not_modelled=words))
    for shown in (report, report._replace(environments=(environment,))):
        at_edge = [line for line in show(shown).splitlines() if line and not line.startswith(" ")]
        begins = (
            "/home/ana/shop/.venv ·",
            "✘ ",
            "HIGH  ",
            "MEDIUM  ",
            "Runs before",
            "Not seen",
            "To repair it",
            "0.41 s",
            "Configured by ",
        )
        assert all(line.startswith(begins) for line in at_edge)
        assert sum(line.startswith("Runs before your code") for line in at_edge) == 1
