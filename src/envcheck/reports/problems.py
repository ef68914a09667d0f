"""Turns findings into blocks of a terminal report.

In this order: what, where, when it runs, its code, what it does, whose it is, how we know, what to do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from rich.text import Text

from envcheck.model.finding import Evidence, Finding, Rule, Severity
from envcheck.model.report import EnvironmentReport
from envcheck.model.startup import StartupEntry
from envcheck.reports import words
from envcheck.reports.drift import show_drift, show_repair
from envcheck.reports.page import Page
from envcheck.reports.verdict import DRIFT, open_findings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envcheck.model.behavior import Account

STYLES = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "bold red",
    Severity.MEDIUM: "bold yellow",
    Severity.LOW: "bold",
    Severity.INFO: "dim",
}
SHOWN_ELSEWHERE = "scan-incomplete"
"""Its paths stand under "Not seen"."""
MORE = "see --show-all"
"""Where what was left out is to be had."""
_TOGETHER, _TOGETHER_STARTUP = 4, 8
"""How many findings of one rule are told one by one before they are told together."""
_EXAMPLES = 3
_CODE_LINES = 8
_LABEL = 9
_DRIFT = "drift"
_LAYERS = 4


def show_findings(environment: EnvironmentReport, page: Page, show_all: bool) -> None:
    """Every open finding down to ``low``, those of one rule together where they are many; notes in one line."""
    findings = [finding for finding in open_findings(environment) if finding.rule != SHOWN_ELSEWHERE]
    telling = [finding for finding in findings if show_all or finding.severity > Severity.INFO]
    places: dict[tuple[str | None, int | None], int] = {
        (entry.path, entry.line): number for number, entry in enumerate(environment.plan.entries)
    }
    for (_, rule), same in groupby(telling, key=lambda finding: (finding.severity, _kind(environment, finding))):
        # In the order in which they run; a stable sort leaves all others as they are.
        group = sorted(same, key=lambda finding: places.get((finding.path, finding.line), len(places)))
        if rule == _DRIFT:
            _drift(environment, group, page, show_all)
            continue
        most = _TOGETHER_STARTUP if rule.startswith("startup-") else _TOGETHER
        if len(group) > most and not show_all:
            _together(environment, group, page)
        else:
            for finding, following in zip(group, [*group[1:], None], strict=True):
                _one(environment, finding, page, show_all)
                if following is None or following.remedy != finding.remedy:
                    _remedy(finding, page)
    show_repair(environment, page)


def _kind(environment: EnvironmentReport, finding: Finding) -> str:
    """The rule, or that it is drift: all of that is one table."""
    return _DRIFT if finding.rule in DRIFT and environment.comparison is not None else finding.rule


def _drift(environment: EnvironmentReport, group: list[Finding], page: Page, show_all: bool) -> None:
    verb = "package is" if len(group) == 1 else "packages are"
    page.blank()
    rules = ", ".join(dict.fromkeys(finding.rule for finding in group))
    told = page.text(f"{len(group):,} {verb} not what {words.lock_name(environment)} asks for", "bold")
    page.ends(_label(group[0].severity), told, page.text(rules, "dim"))
    show_drift(environment, group, page, show_all)


def show_notes(environment: EnvironmentReport, page: Page, show_all: bool) -> None:
    """What is worth knowing and nothing to act on, one sentence a rule; whole among the findings with ``show_all``."""
    noted = [finding.rule for finding in open_findings(environment) if finding.severity == Severity.INFO]
    if not noted or show_all:
        return
    page.blank()
    for rule in dict.fromkeys(noted):
        times = f", {noted.count(rule):,} times" if noted.count(rule) > 1 else ""
        known = _rule(rule)
        summary = f"{known.summary} " if known else ""
        page.say(page.join(summary, page.text(f"({rule}{times}; {MORE})", "dim")), first=page.text("Noted  ", "bold"))


def _one(environment: EnvironmentReport, finding: Finding, page: Page, show_all: bool) -> None:
    """One finding with everything that is known of it, less what to do."""
    evidence = dict(finding.evidence)
    entry = _entry_at(environment, finding)
    _head(environment, finding, page)
    page.say(finding.message, indent=2)
    loader = _loader(environment, finding)
    if loader is not None and not tells_code(finding):
        page.say(f"Loaded at every start of this Python, by {loader}.", indent=2)
    code = evidence.get("code", entry.code if entry else None)
    if isinstance(code, str) and tells_code(finding):
        _code(code, page, show_all)
    _examples(environment, evidence, page, show_all)
    if entry is not None and entry.account is not None and tells_code(finding):
        _layers(entry.account, page, show_all)
    capabilities = _strings(evidence.get("capabilities")) or list(entry.capabilities if entry else ())
    if capabilities:
        _row("Does", page.listed([words.CAPABILITIES.get(name, name) for name in capabilities]), page)
    if entry is not None:
        _row("Owner", words.owner_name(entry.owner) if entry.owner else "none: no installed package lists it", page)
        if entry.owner or entry.assurance != "unrecorded":
            _row("Proof", words.proof_sentence(entry.owner, entry.assurance), page)
    _hashes(evidence, page)


def _remedy(finding: Finding, page: Page) -> None:
    if finding.remedy and finding.severity >= Severity.MEDIUM:
        _row("Do", finding.remedy, page)


def _rule(name: str) -> Rule | None:
    from envcheck.checks.registry import all_rules

    return next((rule for rule in all_rules() if rule.id == name), None)


def _together(environment: EnvironmentReport, group: list[Finding], page: Page) -> None:
    """Many findings of one rule: how many, three of them, what to do."""
    first = group[0]
    page.blank()
    page.ends(_label(first.severity), page.text(f"{len(group):,} like these", "bold"), page.text(first.rule, "dim"))
    for finding in group[:_EXAMPLES]:
        subject = _subject(environment, finding)
        named = "" if finding.message.startswith(subject) else f"{subject}: "
        page.say(page.join(page.text(named, "bold"), finding.message), first="  - ")
    page.say(f"{page.dots} {len(group) - _EXAMPLES:,} more: {MORE}", indent=4)
    if any(finding.remedy != first.remedy for finding in group):
        general = _rule(first.rule)
        first = first._replace(remedy=general.remedy if general else "")
    _remedy(first, page)


def _head(environment: EnvironmentReport, finding: Finding, page: Page) -> None:
    page.blank()
    subject = _subject(environment, finding)
    page.ends(_label(finding.severity), page.text(subject, "bold"), page.text(finding.rule, "dim"))


def _label(severity: Severity) -> Text:
    return Text(f"{severity.label.upper():10}", STYLES[severity])


def _subject(environment: EnvironmentReport, finding: Finding) -> str:
    """Where it is; for drift, which package."""
    evidence = dict(finding.evidence)
    name, version = evidence.get("name"), evidence.get("installed")
    if finding.rule.startswith("lock-") and isinstance(name, str):
        return f"{name} {version}" if isinstance(version, str) else name
    if finding.path is None or finding.path == environment.environment.path:
        return "this environment"
    if finding.rule.startswith("lock-"):
        return words.at_line(words.file_name(finding.path), finding.line)
    return words.at_line(words.place(environment.environment, finding.path), finding.line)


def tells_code(finding: Finding) -> bool:
    """Whether the finding has a block, and it shows the code of a startup entry."""
    return finding.rule.startswith("startup-") and finding.severity > Severity.INFO


def _code(code: str, page: Page, show_all: bool) -> None:
    rest = page.code(code, None if show_all else _CODE_LINES)
    if rest:
        page.say(f"{page.dots} {words.plural(rest, 'more character')}: {MORE}", indent=2)


def _layers(account: Account, page: Page, show_all: bool) -> None:
    """What code is inside the code, each layer with how it is reached and what it does."""
    layers = [layer for inner in account.within() for layer in inner.layers]
    for layer in layers if show_all else layers[:_LAYERS]:
        does = layer.account.capabilities if layer.account is not None else ()
        told = ", ".join(words.CAPABILITIES.get(name, name) for name in does) or "nothing that is told"
        steps = ", ".join(layer.how)
        page.say(f"{steps}: {words.plural(layer.size, 'byte')}: {told}", first=f"  {page.into} ", indent=2)
        if show_all and layer.text is not None:
            page.code(layer.text, None, indent=4)
    if len(layers) > _LAYERS and not show_all:
        page.say(f"{page.dots} {words.plural(len(layers) - _LAYERS, 'more layer')}: {MORE}", indent=4)


def _examples(environment: EnvironmentReport, evidence: dict[str, Evidence], page: Page, show_all: bool) -> None:
    """Three of the paths, or entries of a lock, that one finding stands for, and how many more there are."""
    paths = _strings(evidence.get("paths")) or _strings(evidence.get("entries"))
    if len(paths) < 2:
        return
    count = evidence.get("count")
    total = count if isinstance(count, int) and count > len(paths) else len(paths)
    shown = paths if show_all else paths[:_EXAMPLES]
    for path in shown:
        page.say(words.place(environment.environment, path), first="  - ", wide=True)
    if total > len(shown):
        page.say(f"{page.dots} {total - len(shown):,} more: {MORE}", indent=4)


def _hashes(evidence: dict[str, Evidence], page: Page) -> None:
    actual, expected = evidence.get("sha256"), evidence.get("expected")
    if isinstance(actual, str):
        # Where there are no bytes of its own to digest (a link), what stands there is told in words.
        _row("sha256" if re.fullmatch("[0-9a-f]{64}", actual) else "is now", actual, page)
    if isinstance(expected, str):
        _row("expected", re.sub("^sha256[=:]", "", expected), page)


def _row(label: str, text: Text | str, page: Page) -> None:
    page.say(text, first=Text(f"{label:{_LABEL}}", "dim"), indent=2)


def _entry_at(environment: EnvironmentReport, finding: Finding) -> StartupEntry | None:
    """The startup entry that a finding is about."""
    if not tells_code(finding):
        return None
    for entry in environment.plan.entries:
        if entry.path == finding.path and entry.line == finding.line:
            return entry
    return None


def _loader(environment: EnvironmentReport, finding: Finding) -> str | None:
    """Which entry loads the finding's file at startup."""
    for entry in environment.plan.entries:
        if entry.runs and any(file.path == finding.path for file in entry.closure):
            return words.at_line(words.short_place(environment.environment, entry.path), entry.line)
    return None


def _strings(value: Evidence) -> list[str]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        return []
    return [item for item in value if isinstance(item, str)]
