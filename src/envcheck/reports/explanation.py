"""A startup file into what a person reads of it: each line, what it does, whose it is, and why the verdict.

Every character of the file is made visible; only our own words stand at the left edge.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from envcheck.checks.startup import trick
from envcheck.checks.verdict import conduct, decisive, provenance, unclear
from envcheck.model.behavior import Account
from envcheck.model.startup import ClosureFile, StartupEntry, StartupPlan
from envcheck.reports import words
from envcheck.reports.text import shorten, visible

MAX_LINES = 2_000
MAX_LINE = 4_000
"""Characters of one line; how many are left out is said."""
_CODE = re.compile(r" *\d* *[|=] ")
_CONDUCT = {
    "calm": "none of that decides",
    "not-understood": "what it does is not understood",
    "suspicious": "its behaviour decides",
}


def explanation(path: str, text: str, plan: StartupPlan | None, account: Account, width: int | None = None) -> str:
    """The whole text, ending in a newline. ``account`` is that of the file where no entry of the plan has one.

    Lines are broken at ``width``, the file's own behind a rule: a terminal would break them at its left edge.
    """
    entries = [] if plan is None else [entry for entry in plan.entries if entry.path == path]
    loading = [] if plan is None else [(e, f) for e in plan.entries for f in e.closure if f.path == path]
    lines = [visible(path), ""]
    lines += _why(entries, loading)
    accounts = [entry.account for entry in entries if entry.account is not None] or [account]
    lines += _code(text, accounts)
    for one in accounts:
        lines += _layers(one, 0)
        lines += _indicators(one)
    broken = lines if width is None else [part for line in lines for part in _broken(line, width)]
    return "\n".join(broken).rstrip("\n") + "\n"


def _broken(line: str, width: int) -> list[str]:
    if len(line) <= width:
        return [line]
    code = _CODE.match(line)
    if code is not None:
        rest, size = line[code.end() :], max(width - code.end(), 20)
        after = re.sub(r"\d", " ", code[0])
        pieces = [rest[start : start + size] for start in range(0, len(rest), size)]
        return [code[0] + pieces[0], *(after + piece for piece in pieces[1:])]
    from textwrap import wrap

    margin = " " * (len(line) - len(line.lstrip()) + 8)
    return wrap(line, width, subsequent_indent=margin, break_long_words=True, break_on_hyphens=False)


def _why(entries: Sequence[StartupEntry], loading: Sequence[tuple[StartupEntry, ClosureFile]]) -> Iterator[str]:
    """Who vouches for it, when it runs, and how the verdict comes about."""
    for entry in entries:
        place = "The module" if entry.line is None else f"Line {entry.line}"
        if entry.runs:
            times = "once" if entry.runs == 1 else f"{entry.runs} times"
            condition = f", {visible(entry.when)}" if entry.when else ""
            yield f"{place} runs {times} at every start{condition}: {entry.verdict}."
        else:
            yield f"{place} does not run here: {visible(entry.reason or 'skipped')}."
        yield from _grounds(entry)
        for note in entry.notes:
            yield f"  hidden  {visible(trick(note))}"
        for file in entry.closure:
            yield f"  loads   {visible(file.path)}"
            yield from (f"        {line}" for line in _grounds(file))
        for name in entry.unresolved:
            yield f"  could not be followed: {visible(name)}"
        yield ""
    for entry, file in loading:
        yield f"Loaded at every start by {visible(words.at_line(entry.path, entry.line))} ({entry.verdict})."
        yield from _grounds(file)
        yield ""
    if not entries and not loading:
        yield "No startup entry: Python does not run it by itself, as far as is told here."
        yield ""


def _grounds(item: StartupEntry | ClosureFile) -> Iterator[str]:
    owner = visible(words.owner_name(item.owner)) if item.owner else "none: no installed package lists it"
    yield f"  owner   {owner}"
    known = f" ({visible(item.known)})" if item.known else ""
    proof = provenance(item)
    yield f"  proof   {words.PROOF[proof] if proof else 'not looked up'}{known}"
    if item.account is not None:
        why = decisive(item)
        reason = why or _CONDUCT[conduct(item)]
        unknown = unclear(item) if why is None else None
        more = f": {visible(unknown)}" if unknown else ""
        yield f"  does    {_abilities(item.account)}; {reason}{more}"


def _abilities(account: Account) -> str:
    return ", ".join(words.CAPABILITIES.get(name, name) for name in account.capabilities) or "nothing that is told"


def _code(text: str, accounts: Sequence[Account]) -> Iterator[str]:
    """The file, numbered, and under each line what it does."""
    notes: dict[int, list[str]] = {}
    for account in accounts:
        for use in account.uses:
            word = words.CAPABILITIES.get(use.capability, use.capability)
            notes.setdefault(use.line or 0, []).append(f"{word}: {shorten(use.means, 200)}")
        for flow in account.flows:
            notes.setdefault(flow.line or 0, []).append(shorten(flow.means, 200))
    for note in dict.fromkeys(notes.get(0, ())):
        yield f"      = {note}"
    rows = text.split("\n")
    if rows[-1] == "":
        rows.pop()
    for number, row in enumerate(rows[:MAX_LINES], 1):
        yield f"{number:5} | {shorten(row, MAX_LINE)}"
        for note in dict.fromkeys(notes.get(number, ())):
            yield f"      = {note}"
    if len(rows) > MAX_LINES:
        yield f"      ({len(rows) - MAX_LINES:,} more lines)"
    yield ""


def _layers(account: Account, depth: int) -> Iterator[str]:
    """The code inside, layer by layer."""
    margin = "  " * depth
    for layer in account.layers:
        yield f"{margin}Inside, by {', '.join(layer.how)}: {layer.size:,} bytes, sha256 {layer.sha256}"
        if layer.account is not None:
            yield f"{margin}  does    {_abilities(layer.account)}"
        if layer.text is not None:
            rows = layer.text.split("\n")
            yield from (f"{margin}  | {shorten(row, MAX_LINE)}" for row in rows[:MAX_LINES])
            if len(rows) > MAX_LINES:
                yield f"{margin}  ({len(rows) - MAX_LINES:,} more lines)"
        if layer.account is not None:
            yield from _layers(layer.account, depth + 1)
    if account.layers and not depth:
        yield ""


def _indicators(account: Account) -> Iterator[str]:
    found = {(one.kind, one.value): None for inner in account.within() for one in inner.indicators}
    if found:
        yield "Names in it, to look for elsewhere"
        yield from (f"  {kind:8}{shorten(value, 300)}" for kind, value in found)
