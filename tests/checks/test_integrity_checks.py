"""Integrity checks: deviations into findings, many of one kind into one."""

from __future__ import annotations

import pytest

from envcheck.checks import integrity, interpreter
from envcheck.model.facts import Facts
from envcheck.model.finding import Severity
from envcheck.model.inventory import Deviation, Inventory
from envcheck.model.ownership import Owner
from envcheck.model.startup import StartupEntry, StartupPlan
from support.samples import ENVIRONMENT, EVIL, PREFIX, SITE

REQUESTS = Owner("distribution", "requests", "2.32.4")
CHECKS = (*integrity.CHECKS, *interpreter.CHECKS)


def facts(*deviations: Deviation, entries: tuple[StartupEntry, ...] = ()) -> Facts:
    return Facts(ENVIRONMENT, StartupPlan(entries, (), ()), Inventory((), deviations))


@pytest.mark.parametrize(
    ("problem", "name", "rule", "severity"),
    [
        ("modified", "requests/api.py", "file-modified", Severity.HIGH),
        ("missing", "requests/api.py", "file-missing", Severity.MEDIUM),
        ("unowned-code", "helper.py", "file-unowned", Severity.HIGH),
        ("closed-set", "extra.pth", "file-unowned", Severity.HIGH),
        ("bytecode-sourceless", "helper.pyc", "file-unowned", Severity.HIGH),
        ("unowned-data", "notes.txt", "file-unowned", Severity.LOW),
        ("record-missing", "requests-2.32.4.dist-info", "record-missing", Severity.MEDIUM),
        ("record-unhashed", "requests/api.py", "record-unhashed", Severity.MEDIUM),
        ("record-unhashed", "requests/data.bin", "record-unhashed", Severity.LOW),
        ("record-escapes", "requests-2.32.4.dist-info/RECORD", "record-escapes", Severity.HIGH),
        ("record-conflict", "google/__init__.py", "record-conflict", Severity.LOW),
        ("link-outside", "shared", "link-outside", Severity.LOW),
        ("bytecode-unchecked", "a/__pycache__/b.cpython-311.pyc", "bytecode-unchecked", Severity.MEDIUM),
        ("bytecode-orphan", "a/__pycache__/b.cpython-311.pyc", "bytecode-orphan", Severity.MEDIUM),
        ("metadata-inconsistent", "requests-2.32.4.dist-info", "metadata-inconsistent", Severity.MEDIUM),
        ("distribution-duplicate", "requests-2.31.0.dist-info", "distribution-duplicate", Severity.MEDIUM),
        ("phantom-module", "_manylinux.py", "phantom-module", Severity.MEDIUM),
        ("script-modified", "x", "script-modified", Severity.HIGH),
        ("unowned-configuration", "kernel.json", "file-unowned", Severity.MEDIUM),
        ("script-unowned", "tool", "script-unowned", Severity.HIGH),
        ("script-shadows", "git", "script-shadows-command", Severity.HIGH),
        ("interpreter-unproven", "python", "venv-interpreter-replaced", Severity.LOW),
        ("activate-unproven", "activate", "venv-activate-modified", Severity.LOW),
        ("home-moved", "pyvenv.cfg", "venv-home-moved", Severity.HIGH),
        ("venv-moved", "pyvenv.cfg", "venv-moved", Severity.INFO),
        ("writable", "bin", "environment-writable", Severity.MEDIUM),
        ("installer-config-inert", "pip.conf", "installer-config", Severity.LOW),
        ("entry-point-undeclared", "entry_points.txt", "metadata-inconsistent", Severity.MEDIUM),
        ("interpreter-replaced", "python", "venv-interpreter-replaced", Severity.HIGH),
        ("activate-modified", "activate", "venv-activate-modified", Severity.HIGH),
        ("installer-config", "pip.conf", "installer-config", Severity.MEDIUM),
    ],
)
def test_each_kind_of_deviation_has_one_rule_and_severity(
    problem: str, name: str, rule: str, severity: Severity
) -> None:
    given = facts(Deviation(problem, f"{SITE}/{name}", REQUESTS))  # type: ignore[arg-type]
    found = [f for check in CHECKS for f in check(given)]
    assert [(f.rule, f.severity, f.path) for f in found] == [(rule, severity, f"{SITE}/{name}")]


def test_two_hashes_for_one_file_of_code_are_high() -> None:
    given = facts(Deviation("record-conflict", SITE + "/a.py", REQUESTS, detail="RECORD gives two hashes for it"))
    assert [f.severity for f in integrity.record_conflict(given)] == [Severity.HIGH]


def test_a_hundred_unowned_files_of_one_package_are_one_finding_with_a_count_and_examples() -> None:
    given = facts(*(Deviation("unowned-code", f"{SITE}/requests/m{n:03}.py") for n in range(100)))
    (found,) = integrity.file_unowned(given)
    evidence = dict(found.evidence)
    assert (found.path, evidence["count"]) == (SITE + "/requests", 100)
    assert "100 files" in found.message
    assert evidence["examples"] == [f"{SITE}/requests/m{n:03}.py" for n in range(3)]


def test_a_few_are_told_one_by_one() -> None:
    given = facts(*(Deviation("unowned-code", f"{SITE}/requests/m{n}.py") for n in range(3)))
    assert len(list(integrity.file_unowned(given))) == 3


def test_a_file_that_a_startup_check_tells_is_not_told_twice() -> None:
    given = facts(Deviation("unowned-code", EVIL.path), entries=(EVIL,))
    assert list(integrity.file_unowned(given)) == []


def test_a_group_has_another_fingerprint_when_one_of_its_files_changes() -> None:
    def group(last: str) -> str:
        names = [Deviation("unowned-code", f"{SITE}/p/m{n}.py", actual=str(n)) for n in range(9)]
        (found,) = integrity.file_unowned(facts(*names, Deviation("unowned-code", SITE + "/p/z.py", actual=last)))
        return found.fingerprint

    assert group("1") == group("1") != group("2")


def test_places_outside_every_site_directory_are_grouped_by_their_directory() -> None:
    given = facts(*(Deviation("script-unowned", f"{PREFIX}/bin/c{n}") for n in range(9)))
    (found,) = interpreter.script_unowned(given)
    assert found.path == PREFIX + "/bin"


def test_an_odd_file_does_not_go_under_in_a_group_of_others() -> None:
    modules = (Deviation("unowned-code", f"{SITE}/p/m{n}.py", kind="module") for n in range(100))
    given = facts(*modules, Deviation("unowned-code", f"{SITE}/p/evil.so", kind="extension or library"))
    assert sorted(found.path or "" for found in integrity.file_unowned(given)) == [f"{SITE}/p", f"{SITE}/p/evil.so"]


def test_a_group_has_another_fingerprint_when_its_files_change_places() -> None:
    def group(*pairs: tuple[str, str]) -> str:
        rest = [Deviation("unowned-code", f"{SITE}/p/m{n}.py", actual="x") for n in range(9)]
        found = [Deviation("unowned-code", f"{SITE}/p/{name}", actual=content) for name, content in pairs]
        (one,) = integrity.file_unowned(facts(*rest, *found))
        return one.fingerprint

    assert group(("a/x.py", "1"), ("b/x.py", "2")) != group(("a/x.py", "2"), ("b/x.py", "1"))


def test_what_others_may_write_is_told_by_reason() -> None:
    everyone = (Deviation("writable", f"{PREFIX}/lib/d{n}", detail="everyone may write to it") for n in range(50))
    given = facts(*everyone, Deviation("writable", f"{PREFIX}/bin", detail="its owner is user 7"))
    found = list(interpreter.environment_writable(given))
    assert [(one.path, dict(one.evidence).get("count")) for one in found] == [(f"{PREFIX}/bin", None), (PREFIX, 50)]
