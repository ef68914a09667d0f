"""Indicators of attacks: those that ship, and a responder's own."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from envcheck.catalogue.indicators import read_indicators, shipped
from envcheck.model.errors import UsageError
from envcheck.model.report import Options
from envcheck.scanner import scan_targets
from support.pythons import own
from support.venvs import make_venv

DIGEST = "ab" * 32


def test_the_public_cases_ship() -> None:
    known = shipped()
    assert known.of_release("litellm", "1.82.8")
    assert known.of_release("litellm", "1.82.9") is None
    assert known.of_digest("71e35aef03099cd1f2d6446734273025a163597de93912df321ef118bf135238")
    assert known.of_path("/x/site-packages/litellm_init.pth")
    assert known.of_path("/home/ana/.config/sysmon/sysmon.py")
    assert known.of_text("https://models.litellm.cloud/")
    assert known.of_digest(DIGEST) is None
    assert known.of_path("/x/litellm/__init__.py") is None


@pytest.mark.parametrize(
    "text",
    [
        f"# mine\n{DIGEST}\n\nevil.pth\n*/x/*.py\nshop==1.0\n",
        f"{DIGEST}  evil.pth\r\nevil.pth\r\n*/x/*.py\r\nshop==1.0",
        f'[{{"kind": "sha256", "value": "{DIGEST.upper()}"}}, {{"kind": "name", "value": "evil.pth"}},'
        '{"kind": "path", "value": "*/x/*.py"}, {"kind": "release", "value": "Shop==1.0", "what": "ours"}]',
    ],
)
def test_a_file_of_ones_own_is_a_list_or_json(text: str) -> None:
    known = read_indicators("/i.txt", text.encode())
    assert known.of_digest(DIGEST)
    assert known.of_path("/a/evil.pth")
    assert known.of_path("/a/x/b.py")
    assert known.of_release("shop", "1.0")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (b"what is this\n", ":1:"),
        (b"\xff", "not UTF-8"),
        (b"[1]", "[0]"),
        (b'[{"kind": "sha256", "value": "x"}]', "[0].value"),
        (b'{"a": 1}', "expected a list"),
        (b"[" * 100_000, "no JSON"),
    ],
)
def test_a_file_that_is_none_is_one_clear_line(text: bytes, where: str) -> None:
    with pytest.raises(UsageError) as error:
        read_indicators("/i.txt", text)
    assert where in error.value.message


def test_a_startup_file_with_a_known_content_is_critical(tmp_path: Path) -> None:
    venv = make_venv(tmp_path / "venv", own())
    pth = venv.site / "helper.pth"
    pth.write_text("import sys\n")
    mine = tmp_path / "mine.txt"
    mine.write_text(hashlib.sha256(pth.read_bytes()).hexdigest() + "\n")
    report = scan_targets([str(venv.path)], [Options(startup_only=True, indicators=(str(mine),))])
    first = report.environments[0].findings[0]
    assert (first.rule, first.severity.label, first.path) == ("known-malicious", "critical", str(pth))


def test_code_with_a_text_of_an_attack_is_critical(tmp_path: Path) -> None:
    venv = make_venv(tmp_path / "venv", own())
    pth = venv.site / "helper.pth"
    pth.write_text("import os; x = 'models.litellm' + '.cloud'; y = 'https://models.litellm.cloud/'\n")
    report = scan_targets([str(venv.path)], [Options(startup_only=True)])
    assert "known-malicious" in {finding.rule for finding in report.environments[0].findings}
