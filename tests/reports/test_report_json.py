"""The JSON report is the contract: valid by its schema, deterministic, plain ASCII, quick."""

from __future__ import annotations

import functools
import importlib.resources
import json
import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from envcheck.model.finding import Severity
from envcheck.model.inventory import FileCounts, Inventory
from envcheck.model.report import Report, Timing
from envcheck.reports.json import render, to_document
from reports import samples
from support.work import calls

SCHEMA = json.loads(
    importlib.resources.files("envcheck.reports").joinpath("schema/report-1.schema.json").read_text("utf-8")
)
VALIDATOR = Draft202012Validator(SCHEMA)

SAMPLES = [
    samples.clean,
    samples.clean_without_lock,
    samples.attacked,
    samples.drifted,
    samples.incomplete,
    samples.not_clean_room,
    samples.startup_only,
    samples.several,
]

CONTRACT = {
    "": ["schema", "tool", "scan", "environments", "summary", "exit_code"],
    "scan": ["clean_room", "python_flags", "environ", "root", "complete", "config", "timing"],
    "environment": [
        "path", "kind", "python", "site_dirs", "sys_path", "startup", "lock", "distributions", "files", "not_seen",
        "findings",
    ],
    "python": [
        "version", "version_source", "implementation", "abi", "platform", "executable", "base_prefix", "free_threaded",
    ],
    "startup": [
        "kind", "path", "line", "code", "loads", "closure", "closure_files", "unresolved", "runs", "occurrences",
        "reason", "when", "shadowed_by", "owner", "assurance", "sha256", "verdict", "capabilities",
    ],
    "lock": ["path", "format", "sha256", "extras", "groups", "inferred", "anchors"],
    "distribution": [
        "name", "version", "installer", "path", "files", "assurance", "modified", "missing", "lock",
    ],
    "files": ["verified", "bytes", "modified", "missing", "unowned", "unreadable"],
    "finding": [
        "rule", "severity", "message", "path", "line", "evidence", "remedy", "fingerprint", "waived",
    ],
    "summary": ["critical", "high", "medium", "low", "info", "waived"],
}  # fmt: skip


def load(report: Report) -> dict:  # type: ignore[type-arg]
    return json.loads(render(report))  # type: ignore[no-any-return]


def test_the_schema_is_a_valid_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("sample", SAMPLES)
def test_reports_are_valid_by_the_schema(sample: Callable[[], Report]) -> None:
    VALIDATOR.validate(load(sample()))


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_text_says_exactly_the_document(sample: Callable[[], Report]) -> None:
    assert load(sample()) == to_document(sample())


def test_every_field_of_the_contract_is_there_in_its_order() -> None:
    document = load(samples.attacked())
    environment = document["environments"][0]
    parts = {
        "": document,
        "scan": document["scan"],
        "summary": document["summary"],
        "environment": environment,
        "python": environment["python"],
        "startup": environment["startup"][0],
        "lock": environment["lock"],
        "distribution": environment["distributions"][0],
        "files": environment["files"],
        "finding": environment["findings"][0],
    }
    for name, part in parts.items():
        assert [key for key in part if key in CONTRACT[name]] == CONTRACT[name], name


def test_every_field_of_the_contract_is_required_by_the_schema() -> None:
    definitions = SCHEMA["$defs"]
    parts = {name: definitions[name] for name in ("environment", "python", "lock", "distribution", "files", "finding")}
    parts |= {"": SCHEMA, "scan": SCHEMA["properties"]["scan"], "summary": SCHEMA["properties"]["summary"]}
    parts["startup"] = definitions["startup-entry"]
    for name, part in parts.items():
        assert set(CONTRACT[name]) <= set(part["required"]), name
        assert part.get("additionalProperties", True) is True


def test_the_schema_leaves_enumerations_open() -> None:
    document = load(samples.clean())
    document["environments"][0]["kind"] = "starship"
    document["environments"][0]["startup"][0]["assurance"] = "notarised"
    document["environments"][0]["distributions"][0]["lock"] = "elsewhere"
    document["environments"][0]["novelty"] = 1
    VALIDATOR.validate(document)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d["environments"][0]["startup"][0].pop("code"),
        lambda d: d["environments"][0]["startup"][0].update(sha256="abc"),
        lambda d: d["environments"][0]["findings"][0].update(fingerprint="sha256:00"),
        lambda d: d["environments"][0]["findings"][0].update(severity="awful"),
        lambda d: d["environments"][0]["findings"][0].update(line=0),
        lambda d: d.update(schema="envcheck/report/2"),
    ],
)
def test_the_schema_refuses_what_the_contract_does_not_allow(spoil: Callable[[dict], object]) -> None:  # type: ignore[type-arg]
    document = load(samples.attacked())
    spoil(document)
    assert not VALIDATOR.is_valid(document)


def test_two_scans_differ_only_in_their_timing() -> None:
    first = samples.attacked()
    second = first._replace(timing=Timing("2031-01-01T00:00:00Z", 9.9, 1))
    one, two = render(first).splitlines(), render(second).splitlines()
    assert [n for n, (a, b) in enumerate(zip(one, two, strict=True)) if a != b] == [3]
    assert '"timing"' in one[3]


def test_unordered_facts_are_sorted() -> None:
    report = samples.attacked()
    environment = report.environments[0]
    assert environment.inventory
    assert environment.comparison
    turned = environment._replace(
        inventory=environment.inventory._replace(distributions=environment.inventory.distributions[::-1]),
        comparison=environment.comparison._replace(drifts=environment.comparison.drifts[::-1]),
        not_seen=environment.not_seen[::-1],
    )
    variables = dict(list(report.options.invocation.environ.items())[::-1])
    options = report.options._replace(invocation=report.options.invocation._replace(environ=variables))
    assert render(report) == render(report._replace(environments=(turned,), options=options))


def test_a_startup_only_report_has_no_files_and_no_lock() -> None:
    environment = load(samples.startup_only())["environments"][0]
    assert (environment["files"], environment["lock"], environment["distributions"]) == (None, None, [])


def test_missing_packages_are_listed_under_the_lock() -> None:
    environment = load(samples.drifted())["environments"][0]
    assert environment["lock"]["missing"] == [{"name": "attrs", "version": "25.3.0"}]


def test_drift_has_the_commands_that_repair_it_and_changed_files_those_that_make_it_anew() -> None:
    assert load(samples.clean())["environments"][0]["lock"]["repair"] is None
    assert load(samples.drifted())["environments"][0]["lock"]["repair"] == {
        "commands": ["uv sync --frozen"],
        "recreate": False,
        "why": None,
    }
    changed = load(samples.attacked())["environments"][0]["lock"]["repair"]
    assert (changed["commands"], changed["recreate"]) == (["uv sync --frozen --no-cache"], True)
    assert changed["why"].startswith("uv links the files of its cache")


def test_a_distribution_takes_its_lock_state_by_path_then_by_name() -> None:
    states = {row["name"]: row["lock"] for row in load(samples.drifted())["environments"][0]["distributions"]}
    assert states["package-0"] == "match"
    assert states["package-60"] == "unlocked"
    unlocked = load(samples.clean_without_lock())["environments"][0]["distributions"]
    assert {row["lock"] for row in unlocked} == {"unlocked"}


def test_the_summary_counts_waived_findings_apart() -> None:
    report = samples.attacked()
    environment = report.environments[0]
    waived = environment.findings[0]._replace(waived="known to us")
    changed = environment._replace(findings=(waived, *environment.findings[1:]))
    summary = load(report._replace(environments=(changed,)))["summary"]
    assert summary == {"critical": 0, "high": 2, "medium": 1, "low": 1, "info": 0, "waived": 1}


def test_names_that_are_not_utf8_are_made_printable() -> None:
    document = load(samples.hostile("caf\udce9\ud800"))
    assert document["environments"][0]["findings"][0]["path"].endswith("caf\\xe9\\ud800")


@given(st.text(st.characters(codec=None), max_size=40))
@settings(max_examples=100, deadline=None)
def test_no_hostile_text_reaches_the_output_raw(text: str) -> None:
    output = render(samples.hostile(text))
    assert output.isascii()
    assert output.replace("\n", "").isprintable()
    for row in json.dumps(json.loads(output), ensure_ascii=False).splitlines():
        row.encode("utf-8")


@pytest.mark.parametrize("text", ["\x7f", "\x1b[31m", "\u202e", "\udcff", "a\ud800", "\n", "\0", "😀", '"', "\\"])
def test_hostile_names_keep_the_report_valid(text: str) -> None:
    document = load(samples.hostile(text))
    VALIDATOR.validate(document)
    assert document["environments"][0]["startup"][0]["code"] == text.replace("\udcff", "\\xff").replace(
        "\ud800", "\\ud800"
    )


def test_the_work_grows_as_the_report_does() -> None:
    few, many = (calls(functools.partial(render, _of_distributions(count))) for count in (300, 600))
    assert few < 300 * 300
    assert many < 2.1 * few


def _of_distributions(count: int) -> Report:
    distributions = tuple(samples.distribution(f"package-{n}") for n in range(count))
    base = samples.one(
        samples.expected_entries() * (count // 30),
        tuple(samples.finding("unanchored", Severity.INFO, "Not proven.", f"/x/{n}") for n in range(count)),
        samples.comparison({}, count),
    )
    return samples.report(base._replace(inventory=Inventory(distributions, (), FileCounts())))


def test_it_loads_nothing_beyond_json_and_the_model() -> None:
    code = (
        "import sys, json; before = set(sys.modules); import envcheck.reports.json; "
        "print(*sorted(set(sys.modules) - before))"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    loaded = {name for name in output.split() if not name.startswith("envcheck")}
    assert not loaded & {"rich", "packaging", "tomli", "dataclasses", "inspect", "unicodedata"}
    ours = {name for name in output.split() if name.startswith("envcheck.")}
    assert {name.split(".")[1] for name in ours} == {"model", "reports"}
