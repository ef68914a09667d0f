"""Modules that every start imports before any startup file, from files: what stands before the standard library's."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from startup.rows import Row
from support.pythons import Interpreter, of_minor

RowOf = Callable[[Interpreter], Row]
BORDERS = ((3, 8), (3, 10), (3, 11), (3, 15))
"""site and what it imports are frozen from 3.11 on."""
NAMES = (
    "site", "os", "stat", "posixpath", "genericpath", "_collections_abc", "_sitebuiltins", "codecs", "io", "abc",
)  # fmt: skip


@pytest.fixture(params=BORDERS, ids="{0[0]}.{0[1]}".format)
def row(request: pytest.FixtureRequest, row_of: RowOf) -> Row:
    return row_of(of_minor(request.param))


# Where the standard library is not yet whole, only what is built in can leave a mark.
EARLY = (
    "import posix\n"
    "posix.write(posix.open(posix.environ[b'ENVCHECK_MARKS'],1089,438),b'{name}\\n')\n"
    "import sys\n"
    "for place in sys.path:\n"
    "    if place.endswith('python{minor}'):\n"
    "        file = place + '/{name}.py'\n"
    "        exec(compile(open(file, 'rb').read(), file, 'exec'))\n"
    "        break\n"
)


@pytest.mark.parametrize("flags", [(), ("-S",)])
@pytest.mark.parametrize("name", NAMES)
def test_a_module_on_pythonpath_takes_the_place_of_one_that_every_start_imports(
    row: Row, name: str, flags: tuple[str, ...]
) -> None:
    minor = "{}.{}".format(*row.interpreter.version)
    row.write(str(row.around / "first" / f"{name}.py"), EARLY.format(name=name, minor=minor))
    ran = row.start(*flags, PYTHONPATH="{around}/first")
    planned = [entry for entry in row.plan(*flags, PYTHONPATH="{around}/first").entries if entry.runs]
    paths = [entry.path for entry in planned]
    assert (name in ran) is (str(row.around / "first" / f"{name}.py") in paths)
    assert (name in ran) is (row.interpreter.minor < (3, 11) and (not flags or name in ("codecs", "io", "abc")))


@pytest.mark.parametrize("flags", [(), ("-S",), ("-I",)])
def test_a_package_of_codecs_on_pythonpath_runs_in_every_version(row: Row, flags: tuple[str, ...]) -> None:
    row.write(
        str(row.around / "first" / "encodings" / "__init__.py"),
        EARLY.format(name="encodings/__init__", minor="{}.{}".format(*row.interpreter.version)).replace(
            "b'encodings/__init__", "b'encodings"
        ),
    )
    ran = row.start(*flags, PYTHONPATH="{around}/first")
    entries = [entry for entry in row.plan(*flags, PYTHONPATH="{around}/first").entries if entry.runs]
    assert ("encodings" in ran) is (flags != ("-I",))
    assert [(entry.kind, entry.path) for entry in entries] == (
        [] if flags == ("-I",) else [("codec", str(row.around / "first" / "encodings" / "__init__.py"))]
    )
