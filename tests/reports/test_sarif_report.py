"""The SARIF log: valid by the schema, taken by tools that read it, with identities that last."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from envcheck.checks.registry import all_rules
from envcheck.model.finding import Severity
from envcheck.model.report import Report, Timing
from envcheck.reports.sarif import render
from envcheck.reports.uri import file_uri, relative_uri
from reports import samples
from support.readers import read, sarif_schema

SAMPLES = [
    *(samples.clean, samples.clean_without_lock, samples.attacked, samples.drifted, samples.incomplete),
    *(samples.not_clean_room, samples.startup_only, samples.several),
]


def run_of(report: Report, directory: str | None = samples.PROJECT) -> dict[str, Any]:
    (run,) = json.loads(render(report, directory))["runs"]
    return run  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def validator() -> Any:
    schema = sarif_schema()
    assert "2.1.0" in json.dumps(schema)
    return jsonschema.validators.validator_for(schema)(schema)


@pytest.mark.parametrize("sample", SAMPLES)
def test_logs_are_valid_by_the_schema(validator: Any, sample: Callable[[], Report]) -> None:
    validator.validate(json.loads(render(sample())))


@pytest.mark.parametrize("text", ["\x1b[31m", "\udcff", "a\ud800", "{0}[x](y)", "../..", "a b%?#", "\u202e"])
def test_hostile_logs_are_valid_by_the_schema(validator: Any, text: str) -> None:
    validator.validate(json.loads(render(samples.hostile(text))))


def test_the_schema_refuses_what_is_no_log(validator: Any) -> None:
    log = json.loads(render(samples.attacked()))
    log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0
    assert not validator.is_valid(log)


def test_sarif_tools_reads_it(tmp_path: Path) -> None:
    log = tmp_path / "report.sarif"
    log.write_text(render(samples.attacked()))
    told = read("sarif", "summary", log)
    assert "error: 3" in told and "warning: 1" in told and "note: 1" in told
    assert "startup-code-unowned" in told
    rows = read("sarif", "csv", "-o", tmp_path / "report.csv", log)
    assert rows is not None
    assert "site-packages/shop_init.pth" in (tmp_path / "report.csv").read_text("utf-8")


def test_every_rule_is_explained() -> None:
    rules = run_of(samples.clean())["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [rule.id for rule in all_rules()]
    for rule in rules:
        assert rule["help"]["text"] and rule["help"]["markdown"]
        assert rule["defaultConfiguration"]["level"] in ("error", "warning", "note")


def test_levels_and_scores_follow_the_severity() -> None:
    results = run_of(samples.attacked())["results"]
    assert [(r["level"], r["properties"]["severity"]) for r in results] == [
        ("error", "critical"),
        ("error", "high"),
        ("error", "high"),
        ("warning", "medium"),
        ("note", "low"),
    ]
    scores = [float(r["properties"]["security-severity"]) for r in results]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] >= 9.0 and 7.0 <= scores[1] < 9.0 and 4.0 <= scores[3] < 7.0


def test_files_of_the_project_are_relative_and_others_are_not() -> None:
    artifacts = [
        result["locations"][0]["physicalLocation"]["artifactLocation"]
        for result in run_of(samples.attacked())["results"]
    ]
    assert artifacts[0] == {
        "uri": ".venv/lib/python3.12/site-packages/shop_init.pth",
        "uriBaseId": "%SRCROOT%",
    }
    outside = run_of(samples.attacked(), "/home/ben")["results"][0]["locations"][0]["physicalLocation"]
    assert outside["artifactLocation"] == {"uri": f"file://{samples.SITE}/shop_init.pth"}


def test_files_of_another_machine_are_no_files_of_the_project() -> None:
    report = samples.attacked()
    mounted = report._replace(options=report.options._replace(root="/mnt/image"))
    run = run_of(mounted)
    assert "originalUriBaseIds" not in run
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].startswith("file:///home/")


def test_every_result_has_a_line_from_one_on() -> None:
    for result in run_of(samples.attacked())["results"]:
        assert result["locations"][0]["physicalLocation"]["region"]["startLine"] >= 1


def test_identities_last_when_the_environment_moves_and_tell_lines_apart() -> None:
    report = samples.attacked()
    one = report.environments[0]
    twice = report._replace(environments=(one._replace(findings=(one.findings[0], one.findings[0])),))
    identities = [result["partialFingerprints"] for result in run_of(twice)["results"]]
    hexadecimal = one.findings[0].fingerprint.partition(":")[2]
    assert [each["primaryLocationLineHash"] for each in identities] == [f"{hexadecimal}:1", f"{hexadecimal}:2"]
    assert identities == [r["partialFingerprints"] for r in run_of(twice, "/elsewhere")["results"]]


def test_what_was_not_seen_is_a_notification_and_the_run_no_success() -> None:
    (told,) = run_of(samples.incomplete())["invocations"]
    assert (told["executionSuccessful"], told["exitCode"]) == (False, 3)
    assert [one["message"]["text"] for one in told["toolExecutionNotifications"]] == [
        "Not seen: /home/ana/shop/.venv/lib/python3.12/site-packages/private (permission denied)",
        "Not seen: /usr/local/lib/python3.12/site-packages (input/output error)",
    ]
    (clean,) = run_of(samples.clean())["invocations"]
    assert (clean["executionSuccessful"], clean["exitCode"], clean["toolExecutionNotifications"]) == (True, 0, [])


def test_waived_findings_are_suppressed_with_their_reason() -> None:
    report = samples.attacked()
    one = report.environments[0]
    waived = one.findings[0]._replace(waived="ours, until the migration is done")
    results = run_of(report._replace(environments=(one._replace(findings=(waived, *one.findings[1:])),)))["results"]
    assert results[0]["suppressions"][0]["justification"] == "ours, until the migration is done"
    assert "suppressions" not in results[1]


def test_a_rule_that_nobody_knows_is_still_in_the_log() -> None:
    told = samples.finding("future-rule", Severity.HIGH, "New.", None)
    report = samples.report(samples.one((), (told,)))
    run = run_of(report)
    assert run["tool"]["driver"]["rules"][run["results"][0]["ruleIndex"]]["id"] == "future-rule"


def test_two_logs_of_one_tree_differ_only_in_their_timing() -> None:
    first = samples.attacked()
    second = first._replace(timing=Timing("2031-01-01T00:00:00Z", 9.9, 1))
    one, two = render(first).splitlines(), render(second).splitlines()
    assert [a.strip() for a, b in zip(one, two, strict=True) if a != b] == ['"startTimeUtc": "2026-03-24T10:52:00Z",']


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("/a b/ü", "file:///a%20b/%C3%BC"),
        ("/caf\udce9", "file:///caf%E9"),
        ("/a:b?c#d%", "file:///a%3Ab%3Fc%23d%25"),
        ("/a/../../b", "file:///b"),
        ("//host/x", "file:///host/x"),
        ("x", "file:///x"),
    ],
)
def test_uris_of_files(path: str, uri: str) -> None:
    assert file_uri(path) == uri


def test_relative_uris_never_climb_and_never_name_a_scheme() -> None:
    assert relative_uri("/p/a:b", "/p") == "a%3Ab"
    assert relative_uri("/p/a", "/p/") == "a"
    assert relative_uri("/p/../q", "/p") is None
    assert relative_uri("/p2/a", "/p") is None
    assert relative_uri("/p", "/p") is None
    assert relative_uri("/p//x", "/p") is None
