"""Turns the startup plan of a Report into a numbered walk-through: every step of the start, and the rule behind it.

For a responder who has to defend each line: the source is a PEP, a CPython issue or the file of CPython's own code.
"""

import posixpath
from typing import TextIO

from rich.text import Text

from envcheck.model.environment import Environment, SiteDir
from envcheck.model.invocation import Invocation
from envcheck.model.nouns import NamedTuple
from envcheck.model.report import EnvironmentReport, Report
from envcheck.model.startup import Occurrence, PathLine, StartupEntry
from envcheck.reports import words
from envcheck.reports.page import Page
from envcheck.reports.problems import MORE
from envcheck.reports.terminal import new_page, write_ending, write_head, write_not_seen
from envcheck.startup.rules import RuleName, Rules, rules_for, source

INTERACTIVE, COMMAND = "only when Python starts interactively", "only when Python starts with -c"
_CODE_LINES = 2
_MOST_FILES = 8
_STYLES = {"runs": "bold", "fails": "bold yellow", "skipped": "dim"}
_SITE = "Lib/site.py"


class Row(NamedTuple):
    """One fact of a step: indented below it, with the code that runs and what that loads."""

    text: str
    style: str = ""
    code: str | None = None
    below: tuple[str, ...] = ()


class Step(NamedTuple):
    """One thing that happens in a start, and where the rule for it stands."""

    title: str
    source: str
    rows: tuple[Row, ...]


def write(report: Report, stream: TextIO, *, width: int | None, colour: bool, show_all: bool = False) -> None:
    """Write the walk-through of each environment to ``stream``; ``width`` in cells, ``show_all`` shortens nothing."""
    page = new_page(stream, width, colour)
    for number, environment in enumerate(report.environments):
        if number:
            page.blank()
            page.rule()
        write_head(report, environment, page)
        _walk(steps(environment, report.modelled(environment)), page, show_all)
        write_not_seen(environment, page, show_all)
    write_ending(report, page)


def _walk(walk: tuple[Step, ...], page: Page, show_all: bool) -> None:
    for number, step in enumerate(walk, 1):
        page.blank()
        page.ends(Text(f"{number:2}. "), page.text(step.title, "bold"), page.text(step.source, "dim"))
        for row in step.rows:
            page.say(page.text(row.text, row.style), indent=4, wide=True)
            if row.code is not None:
                rest = page.code(row.code, None if show_all else _CODE_LINES, indent=6)
                if rest:
                    page.say(f"{page.dots} {words.plural(rest, 'more character')}: {MORE}", indent=6)
            for line in row.below if show_all else row.below[:_MOST_FILES]:
                page.say(line, indent=6, wide=True)
            if len(row.below) > _MOST_FILES and not show_all:
                page.say(f"{page.dots} {len(row.below) - _MOST_FILES:,} more: {MORE}", indent=6)


def steps(report: EnvironmentReport, invocation: Invocation) -> tuple[Step, ...]:
    """The start, step by step, as far as the plan tells."""
    if report.plan.not_modelled is not None:
        return (Step("The start is not known", "", (Row(report.plan.not_modelled),)),)
    rules = rules_for(report.environment.python)[0]
    walk = _Walk(report, invocation, rules)
    return tuple(
        step
        for step in (
            walk.interpreter(),
            walk.configuration(),
            walk.redirectors(),
            walk.first_path(),
            walk.codecs(),
            walk.warnings(),
            *walk.site(),
            walk.customize("sitecustomize"),
            walk.customize("usercustomize"),
            walk.aborts(),
            walk.your_code(),
            walk.only("Only in an interactive session", INTERACTIVE, "Modules/main.c"),
            walk.only("Only with -c", COMMAND, "Python/pythonrun.c"),
            walk.dormant(),
        )
        if step is not None
    )


class _Walk:
    """The steps of one environment's start."""

    def __init__(self, report: EnvironmentReport, invocation: Invocation, rules: Rules) -> None:
        self._environment: Environment = report.environment
        self._plan = report.plan
        self._invocation = invocation
        self._rules = rules
        self._frozen = report.environment.python.minor >= (3, 11)
        always = [entry for entry in report.plan.entries if entry.when not in (INTERACTIVE, COMMAND)]
        self._always = [entry for entry in always if entry.occurrences]
        self._getpath = "Modules/getpath.py" if self._frozen else "Modules/getpath.c"

    # Before site ------------------------------------------------------------------------------------------------

    def interpreter(self) -> Step:
        """Which Python."""
        python = self._environment.python
        told = {"binary": "its own binary", "patchlevel": "patchlevel.h", "pyvenv": "pyvenv.cfg"}
        rows = [
            Row(f"started as {python.executable or 'an interpreter that is not there any more'}"),
            Row(f"CPython {python.version} for {python.platform}, as {told.get(python.version_source, 'names')} tells"),
        ]
        flags = " ".join(self._invocation.flags)
        rows.append(Row(f"with {flags}" if flags else "without flags"))
        if self._rules.when is not None:
            rows.append(Row("its patch level is not known: where releases differ, an entry carries the condition"))
        return Step("The interpreter finds itself", self._getpath, tuple(rows))

    def configuration(self) -> Step:
        """pyvenv.cfg."""
        cfg = self._environment.cfg
        if cfg is None:
            return Step("pyvenv.cfg", "PEP 405", (Row("there is none: no virtual environment"),))
        included = "join" if cfg.include_system_site else "stay out"
        rows = [
            Row(f"{cfg.path} makes this a virtual environment"),
            Row(f"home = {cfg.home}" if cfg.home is not None else "no home that this version reads"),
            Row(f"the base's and the user's site directories {included} (include-system-site-packages)"),
        ]
        if cfg.fatal is not None:
            rows.append(Row(cfg.fatal, "bold red"))
        return Step("pyvenv.cfg is read, by two parsers", f"PEP 405; {self._getpath}; {_SITE} (venv)", tuple(rows))

    def redirectors(self) -> Step:
        """Files beside the interpreter that a normal installation does not have."""
        rows = [Row(f"{path}: {effect}", "bold red") for path, effect in self._environment.redirectors]
        return Step("Redirectors are looked for", self._getpath, tuple(rows) or (Row("none is there"),))

    def first_path(self) -> Step:
        """``sys.path`` before ``site``."""
        ignored = self._invocation.ignores_environment and "PYTHONPATH" in self._invocation.environ
        rows = [Row(path or "the current directory, whichever that is") for path in self._environment.initial_path]
        if ignored:
            rows.append(Row("PYTHONPATH is set, and ignored under -E and -I", "dim"))
        return Step("sys.path is made", self._getpath, tuple(rows) or (Row("not known"),))

    def codecs(self) -> Step:
        """The imports of the interpreter itself."""
        own = "encodings and its codecs" if self._frozen else "encodings and its codecs, codecs, io, abc"
        entries = [e for e in self._always if e.kind == "codec" or "pylifecycle" in e.rule]
        return Step(
            "Codecs are imported", "Python/pylifecycle.c (init_interp_main)",
            self._reached(entries) or (Row(f"{own}: from the standard library"),),
        )  # fmt: skip

    def warnings(self) -> Step:
        """``-W`` and PYTHONWARNINGS."""
        options = self._invocation.warning_options
        entries = [e for e in self._always if "warnings.py" in e.rule]
        rows = [Row(f"option {option}") for option in options] or [Row("no option: warnings is not imported here")]
        return Step("Warning options are read", "Lib/warnings.py", (*rows, *self._reached(entries)))

    # site -------------------------------------------------------------------------------------------------------

    def site(self) -> list[Step]:
        """The site directories."""
        if self._invocation.no_site:
            return [Step("site is not imported", f"-S; {_SITE}", (Row("no .pth file and no customize module counts"),))]
        frozen = "frozen into the interpreter" if self._rules.startup_frozen else "from the standard library"
        entries = [e for e in self._always if e.kind == "startup-module" and e.rule == _SITE]
        read = "as UTF-8, else by the locale" if self._rules.utf8_first else "by the locale's encoding"
        ends = "as str.splitlines ends them" if self._rules.wide_lines else "at line feed and carriage return only"
        hidden = "skipped" if self._rules.hidden_skipped else "read like any other"
        begin = Step(
            "site is imported", f"{source('startup_frozen')}; {_SITE}",
            (
                *(self._reached(entries) or (Row(f"site, os and what they need: {frozen}"),)),
                Row(f"a .pth file is decoded {read} ({self._since('utf8_first')})"),
                Row(f"its lines end {ends} ({self._since('wide_lines')})"),
                Row(f"one whose name begins with a dot is {hidden} ({self._since('hidden_skipped')})"),
            ),
        )  # fmt: skip
        return [begin, *(self._batch() if self._rules.collected_first else self._in_turn()), *self._added()]

    def _since(self, name: RuleName) -> str:
        """The source of a change that this version has, or does not have yet."""
        return source(name) if getattr(self._rules, name) else f"until {source(name)}"

    def _place(self, path: str, line: int | None = None) -> str:
        return words.at_line(words.short_place(self._environment, path), line)

    def _in_turn(self) -> list[Step]:
        found = []
        passes: dict[str, int] = {}
        for directory in self._environment.site_sequence:
            number = passes[directory.path] = passes.get(directory.path, 0) + 1
            title = f"Site directory {directory.path}"
            rule = f"{_SITE} (addsitedir)"
            if number > 1:
                title += f", pass {number}"
                rule = f"gh-75723; {rule}"
            rows = self._of_directory(directory, number)
            found.append(Step(title, rule, rows or (Row("no line that does anything"),)))
        return found

    def _of_directory(self, directory: SiteDir, number: int) -> tuple[Row, ...]:
        """What the files of a directory do in one pass, in order; path lines where they stand."""
        rows: list[tuple[tuple[str, int, int], Row]] = []
        for entry in self._always:
            if posixpath.dirname(entry.path) == directory.path and entry.kind == "pth-import":
                for one in entry.occurrences:
                    if one.number == number:
                        rows.append(((entry.path, entry.line or 0, one.order), self._row(entry, one)))
        for line in self._plan.path_lines:
            if posixpath.dirname(line.path) == directory.path:
                rows.append(((line.path, line.line, 0), self._path_row(line, number)))
        return tuple(row for _, row in sorted(rows, key=lambda pair: pair[0]))

    def _batch(self) -> list[Step]:
        """Python 3.15: everything is collected first."""
        rule = source("collected_first")
        directories = tuple(Row(directory.path) for directory in dict.fromkeys(self._environment.site_sequence))
        inside = {directory.path for directory in self._environment.site_sequence}
        lines = [line for line in self._plan.path_lines if posixpath.dirname(line.path) in inside]
        own = [entry for entry in self._always if posixpath.dirname(entry.path) in inside]
        imports = [entry for entry in own if entry.kind == "pth-import"]
        points = [entry for entry in own if entry.kind == "start-entry-point"]
        none = (Row("none"),)
        return [
            Step(
                "Site directories are collected, each once", f"{rule}; {source('directory_once')}", directories or none
            ),
            Step(
                "Path lines of all of them are applied", rule, tuple(self._path_row(line, 1) for line in lines) or none
            ),
            Step("Import lines run", rule, self._reached(imports) or none),
            Step("Entry points of .start files are called", rule, self._reached(points) or none),
        ]

    def _added(self) -> list[Step]:
        inside = {directory.path for directory in self._environment.site_sequence}
        kinds = ("pth-import", "start-entry-point")
        entries = [e for e in self._always if e.kind in kinds and posixpath.dirname(e.path) not in inside]
        if not entries:
            return []
        title = "In between: directories that code adds with site.addsitedir"
        return [Step(title, f"{_SITE} (addsitedir)", self._reached(entries))]

    # After site -------------------------------------------------------------------------------------------------

    def customize(self, kind: str) -> Step | None:
        """``sitecustomize`` or ``usercustomize``."""
        if self._invocation.no_site:
            return None
        rows = self._reached([entry for entry in self._always if entry.kind == kind])
        if not rows and kind == "usercustomize" and not self._environment.user_site_enabled:
            rows = (Row("not attempted: the user site is disabled"),)
        return Step(f"{kind} is imported", f"{_SITE} (exec{kind})", rows or (Row("no file on sys.path answers"),))

    def aborts(self) -> Step | None:
        """Why the start may not get further."""
        rows = [
            Row(f"{abort.why}{'' if abort.certain else ' (depending on what runs before it)'}", "bold red")
            for abort in self._plan.aborts
        ]
        return Step("The start fails", "Python/pylifecycle.c; Lib/site.py", tuple(rows)) if rows else None

    def your_code(self) -> Step:
        """What ``sys.path`` has become."""
        asked = self._invocation.has("P") or bool(self._invocation.variable("PYTHONSAFEPATH"))
        safe = self._invocation.isolated or (asked and self._frozen)
        first = "no directory of the script's joins (-P or -I)" if safe else "the directory of the script comes first"
        paths = [Row(path or "the current directory, whichever that is") for path in self._plan.sys_path]
        return Step("Your code begins", "Modules/main.c; gh-57684", (Row(f"sys.path: {first}, then"), *paths))

    def only(self, title: str, when: str, rule: str) -> Step | None:
        """What has that one condition."""
        rows = self._reached([entry for entry in self._plan.entries if entry.when == when])
        return Step(title, rule, rows) if rows else None

    def dormant(self) -> Step | None:
        """What does not run here, why not, and where it would."""
        rows = []
        for entry in self._plan.entries:
            if not entry.runs:
                would = f"; it would run {entry.elsewhere}" if entry.elsewhere else ""
                place = self._place(entry.path, entry.line)
                rule = f" ({entry.rule})" if entry.rule else ""
                rows.append(Row(f"{place}: {entry.reason or 'skipped'}{would}{rule}", code=entry.code))
        return Step("What does not run here", "", tuple(rows)) if rows else None

    # Rows -------------------------------------------------------------------------------------------------------

    def _reached(self, entries: list[StartupEntry]) -> tuple[Row, ...]:
        pairs = [(one, entry) for entry in entries for one in entry.occurrences]
        return tuple(self._row(entry, one) for one, entry in sorted(pairs, key=lambda pair: pair[0].order))

    def _row(self, entry: StartupEntry, one: Occurrence) -> Row:
        place = self._place(entry.path, entry.line)
        owner = words.owner_name(entry.owner) if entry.owner else "no owner"
        proof = f"{owner}, {words.PROOF[entry.assurance]}"
        text = f"{place} {one.outcome} ({proof})"
        if one.outcome == "skipped":
            text = f"{place} is skipped: {entry.reason or 'see its other times'}"
        if one.when is not None:
            text += f", {one.when}"
        below = []
        if entry.line is None and entry.loads not in (None, entry.path):
            below.append(f"runs from its bytecode {self._place(entry.loads or '')}")
        for file in entry.closure:
            if file.order == one.order:
                whose = words.owner_name(file.owner) if file.owner else "no owner"
                how = words.PROOF[file.assurance] if file.assurance else "not looked up"
                bytecode = f" from {self._place(file.loads)}" if file.loads else ""
                condition = f", {file.when}" if file.when and file.when != one.when else ""
                below.append(f"loads {self._place(file.path)}{bytecode} ({whose}, {how}){condition}")
        below += [f"not followed: {name}" for name in entry.unresolved]
        return Row(text, _STYLES.get(one.outcome, ""), None if one.outcome == "skipped" else entry.code, tuple(below))

    def _path_row(self, line: PathLine, number: int) -> Row:
        place = self._place(line.path, line.line)
        if line.symbolic:
            what = "the current directory, or another place of the process"
            return Row(f"{place} puts {line.directory} on sys.path: {what}")
        if line.added and number == 1:
            return Row(f"{place} puts {line.directory} on sys.path")
        why = "is there already" if line.added else "does not exist, or is there already"
        return Row(f"{place} names {line.directory}, which {why}", "dim")
