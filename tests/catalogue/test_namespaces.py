"""A ``-nspkg.pth`` is known when it is setuptools' template for the namespaces that it names, and nothing more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.catalogue.known import identify, lookalike
from envcheck.catalogue.namespaces import is_namespace_module
from support.pythons import Interpreter, interpreters

from .samples import bundled, namespace_lines

NAME = "shop-1.0-py3.9-nspkg.pth"

OLD = (
    "import sys, types, os;p = os.path.join(sys._getframe(1).f_locals['sitedir'], *('shop',));"
    "ie = os.path.exists(os.path.join(p,'__init__.py'));"
    "m = not ie and sys.modules.setdefault('shop', types.ModuleType('shop'));"
    "mp = (m or []) and m.__dict__.setdefault('__path__',[]);(p not in mp) and mp.append(p)\n"
)
"""What setuptools before 30 wrote."""


@pytest.mark.parametrize("interpreter", [found for found in interpreters() if found.minor < (3, 12)], ids=str)
def test_template_of_the_setuptools_that_an_interpreter_carries(interpreter: Interpreter) -> None:
    wheel = bundled(interpreter, "setuptools")
    known = identify(NAME, namespace_lines(wheel, "shop", "shop.tills"))
    assert known is not None
    assert (known.tool, known.form, known.modules) == ("setuptools", "template", ("shop", "shop.tills"))
    assert not known.written_by_tool


def test_template_of_old_setuptools() -> None:
    known = identify(NAME, OLD.encode())
    assert known is not None
    assert known.modules == ("shop",)


@given(st.integers(0, len(OLD)), st.binary(min_size=1, max_size=3))
def test_anything_put_into_it_makes_it_unknown(place: int, extra: bytes) -> None:
    data = OLD.encode()
    changed = data[:place] + extra + data[place:]
    known = identify(NAME, changed)
    if known is not None:  # another namespace, in all of its places, is impossible by one insertion
        assert changed.replace(b"\n", b"") == data.replace(b"\n", b"") and extra.strip(b"\n") == b""


@pytest.mark.parametrize(
    "text",
    [
        OLD.replace("ModuleType('shop')", "ModuleType('other')"),
        OLD.replace("'shop'", "'sitecustomize'"),
        OLD.replace("'shop'", "'os'"),
        OLD.replace("'shop'", "'sh-op'"),
        OLD.replace("('shop',)", "('shop')"),
        OLD + "import evil\n",
        "import evil\n" + OLD,
        OLD.rstrip("\n") + ";import evil\n",
        OLD.replace("'shop'", "\0name"),
        OLD.replace("('shop',)", "\0path"),
        "",
        "\n",
    ],
)
def test_other_content_is_unknown(text: str) -> None:
    assert identify(NAME, text.encode()) is None
    assert lookalike(NAME, text.encode()) is not None


def test_the_same_line_for_each_of_several_namespaces_is_known() -> None:
    known = identify(NAME, (OLD + OLD.replace("'shop'", "'bank'") + OLD).encode())
    assert known is not None
    assert known.modules == ("shop", "bank")


EXTEND = "__path__ = extend_path(__path__, __name__)\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# a comment\n",
        '"""Words."""\n__version__ = "1.0"\n',
        "from pkgutil import extend_path\n" + EXTEND,
        "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n",
        "import pkgutil\n__path__ = pkgutil.extend_path(__path__, __name__)\n",
        "__import__('pkg_resources').declare_namespace(__name__)\n",
        "try:\n    import pkg_resources\n    pkg_resources.declare_namespace(__name__)\nexcept ImportError:\n"
        "    import pkgutil\n    __path__ = pkgutil.extend_path(__path__, __name__)\n",
    ],
)
def test_a_module_that_makes_a_namespace_is_known(text: str) -> None:
    assert is_namespace_module(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "x = 1\n",
        "import os\n",
        "from . import core\n",
        "from .pkgutil import extend_path\n" + EXTEND,
        "from os import system as extend_path\n" + EXTEND,
        "from os import *\n" + EXTEND,
        "__path__ = ['/elsewhere']\n",
        "__path__ = extend_path(print(), __name__)\n",
        "__import__('os').declare_namespace(__name__)\n",
        "__version__ = print()\n",
        "import pkgutil as pkg_resources\n",
        "try:\n    pass\nexcept print():\n    pass\n",
        "try:\n    pass\nfinally:\n    import os\n",
        "# coding: utf-7\n",
        "x = (\n",
        "\0",
    ],
)
def test_a_module_that_does_more_is_no_namespace(text: str) -> None:
    assert not is_namespace_module(text.encode())
