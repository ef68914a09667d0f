"""Turns what a lock alone tells into what a person reads in a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TextIO

from rich.text import Text

from envcheck.locks.report import Judged
from envcheck.model.finding import NotSeen, Severity
from envcheck.model.lock import LockProblem
from envcheck.reports import words
from envcheck.reports.page import Page
from envcheck.reports.problems import STYLES
from envcheck.reports.terminal import new_page

_STATES = {
    "committed": "As HEAD{commit} has it",
    "modified": "Differs from HEAD{commit}",
    "untracked": "Not in HEAD{commit}",
    "none": "In no Git repository",
    "unknown": "Not known whether it is as HEAD{commit} has it",
}
_EXAMPLES = 3
_TOGETHER = 4
_MOST_BUILDS = 12
_MORE = "see --format json"


def write_lock(
    judged: Judged,
    severities: Mapping[str, Severity],
    not_seen: Sequence[NotSeen],
    stream: TextIO,
    *,
    width: int | None,
    colour: bool,
) -> None:
    """Write it to ``stream``; ``severities`` are those of the rules by id."""
    page = new_page(stream, width, colour)
    _head(judged, severities, page)
    found = sorted(judged.problems, key=lambda problem: -severities[problem.rule])
    for rule, group in groupby(found, key=lambda problem: problem.rule):
        _problems(severities[rule], rule, list(group), page)
    _builds(judged, page)
    if not_seen:
        page.blank()
        page.say(page.text("Not seen", "bold yellow"))
        for missed in not_seen:
            page.say(page.join(missed.path, ": ", missed.why), first="  ", wide=True)


def _head(judged: Judged, severities: Mapping[str, Severity], page: Page) -> None:
    """Which lock and target, the verdict, what is selected, which file it is."""
    lock, selected = judged.lock, judged.selected
    target = f"for Python {judged.python} on {judged.platform}"
    page.say(
        page.listed([words.file_name(lock.path), lock.format, words.plural(len(lock.packages), "package")], "bold")
    )
    page.blank()
    telling = [problem for problem in judged.problems if severities[problem.rule] > Severity.INFO]
    worst = max((severities[problem.rule] for problem in telling), default=Severity.INFO)
    mood = "bad" if worst >= Severity.HIGH else "doubtful" if telling else "good"
    sentence = (
        f"{words.plural(len(telling), 'thing needs', 'things need')} a look" if telling else "Nothing needs a look"
    )
    style = {"bad": "bold red", "doubtful": "bold yellow", "good": "bold green"}[mood]
    page.say(page.text(f"{sentence} {target}.", "bold"), first=page.text(f"{page.marks[mood]} ", style))
    if selected is None:
        page.say(
            "What the project asks for is not known: the lock does not tell, and no project lies beside it.", indent=2
        )
    else:
        # A requirements file has no extras or groups to choose from.
        choice = "" if lock.format == "requirements" else f": {_choice(judged)}"
        page.say(f"{words.plural(len(selected), 'package is', 'packages are')} selected{choice}.", indent=2)
    state = lock.repository
    commit = f" ({state.commit[:12]})" if state.commit else ""
    why = f": {state.why}" if state.why else ""
    page.say(page.text(f"sha256 {lock.sha256}", "dim"), indent=2, wide=True)
    page.say(page.text(f"{_STATES[state.state].format(commit=commit)}{why}.", "dim"), indent=2)


def _choice(judged: Judged) -> str:
    choice = judged.choice
    parts = [
        f"{one if len(names) == 1 else one + 's'} {', '.join(sorted(names))}"
        for one, names in (("extra", choice.extras), ("group", choice.groups))
        if names
    ]
    members = (
        [f"member{'s' * (len(choice.members) > 1)} {', '.join(choice.members)}"] if len(judged.lock.roots) > 1 else []
    )
    return "; ".join((*members, *parts)) or "no extras and no groups"


def _problems(severity: Severity, rule: str, group: list[LockProblem], page: Page) -> None:
    """Those of one rule: one by one, or a count and three."""
    page.blank()
    many = len(group) > _TOGETHER
    left = page.text(f"{len(group):,} like these" if many else "", "bold")
    page.ends(page.text(f"{severity.label.upper():10}", STYLES[severity]), left, page.text(rule, "dim"))
    shown = group[:_EXAMPLES] if many else group
    for problem in shown:
        place = page.text(f" ({problem.where})" if problem.where else "", "dim")
        page.say(page.join(problem.message, place), first="  - " if len(group) > 1 else "  ", wide=True)
    if many:
        page.say(f"{page.dots} {len(group) - _EXAMPLES:,} more: {_MORE}", indent=4)


def _builds(judged: Judged, page: Page) -> None:
    """What installing runs, whether that is forbidden, and the settings that would forbid all else."""
    page.blank()
    if judged.builds:
        page.say(page.text("Runs code when it is installed", "bold"))
        width = max(page.text(_name(build.package.name, build.package.source)).cell_len for build in judged.builds)
        for build in judged.builds[:_MOST_BUILDS]:
            name = page.text(_name(build.package.name, build.package.source), "bold")
            gap = " " * (min(width, page.width // 3) - name.cell_len + 2)
            page.say(build.why, first=Text.assemble("  ", name, gap), wide=True)
        if len(judged.builds) > _MOST_BUILDS:
            page.say(f"{page.dots} {len(judged.builds) - _MOST_BUILDS:,} more: {_MORE}", indent=4)
    elif judged.selected is None:
        page.say("What installing it builds is not known.")
    elif not judged.named:
        page.say("Whether installing it builds anything is not known: the lock does not name its archives.")
    else:
        page.say("Installing it builds nothing.")
    configured = judged.configured
    if configured.everywhere:
        page.say(f"Other builds are forbidden, by {configured.where}.")
        return
    if configured.where:
        page.say(f"Some builds are forbidden, by {configured.where}; this would forbid all others:")
    else:
        page.say("No build is forbidden; this would forbid all others:")
    for line in judged.settings:
        page.say(page.text(line, "bold"), indent=4, wide=True)


def _name(name: str, source: str | None) -> str:
    return name or source or "?"
