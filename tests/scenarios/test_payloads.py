"""Shapes of real attacks, and tricks to hide one: each is hostile or unexpected, with what decided it.

The payloads under ``fixtures/payloads`` are only read. Nothing here starts Python or runs any of them.
"""

from __future__ import annotations

import importlib.util
import json
import marshal
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from envcheck.model.report import Options
from envcheck.model.startup import StartupEntry
from envcheck.scanner import scan_targets
from support.pythons import of_minor, own
from support.records import add_row
from support.venvs import Venv, make_venv

PAYLOADS = sorted((Path(__file__).parents[2] / "fixtures" / "payloads").glob("*.json"))


@pytest.fixture
def venv(tmp_path: Path) -> Venv:
    return make_venv(tmp_path / "venv", own())


def plant(venv: Venv, payload: dict[str, Any]) -> Path:
    """The payload where Python would find it; the file that its entry is at."""
    data = payload["code"].encode(payload["encoding"])
    site = venv.site
    if payload["form"] == "pth":
        place = site / "helper.pth"
        place.write_bytes(data + b"\n")
    elif payload["form"] in ("sitecustomize", "usercustomize"):
        place = site / "sitecustomize.py"
        place.write_bytes(data)
    elif payload["form"] == "bytecode":
        place = site / "sitecustomize.pyc"
        place.write_bytes(importlib.util.MAGIC_NUMBER + bytes(12) + marshal.dumps(compile(data, "x.py", "exec")))
    elif payload["form"] == "start":
        place = site / "helper.start"
        place.write_text("helper_module:main\n")
        (site / "helper_module.py").write_bytes(data)
    else:
        module = "__editable___shop_0_1_finder" if payload["form"] == "finder" else "helper_module"
        call = f"; {module}.install()" if payload["form"] == "finder" else ""
        place = site / ("__editable__.shop-0.1.pth" if payload["form"] == "finder" else "helper.pth")
        place.write_text(f"import {module}{call}\n")
        (site / f"{module}.py").write_bytes(data)
    return place


def entry_at(venv: Venv, place: Path) -> tuple[StartupEntry, list[str]]:
    """The entry of a file, and what the findings that somebody must look at say."""
    (report,) = scan_targets([str(venv.path)], [Options(startup_only=True)]).environments
    (entry,) = (one for one in report.plan.entries if one.path == str(place) and one.runs)
    return entry, [one.message for one in report.findings if one.severity.label in ("high", "critical")]


@pytest.mark.parametrize("path", PAYLOADS, ids=lambda path: path.stem)
def test_a_payload_is_told_by_what_it_would_do(venv: Venv, tmp_path: Path, path: Path) -> None:
    payload = json.loads(path.read_text())
    if payload["form"] == "start":
        venv = make_venv(tmp_path / "newer", of_minor((3, 15)))
    entry, reasons = entry_at(venv, plant(venv, payload))
    assert entry.verdict == payload["verdict"], (reasons, entry.capabilities)
    assert entry.capabilities
    assert any(payload["because"] in reason.lower() for reason in reasons), reasons


RUNS = ("executes what it decodes", "executes what it downloads")
DECISIVE = [path for path in PAYLOADS if json.loads(path.read_text())["because"].startswith(RUNS)]


@pytest.mark.parametrize("path", DECISIVE, ids=lambda path: path.stem)
def test_a_record_that_lists_it_does_not_excuse_it(venv: Venv, tmp_path: Path, path: Path) -> None:
    payload = json.loads(path.read_text())
    if payload["form"] == "start":
        venv = make_venv(tmp_path / "newer", of_minor((3, 15)))
    place = plant(venv, payload)
    info = venv.site / "helper-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: helper\nVersion: 1.0\n")
    (info / "INSTALLER").write_text("pip\n")
    (info / "RECORD").write_text("helper-1.0.dist-info/RECORD,,\n")
    for file in venv.site.iterdir():
        if file.is_file():
            add_row(info, file)
    report = scan_targets([str(venv.path)], [Options(startup_only=True)])
    (environment,) = report.environments
    (entry,) = (one for one in environment.plan.entries if one.path == str(place) and one.runs)
    assert entry.verdict in ("unexpected", "hostile")
    severe = [finding for finding in environment.findings if finding.severity.label in ("high", "critical")]
    assert {"startup-code-suspicious", "startup-code-unowned"} & {finding.rule for finding in severe}


def test_a_set_back_modification_time_stands_beside_the_change_time(venv: Venv) -> None:
    """Evidence in the message of a finding that is there anyway; alone it is none."""
    place = venv.site / "helper.pth"
    place.write_text("import os; os.remove('none')\n")
    _, before = entry_at(venv, place)
    os.utime(place, (1_000_000_000, 1_000_000_000))
    _, after = entry_at(venv, place)
    assert [message for message in before if "modification time" in message] == []
    assert [message for message in after if "its modification time says 2001-09-09 01:46 UTC" in message]
    assert len(before) == len(after) == 1


def test_there_are_enough_shapes_of_every_form() -> None:
    forms = Counter(json.loads(path.read_text())["form"] for path in PAYLOADS)
    assert forms.total() >= 80
    assert {"pth", "start", "sitecustomize", "usercustomize", "closure", "bytecode", "finder"} == set(forms)
    assert min(forms.values()) >= 2
    assert all(json.loads(path.read_text())["because"] for path in PAYLOADS)
