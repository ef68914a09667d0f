"""A startup file with fixed content is known by its digest; its name with other content is a look-alike."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.catalogue.data.startup_files import DIGESTS
from envcheck.catalogue.known import identify, lookalike
from envcheck.catalogue.startup_files import STARTUP_FILES
from support.pythons import Interpreter, interpreter_where, interpreters
from support.venvs import make_with_uv, make_with_virtualenv

from .samples import bundled

PRECEDENCE = (
    "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'local') == 'local'; "
    "enabled and __import__('_distutils_hack').add_shim(); \n"
)


def test_every_name_has_digests_and_every_digest_a_name() -> None:
    assert DIGESTS.keys() == STARTUP_FILES.keys()
    assert all(DIGESTS.values())
    assert all(len(digest) == 64 for rows in DIGESTS.values() for digest in rows)


def test_loader_of_virtualenvs_patch() -> None:
    known = identify("_virtualenv.pth", b"import _virtualenv")
    assert known is not None
    assert (known.tool, known.form, known.loads) == ("virtualenv", "digest", ("_virtualenv",))
    assert known.written_by_tool


@pytest.mark.parametrize("make", [make_with_virtualenv, make_with_uv])
def test_files_that_virtualenv_and_uv_write_today_are_known(tmp_path: Path, make) -> None:
    old = interpreter_where("CPython 3.8 or 3.9", lambda found: (3, 8) <= found.minor <= (3, 9))
    venv = make(tmp_path / "env", old)
    for name in ("_virtualenv.pth", "_virtualenv.py"):
        known = identify(name, (venv.site / name).read_bytes())
        assert known is not None, name
        assert known.written_by_tool


@pytest.mark.parametrize("interpreter", [found for found in interpreters() if (3, 9) <= found.minor < (3, 12)], ids=str)
def test_shim_of_the_setuptools_that_an_interpreter_carries(interpreter: Interpreter) -> None:
    with zipfile.ZipFile(bundled(interpreter, "setuptools")) as archive:
        known = identify("distutils-precedence.pth", archive.read("distutils-precedence.pth"))
    assert known is not None
    assert (known.tool, known.loads, known.written_by_tool) == ("setuptools", ("_distutils_hack",), False)


@given(st.integers(0, len(PRECEDENCE)), st.binary(min_size=1, max_size=3))
def test_anything_put_into_the_shim_makes_it_a_lookalike(place: int, extra: bytes) -> None:
    data = PRECEDENCE.encode()
    changed = data[:place] + extra + data[place:]
    assert identify("distutils-precedence.pth", changed) is None
    assert "its content is none" in (lookalike("distutils-precedence.pth", changed) or "")


def test_known_content_is_known_under_its_own_name_only() -> None:
    for name in ("virtualenv.pth", "_Virtualenv.pth", "sub/_virtualenv.pth", "_virtualenv.py", "_virtualenv.pth "):
        assert identify(name, b"import _virtualenv") is None


def test_anyone_may_have_a_sitecustomize_so_that_another_is_no_lookalike() -> None:
    assert lookalike("sitecustomize.py", b"print()") is None
    assert lookalike("shop.py", b"print()") is None
    assert lookalike("shop.pth", b"import evil") is None


@given(st.text(max_size=30) | st.sampled_from(sorted(STARTUP_FILES)), st.binary(max_size=60))
def test_no_name_and_no_bytes_give_a_traceback(name: str, data: bytes) -> None:
    for ending in ("", ".pth", "-nspkg.pth", ".start", ".py", "_editable_loader.py"):
        identify(name + ending, data)
        lookalike(name + ending, data)


@pytest.mark.parametrize("name", ["x.pth", "__editable___x_finder.py", "_x_editable.py", "x-nspkg.pth"])
def test_large_files_are_not_read_through(name: str) -> None:
    assert identify(name, b"/" + b"a" * (64 << 20)) is None
    assert identify(name, b"[" * (1 << 20)) is None


def test_importing_the_catalogue_loads_no_table_and_nothing_heavy() -> None:
    code = (
        "import sys; before = set(sys.modules); sys.path.insert(0, sys.argv[1]); import envcheck.catalogue.known; "
        "print(*sorted(set(sys.modules) - before))"
    )
    source = str(Path(sys.modules["envcheck"].__file__ or "").parent.parent)
    loaded = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, source], capture_output=True, text=True, check=True
    )
    modules = loaded.stdout.split()
    assert not {"ast", "dataclasses", "inspect", "json", "argparse", "packaging"} & set(modules)
    assert [name for name in modules if name.startswith("envcheck.catalogue")] == [
        "envcheck.catalogue",
        "envcheck.catalogue.known",
        "envcheck.catalogue.match",
        "envcheck.catalogue.pathlines",
        "envcheck.catalogue.startup_files",
    ]
