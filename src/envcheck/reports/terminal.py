"""Turns a Report into what a developer reads in a terminal, the verdict first.

Then what is wrong, what runs before their code, and what was not seen.
Width and colours are the caller's; colour repeats what the words say already.
"""

from __future__ import annotations

import io
import os
import re
from typing import TextIO

from rich.console import Console
from rich.text import Text

from envcheck.model.finding import Severity
from envcheck.model.report import EnvironmentReport, Report
from envcheck.model.startup import StartupEntry
from envcheck.reports import words
from envcheck.reports.page import Page
from envcheck.reports.problems import MORE, SHOWN_ELSEWHERE, STYLES, show_findings, show_notes, tells_code
from envcheck.reports.verdict import NOTHING_RUNS, open_findings, opening

_MOOD_STYLES = {"good": "bold green", "doubtful": "bold yellow", "bad": "bold red"}
_PROOF_STYLES = {"anchored": "green", "unrecorded": "yellow", "modified": "bold red"}
_VERDICT_STYLES = {"unexpected": "bold red", "hostile": "bold red"}
_GAP = "  "
_MOST_ENTRIES, _MOST_UNSEEN, _MOST_DORMANT = 12, 5, 3


class _Console(Console):
    """A console that leaves it to its caller what to do when the reader goes away; rich would end the process."""

    def on_broken_pipe(self) -> None:
        """Called while the `BrokenPipeError` is handled."""
        raise


def write(report: Report, stream: TextIO, *, width: int | None, colour: bool, show_all: bool = False) -> None:
    """Write the report to ``stream``.

    ``width`` in cells; ``None`` takes the terminal's, or 80 where there is none. ``show_all`` shortens no list and no
    code. Characters that the stream's encoding lacks are replaced.
    """
    _write(report, new_page(stream, width, colour), show_all)


def new_page(stream: TextIO, width: int | None, colour: bool) -> Page:
    """A page over ``stream``; ``width`` and ``colour`` as for `write`."""
    encoding = getattr(stream, "encoding", None)
    console = _Console(
        file=stream,
        width=width or _terminal_width(stream),
        color_system="standard" if colour else None,
        no_color=not colour,
        force_terminal=colour,
        force_jupyter=False,
        legacy_windows=False,
        markup=False,
        emoji=False,
        highlight=False,
    )
    return Page(console, console.width, encoding)


def screenshot(report: Report, title: str, width: int = 88) -> str:
    """The report as an SVG picture of a terminal, for documentation; it loads no font from anywhere."""
    console = Console(
        file=io.StringIO(),
        record=True,
        width=width,
        color_system="truecolor",
        force_terminal=True,
        force_jupyter=False,
        legacy_windows=False,
    )
    page = Page(console, width, None)
    _write(report, page, show_all=False)
    style, end, picture = console.export_svg(title=page.text(title).plain).partition("</style>")
    return re.sub(r"@font-face \{.*?\}\s*", "", style, flags=re.DOTALL) + end + picture


def _terminal_width(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError, AttributeError):
        return 80


def _write(report: Report, page: Page, show_all: bool) -> None:
    for number, environment in enumerate(report.environments):
        if number:
            page.blank()
            page.rule()
        _environment(report, environment, page, show_all)
    write_ending(report, page)


def write_ending(report: Report, page: Page) -> None:
    """How long it took, and what was not done."""
    page.blank()
    timing = report.timing
    if report.config is not None:
        page.say(page.text(f"Configured by {report.config}.", "dim"))
    page.say(
        page.text(
            f"{timing.seconds:.2f} s, {words.size(timing.bytes_read)} read. "
            f"{words.started_sentence(report)}, nothing was written.",
            "dim",
        )
    )


def _environment(report: Report, environment: EnvironmentReport, page: Page, show_all: bool) -> None:
    write_head(report, environment, page)
    if open_findings(environment):
        show_findings(environment, page, show_all)
    if environment.plan.entries or opening(report, environment).sentence.split(" (")[0] != NOTHING_RUNS:
        page.blank()
        _startup(environment, page, show_all)
    show_notes(environment, page, show_all)
    write_not_seen(environment, page, show_all)


def write_head(report: Report, environment: EnvironmentReport, page: Page) -> None:
    """Which environment, the verdict, what it counts and what it rests on."""
    options = report.options
    names = [
        words.header(environment.environment, report.modelled(environment)),
        words.implementation(environment.environment),
        "startup only" if options.startup_only else words.lock_name(environment),
        *words.root(report),
    ]
    page.say(page.listed(names, "bold"))
    page.blank()
    verdict = opening(report, environment)
    style = _MOOD_STYLES[verdict.mood]
    page.say(page.text(verdict.sentence, "bold"), first=Text(f"{page.marks[verdict.mood]} ", style))
    for sentence in verdict.more:
        page.say(sentence, indent=2)
    counts = _counts(environment, page)
    if counts.plain:
        page.say(counts, indent=2)
    clauses = words.coverage(environment, options.startup_only)
    clauses[0] = clauses[0][:1].upper() + clauses[0][1:]
    page.say(page.listed(clauses, "dim"), indent=2)


def _counts(environment: EnvironmentReport, page: Page) -> Text:
    """``1 critical · 1 high · 2 waived``; notes are counted where they are named."""
    findings = open_findings(environment)
    counted = [finding.severity for finding in findings if finding.severity > Severity.INFO]
    parts = [
        page.text(f"{counted.count(severity):,} {severity.label}", STYLES[severity])
        for severity in sorted(set(counted), reverse=True)
    ]
    waived = len(environment.findings) - len(findings)
    if waived:
        parts.append(page.text(f"{waived:,} waived", "dim"))
    return Text(f" {page.dot} ").join(parts)


def _startup(environment: EnvironmentReport, page: Page, show_all: bool) -> None:
    """The numbered list of what runs, then what does not."""
    plan = environment.plan
    if plan.not_modelled is not None:
        page.say(page.join(page.text("Runs before your code: not known. ", "bold"), plan.not_modelled))
        return
    running = [(number, entry) for number, entry in enumerate((e for e in plan.entries if e.runs), 1)]
    if not running:
        page.say(page.text("Runs before your code: nothing but Python itself", "bold"))
    else:
        page.say(page.text("Runs before your code", "bold"))
        shown = [row for row in running if show_all or row[0] <= _MOST_ENTRIES or row[1].verdict in _VERDICT_STYLES]
        rows = [_row(environment, number, entry, page) for number, entry in shown]
        widths = [max(fact.cell_len for fact in column) for column in zip(*rows, strict=True)][1:]
        told = {(finding.path, finding.line) for finding in open_findings(environment) if tells_code(finding)}
        for (_, entry), row in zip(shown, rows, strict=True):
            _entry(environment, entry, page, row, widths, (entry.path, entry.line) in told, show_all)
        if len(shown) < len(running):
            rest = len(running) - len(shown)
            page.say(f"{page.dots} {words.plural(rest, 'more entry', 'more entries')}: {MORE}", indent=5)
    _dormant(environment, [entry for entry in plan.entries if not entry.runs], page, show_all)


def _row(environment: EnvironmentReport, number: int, entry: StartupEntry, page: Page) -> list[Text]:
    """Number, file and line, owner, how its bytes are proven."""
    place = words.at_line(words.short_place(environment.environment, entry.path), entry.line)
    owner = words.owner_name(entry.owner) if entry.owner else "no owner"
    proof = page.text(words.PROOF[entry.assurance], _PROOF_STYLES.get(entry.assurance, ""))
    if entry.verdict in _VERDICT_STYLES:
        verdict = page.text(f"{page.marks['bad']} {entry.verdict}", _VERDICT_STYLES[entry.verdict])
        proof = page.join(proof, "  ", verdict)
    return [Text(f"{number:3}  ", "dim"), page.text(place, "bold"), page.text(owner), proof]


def _entry(
    environment: EnvironmentReport,
    entry: StartupEntry,
    page: Page,
    row: list[Text],
    widths: list[int],
    told: bool,
    show_all: bool,
) -> None:
    """An entry's number and facts, in columns where these fit the page; the head of its code; what it loads."""
    number, place, *rest = row
    loads = page.text(_loads(environment, entry), "dim")
    if number.cell_len + sum(widths) + 2 * len(_GAP) <= page.width:
        padded = [
            Text.assemble(fact, " " * (width - fact.cell_len)) for fact, width in zip(row[1:], widths, strict=True)
        ]
        line = Text.assemble(number, Text(_GAP).join(padded))
        if loads and line.cell_len + len(_GAP) + loads.cell_len <= page.width:
            line = Text.assemble(line, _GAP, loads)
            loads = Text()
        page.line(line)
    else:
        page.say(place, first=number, wide=True)
        page.say(Text(_GAP).join(rest), indent=number.cell_len, wide=True)
    if told and entry.code is not None:
        page.say(page.text("its code is shown above", "dim"), indent=7)
    elif entry.code is not None and show_all:
        page.code(entry.code, None, indent=7)
    elif entry.code is not None:
        _first_line(entry.code, page)
    if loads:
        page.say(loads, indent=7, wide=True)
    if show_all:
        for file in entry.closure:
            page.say(words.short_place(environment.environment, file.path), first=" " * 7 + "- ", wide=True)
    special = words.runs_sentence(entry)
    if special:
        page.say(special, indent=7)


def _first_line(code: str, page: Page) -> None:
    """As much of the code as one line takes, and how much more there is."""
    room = page.width - 9
    line, rest = page.first_line(code, room)
    if rest:
        line, rest = page.first_line(code, room - len(f" {page.dots} {len(code):,} more characters"))
    margin = Text(f"{page.bar} ", "dim")
    more = f" {page.dots} {words.plural(rest, 'more character')}" if rest else ""
    page.line(Text.assemble(" " * 7, margin, line, (more, "dim")))


def _loads(environment: EnvironmentReport, entry: StartupEntry) -> str:
    """The first file that the entry loads, by its source where bytecode runs in its place, and how many more."""
    sources = {file.loads or file.path: file.path for file in entry.closure}
    paths = list(sources.values())
    first = next(iter(paths), None)
    clauses = []
    if entry.loads and entry.loads != entry.path:
        if entry.line is None:
            clauses.append("runs from its bytecode")
        else:
            first = sources.get(entry.loads, entry.loads)
    if first is not None:
        more = len([path for path in paths if path != first])
        others = f" and {words.plural(more, 'more file')}" if more else ""
        clauses.append(f"loads {words.short_place(environment.environment, first)}{others}")
    return ", ".join(clauses)


def _dormant(environment: EnvironmentReport, entries: list[StartupEntry], page: Page, show_all: bool) -> None:
    """One line over what is there and does not run."""
    if not entries:
        return
    shown = entries if show_all else entries[:_MOST_DORMANT]
    named = [
        f"{words.at_line(words.short_place(environment.environment, e.path), e.line)} ({e.reason or 'skipped'})"
        for e in shown
    ]
    if len(entries) > len(shown):
        named.append(f"{len(entries) - len(shown):,} more")
    page.say(f"{words.plural(len(entries), 'entry does', 'entries do')} not run here: {', '.join(named)}", indent=2)


def write_not_seen(environment: EnvironmentReport, page: Page, show_all: bool) -> None:
    """What could not be read."""
    missed = environment.not_seen
    if not missed:
        return
    page.blank()
    page.ends(Text(), page.text("Not seen", "bold yellow"), page.text(SHOWN_ELSEWHERE, "dim"))
    for one in missed if show_all else missed[:_MOST_UNSEEN]:
        page.say(page.join(words.place(environment.environment, one.path), ": ", one.why), first="  ", wide=True)
    if len(missed) > _MOST_UNSEEN and not show_all:
        page.say(f"{page.dots} {len(missed) - _MOST_UNSEEN:,} more: {MORE}", indent=2)
