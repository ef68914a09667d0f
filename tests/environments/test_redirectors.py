"""Files and variables that redirect an interpreter: sys.path, prefixes, site directories as the real one has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from envcheck.model.environment import Environment
from environments.places import Place, link_library, mark
from support.pythons import Interpreter


def effects(environment: Environment) -> dict[str, str]:
    return dict(environment.redirectors)


def skip_out_of_tree_build(place: Place, where: str) -> None:
    """Debian's interpreters are built in a directory of their own: CPython then looks for ``Lib`` above only."""
    if where == "beside" and modern(place) and b"dist-packages" in (place.real / "site.py").read_bytes():
        pytest.skip("its sources lie above its build directory")


def modern(place: Place) -> bool:
    return place.interpreter.minor >= (3, 11)


# ._pth --------------------------------------------------------------------------------------------------------------

PATH_FILES = {
    "library only": "{lib}\n{lib}/lib-dynload\n",
    "site": "import site\n{lib}\n{lib}/lib-dynload\n",
    "comments and blanks": " # nothing\n\n  {lib}  # the library\n{lib}/lib-dynload\n import site # yes\n",
    "other import lines": "import os\nimport  site\n{lib}\n{lib}/lib-dynload\n",
    "relative": "../../lib/{name}\n.\nplanted\n../../lib/{name}/lib-dynload\nimport site\n",
    "carriage returns": "{lib}\r\n{lib}/lib-dynload\r\nimport site\r\n",
    "after a zero byte": "{lib}\n{lib}/lib-dynload\n\0import site\n",
}


@pytest.mark.parametrize("text", PATH_FILES.values(), ids=PATH_FILES.keys())
def test_a_path_file_in_a_venvs_bin(place: Place, text: str) -> None:
    check_path_file(place, text)


@pytest.mark.parametrize("flags", [("-S",), ("-I",), ("-s",)], ids=["S", "I", "s"])
def test_a_path_file_decides_about_site_whatever_the_flags_say(place: Place, flags: tuple[str, ...]) -> None:
    check_path_file(place, PATH_FILES["site"], *flags)


def test_a_path_file_beside_a_copied_interpreter(place: Place) -> None:
    check_path_file(place, PATH_FILES["site"], copied=True)


def check_path_file(place: Place, text: str, *flags: str, copied: bool = False) -> None:
    program = place.venv("include-system-site-packages = true", copied=copied)
    place.user_site()
    planted = program.with_name("python3._pth")
    planted.write_text(text.format(lib=place.library, name=place.interpreter.name))
    found = place.check(program, *flags, PYTHONPATH="/from/the/variable")
    assert (str(planted) in effects(found)) is modern(place)
    assert (found.site_imported is not None) is modern(place)


def test_a_path_file_named_like_another_link_counts_only_there(place: Place) -> None:
    program = place.venv()
    planted = program.with_name("python._pth")
    planted.write_text(f"{place.library}\n{place.library}/lib-dynload\n")
    found = place.check(program)
    assert (str(planted) in effects(found)) is modern(place)
    program.with_name("python").symlink_to("python3")
    place.check(program.with_name("python"))


@pytest.mark.parametrize("copied", [False, True], ids=["links", "copies"])
def test_a_path_file_beside_the_base_interpreter_counts_in_its_venvs(place: Place, copied: bool) -> None:
    program = place.venv(copied=copied)
    (place.bin / "python3._pth").write_text(f"{place.library}\n{place.library}/lib-dynload\nimport site\n")
    found = place.check(program)
    assert (str(place.bin / "python3._pth") in effects(found)) is modern(place)
    place.check(place.program)


# A build tree -------------------------------------------------------------------------------------------------------

BUILD_DIRECTORIES = {"named": "planted", "empty": "", "line end": "planted\n", "absolute": "/planted", "up": "../x\ny"}


@pytest.mark.parametrize(
    ("where", "text"),
    [*(("above", text) for text in BUILD_DIRECTORIES.values()), ("beside", "planted"), ("nowhere", "planted")],
)
def test_pybuilddir(place: Place, text: str, where: str) -> None:
    skip_out_of_tree_build(place, where)
    marker = place.bin / "pybuilddir.txt"
    marker.write_text(text)
    if where != "nowhere":
        link_library(place.real, (place.bin if where == "beside" else place.path) / "Lib")
    elif modern(place):
        pytest.skip("it finds no library then")
    found = place.check(place.program)
    assert str(marker) in effects(found)
    assert found.build_tree
    place.check(place.program, "-I")


@pytest.mark.parametrize("copied", [False, True], ids=["links", "copies"])
def test_pybuilddir_of_the_base_counts_in_its_venvs(place: Place, copied: bool) -> None:
    (place.bin / "pybuilddir.txt").write_text("planted")
    link_library(place.real, place.path / "Lib")
    found = place.check(place.venv(copied=copied))
    assert str(place.bin / "pybuilddir.txt") in effects(found)


def test_a_venvs_own_pybuilddir_is_not_looked_at(place: Place) -> None:
    program = place.venv()
    program.with_name("pybuilddir.txt").write_text("planted")
    place.check(program)
    place.check(program, PYTHONHOME=str(place.path))


def test_pybuilddir_and_the_home_variable(place: Place) -> None:
    (place.bin / "pybuilddir.txt").write_text("planted")
    link_library(place.real, place.path / "Lib")
    place.check(place.program, PYTHONHOME=str(place.path))


@pytest.mark.parametrize("where", ["beside", "above", "nowhere"])
def test_setup_local(place: Place, where: str) -> None:
    if place.interpreter.version < (3, 13, 15):
        skip_out_of_tree_build(place, where)
    (place.bin / "Modules").mkdir()
    (place.bin / "Modules/Setup.local").touch()
    if where != "nowhere":
        link_library(place.real, (place.bin if where == "beside" else place.path) / "Lib")
    elif modern(place) and place.interpreter.version < (3, 13, 15):
        pytest.skip("it finds no library then")
    found = place.check(place.program)
    assert str(place.bin / "Modules/Setup.local") in effects(found)


# Landmarks ----------------------------------------------------------------------------------------------------------


def test_a_library_in_bin_is_nearer(place: Place) -> None:
    nearer = place.bin / "lib" / place.interpreter.name
    link_library(place.real, nearer)
    mark(nearer / "site-packages")
    found = place.check(place.program)
    assert found.path == str(place.bin)
    assert str(nearer / "os.py") in effects(found)
    place.check(place.program, "-I")
    place.check(place.venv("include-system-site-packages = true"))


def test_a_lib_dynload_in_bin_is_nearer(place: Place) -> None:
    nearer = place.bin / "lib" / place.interpreter.name
    nearer.mkdir(parents=True)
    (nearer / "lib-dynload").symlink_to(place.real / "lib-dynload")
    mark(nearer / "site-packages")
    found = place.check(place.program)
    assert (str(nearer / "lib-dynload") in effects(found)) is (place.interpreter.minor < (3, 14))


def test_only_a_zip_marks_the_prefix(place: Place) -> None:
    """An empty zip is enough, though the library is not there."""
    name = f"python{place.interpreter.minor[0]}{place.interpreter.minor[1]}.zip"
    (place.path / "lib" / name).touch()
    found = place.check(place.program)
    assert effects(found)[str(place.path / "lib" / name)] == "precedes the standard library"


# The environment ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__"])
@pytest.mark.parametrize("flags", [(), ("-I",)], ids=["none", "I"])
def test_a_variable_names_another_environments_interpreter(place: Place, name: str, flags: tuple[str, ...]) -> None:
    program = place.venv()
    found = place.check(place.program, *flags, **{name: str(program)})
    assert (found.kind == "venv") is modern(place)
    assert (str(program) in effects(found)) is modern(place)


@pytest.mark.parametrize("include", ["true", "false"])
def test_home_and_the_link_disagree(place: Place, interpreter: Interpreter, tmp_path: Path, include: str) -> None:
    other = Place(interpreter, tmp_path / "other")
    place.check(place.venv(f"include-system-site-packages = {include}", home=other.bin))


@pytest.mark.parametrize("absolute", [False, True])
def test_a_chain_of_links(place: Place, absolute: bool) -> None:
    program = place.venv(home=Path("/nowhere"))
    program.unlink()
    (place.path / "links").mkdir()
    (place.path / "links/step").symlink_to(f"{place.path}/bin/../bin/python3" if absolute else "../bin/../bin/python3")
    program.symlink_to("../../links/step")
    if place.interpreter.minor < (3, 11) or place.interpreter.version >= (3, 14, 10):
        place.check(program)


def test_a_directory_named_pyvenv_cfg_is_a_venv_from_3_14(place: Place) -> None:
    program = place.venv()
    (place.path / "venv/pyvenv.cfg").unlink()
    (place.path / "venv/pyvenv.cfg").mkdir()
    place.user_site()
    found = place.check(program)
    assert (found.kind == "venv") is (place.interpreter.minor >= (3, 14))
    assert bool(effects(found)) is (place.interpreter.minor >= (3, 14))


def test_a_normal_installation_has_no_redirector(place: Place) -> None:
    assert effects(place.check(place.program)) == {}
    assert effects(place.check(place.venv())) == {}
