"""Our named tuples are `typing`'s, but for their cost."""

from __future__ import annotations

import copy
import pickle
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from envcheck.model import nouns
from support.pythons import interpreters

SOURCE = Path(nouns.__file__)


class Theirs(NamedTuple):
    first: int
    second: str = "b"
    third: tuple[int, ...] = ()

    @property
    def twice(self) -> int:
        return self.first * 2


class Ours(nouns.NamedTuple):
    first: int
    second: str = "b"
    third: tuple[int, ...] = ()

    @property
    def twice(self) -> int:
        return self.first * 2


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ((1,), {}),
        ((1, "x"), {}),
        ((1, "x", (2,)), {}),
        ((), {"first": 1}),
        ((1,), {"third": (3,)}),
        ((), {"third": (3,), "first": 0, "second": ""}),
    ],
)
def test_the_same_arguments_make_the_same_tuple(values: tuple[Any, ...], named: dict[str, Any]) -> None:
    ours, theirs = Ours(*values, **named), Theirs(*values, **named)
    assert tuple(ours) == tuple(theirs) == ours
    assert hash(ours) == hash(theirs)
    for name in (*Ours._fields, "twice"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert repr(ours) == repr(theirs).replace("Theirs", "Ours")
    assert ours._asdict() == theirs._asdict()
    assert ours._replace(second="z") == theirs._replace(second="z")
    assert type(ours._replace(second="z")) is Ours


@pytest.mark.parametrize(
    ("values", "named"),
    [((), {}), ((1, "x", (), 4), {}), ((1,), {"first": 2}), ((1,), {"fourth": 2}), ((), {"second": "x"})],
)
def test_arguments_that_do_not_fit_are_refused(values: tuple[Any, ...], named: dict[str, Any]) -> None:
    for kind in (Ours, Theirs):
        with pytest.raises(TypeError):
            kind(*values, **named)


def test_a_field_that_is_not_there_is_not_replaced() -> None:
    with pytest.raises((TypeError, ValueError), match="fourth"):
        Ours(1)._replace(fourth=4)  # type: ignore[call-arg]


def test_it_is_immutable_and_has_no_dictionary() -> None:
    with pytest.raises(AttributeError):
        Ours(1).first = 2  # type: ignore[misc]
    with pytest.raises(AttributeError):
        Ours(1).other = 2  # type: ignore[attr-defined]


def test_it_is_matched_copied_and_pickled() -> None:
    match Ours(1, "x"):
        case Ours(first, second):
            assert (first, second) == (1, "x")
    assert copy.deepcopy(Ours(1)) == Ours(1)
    again = pickle.loads(pickle.dumps(Ours(1, "x")))
    assert again == Ours(1, "x")
    assert type(again) is Ours


@pytest.mark.parametrize("interpreter", [found for found in interpreters() if found.minor >= (3, 10)], ids=str)
@pytest.mark.parametrize("future", ["", "from __future__ import annotations\n"])
def test_every_supported_python_reads_the_fields(interpreter: Any, future: str, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        f"{future}import sys, types\n"
        f"nouns = types.ModuleType('nouns')\nexec(open({str(SOURCE)!r}).read(), nouns.__dict__)\n"
        "class A(nouns.NamedTuple):\n    one: nouns.Literal['x', 'y']\n    two: int | None = None\n"
        "print(A('x')._fields, A('x') == ('x', None), A(two=2, one='y').two)\n"
    )
    done = subprocess.run(
        [interpreter.path, "-I", "-S", str(script)], capture_output=True, text=True, check=False, env={}
    )
    assert done.stdout == "('one', 'two') True 2\n", done.stderr
