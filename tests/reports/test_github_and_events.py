"""Annotations, a job's summary, and events: what CI reads."""

from __future__ import annotations

import io
import json

from envcheck.model.finding import Severity
from envcheck.model.report import Report
from envcheck.reports import github, ndjson
from envcheck.reports.json import to_document
from reports import samples


def test_a_finding_is_an_annotation_at_its_file_and_line() -> None:
    first = github.render(samples.attacked(), samples.PROJECT).splitlines()[0]
    assert first.startswith(
        "::error title=critical%3A startup-code-unowned,"
        "file=.venv/lib/python3.12/site-packages/shop_init.pth,line=1::Runs first, 2 times"
    )


def test_a_file_outside_the_checkout_is_named_by_none() -> None:
    lines = github.render(samples.attacked(), "/somewhere/else").splitlines()
    assert all("file=" not in line for line in lines)


def test_what_fails_the_run_is_an_error_whatever_its_severity() -> None:
    report = samples.attacked()
    levels = [line.split()[0] for line in github.render(report).splitlines()]
    assert levels == ["::error", "::error", "::error", "::warning", "::notice"]
    strict = report._replace(options=report.options._replace(fail_on_drift=Severity.LOW))
    levels = [line.split()[0] for line in github.render(strict).splitlines()]
    assert levels == ["::error", "::error", "::error", "::error", "::notice"]


def test_what_was_not_seen_and_what_is_waived_is_said() -> None:
    lines = github.render(samples.incomplete()).splitlines()
    assert sum(line.startswith("::warning title=envcheck%3A incomplete::Not seen: ") for line in lines) == 2
    assert "::notice title=envcheck::1 finding is waived" in github.render(_waived()).splitlines()


def test_the_summary_begins_with_the_verdict_and_has_a_row_a_finding() -> None:
    text = github.summary(samples.attacked())
    assert text.startswith("## ✘ Code that no installed package accounts for runs at every start of Python")
    assert sum(line.startswith("| ") for line in text.splitlines()) == 1 + 5
    assert text.endswith("(exit 1).\n")


def test_events_have_exactly_the_facts_of_the_report() -> None:
    for report in (samples.attacked(), samples.several(), samples.incomplete(), samples.startup_only(), _waived()):
        events = [json.loads(line) for line in ndjson.render(report).splitlines()]
        document = to_document(report)
        assert events[0]["event"] == "scan" and events[-1]["event"] == "end"
        environments: list[dict[str, object]] = []
        for event in events[1:-1]:
            name, number = event.pop("event"), event.pop("environment")
            if name == "environment":
                assert number == len(environments)
                environments.append({**event, **{key: [] for key in ndjson.LISTS}})
                continue
            if name == "environment-end":
                assert event["counts"] == {key: len(environments[number][key]) for key in ndjson.LISTS}  # type: ignore[arg-type]
                continue
            (key,) = [key for key, known in ndjson.LISTS.items() if known == name]
            environments[number][key].append(event)  # type: ignore[attr-defined]
        assert environments == document["environments"]
        for key in ("summary", "exit_code"):
            assert events[-1][key] == document[key]


def test_events_of_an_environment_are_written_when_it_is_done() -> None:
    report = samples.several()
    stream = io.StringIO()
    writer = ndjson.Writer(stream, report.options)
    writer.environment(report.environments[0])
    last = json.loads(stream.getvalue().splitlines()[-1])
    assert (last["event"], last["environment"]) == ("environment-end", 0)


def _waived() -> Report:
    report = samples.attacked()
    one = report.environments[0]
    waived = one.findings[0]._replace(waived="ours")
    return report._replace(environments=(one._replace(findings=(waived, *one.findings[1:])),))
