"""What a terminal shows of drift: one table, and the commands that would put it right."""

from __future__ import annotations

import io

import pytest

from envcheck.model.finding import Severity
from envcheck.model.lock import Drift
from envcheck.model.report import Report
from envcheck.reports import terminal
from reports import samples

FOUND = (
    ("lock-extra", "gamna", "1.5", None, None, "gamma"),
    ("lock-missing", "epsilon", None, "3.1.4", None, None),
    ("lock-version", "alpha", "1.1", "1.0", None, None),
    ("lock-source", "wall", "0.1.0", "0.1.0", "installed from file:///tmp/wall (editable), the lock says wall", None),
)


def show(report: Report, width: int = 80, show_all: bool = False) -> str:
    stream = io.StringIO()
    terminal.write(report, stream, width=width, colour=False, show_all=show_all)
    return stream.getvalue()


def drifted(*changed: str) -> Report:
    """A report of every kind of drift, and of files that were ``changed``."""
    findings, drifts = [], []
    for rule, name, installed, locked, detail, near in FOUND:
        path = f"{samples.SITE}/{name}.dist-info" if installed else None
        drifts.append(Drift(name, rule.removeprefix("lock-"), installed, locked, path, detail, near))  # type: ignore[arg-type]
        at = path or f"{samples.PROJECT}/uv.lock"
        found = samples.finding(rule, Severity.MEDIUM, name, at, None, "x", name=name)
        findings.append(found._replace(evidence=(("name", name), ("installed", installed), ("locked", locked))))
    findings = [*(samples.finding(rule, Severity.HIGH, "Changed.", samples.SITE) for rule in changed), *findings]
    compared = samples.comparison({}, 3)
    return samples.report(samples.one((), tuple(findings), compared._replace(drifts=(*compared.drifts, *drifts))))


def table(text: str) -> list[str]:
    lines = text.splitlines()
    start = next(number for number, line in enumerate(lines) if line.split() == ["installed", "locked", "why"])
    return lines[start : lines.index("", start)]


def test_every_kind_is_a_row_with_a_sign_both_versions_and_why() -> None:
    assert table(show(drifted(), 100)) == [
        "             installed  locked  why",
        "  + gamna    1.5        -       not in the lock, one letter from gamma",
        "  ~ wall     0.1.0      0.1.0   installed from file:///tmp/wall (editable), the lock says wall",
        "  ~ alpha    1.1        1.0     another version",
        "  - epsilon  -          3.1.4   not installed",
    ]


def test_a_long_reason_goes_on_beneath_itself() -> None:
    rows = table(show(drifted()))
    assert rows[2:4] == [
        "  ~ wall     0.1.0      0.1.0   installed from file:///tmp/wall (editable), the",
        "                                lock says wall",
    ]


def test_a_page_that_is_too_narrow_for_columns_has_a_sentence_a_row() -> None:
    text = show(drifted(), 44)
    assert "  - epsilon: 3.1.4 locked, not installed\n" in text
    assert "  ~ alpha: 1.1 installed, 1.0 locked,\n    another version\n" in text


def test_the_table_names_its_rules_and_has_no_block_a_package() -> None:
    text = show(drifted(), 120)
    assert text.count("MEDIUM") == 1
    assert "4 packages are not what uv.lock asks for" in text
    assert "lock-extra, lock-missing, lock-version, lock-source" in text


def test_a_long_table_ends_in_a_count_and_show_all_has_it_whole() -> None:
    assert "    … 28 more: see --show-all" in show(samples.drifted(40))
    assert len(table(show(samples.drifted(40), show_all=True))) == 41


def test_the_command_that_repairs_it_is_the_tools_own_and_asks_who_installed_what_is_extra() -> None:
    text = show(drifted())
    assert "To repair it (envcheck runs none of this):\n    $ uv sync --frozen\n" in text
    assert "find out first who installed that" in text
    assert "--no-cache" not in text


def test_where_files_were_changed_it_is_made_anew_without_caches_and_says_why() -> None:
    text = " ".join(show(drifted("file-modified")).split())
    assert "delete this environment, and fill a new one without caches" in text
    assert "$ uv sync --frozen --no-cache" in text
    assert "Without caches, because uv links the files of its cache into environments" in text
    assert "--ignore" not in text


def test_changed_files_without_drift_ask_for_the_same() -> None:
    changed = samples.finding("record-forged", Severity.CRITICAL, "Changed.", samples.SITE)
    report = samples.report(samples.one((), (changed,), samples.comparison({}, 3)))
    assert "$ uv sync --frozen --no-cache" in show(report)
    assert "To repair it" not in show(samples.report(samples.one((), (changed,))))


def test_a_clean_report_has_neither() -> None:
    text = show(samples.clean())
    assert "To repair it" not in text
    assert "locked" not in text


@pytest.mark.parametrize("name", ["x; touch y", "$(touch y)", "a\nb", "-r"])
def test_a_hostile_name_is_part_of_no_command(name: str) -> None:
    lock = samples.comparison({}, 3)
    lock = lock._replace(lock=lock.lock._replace(path=f"{samples.PROJECT}/requirements.txt", format="requirements"))
    found = samples.finding("lock-extra", Severity.MEDIUM, "Extra.", samples.SITE, name=name, installed="1")
    text = show(samples.report(samples.one((), (found,), lock)))
    assert "  + " in text
    assert "pip uninstall" not in text
    assert "--ignore" not in text
