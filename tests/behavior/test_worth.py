"""The quick look at a recorded module's words lets nothing pass whose account would decide."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from envcheck.behavior.account import account_of_source
from envcheck.behavior.worth import may_decide
from envcheck.checks.verdict import RUNS

PAYLOADS = sorted((Path(__file__).parents[2] / "fixtures" / "payloads").glob("*.json"))


@pytest.mark.parametrize("path", PAYLOADS, ids=lambda path: path.stem)
def test_what_an_account_decides_is_worth_one(path: Path) -> None:
    payload = json.loads(path.read_text())
    data = payload["code"].encode(payload["encoding"])
    flows = {flow.kind for account in account_of_source(data).within() for flow in account.flows}
    if flows & set(RUNS):
        assert may_decide(data)


@pytest.mark.parametrize(
    "text",
    [
        "import os\ndef f(a): return os.path.join(a, 'b')\n",
        "import subprocess\nsubprocess.run(['git', 'status'])\n",
        "import base64\ndef f(x): return base64.b64decode(x)\n",
        "import requests\ndef f(x): return requests.get(x).json()\n",
        "class A:\n    def __getattr__(self, name): return getattr(self._x, name)\n",
    ],
)
def test_ordinary_modules_are_not(text: str) -> None:
    assert not may_decide(text.encode())
