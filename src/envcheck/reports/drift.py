"""Turns drift from the lock into a table of a terminal report, and into the commands that would put it right.

``+`` is here and not asked for, ``-`` is asked for and not here, ``~`` is here as something else; the last column says
so in words.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from envcheck.checks.repair import recreate, repair, tampered, why_without_caches
from envcheck.locks.names import is_name
from envcheck.model.finding import Finding
from envcheck.model.lock import Comparison, Drift
from envcheck.model.report import EnvironmentReport
from envcheck.reports.page import Page
from envcheck.reports.verdict import DRIFT, open_findings

_SIGNS = {"lock-extra": "+", "lock-missing": "-"}
_ORDER = ("lock-extra", "lock-source", "lock-version", "lock-missing")
"""What somebody may have put there comes first."""
_MOST = 12
_NARROWEST_WHY = 22
_NONE = "-"
_INDENT = 2

Row = tuple[str, str, str, str, str]
"""Sign, name, installed version, locked version, why."""


def show_drift(environment: EnvironmentReport, findings: Sequence[Finding], page: Page, show_all: bool) -> None:
    """The table, beneath its heading; ``findings`` are those of the rules in `DRIFT`."""
    assert environment.comparison is not None
    comparison = environment.comparison
    known = {
        (f"lock-{drift.state}", drift.name, drift.path or comparison.lock.path): drift for drift in comparison.drifts
    }
    ordered = sorted(findings, key=lambda finding: (_ORDER.index(finding.rule), finding.message))
    shown = ordered if show_all else ordered[:_MOST]
    rows = [_row(comparison, finding, known) for finding in shown]
    heading: Row = ("", "", "installed", "locked", "why")
    widths = [max(page.text(row[column]).cell_len for row in (heading, *rows)) for column in range(4)]
    left = page.width - _INDENT - sum(widths) - 2 * 3 - 1
    if left < _NARROWEST_WHY:
        for row in rows:
            _paragraph(row, page)
    else:
        _columns(heading, widths, page, "dim")
        for row in rows:
            _columns(row, widths, page)
    if len(ordered) > len(shown):
        page.say(f"{page.dots} {len(ordered) - len(shown):,} more: see --show-all", indent=_INDENT + 2)


def show_repair(environment: EnvironmentReport, page: Page) -> None:
    """The commands for the reader to run: where files were changed, those that make the environment anew."""
    comparison = environment.comparison
    findings = open_findings(environment)
    drifted = [finding for finding in findings if finding.rule in DRIFT]
    changed = tampered(findings)
    if comparison is None or not (drifted or changed):
        return
    page.blank()
    lock, path = comparison.lock, environment.environment.path
    what = page.text("To repair it", "bold")
    why = f"Without caches, because {why_without_caches(lock)}."
    if not changed:
        page.say(page.join(what, " (envcheck runs none of this):"))
        _command(repair(lock), page)
    elif environment.environment.kind == "venv":
        how = ", keep a copy, delete this environment, and fill a new one without caches (envcheck runs none of this):"
        page.say(page.join(what, how))
        for command in recreate(lock, path):
            _command(command, page)
        page.say(why, indent=_INDENT)
    else:
        page.say(page.join(what, ", keep a copy, and install into a new environment, without caches."))
        page.say(why, indent=_INDENT)
    names = [str(dict(finding.evidence).get("name")) for finding in drifted if finding.rule == "lock-extra"]
    if names and not changed:
        _extras(names, lock.format in ("uv", "poetry", "pdm"), page)


def _extras(names: list[str], removes: bool, page: Page) -> None:
    """What is not asked for: somebody installed it."""
    safe = [name for name in names if is_name(name)]
    if removes:
        page.say("It removes what is not asked for: find out first who installed that.", indent=_INDENT)
    elif safe:
        page.say("Find out who installed what is not asked for; then:", indent=_INDENT)
        _command(f"pip uninstall {' '.join(safe)}", page)
    if safe:
        page.say(f"--ignore {safe[0]} would accept {safe[0]}.", indent=_INDENT)


def _command(text: str, page: Page) -> None:
    page.say(page.text(text, "bold"), first="$ ", indent=_INDENT + 2, wide=True)


def _row(comparison: Comparison, finding: Finding, known: dict[tuple[str, str, str], Drift]) -> Row:
    evidence = dict(finding.evidence)
    name, installed, locked = (evidence.get(key) for key in ("name", "installed", "locked"))
    drift = known.get((finding.rule, str(name), finding.path or comparison.lock.path))
    here = installed if isinstance(installed, str) else _NONE
    there = locked if isinstance(locked, str) else _NONE
    return _SIGNS.get(finding.rule, "~"), str(name), here, there, _why(finding.rule, drift)


def _why(rule: str, drift: Drift | None) -> str:
    """One clause."""
    detail = drift.detail if drift is not None else None
    if rule == "lock-extra":
        near = f", one letter from {drift.near}" if drift is not None and drift.near else ""
        return f"{detail or 'not in the lock'}{near}"
    return detail or {"lock-missing": "not installed", "lock-version": "another version"}.get(rule, "another source")


def _columns(row: Row, widths: list[int], page: Page, style: str = "") -> None:
    sign, *facts, why = row
    head = Text(" " * _INDENT)
    head.append_text(page.text(sign.ljust(widths[0] + 1), "bold"))
    for fact, width, bold in zip(facts, widths[1:], ("bold", "", ""), strict=True):
        cell = page.text(fact, style or bold)
        head.append_text(Text.assemble(cell, " " * (width - cell.cell_len + 2)))
    page.say(page.text(why, style), first=head, wide=True)


def _paragraph(row: Row, page: Page) -> None:
    """A row that no table of this width holds."""
    sign, name, here, there, why = row
    versions = [text for text in ((here != _NONE) * f"{here} installed", (there != _NONE) * f"{there} locked") if text]
    facts = page.join(page.text(name, "bold"), f": {', '.join([*versions, why])}")
    page.say(facts, first=f"{' ' * _INDENT}{sign} ", wide=True)
