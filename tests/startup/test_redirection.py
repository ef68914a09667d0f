"""Finders of editable installs take part in every lookup: what they answer is in the plan, for real interpreters too.

The finders here do what those of the tools do, in the least text that has their shape; the settings are written as the
tools write them.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from startup.rows import Row
from support.pythons import Interpreter, of_minor

RowOf = Callable[[Interpreter], Row]
BORDERS = ((3, 8), (3, 11), (3, 15))

SETUPTOOLS = """import sys
from importlib.machinery import ModuleSpec, all_suffixes
from importlib.util import spec_from_file_location
from pathlib import Path
MAPPING = {mapping!r}
NAMESPACES = {namespaces!r}
PATH_PLACEHOLDER = '__editable__.x-1.0.finder' + ".__path_hook__"
class _EditableFinder:
    @classmethod
    def find_spec(cls, fullname, path=None, target=None):
        for name, place in reversed(list(MAPPING.items())):
            if fullname == name or fullname.startswith(name + "."):
                path = Path(place, *fullname.replace(name, "", 1).strip(".").split("."))
                for file in [path / "__init__.py", *map(path.with_suffix, all_suffixes())]:
                    if file.exists():
                        return spec_from_file_location(fullname, file)
                return None
class _EditableNamespaceFinder:
    @classmethod
    def _path_hook(cls, path):
        if path == PATH_PLACEHOLDER:
            return cls
        raise ImportError
    @classmethod
    def find_spec(cls, fullname, target=None):
        if fullname in NAMESPACES:
            spec = ModuleSpec(fullname, None, is_package=True)
            spec.submodule_search_locations = NAMESPACES[fullname] or [PATH_PLACEHOLDER]
            return spec
def install():
    sys.meta_path.append(_EditableFinder)
    sys.path_hooks.append(_EditableNamespaceFinder._path_hook)
    sys.path.append(PATH_PLACEHOLDER)
"""
EDITABLES = """import sys
from importlib.util import spec_from_file_location
class RedirectingFinder:
    _redirections = {}
    @classmethod
    def map_module(cls, name, path):
        cls._redirections[name] = path
    @classmethod
    def find_spec(cls, fullname, path=None, target=None):
        if "." not in fullname and path is None and fullname in cls._redirections:
            return spec_from_file_location(fullname, cls._redirections[fullname])
    @classmethod
    def install(cls):
        sys.meta_path.append(cls)
"""
SCIKIT = """import os, sys
DIR = os.path.abspath(os.path.dirname(__file__))
from importlib.util import spec_from_file_location
class ScikitBuildRedirectingFinder:
    def __init__(self, source, wheel, places):
        self.files = {{**source, **{{name: os.path.join(DIR, file) for name, file in wheel.items()}}}}
        self.places = places
    def find_spec(self, fullname, path=None, target=None):
        if fullname in self.files:
            places = [os.path.join(DIR, place) for place in self.places.get(fullname, [])] or None
            file = self.files[fullname]
            return spec_from_file_location(
                fullname, file, submodule_search_locations=places if file.endswith("__init__.py") else None
            )
def install(source, wheel, places, *rest):
    sys.meta_path.insert(0, ScikitBuildRedirectingFinder(source, wheel, places))


install({source!r}, {wheel!r}, {places!r}, [], None, False, True, [], [], '')
"""
MESON = """import json, os, sys
from importlib.util import spec_from_file_location
class MesonpyMetaFinder:
    def __init__(self, package, names, path, cmd, verbose=False):
        self.names, self.path = names, path
    def find_spec(self, fullname, path=None, target=None):
        if fullname.split(".")[0] not in self.names:
            return None
        with open(os.path.join(self.path, "meson-info", "intro-install_plan.json")) as file:
            rows = json.load(file)
        files = {{row["destination"].partition("/")[2]: name for part in rows.values() for name, row in part.items()}}
        base = fullname.replace(".", "/")
        if base + "/__init__.py" in files:
            places = [os.path.join(__file__, fullname)]
            return spec_from_file_location(fullname, files[base + "/__init__.py"], submodule_search_locations=places)
        if base + ".py" in files:
            return spec_from_file_location(fullname, files[base + ".py"])
def init():
    finder = MesonpyMetaFinder(
        'x',
        {names!r},
        {build!r},
        ['/nowhere/ninja'],
        False,
    )
    sys.meta_path.insert(0, finder)
"""


@pytest.fixture(params=BORDERS, ids="{0[0]}.{0[1]}".format)
def row(request: pytest.FixtureRequest, row_of: RowOf) -> Row:
    row = row_of(of_minor(request.param))
    for name in ("pkg/__init__", "pkg/leaf", "custom", "single"):
        row.write(str(row.around / f"{name}.py"), f'mark("{name.replace("/", "_")}")\n')
    return row


def agrees(row: Row) -> list[str]:
    """What ran, which is what the plan says runs for certain."""
    ran = row.start()
    assert row.planned().certain == ran
    return ran


def setuptools(row: Row, mapping: dict[str, str], namespaces: dict[str, list[str]]) -> None:
    places = {name: f"{row.around}/{place}" for name, place in mapping.items()}
    row.write("__editable___x_finder.py", SETUPTOOLS.format(mapping=places, namespaces=namespaces))
    row.write("__editable__.x.pth", "import __editable___x_finder; __editable___x_finder.install()")


def test_a_mapping_of_setuptools_answers_for_packages_and_what_is_in_them(row: Row) -> None:
    setuptools(row, {"other": "pkg", "one": "single"}, {})
    row.write("z.pth", "import other.leaf, one\n")
    assert agrees(row) == ["pkg___init__", "pkg_leaf", "single"]


def test_a_mapping_of_setuptools_answers_for_sitecustomize(row: Row) -> None:
    setuptools(row, {"sitecustomize": "custom"}, {})
    assert agrees(row) == ["custom"]


def test_the_last_name_of_a_mapping_that_fits_answers_alone(row: Row) -> None:
    setuptools(row, {"other": "pkg", "other.leaf": "missing"}, {})
    row.write("z.pth", "import other.leaf\n")
    ran = row.start()
    assert ran and set(ran) <= set(row.planned().possible)


def test_what_sys_path_has_comes_before_a_mapping_of_setuptools(row: Row) -> None:
    setuptools(row, {"sitecustomize": "custom"}, {})
    row.write("sitecustomize.py", 'mark("own")\n')
    assert agrees(row) == ["own"]


def test_a_namespace_of_setuptools_finds_its_portions(row: Row) -> None:
    setuptools(row, {"ns.part": "pkg"}, {"ns": []})
    row.write("z.pth", "import ns.part.leaf\n")
    assert agrees(row) == ["pkg___init__", "pkg_leaf"]


def test_a_namespace_of_setuptools_with_a_place(row: Row) -> None:
    setuptools(row, {}, {"ns": [str(row.around)]})
    row.write("z.pth", "import ns.pkg.leaf\n")
    assert agrees(row) == ["pkg___init__", "pkg_leaf"]


@pytest.mark.parametrize("name", ["one", "sitecustomize"])
def test_the_editables_library_maps_top_level_names(row: Row, name: str) -> None:
    row.write("editables/__init__.py")
    row.write("editables/redirector.py", EDITABLES)
    row.write(
        "_editable_impl_x.py",
        "from editables.redirector import RedirectingFinder as F\nF.install()\n"
        f"F.map_module({name!r}, {str(row.around / 'custom.py')!r})\n"
        f"F.map_module('other', {str(row.around / 'pkg/__init__.py')!r})\n",
    )
    row.write("_editable_impl_x.pth", "import _editable_impl_x\n")
    row.write("z.pth", "import one\n" if name == "one" else "")
    row.write("zz.pth", "import other.leaf\n")
    assert sorted(agrees(row)) == ["custom", "pkg___init__", "pkg_leaf"]


@pytest.mark.parametrize("name", ["one", "sitecustomize", "wave"])
def test_scikit_build_core_comes_before_every_other_finder(row: Row, name: str) -> None:
    places = {"other": [str(row.around / "pkg"), "other"]}
    source = {name: str(row.around / "custom.py"), "other": str(row.around / "pkg/__init__.py")}
    row.write("_editable_skbc_x.py", SCIKIT.format(source=source, wheel={"built": "built.py"}, places=places))
    row.write("_editable_skbc_x.pth", "import _editable_skbc_x\n")
    row.write("one.py", 'mark("shadowed")\n')
    row.write("sitecustomize.py", 'mark("own")\n')
    row.write("built.py", 'mark("built")\n')
    row.write("z.pth", "" if name == "sitecustomize" else f"import {name}\n")
    row.write("zz.pth", "import other.leaf, built\n")
    ran = row.start()
    assert set(ran) <= set(row.planned().possible)
    assert "custom" in ran and "shadowed" not in ran and ("own" in ran) is (name != "sitecustomize")
    assert [mark for mark in ran if mark not in ("custom", "own")] == ["pkg___init__", "pkg_leaf", "built"]


def test_a_loader_that_only_looks_like_one_hides_nothing(row: Row) -> None:
    source = {"sitecustomize": str(row.around / "custom.py"), "one": str(row.around / "custom.py")}
    text = SCIKIT.format(source=source, wheel={}, places={}).replace("sys.meta_path.insert", "print")
    row.write("_editable_skbc_x.py", text)
    row.write("_editable_skbc_x.pth", "import _editable_skbc_x\n")
    row.write("sitecustomize.py", 'mark("own")\n')
    row.write("one.py", 'mark("one")\n')
    row.write("z.pth", "import one\n")
    ran = row.start()
    assert ran == ["one", "own"] and set(ran) <= set(row.planned().possible)


@pytest.mark.parametrize("name", ["other", "sitecustomize"])
def test_meson_python_answers_what_the_install_plan_names_under_the_condition_of_its_build(row: Row, name: str) -> None:
    build = row.around / "build"
    rows = {
        str(row.around / "pkg/__init__.py"): {"destination": "{py_purelib}/other/__init__.py"},
        str(row.around / "pkg/leaf.py"): {"destination": "{py_platlib}/other/leaf.py"},
        str(row.around / "custom.py"): {"destination": "{py_purelib}/sitecustomize.py"},
        str(row.around / "single.py"): {"destination": "{bindir}/other/single.py"},
    }
    row.write(str(build / "meson-info/intro-install_plan.json"), json.dumps({"python": rows}))
    row.write("_x_editable_loader.py", MESON.format(names={name}, build=str(build)))
    row.write("x-editable.pth", "import _x_editable_loader; _x_editable_loader.init()")
    row.write("z.pth", "import other.leaf\n" if name == "other" else "")
    row.write("sitecustomize.py", 'mark("own")\n')
    ran = row.start()
    planned = row.planned()
    assert set(ran) <= set(planned.possible)
    assert ran[:2] == (["pkg___init__", "pkg_leaf"] if name == "other" else ["custom"])
    conditions = [file.when or "" for entry in planned.plan.entries for file in entry.closure]
    conditions += [o.when or "" for entry in planned.plan.entries for o in entry.occurrences]
    assert any("/nowhere/ninja" in text for text in conditions)


def test_a_loader_that_is_imported_but_not_called_hides_nothing(row: Row) -> None:
    row.write("_x_editable_loader.py", MESON.format(names={"sitecustomize"}, build=str(row.around)))
    row.write("x-editable.pth", "import _x_editable_loader\n")
    row.write("sitecustomize.py", 'mark("own")\n')
    assert agrees(row) == ["own"]


def test_an_install_plan_that_is_hostile_is_reported(row: Row) -> None:
    row.write(str(row.around / "meson-info/intro-install_plan.json"), "[" * 100_000)
    row.write("_x_editable_loader.py", MESON.format(names={"sitecustomize"}, build=str(row.around)))
    row.write("x-editable.pth", "import _x_editable_loader; _x_editable_loader.init()")
    row.planned()
    assert any("install_plan" in missed.path for missed in row.files.not_seen)
