"""Startup checks: from a plan with owners to findings."""

from __future__ import annotations

from envcheck.checks import startup
from envcheck.checks.base import Check
from envcheck.checks.verdict import verdict
from envcheck.model.facts import Facts
from envcheck.model.finding import Finding, Severity
from envcheck.model.inventory import Distribution, Inventory
from envcheck.model.ownership import Owner
from envcheck.model.startup import Abort, ClosureFile, PathLine, StartupEntry, StartupPlan
from support.samples import ENVIRONMENT, EVIL, RUNS_TWICE, SITE


def facts(*entries: StartupEntry, inventory: Inventory | None = None, **plan: object) -> Facts:
    lines = plan.get("path_lines", ())
    aborts = plan.get("aborts", ())
    return Facts(ENVIRONMENT, StartupPlan(entries, lines, (), aborts), inventory)  # type: ignore[arg-type]


def only(check: Check, given: Facts) -> Finding:
    (found,) = check(given)
    return found


def test_an_unowned_import_line_is_told_with_place_order_and_count() -> None:
    found = only(startup.startup_code_unowned, facts(EVIL))
    assert (found.severity, found.path, found.line) == (Severity.HIGH, EVIL.path, 3)
    assert found.message.startswith("Runs first, 2 times, at every start of this Python")
    assert dict(found.evidence)["code"] == "import os"


def test_a_recorded_or_known_or_anchored_entry_is_no_finding() -> None:
    for assurance in ("recorded", "known", "anchored"):
        entry = EVIL._replace(assurance=assurance)  # type: ignore[arg-type]
        assert [f for check in startup.CHECKS for f in check(facts(entry))] == []


def test_a_modified_startup_file_is_critical() -> None:
    entry = EVIL._replace(assurance="modified", owner=Owner("distribution", "setuptools", "80.9.0"))
    found = only(startup.startup_code_modified, facts(entry))
    assert found.severity is Severity.CRITICAL
    assert "setuptools" in found.message


def test_a_changed_file_that_an_intact_entry_loads_is_critical_at_its_own_path() -> None:
    loaded = ClosureFile(SITE + "/_distutils_hack/__init__.py", "cd" * 32, None, "modified")
    entry = EVIL._replace(assurance="recorded", closure=(loaded,))
    found = only(startup.startup_code_modified, facts(entry))
    assert (found.path, found.line) == (loaded.path, None)


def test_a_file_that_is_loaded_under_a_condition_only_is_told_with_it() -> None:
    loaded = ClosureFile(
        SITE + "/m.py", "cd" * 32, None, "unrecorded", when="only if __enter__ of what K() makes is run"
    )
    found = only(startup.startup_code_unowned, facts(EVIL._replace(assurance="recorded", closure=(loaded,))))
    assert found.message.startswith("Loaded at every start of this Python by evil.pth:3 (only if __enter__ of what K()")


def test_an_entry_that_does_not_run_is_dormant_and_nothing_else() -> None:
    entry = EVIL._replace(occurrences=(), reason="the name begins with a dot")
    assert [f.rule for check in startup.CHECKS for f in check(facts(entry))] == ["startup-dormant"]


def test_a_shadowed_customize_module_is_low_and_nothing_else() -> None:
    entry = StartupEntry("sitecustomize", SITE + "/sitecustomize.py", None, None, shadowed_by="/usr/lib/x.py")
    assert [f.rule for check in startup.CHECKS for f in check(facts(entry))] == ["startup-shadowed"]


def test_sourceless_bytecode_that_runs_is_told_as_such() -> None:
    entry = StartupEntry("sitecustomize", SITE + "/sitecustomize.pyc", None, None, occurrences=RUNS_TWICE)
    assert {f.rule for check in startup.CHECKS for f in check(facts(entry))} == {
        "startup-bytecode-only",
        "startup-code-unowned",
    }


def test_each_trick_of_hiding_is_named_in_words() -> None:
    entry = EVIL._replace(notes=tuple(startup._TRICKS), assurance="recorded")
    message = only(startup.startup_code_hidden, facts(entry)).message
    assert all(words in message for words in startup._TRICKS.values())


def test_a_start_that_fails_is_high() -> None:
    given = facts(aborts=(Abort(SITE + "/broken.pth", None, "it cannot be decoded", True),))
    assert only(startup.startup_aborts, given).severity is Severity.HIGH


def path_line(directory: str, **other: object) -> PathLine:
    values = {"path": SITE + "/x.pth", "line": 1, "text": directory, "directory": directory, "added": True}
    return PathLine(**{**values, **other})  # type: ignore[arg-type]


def test_a_path_line_out_of_the_environment_is_low_and_high_where_it_supplies_startup_code() -> None:
    line = path_line("/opt/extra")
    assert only(startup.startup_path_outside, facts(path_lines=(line,))).severity is Severity.LOW
    supplied = StartupEntry(
        "sitecustomize", "/opt/extra/sitecustomize.py", None, None, occurrences=RUNS_TWICE, outside="/opt/extra"
    )
    found = only(startup.startup_path_outside, facts(supplied, path_lines=(line,)))
    assert (found.severity, found.path, found.line) == (Severity.HIGH, SITE + "/x.pth", 1)


def test_a_path_line_to_the_current_directory_in_disguise_is_high() -> None:
    line = path_line("/proc/self/cwd", symbolic=True)
    assert only(startup.startup_path_outside, facts(path_lines=(line,))).severity is Severity.HIGH


def test_a_path_line_of_an_editable_install_is_explained_by_its_project_alone() -> None:
    shop = Distribution("shop", "1", SITE + "/shop-1.dist-info", SITE, editable=True, project="/srv/shop")
    inventory = Inventory((shop,))
    explained = facts(path_lines=(path_line("/srv/shop/src"),), inventory=inventory)
    assert list(startup.startup_path_outside(explained)) == []
    other = facts(path_lines=(path_line("/srv/shopping"),), inventory=inventory)
    assert only(startup.startup_path_outside, other).severity is Severity.LOW


def test_the_verdict_is_the_weakest_of_the_entry_and_of_all_that_it_loads() -> None:
    intact = EVIL._replace(assurance="recorded")
    assert verdict(intact) == "expected"
    assert verdict(EVIL) == "unexpected"
    assert verdict(intact._replace(closure=(ClosureFile("/x", None, None, "modified"),))) == "hostile"
    assert verdict(intact._replace(closure=(ClosureFile("/x"),))) == "unproven"
    assert verdict(intact._replace(unresolved=("missing",))) == "expected"


def test_bytecode_that_runs_in_place_of_its_source_is_unproven() -> None:
    source = ClosureFile(SITE + "/m.py", None, None, "recorded")
    intact = EVIL._replace(assurance="recorded", closure=(source,))
    assert verdict(intact) == "expected"
    cached = source._replace(loads=SITE + "/__pycache__/m.cpython-311.pyc")
    assert verdict(intact._replace(closure=(cached,))) == "unproven"


def test_the_place_in_the_order_is_counted_over_what_runs() -> None:
    dormant = EVIL._replace(path=SITE + "/.a.pth", occurrences=(), reason="the name begins with a dot")
    first = EVIL._replace(path=SITE + "/a.pth", assurance="recorded")
    found = only(startup.startup_code_unowned, facts(dormant, first, EVIL))
    assert found.message.startswith("Runs second, 2 times")


def test_a_fingerprint_survives_a_move_of_the_environment_and_another_line() -> None:
    moved = ENVIRONMENT._replace(path="/elsewhere/v")
    entry = EVIL._replace(path="/elsewhere/v/lib/python3.11/site-packages/evil.pth", line=9)
    there = only(startup.startup_code_unowned, Facts(moved, StartupPlan((entry,), (), ())))
    assert there.fingerprint == only(startup.startup_code_unowned, facts(EVIL)).fingerprint
