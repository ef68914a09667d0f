"""What the reports say of bytecode: proven, not, or by nobody; and which interpreter was started."""

from __future__ import annotations

import io
import json

import pytest

from envcheck.model.bytecode import BytecodeCoverage
from envcheck.model.report import Report
from envcheck.reports import json as json_report
from envcheck.reports import terminal
from reports import samples

_PYTHON = ("/usr/bin/python3.12 (3.12.4)",)
PROVEN = BytecodeCoverage(3531, "3.12", "startup", 5, 5, 0, 0, _PYTHON, (), _PYTHON)
ALL = PROVEN._replace(scope="everywhere", files=20_001, proven=20_000, mismatched=1)
NOBODY = BytecodeCoverage(
    3531, "3.12", "startup", 1, 0, 0, 1, (), (("no trusted interpreter with that magic number", 1),)
)


def told(*coverage: BytecodeCoverage) -> str:
    stream = io.StringIO()
    terminal.write(report(*coverage), stream, width=100, colour=False)
    return " ".join(stream.getvalue().split())


def report(*coverage: BytecodeCoverage) -> Report:
    clean = samples.clean()
    (environment,) = clean.environments
    return clean._replace(environments=(environment._replace(bytecode=coverage),))


@pytest.mark.parametrize(
    ("coverage", "words"),
    [
        (PROVEN, "5 files of bytecode that runs at startup come from their sources"),
        (PROVEN, "other bytecode and the base 3.12.4's standard library were not compared with anything"),
        (PROVEN, "Only /usr/bin/python3.12 (3.12.4) was started, to compile sources again, nothing was written."),
        (ALL, "1 file of bytecode does not come from the source"),
        (ALL, "20,000 files of bytecode come from their sources"),
        (ALL, "the base 3.12.4's standard library was not compared with anything"),
        (NOBODY, "1 file of 3.12 bytecode (magic 3531) that runs at startup unproven: no trusted interpreter"),
        (NOBODY, "--trusted-python PATH may name one that can tell"),
        (NOBODY, "No interpreter was started, nothing was written."),
    ],
)
def test_the_terminal_says_what_was_proven_and_what_was_started(coverage: BytecodeCoverage, words: str) -> None:
    assert words in told(coverage)


def test_json_has_every_number() -> None:
    (environment,) = json.loads(json_report.render(report(ALL, NOBODY)))["environments"]
    first, second = environment["bytecode"]
    assert first == {
        "magic": 3531,
        "version": "3.12",
        "scope": "everywhere",
        "files": 20_001,
        "proven": 20_000,
        "mismatched": 1,
        "unproven": 0,
        "interpreters": ["/usr/bin/python3.12 (3.12.4)"],
        "reasons": [],
    }
    assert second["reasons"] == [{"why": "no trusted interpreter with that magic number", "files": 1}]
