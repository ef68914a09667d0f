"""Entry-point scripts are matched whole: what installers write, for one module and callable, and nothing else."""

from __future__ import annotations

import functools
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envcheck.catalogue.scripts import match_legacy, match_script, read_shebang, split_shebang
from support.pythons import ALL, Interpreter, interpreters
from support.venvs import make_venv, make_with_uv, run, uv_install
from support.wheels import Wheel, build_wheel

from .samples import bundled

FUNCTIONS = {"shop": "shop:main", "shop-till": "shop.tills:Till.open"}


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Wheel:
    return build_wheel(
        tmp_path_factory.mktemp("shop"),
        "shop",
        "1.0",
        {"shop/__init__.py": "", "shop/tills.py": ""},
        console_scripts=FUNCTIONS,
        scripts={"shop-plain": "#!python\nimport shop\n"},
    )


def pip_install(pip: Path, python: str, wheel: Wheel) -> None:
    """Install with the pip in a wheel of its own, into the environment that ``python`` stands in."""
    code = (
        "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); sys.argv[0] = 'pip'; "
        "runpy.run_module('pip', run_name='__main__')"
    )
    run([python, "-I", "-c", code, str(pip), "install", "-q", "--no-index", "--no-deps", str(wheel.path)])


def assert_matches(scripts: Path, executable: str | None) -> None:
    for name, target in FUNCTIONS.items():
        data = (scripts / name).read_bytes()
        script = match_script(data)
        assert script is not None, data
        assert f"{script.module}:{script.attribute}" == target
        assert script.executable == executable
    assert split_shebang((scripts / "shop-plain").read_bytes()) == (executable, b"import shop\n")


CARRY_PIP = [found for found in interpreters() if found.minor >= (3, 8)]
PLACES = [
    *((found, "env") for found in CARRY_PIP),
    *((found, "with blanks/env") for found in CARRY_PIP if ALL or found.minor in ((3, 8), (3, 13))),
]
"""The oldest pip and one of the newest say how each writes a path with blanks."""


@pytest.mark.parametrize(("interpreter", "place"), PLACES, ids=lambda value: getattr(value, "text", value))
def test_scripts_of_the_pip_that_an_interpreter_carries(
    tmp_path: Path, interpreter: Interpreter, place: str, shop: Wheel
) -> None:
    pip = bundled(interpreter, "pip")
    venv = make_venv(tmp_path / place, interpreter, "--without-pip")
    pip_install(pip, str(venv.bin / "python"), shop)
    assert_matches(venv.bin, str(venv.bin / "python"))


def test_scripts_of_the_newest_pip_at_hand(tmp_path: Path, interpreter: Interpreter, shop: Wheel) -> None:
    venv = make_venv(tmp_path / "env", interpreter, "--without-pip")
    run(
        [
            sys.executable,
            "-m",
            "pip",
            "--python",
            str(venv.python),
            "install",
            "-q",
            "--no-index",
            "--no-deps",
            str(shop.path),
        ]
    )
    assert_matches(venv.bin, str(venv.python))


@pytest.mark.parametrize("place", ["env", "with blanks/env", "it's/env", "long" * 40 + "/env"])
def test_scripts_of_uv(tmp_path: Path, interpreter: Interpreter, place: str, shop: Wheel) -> None:
    venv = make_with_uv(tmp_path / place, interpreter)
    uv_install(venv, [shop])
    assert_matches(venv.bin, str(venv.python))


def test_relocatable_scripts_of_uv(tmp_path: Path, interpreter: Interpreter, shop: Wheel) -> None:
    venv = make_with_uv(tmp_path / "env", interpreter, "--relocatable")
    uv_install(venv, [shop])
    assert_matches(venv.bin, None)
    shebang = read_shebang((venv.bin / "shop").read_bytes())
    assert shebang is not None
    assert shebang.relocatable


# One byte more ------------------------------------------------------------------------------------------------------

PIP_26 = b"""#!/env/bin/python
import sys
from shop.tills import Till
if __name__ == '__main__':
    sys.argv[0] = sys.argv[0].removesuffix('.exe')
    sys.exit(Till.open())
"""
DISTLIB = b"""#!/env/bin/python
# -*- coding: utf-8 -*-
import re
import sys
from shop.tills import Till
if __name__ == '__main__':
    sys.argv[0] = re.sub(r'(-script\\.pyw|\\.exe)?$', '', sys.argv[0])
    sys.exit(Till.open())
"""
INSTALLER = DISTLIB.replace(b"'", b'"')
UV = b"""#!/bin/sh
'''exec' "$(dirname -- "$(realpath -- "$0")")"/'python' "$0" "$@"
' '''
# -*- coding: utf-8 -*-
import sys
from shop.tills import Till
if __name__ == "__main__":
    if sys.argv[0].endswith("-script.pyw"):
        sys.argv[0] = sys.argv[0][:-11]
    elif sys.argv[0].endswith(".exe"):
        sys.argv[0] = sys.argv[0][:-4]
    sys.exit(Till.open())
"""
CONDA = b"""#!/env/bin/python
# -*- coding: utf-8 -*-
import re
import sys

from shop.tills import Till

if __name__ == '__main__':
    sys.argv[0] = re.sub(r'(-script\\.pyw?|\\.exe)?$', '', sys.argv[0])
    sys.exit(Till.open())
"""
BODIES = {"pip": PIP_26, "distlib": DISTLIB, "installer": INSTALLER, "uv": UV, "conda": CONDA}


@pytest.mark.parametrize("name", BODIES)
def test_each_body_matches(name: str) -> None:
    script = match_script(BODIES[name])
    assert script is not None
    assert script.installer == {"distlib": "pip", "conda": "pip"}.get(name, name)
    assert (script.module, script.attribute) == ("shop.tills", "Till.open")


@settings(max_examples=400)
@given(st.sampled_from(sorted(BODIES)), st.data(), st.binary(min_size=1, max_size=2))
def test_anything_put_into_a_body_makes_it_another_script_or_none(name: str, data: st.DataObject, extra: bytes) -> None:
    whole = BODIES[name]
    body = whole.index(b"\n") + 1
    place = data.draw(st.integers(body, len(whole)))
    changed = whole[:place] + extra + whole[place:]
    script = match_script(changed)
    if script is not None:  # the body for another module and callable, which are told
        assert (script.module, script.attribute) != ("shop.tills", "Till.open")
        first = script.attribute.partition(".")[0]
        written = whole.replace(b"shop.tills import Till", f"{script.module} import {first}".encode())
        assert changed == written.replace(b"Till.open", script.attribute.encode())


@pytest.mark.parametrize("name", BODIES)
def test_every_single_byte_changed_or_removed_is_seen(name: str) -> None:
    whole = BODIES[name]
    for place in range(whole.index(b"\n") + 1, len(whole)):
        for changed in (whole[:place] + whole[place + 1 :], whole[:place] + b"\x7f" + whole[place + 1 :]):
            script = match_script(changed)
            assert script is None or (script.module, script.attribute) != ("shop.tills", "Till.open")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"from shop.tills import Till\n", b"from shop.tills import Till\nfrom evil import Till\n"),
        (b"    sys.exit(Till.open())\n", b"    sys.exit(Till.open())\n    sys.exit(Till.open())\n"),
        (b"from shop.tills", b"from .shop"),
        (b"from shop.tills", b"from shop..tills"),
        (b"from shop.tills", b"from 1shop"),
        (b"Till.open())", b"Other.open())"),
        (b"Till.open())", b"Till.open)"),
        (b"import sys\n", b"import sys \n"),
        (b"\n", b"\r\n"),
        (b"shop.tills", b"\0module"),
    ],
)
@pytest.mark.parametrize("name", BODIES)
def test_other_code_is_none(name: str, old: bytes, new: bytes) -> None:
    assert old in BODIES[name]
    assert match_script(BODIES[name].replace(old, new)) is None


# The first lines ----------------------------------------------------------------------------------------------------


CDPATH = b"""#!/bin/sh
'''exec' "$(CDPATH= cd -- "$(dirname -- "$0")" && echo "$PWD")"/'python' "$0" "$@"
' '''
"""


@pytest.mark.parametrize(
    ("first", "executable"),
    [
        (b"#!/env/bin/python\n", "/env/bin/python"),
        (b"#!/with blanks/bin/python\n", "/with blanks/bin/python"),
        (b"#!python\n", "python"),
        (b"#!/usr/bin/env python3\n", "/usr/bin/env python3"),
        (b"#!/bin/sh\n'''exec' \"/with blanks/python\" \"$0\" \"$@\"\n' '''\n", "/with blanks/python"),
        (b"#!/bin/sh\n'''exec' /long/python \"$0\" \"$@\"\n' '''\n", "/long/python"),
        (b"#!/bin/sh\n'''exec' '/with blanks/python' \"$0\" \"$@\"\n' '''\n", "/with blanks/python"),
        (b"#!/bin/sh\n'''exec' '/it'\"'\"'s/python' \"$0\" \"$@\"\n' '''\n", "/it's/python"),
        (b"#!/bin/sh\n'''exec' \"$(dirname -- \"$(realpath -- \"$0\")\")\"/'python3' \"$0\" \"$@\"\n' '''\n", None),
        (CDPATH, None),
    ],
)
def test_interpreter_is_told(first: bytes, executable: str | None) -> None:
    assert split_shebang(first + b"print()\n") == (executable, b"print()\n")


@pytest.mark.parametrize(
    "second",
    [
        b'\'\'\'exec\' "/env/$(evil)/python" "$0" "$@"\n',
        b'\'\'\'exec\' "/env/`evil`/python" "$0" "$@"\n',
        b"'''exec' /env/python;evil \"$0\" \"$@\"\n",
        b"'''exec' /env/python evil \"$0\" \"$@\"\n",
        b"'''exec' '/env/python'evil'' \"$0\" \"$@\"\n",
        b"'''exec' /env/python \"$0\" \"$@\"; evil\n",
        b"'''exec' /env/python \"$0\"\n",
        b'\'\'\'exec\' "$(evil -- "$(realpath -- "$0")")"/\'python\' "$0" "$@"\n',
        b'\'\'\'exec\' "$(dirname -- "$(realpath -- "$0")")"/\'evil\' "$0" "$@"\n',
        b'\'\'\'exec\' "$(dirname -- "$(realpath -- "$0")")"/\'python.evil\' "$0" "$@"\n',
    ],
)
def test_shell_lines_that_do_anything_else_are_no_shebang(second: bytes) -> None:
    data = b"#!/bin/sh\n" + second + b"' '''\n" + PIP_26.partition(b"\n")[2]
    assert split_shebang(data)[0] == "/bin/sh"
    assert match_script(data) is None


def test_a_script_without_a_shebang_keeps_every_byte() -> None:
    assert split_shebang(b"print()\n") == (None, b"print()\n")
    assert split_shebang(b"#!") == (None, b"#!")
    assert match_script(b"") is None


@given(st.binary(max_size=300))
def test_no_bytes_give_a_traceback(data: bytes) -> None:
    for start in (b"", b"#!", b"#!/bin/sh\n'''exec' ", b"# EASY-INSTALL-ENTRY-SCRIPT: "):
        match_script(start + data)
        match_legacy(start + data)
        split_shebang(start + data)


# setuptools' wrappers -----------------------------------------------------------------------------------------------


@functools.cache
def wrapper(interpreter: Interpreter, spec: str) -> bytes:
    template = literals_of_dedent(bundled(interpreter, "setuptools"))
    return b"#!/env/bin/python\n" + (template % {"spec": spec, "group": "console_scripts", "name": "shop"}).encode()


def literals_of_dedent(wheel: Path) -> str:
    """The template of ``ScriptWriter``, which stands in a call of ``textwrap.dedent``."""
    import ast
    import textwrap
    import zipfile

    with zipfile.ZipFile(wheel) as archive:
        tree = ast.parse(archive.read("setuptools/command/easy_install.py"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "ENTRY-SCRIPT" in node.value:
            return textwrap.dedent(node.value).lstrip()
    raise AssertionError(wheel)


@pytest.mark.parametrize("spec", ["shop", "shop==1.0"])
@pytest.mark.parametrize("interpreter", [found for found in interpreters() if found.minor < (3, 12)], ids=str)
def test_wrapper_of_setuptools_tells_the_entry_point(interpreter: Interpreter, spec: str) -> None:
    data = wrapper(interpreter, spec)
    legacy = match_legacy(data)
    assert legacy is not None
    assert (legacy.distribution, legacy.group, legacy.name) == (spec, "console_scripts", "shop")
    assert legacy.executable == "/env/bin/python"
    assert match_script(data) is None


@given(data=st.data(), extra=st.binary(min_size=1, max_size=2))
def test_anything_put_into_a_wrapper_is_seen(python_with_setuptools: Interpreter, data, extra: bytes) -> None:
    whole = wrapper(python_with_setuptools, "shop==1.0")
    place = data.draw(st.integers(whole.index(b"\n") + 1, len(whole)))
    assert match_legacy(whole[:place] + extra + whole[place:]) is None
