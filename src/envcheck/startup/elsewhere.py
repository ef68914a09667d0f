"""What does not run here, and where it would: the same site files under the rules of every supported release.

Only selection, decoding, line ends and the form of lines are looked at again; no start is simulated twice.
"""

from __future__ import annotations

import posixpath
import re
from codecs import BOM_UTF8

from envcheck.model.environment import Environment, Python
from envcheck.model.invocation import Invocation
from envcheck.startup import pth
from envcheck.startup.encoding import pth_codec
from envcheck.startup.importing import CUSTOMIZE
from envcheck.startup.ledger import Ledger, Record
from envcheck.startup.modules import Finders
from envcheck.startup.pth import Line
from envcheck.startup.rules import NEWEST, OLDEST, ROWS, Release, Rules, rules_of, source
from envcheck.startup.startup_files import StartupFile, StartupFiles

_ODD = re.compile(rb"[\x0b\x0c\x1c-\x1e\x80-\xff]|(?:^|[\r\n])[ \t\x1f]+import[ \t]")
"""What a line must have for two versions to read it differently; a file without any is read once."""
_OTHER_USER = "the user site is disabled here"
_WITH_USER = "where the user site is enabled: not under -s or -I, and without PYTHONNOUSERSITE"


def releases() -> tuple[Release, ...]:
    """Every release at which some rule changes, and the last one before it: each stands for those up to the next."""
    branches = range(OLDEST[1], NEWEST[1] + 1)
    starts = {(3, minor, 0) for minor in branches} | {since for row in ROWS for since in row.since}
    return tuple(sorted(since for since in starts if OLDEST <= since[:2] <= NEWEST))


class Elsewhere:
    """The site files of one simulated start, under other rules."""

    def __init__(
        self,
        environment: Environment,
        rules: Rules,
        invocation: Invocation,
        finders: Finders,
        ledger: Ledger,
        startup_files: StartupFiles,
    ) -> None:
        self._environment = environment
        self._rules = rules
        self._invocation = invocation
        self._finders = finders
        self._ledger = ledger
        self._startup_files = startup_files
        self._sides = {release: rules_of(release) for release in releases()}
        self._here = self._release()
        self._words: dict[frozenset[Release], str | None] = {}

    def _release(self) -> Release:
        """The release whose rules are those of this start."""
        minor = min(max(self._rules.minor, OLDEST), NEWEST)
        branch = [release for release in self._sides if release[:2] == minor]
        here = self._rules._replace(minor=minor, when=None, startup_frozen=False)
        return next((one for one in branch if self._sides[one]._replace(startup_frozen=False) == here), branch[-1])

    def run(self) -> None:
        """List what only other versions run, and say of everything that does not run here where it would."""
        known: dict[str, dict[str, Record]] = {}
        for record in self._ledger.records.values():
            if record.kind == "pth-import" and record.code is not None:
                known.setdefault(record.path, {}).setdefault(record.code.strip(), record)
        sites = (site.path for site in self._environment.site_sequence)
        for directory in dict.fromkeys([*sites, *map(posixpath.dirname, known)]):
            for name in self._finders.listing(directory) or ():
                if pth.is_pth(name):
                    self._pth(f"{directory}/{name}", name.startswith("."), known.get(f"{directory}/{name}", {}))
        for record in self._ledger.records.values():
            if record.kind == "start-entry-point" and not record.ran and not self._rules.start_files:
                record.elsewhere = "on Python 3.15 and later"
            elif record.kind in ("sitecustomize", "usercustomize") and not record.ran:
                self._customize(record)
        self._user_site()

    def _pth(self, path: str, hidden: bool, records: dict[str, Record]) -> None:
        found = self._startup_files.read(path)
        if found is None:
            return
        dormant = [record for record in records.values() if not record.ran]
        if not dormant and not hidden and not _ODD.search(found.data):
            return
        lines, running = self._running(found, hidden)
        for code, where in running.items():
            record = records.get(code)
            if record is None and self._here not in where:
                record = self._new(found, lines[code])
                if records:
                    record.place = next(iter(records.values())).first()
            if record is not None and not record.ran:
                record.elsewhere = self._told(record, where)

    def _new(self, found: StartupFile, line: Line) -> Record:
        """The entry of a line that this version reads otherwise; its number is that of a version which runs it."""
        marked = line.number == 1 and found.data.startswith(BOM_UTF8)
        rule = source("utf8_first") if marked else source("wide_lines")
        record = self._ledger.record("pth-import", found.path, line.number, line.text, rule)
        record.reason = "a byte order mark stands before it" if marked else "this version reads the line otherwise"
        record.sha256, record.notes = found.sha256, line.notes
        return record

    def _running(self, found: StartupFile, hidden: bool) -> tuple[dict[str, Line], dict[str, set[Release]]]:
        """The lines that some release executes, by their text without blanks around it, and the releases that do."""
        lines: dict[str, Line] = {}
        running: dict[str, set[Release]] = {}
        contents: dict[tuple[object, ...], dict[str, Line]] = {}
        for release, rules in self._sides.items():
            if hidden and rules.hidden_skipped:
                continue
            python: Python = self._environment.python._replace(version="{}.{}.{}".format(*release))
            codec = pth_codec(rules, python, self._invocation)
            key = (rules.utf8_first, rules.wide_lines, rules.lines_stripped, codec)
            if key not in contents:
                read = pth.read(found.data, rules, codec).lines
                contents[key] = {line.text.strip(): line for line in read if line.kind == "import"}
            for code, line in contents[key].items():
                lines.setdefault(code, line)
                running.setdefault(code, set()).add(release)
        return lines, running

    def _told(self, record: Record, where: set[Release]) -> str | None:
        if self._here in where:
            # The line would run, and something that comes before it keeps it from that.
            reason = record.reason or ""
            if self._rules.start_files and ".start beside it" in reason:
                return "on Python before 3.15, which reads no .start file"
            if not self._rules.file_survives_error and "rest of the file is ignored" in reason:
                return "on Python 3.15 and later, where a line that fails does not end its file"
            return None
        key = frozenset(where)
        if key not in self._words:
            self._words[key] = _ranges(where, list(self._sides))
        return self._words[key]

    def _customize(self, record: Record) -> None:
        if record.shadowed_by is not None:
            record.elsewhere = f"as soon as {record.shadowed_by} is gone"
        elif record.kind == "usercustomize" and not self._environment.user_site_enabled:
            record.elsewhere = _WITH_USER

    def _user_site(self) -> None:
        """The user's own site directory, where flags or variables alone keep it out."""
        environment = self._environment
        directory = environment.user_site
        shared = environment.cfg is None or environment.cfg.include_system_site
        if environment.user_site_enabled or self._invocation.no_site or directory is None or not shared:
            return
        if not directory.startswith("/") or self._finders.symbolic(directory):
            return
        for name in self._finders.listing(directory) or ():
            if pth.is_pth(name) and not self._startup_files.hidden(directory, name):
                found = self._startup_files.read(f"{directory}/{name}")
                if found is None:
                    continue
                for line in self._startup_files.content(found).lines:
                    if line.kind == "import":
                        record = self._ledger.record("pth-import", found.path, line.number, line.text)
                        self._absent(record, found.sha256)
        for name in CUSTOMIZE:
            spec = self._finders.find(directory, name)
            if spec is not None and spec.kind != "namespace":
                self._absent(self._ledger.record(CUSTOMIZE[name], spec.path, None, None))

    def _absent(self, record: Record, digest: str | None = None) -> None:
        record.reason, record.elsewhere, record.rule = _OTHER_USER, _WITH_USER, "site.ENABLE_USER_SITE"
        record.sha256 = digest or record.sha256


def _ranges(running: set[Release], every: list[Release]) -> str | None:
    """Releases in words: ``on Python 3.8 to 3.8.18, 3.12.4 and later``; ``running`` are some of ``every``, in order."""
    if not running:
        return None
    spans: list[tuple[int, int]] = []
    for index, release in enumerate(every):
        if release not in running:
            continue
        if spans and spans[-1][1] == index - 1:
            spans[-1] = spans[-1][0], index
        else:
            spans.append((index, index))
    words = []
    for first, last in spans:
        begin = _text(every[first])
        if last == len(every) - 1:
            words.append(f"{begin} and later")
            continue
        following = every[last + 1]
        end = f"{following[0]}.{following[1]}.{following[2] - 1}" if following[2] else f"3.{following[1] - 1}"
        words.append(begin if begin == end else f"{begin} to {end}")
    return "on Python " + ", ".join(words)


def _text(release: Release) -> str:
    return "{}.{}".format(*release) if not release[2] else "{}.{}.{}".format(*release)
