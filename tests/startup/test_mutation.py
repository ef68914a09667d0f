"""A changed version table must be noticed: each row is shifted or dropped, and the judged contexts must then disagree.

A row is changed on each of its boundaries so that an interpreter at hand falls on the other side. The contexts that
name the row are planned again with the changed table, and held against what the real interpreters did. Changes that
no interpreter at hand can judge are listed. ``ENVCHECK_MUTATION=60`` adds as many random environments to each change.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pytest

from envcheck.environments import rules as environment_rules
from envcheck.startup import rules as startup_rules
from startup.cases import Case
from startup.contexts import NAMED, ROWS
from startup.generator import random_case
from startup.judge import Real, judged, started
from startup.workshop import workshop_of
from support.pythons import MINORS, Interpreter, interpreters

RANDOM = int(os.environ.get("ENVCHECK_MUTATION", "0"))
SEED = os.environ.get("ENVCHECK_SEED", "1")
NEVER = (99, 0, 0)

UNJUDGED = {
    "start_files: from 3.14.10 in place of 3.15.0": "entry points are read where files are collected first",
    "directory_once": "the same change as `repeats` of environments/rules.py, which is judged",
    "cfg_bound: changed before 3.11.0": "only getpath.py, which came with 3.11, asks for it",
    "build_landmark: changed before 3.14.7": "the nearest at hand before it is 3.13.18, which has no landmark either",
    "beside_library": "no interpreter at hand has a shared library of its own beside it",
    "blank_skipped": "a line of blanks names the site directory itself, which is known already: no start shows it",
}
"""Rows, and changes of rows, that no start at hand can show."""

_PARTS = len(environment_rules.ROWS[0].since)
"""Whether the rows of environments/rules.py begin with a version or with a release."""


class Mutation(NamedTuple):
    """A changed table."""

    what: str
    row: str
    """The row, or the field, that is changed."""
    startup: tuple[startup_rules.Row, ...]
    environment: tuple[environment_rules.Rule, ...]

    @property
    def affected(self) -> list[Interpreter]:
        """The interpreters at hand that the changed table takes for others."""
        return [found for found in known() if _meaning(found) != _meaning(found, self)]


def known() -> list[Interpreter]:
    return [found for found in interpreters() if found.minor in MINORS]


@contextmanager
def changed(mutation: Mutation | None) -> Iterator[None]:
    """The plan maker with the changed tables."""
    with pytest.MonkeyPatch.context() as patch:
        if mutation is not None:
            patch.setattr(startup_rules, "ROWS", mutation.startup)
            patch.setattr(environment_rules, "ROWS", mutation.environment)
        yield


def _meaning(found: Interpreter, mutation: Mutation | None = None) -> object:
    with changed(mutation):
        rule = environment_rules.rule_for(*((found.minor,) if _PARTS == 2 else (found.minor, found.version[2])))
        return startup_rules.rules_of(found.version), rule._replace(since=(0,) * _PARTS)


# What is changed ----------------------------------------------------------------------------------------------------


def mutations() -> list[Mutation]:
    """Every change of every table."""
    return [*_of_startup(), *_of_environment()]


def _of_startup() -> Iterator[Mutation]:
    """Each boundary of a row moved past the nearest interpreter on either side of it, and the row dropped."""
    table = startup_rules.ROWS

    def mutation(row: startup_rules.Row, since: tuple[startup_rules.Release, ...], what: str) -> Mutation:
        rows = tuple(row._replace(since=since) if other.name == row.name else other for other in table)
        return Mutation(f"{row.name}: {what}", row.name, rows, environment_rules.ROWS)

    for row in table:
        yield mutation(row, (NEVER,), "dropped")
        for boundary in row.since:
            others = tuple(other for other in row.since if other != boundary)
            text = ".".join(map(str, boundary))
            later = (*boundary[:2], 99)
            yield mutation(row, tuple(sorted((*others, later))), f"not in {text} but after that branch")
            before = [f.version for f in known() if f.version < boundary and not startup_rules.holds(row, f.version)]
            same = [version for version in before if version[:2] == boundary[:2]]
            if same or not others:
                earlier = max(same or before, default=(3, 0, 0))
                since = tuple(sorted((*(other for other in others if other > earlier), earlier)))
                yield mutation(row, since, f"from {'.'.join(map(str, earlier))} in place of {text}")


def _of_environment() -> Iterator[Mutation]:
    """Each field that a row changes: kept as it was before for that row's versions, and changed one version early."""
    table = environment_rules.ROWS
    for index in range(1, len(table)):
        before, row = table[index - 1], table[index]
        for field in row._fields:
            old, new = getattr(before, field), getattr(row, field)
            if field == "since" or old == new:
                continue
            kept = tuple(
                other._replace(**{field: old}) if at >= index and getattr(other, field) == new else other
                for at, other in enumerate(table)
            )
            yield Mutation(f"{field}: not changed by {_text(row.since)}", field, startup_rules.ROWS, kept)
            earlier = max((f.version[:_PARTS] for f in known() if f.version[:_PARTS] < row.since), default=None)
            if earlier is not None:
                early = row._replace(**{other: getattr(before, other) for other in row._fields if other != field})
                early = early._replace(since=earlier)
                rows = (*(other for other in table[:index] if other.since < earlier), early, *table[index:])
                yield Mutation(f"{field}: changed before {_text(row.since)}", field, startup_rules.ROWS, rows)


def _text(minor: tuple[int, ...]) -> str:
    return ".".join(map(str, minor))


# The judges ---------------------------------------------------------------------------------------------------------


@functools.cache
def _real(name: str, interpreter: Interpreter) -> tuple[Case, Real]:
    """What an interpreter did: the same for every change of the tables."""
    workshop = workshop_of(interpreter)
    if name in NAMED:
        case = NAMED[name](interpreter)
    else:
        case, _ = random_case(f"{SEED}/{interpreter.text}/{name}", interpreter, workshop.debian)
    return case, started(workshop.build(case))


def noticed(mutation: Mutation, names: list[str], affected: list[Interpreter]) -> list[str]:
    """The contexts in which a changed table disagrees with an interpreter: the first, or each for ``RANDOM`` ones."""
    found: list[str] = []
    for interpreter in affected:
        for name in names:
            if found and not RANDOM:
                return found
            case, real = _real(name, interpreter)
            built = workshop_of(interpreter).build(case)
            if not judged(built, real).agrees:
                # A context that disagrees without any change shows nothing.
                continue
            with changed(mutation):
                if not judged(built, real).agrees:
                    found.append(f"{name} on {interpreter.text}")
    return found


@pytest.mark.parametrize("mutation", mutations(), ids=lambda mutation: mutation.what.replace(" ", "-"))
def test_a_changed_table_disagrees_with_an_interpreter(
    mutation: Mutation, record_property: Callable[[str, object], None]
) -> None:
    affected = mutation.affected
    why = UNJUDGED.get(mutation.row) or UNJUDGED.get(mutation.what)
    if not affected or why is not None:
        why = why or "no interpreter at hand stands between"
        record_property("unjudged", f"{mutation.what} ({why})")
        return
    names = [name for name, row in ROWS.items() if mutation.row in row]
    found = noticed(mutation, names, affected)
    if not found or RANDOM:
        found += noticed(mutation, [str(number) for number in range(RANDOM)], affected)
    assert found, f"{mutation.what}: neither {', '.join(names)} nor {RANDOM} random environments show it"
    record_property("judged", [mutation.what, len(found)])


def test_every_row_has_a_context_that_judges_it() -> None:
    rows = {row.name for row in startup_rules.ROWS} | {*environment_rules.Rule._fields} - {"since"}
    assert rows - {row for judged in ROWS.values() for row in judged} <= set(UNJUDGED)
