"""A module without the bodies of its functions says what the whole module says."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

import pytest

from envcheck.formats import source
from envcheck.formats.skeleton import skeleton
from envcheck.formats.syntax import Problem, parse

STDLIB = Path(sysconfig.get_path("stdlib"))
PADDING = "# padding\n" * 200


def facts_of_the_whole(text: str, monkeypatch: pytest.MonkeyPatch) -> source.ModuleFacts:
    with monkeypatch.context() as patched:
        patched.setattr(source, "_WORTH_A_SKELETON", sys.maxsize)
        return source.facts(text, (3, 11))


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A skeleton is made of the first text already."""
    monkeypatch.setattr(source, "_WORTH_A_SKELETON", -1)


@pytest.mark.parametrize(
    "name", ["typing", "argparse", "dataclasses", "enum", "logging/__init__", "subprocess", "zipfile"]
)
def test_of_real_modules(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = STDLIB / f"{name}.py"
    if not path.exists():
        pytest.skip(f"{name} is not one file here")
    text = path.read_text(encoding="utf-8")
    assert source.facts(text, (3, 11)) == facts_of_the_whole(text, monkeypatch)


@pytest.mark.parametrize(
    "text",
    [
        "x = '''\ndef f():\n    '''\nimport evil\ny = '''\n    '''\n",
        "def f():\n    x = '''\n'''\nimport evil\n",
        "def f():\n    x = (1,\n2)\nimport evil\n",
        "def f():\n    x = \\\n1\nimport evil\n",
        "def f(\n    a,\n) -> int:\n    pass\nimport evil\n",
        "def f(a=__import__('evil')):\n    pass\n",
        "if (x\n):\n    import evil\n",
        "class C:\n    def f(self):\n        pass\n    import evil\n",
        "def f(): return {1:\n    2}\nimport evil\n",
        "def f(): # :\n    pass\nimport evil\n",
        "x = f'{\"'\"}'\ndef f():\n    pass\nimport evil\n",
    ],
)
def test_of_what_looks_like_a_function_and_is_none(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text += PADDING
    found = source.facts(text, (3, 11))
    assert found == facts_of_the_whole(text, monkeypatch)
    if not isinstance(parse(text), Problem):
        assert "evil" in [action.text for action in found.actions]


def test_bodies_are_left_out() -> None:
    text = "def f(a, b=1):\n    '''text'''\n    return 1\n" + PADDING
    assert "return" not in (skeleton(text) or "return")
