"""What the report says of drift, and of the lock itself."""

from __future__ import annotations

from envcheck.checks import drift
from envcheck.model.facts import Facts
from envcheck.model.finding import Finding, Severity
from envcheck.model.lock import Comparison, Drift, LockChoice, LockProblem
from envcheck.model.startup import StartupPlan
from support.samples import ENVIRONMENT, SITE

UV = LockChoice("/srv/app/uv.lock", "uv", "ab" * 32, ("plot",), ("dev",), default_groups=("dev",))
PIP = LockChoice("/srv/app/requirements.txt", "requirements", "ab" * 32)


def findings(
    *drifts: Drift, lock: LockChoice = UV, problems: tuple[LockProblem, ...] = (), prefix: str = ENVIRONMENT.path
) -> list[Finding]:
    facts = Facts(
        ENVIRONMENT._replace(path=prefix), StartupPlan((), (), ()), comparison=Comparison(lock, drifts, problems)
    )
    return [finding for check in drift.CHECKS for finding in check(facts)]


def test_no_comparison_no_finding() -> None:
    facts = Facts(ENVIRONMENT, StartupPlan((), (), ()))
    assert [finding for check in drift.CHECKS for finding in check(facts)] == []


def test_a_match_an_ignored_and_an_unlocked_distribution_are_no_findings() -> None:
    quiet = [Drift("alpha", state, "1.0", None, SITE) for state in ("match", "ignored", "unlocked")]  # type: ignore[arg-type]
    assert findings(*quiet) == []


def test_another_version_names_both_and_the_command_that_repairs_it() -> None:
    (found,) = findings(Drift("alpha", "version", "1.1", "1.0", f"{SITE}/alpha-1.1.dist-info"))
    assert (found.rule, found.severity) == ("lock-version", Severity.MEDIUM)
    assert found.message == "alpha 1.1 is installed, uv.lock says 1.0."
    assert found.path == f"{SITE}/alpha-1.1.dist-info"
    assert found.remedy == "uv sync --frozen --extra plot"


def test_what_is_missing_stands_at_the_lock() -> None:
    (found,) = findings(Drift("alpha", "missing", None, "1.0", None), lock=PIP)
    assert (found.rule, found.path) == ("lock-missing", PIP.path)
    assert found.message == "alpha 1.0 is in requirements.txt and is not installed."
    assert found.remedy == "pip install -r requirements.txt"


def test_an_extra_tells_the_name_that_it_resembles() -> None:
    (found,) = findings(Drift("colourama", "extra", "0.1.6", None, SITE, near="colorama"))
    assert found.rule == "lock-extra"
    assert found.message == "colourama 0.1.6 is installed, but not in uv.lock. One letter from colorama."


def test_another_source_tells_both() -> None:
    (found,) = findings(
        Drift("alpha", "source", "1.0", "1.0", SITE, "installed from file:///x, the lock says an index")
    )
    assert found.rule == "lock-source"
    assert found.message == "alpha 1.0: installed from file:///x, the lock says an index."


def test_a_fingerprint_survives_an_upgrade_and_a_move() -> None:
    (one,) = findings(Drift("alpha", "extra", "1.0", None, f"{SITE}/alpha-1.0.dist-info"))
    (two,) = findings(Drift("alpha", "extra", "1.1", None, "/opt/alpha-1.1.dist-info"), lock=PIP, prefix="/opt")
    (other,) = findings(Drift("beta", "extra", "1.0", None, f"{SITE}/beta-1.0.dist-info"))
    assert one.fingerprint == two.fingerprint != other.fingerprint


def test_many_packages_without_a_hash_are_one_finding_with_a_count() -> None:
    problems = tuple(LockProblem("lock-unhashed", f"line {n}", f"p{n} 1.0: no hash", f"p{n}") for n in range(1, 62))
    (found,) = findings(lock=PIP, problems=problems)
    assert (found.rule, found.severity, found.line) == ("lock-unhashed", Severity.LOW, 1)
    assert found.message == "requirements.txt: no hash for 61 packages (p1, p2, p3, …)."


def test_every_line_that_cannot_be_read_is_a_finding_of_its_own() -> None:
    problems = tuple(
        LockProblem("lock-unreadable-entry", f"line {n}", f"requirements.txt:{n}: not a requirement: {text!r}")
        for n, text in ((3, "a b"), (9, "c d"))
    )
    found = findings(lock=PIP, problems=problems)
    assert [(finding.line, finding.message) for finding in found] == [
        (3, "requirements.txt:3: not a requirement: 'a b'."),
        (9, "requirements.txt:9: not a requirement: 'c d'."),
    ]
    moved = findings(lock=PIP, problems=(problems[0]._replace(message=problems[0].message.replace(":3:", ":4:")),))
    assert len({finding.fingerprint for finding in (*found, *moved)}) == 2


def test_every_rule_says_why_and_what_to_do() -> None:
    for check in drift.CHECKS:
        assert all((check.rule.summary, check.rule.why, check.rule.remedy, check.rule.example)), check.rule.id
