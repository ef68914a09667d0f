"""Files of editable installs are known by the backend's whole text, and only for names and paths of a project."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.catalogue import editables
from envcheck.catalogue.data import editables as tables
from envcheck.catalogue.known import identify, lookalike
from support.pythons import Interpreter

from .samples import bundled, setuptools_finder

FINDER = "__editable___shop_0_1_0_finder.py"
NAME = "__editable__.shop-0.1.0.finder"
PTH = b"import __editable___shop_0_1_0_finder; __editable___shop_0_1_0_finder.install()"


@pytest.fixture(scope="module")
def setuptools(python_with_setuptools: Interpreter) -> object:
    return bundled(python_with_setuptools, "setuptools")


# setuptools ---------------------------------------------------------------------------------------------------------


def test_finder_of_setuptools_tells_what_it_maps(setuptools) -> None:
    data = setuptools_finder(setuptools, NAME, {"shop": "/home/me/shop/lib"}, {"stores": [], "stores.a": ["/x/a"]})
    known = identify(FINDER, data)
    assert known is not None
    assert (known.tool, known.modules, known.project) == ("setuptools", ("shop", "stores", "stores.a"), "shop")


@pytest.mark.parametrize(
    ("mapping", "namespaces"),
    [
        ({"sitecustomize": "/tmp/x"}, {}),
        ({"shop": "/src/shop", "usercustomize": "/src/u"}, {}),
        ({"sitecustom": "/src/shop"}, {}),
        ({"os": "/src/os"}, {}),
        ({"encodings.extra": "/src/x"}, {}),
        ({"shop": "relative/path"}, {}),
        ({"shop": "/src/../etc"}, {}),
        ({"shop": "/proc/self/cwd/shop"}, {}),
        ({"shop": "/src\n/shop"}, {}),
        ({"not a name": "/src/shop"}, {}),
        ({"ſhop": "/src/shop"}, {}),
        ({}, {"sitecustomize": []}),
        ({}, {"shop": ["relative"]}),
    ],
)
def test_finder_that_maps_what_is_no_projects_own_is_unknown(setuptools, mapping, namespaces) -> None:
    data = setuptools_finder(setuptools, NAME, mapping, namespaces)
    assert identify(FINDER, data) is None
    assert lookalike(FINDER, data) is not None


def test_finder_under_another_projects_name_is_unknown(setuptools) -> None:
    data = setuptools_finder(setuptools, NAME, {"shop": "/src/shop"}, {})
    assert identify("__editable___bank_0_1_0_finder.py", data) is None


@given(data=st.data(), extra=st.binary(min_size=1, max_size=2))
def test_anything_put_into_a_finder_outside_its_settings_makes_it_unknown(setuptools, data, extra) -> None:
    whole = setuptools_finder(setuptools, NAME, {"shop": "/src/shop"}, {})
    begin, end = whole.index(b"MAPPING = "), whole.index(b"\nPATH_PLACEHOLDER")
    place = data.draw(st.integers(0, begin + len(b"MAPPING = ")) | st.integers(end + 1, len(whole)))
    assert identify(FINDER, whole[:place] + extra + whole[place:]) is None


@pytest.mark.parametrize(
    "setting", ["{'shop': '/src/shop'} or evil()", "{'shop': evil()}", "dict()", "{'shop': '/src/shop'}; evil()", "[]"]
)
def test_code_in_the_place_of_a_setting_is_no_setting(setuptools, setting: str) -> None:
    whole = setuptools_finder(setuptools, NAME, {"shop": "/src/shop"}, {})
    changed = whole.replace(b"MAPPING = {'shop': '/src/shop'}", b"MAPPING = " + setting.encode())
    assert changed != whole
    assert identify(FINDER, changed) is None


def test_loader_line_installs_the_finder_of_its_own_name() -> None:
    known = identify("__editable__.shop-0.1.0.pth", PTH)
    assert known is not None
    assert (known.loads, known.project) == (("__editable___shop_0_1_0_finder",), "shop")
    assert identify("__editable__.bank-0.1.0.pth", PTH) is None


@pytest.mark.parametrize("extra", [b";import evil", b"\nimport evil", b"\n/tmp/evil", b" ", b"\x0cimport evil", b"#"])
def test_loader_line_with_anything_after_it_is_unknown(extra: bytes) -> None:
    assert identify("__editable__.shop-0.1.0.pth", PTH + extra) is None


# Path files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["shop.pth", "_shop.pth", "_editable_impl_shop.pth", "__editable__.shop-0.1.0.pth", "shop.tills.pth"]
)
@pytest.mark.parametrize(
    "data", [b"/home/me/shop/src", b"/home/me/shop/src\n", b"/one\n/two with blanks\n", b"C:\\s\\src"]
)
def test_absolute_paths_are_an_editable_installs(name: str, data: bytes) -> None:
    known = identify(name, data)
    assert known is not None
    assert known.paths == tuple(data.decode().split("\n")[: data.count(b"/") or 1]) or len(known.paths) == 1
    assert not known.loads
    assert known.project in ("shop", "shop.tills")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"relative/src",
        b"../src",
        b"/src/../etc",
        b"/src\nimport evil",
        b"import evil",
        b"/src\x0cimport evil",
        b"/src\x0bimport evil",
        b"/src\x1cimport evil",
        b"/src\xc2\x85import evil",
        b"/src\xe2\x80\xa8import evil",
        b"/src\rimport evil",
        b"/src\r\nimport evil",
        b" /src",
        b"/src ",
        b"/src\n\n/other",
        b"# comment\n/src",
        b"\xef\xbb\xbf/src",
        b"/src\xe2\x80\xae/crs",
        b"/s\xffrc",
        b"/s\0rc",
        b"/proc/self/cwd",
        b"/dev/fd/3",
        b"//host/share",
    ],
)
def test_other_lines_are_not(data: bytes) -> None:
    assert identify("shop.pth", data) is None


@given(st.binary(max_size=200))
def test_no_bytes_are_a_path_file_and_hold_code(data: bytes) -> None:
    known = identify("shop.pth", data)
    if known is not None:
        lines = data.decode().splitlines()
        assert tuple(lines) == known.paths
        assert not any(line.startswith(("import ", "import\t")) for line in lines)


# The editables library ----------------------------------------------------------------------------------------------

BOOTSTRAP = b"from editables.redirector import RedirectingFinder as F\nF.install()"


def test_module_of_the_editables_library_tells_what_it_maps() -> None:
    known = identify("_editable_impl_shop.py", BOOTSTRAP + b"\nF.map_module('shop', '/src/shop/__init__.py')")
    assert known is not None
    assert (known.loads, known.modules, known.project) == (("editables",), ("shop",), "shop")


@pytest.mark.parametrize("pth", ["shop.pth", "_shop.pth", "_editable_impl_shop.pth"])
def test_loader_line_of_the_editables_library(pth: str) -> None:
    known = identify(pth, b"import _editable_impl_shop\n/home/me/shop/src")
    assert known is not None
    assert (known.loads, known.paths) == (("_editable_impl_shop",), ("/home/me/shop/src",))
    assert identify(pth, b"import _editable_impl_bank") is None
    assert identify(pth, b"import _shop") is None


@pytest.mark.parametrize(
    "tail",
    [
        b"\nF.map_module('sitecustomize', '/src/s.py')",
        b"\nF.map_module('shop', 'relative')",
        b"\nF.map_module('shop', evil())",
        b"\nF.map_module('shop', '/src/shop')\nimport evil",
        b"\nF.map_module('shop', '/src/shop'); evil()",
        b"\nimport evil",
        b" # x",
    ],
)
def test_module_of_the_editables_library_with_other_lines_is_unknown(tail: bytes) -> None:
    assert identify("_editable_impl_shop.py", BOOTSTRAP + tail) is None


# Backends that build native code ------------------------------------------------------------------------------------

BODY = "# the backend's own text\nimport sys\n"
MESON = (
    "\ninstall(\n    'shop',\n    {'shop'},\n    '/home/me/shop/build/cp311',\n    ['/usr/bin/ninja'],\n    False,\n)"
)
MESON_INIT = (
    "\ndef init():\n    finder = MesonpyMetaFinder(\n        'shop',\n        {'shop'},\n"
    "        '/home/me/shop/build',\n        ['ninja', '-j4'],\n        False,\n    )\n"
    "    sys.meta_path.insert(0, finder)\n    sys.path_hooks.insert(0, finder._path_hook)\n"
)
SCIKIT = "\n\ninstall({'shop': '/src/shop/__init__.py'}, {'shop.c': 'shop/c.so'}, None, False, True, [], [], '')\n"


@pytest.fixture
def backends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MESON_PYTHON_LOADERS", {editables.digest(BODY): "1.0"})
    monkeypatch.setattr(tables, "SCIKIT_BUILD_LOADERS", {editables.digest(BODY): "1.0"})


@pytest.mark.usefixtures("backends")
@pytest.mark.parametrize("tail", [MESON, MESON_INIT, MESON.replace("    'shop',\n    {", "    {", 1)])
def test_loader_of_meson_python_tells_names_and_the_command_it_runs(tail: str) -> None:
    known = identify("_shop_editable_loader.py", (BODY + tail).encode())
    assert known is not None
    assert (known.tool, known.modules, known.project) == ("meson-python", ("shop",), "shop")
    assert known.runs in (("/usr/bin/ninja",), ("ninja -j4",))


@pytest.mark.usefixtures("backends")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{'shop'}", "{'sitecustomize'}"),
        ("{'shop'}", "{'shop', 'os'}"),
        ("'/usr/bin/ninja'", "'/bin/sh'"),
        ("'/usr/bin/ninja'", "'/usr/bin/ninja', '-f', '/tmp/evil.ninja'"),
        ("'/usr/bin/ninja'", "'/usr/bin/ninja', '-t'"),
        ("'/home/me/shop/build/cp311'", "'build'"),
        ("False", "evil()"),
        ("    False,\n", "    False,\n    None,\n"),
        ("import sys", "import evil"),
        (",\n)", ",\n); evil()"),
        ("\n    'shop'", "\n    evil(), 'shop'"),
    ],
)
def test_loader_of_meson_python_with_other_settings_is_unknown(old: str, new: str) -> None:
    text = BODY + MESON
    assert old in text
    assert identify("_shop_editable_loader.py", text.replace(old, new, 1).encode()) is None


@pytest.mark.usefixtures("backends")
def test_loader_of_scikit_build_core_tells_names() -> None:
    known = identify("_shop_editable.py", (BODY + SCIKIT).encode())
    assert known is not None
    assert (known.modules, known.runs) == (("shop", "shop.c"), ())
    rebuilt = identify("_editable_skbc_shop.py", (BODY + SCIKIT.replace("None, False", "'/build', True")).encode())
    assert rebuilt is not None
    assert rebuilt.runs == ("cmake",)


@pytest.mark.usefixtures("backends")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("'shop':", "'sitecustomize':"),
        ("'shop.c':", "'usercustomize':"),
        ("'/src/shop/__init__.py'", "evil()"),
        ("'/src/shop/__init__.py'", "'src/shop/__init__.py'"),
        ("'')\n", "'')\nevil()\n"),
        ("'')\n", "'', *evil())\n"),
        ("import sys", "import evil"),
    ],
)
def test_loader_of_scikit_build_core_with_other_settings_is_unknown(old: str, new: str) -> None:
    text = BODY + SCIKIT
    assert old in text
    assert identify("_shop_editable.py", text.replace(old, new, 1).encode()) is None


@pytest.mark.parametrize(
    ("name", "data", "loads"),
    [
        ("shop-editable.pth", b"import _shop_editable_loader", "_shop_editable_loader"),
        (
            "my-shop-editable.pth",
            b"import _my_shop_editable_loader; _my_shop_editable_loader.init()",
            "_my_shop_editable_loader",
        ),
        ("_shop_editable.pth", b"import _shop_editable\n/home/me/shop/src\n", "_shop_editable"),
        ("_editable_skbc_shop.pth", b"import _editable_skbc_shop\n", "_editable_skbc_shop"),
        ("shop-editable.start", b"_shop_editable_loader:init", "_shop_editable_loader"),
        ("_editable_skbc_shop.start", b"\xef\xbb\xbf_editable_skbc_shop:entrypoint", "_editable_skbc_shop"),
    ],
)
def test_loader_lines_of_both(name: str, data: bytes, loads: str) -> None:
    known = identify(name, data)
    assert known is not None
    assert known.loads == (loads,)
    assert identify(name, data + b"\nimport evil") is None
    assert identify(name, data.replace(b"shop", b"bank")) is None
