"""The ownership rule of the user site, library directories of other names, and flags, by the real interpreters."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from environments.places import Place, mark

NOBODY = 65534


def _other_user() -> None:
    os.setreuid(NOBODY, 0)


def _other_group() -> None:
    os.setregid(NOBODY, 0)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can start a process with another real user")
@pytest.mark.parametrize(
    ("ids", "become"),
    [(((NOBODY, 0), (0, 0)), _other_user), (((0, 0), (NOBODY, 0)), _other_group)],
    ids=["user", "group"],
)
def test_a_process_that_acts_for_another_has_no_user_site(
    place: Place, ids: tuple[tuple[int, int], tuple[int, int]], become: Callable[[], None]
) -> None:
    place.user_site()
    found = place.check(place.program, ids=ids, become=become)
    assert found.user_site_enabled is None
    assert [site.origin for site in found.site_sequence if site.origin == "user"] == []


def test_the_user_site_of_a_base_comes_first(place: Place) -> None:
    user = place.user_site()
    assert place.check(place.program).site_sequence[0].path == str(user)
    assert place.check(place.program, PYTHONNOUSERSITE="0").site_sequence[0].path == str(user)
    assert place.check(place.program, PYTHONNOUSERSITE="1").user_site_enabled is False
    assert place.check(place.program, "-E", PYTHONNOUSERSITE="1").user_site_enabled is True


def test_a_user_base_with_a_tilde_is_taken_as_it_stands(place: Place) -> None:
    mark(place.path / "home/~/lib" / place.interpreter.name / "site-packages")
    place.check(place.program, "-E", PYTHONUSERBASE=f"{place.path}/home/~")


def test_linked_library_directories_are_processed_by_each_spelling(place: Place) -> None:
    """A venv with ``lib64`` linked to ``lib``: four times up to 3.14, twice from 3.15."""
    if place.interpreter.minor < (3, 9):
        pytest.skip("PYTHONPLATLIBDIR came with 3.9")
    program = place.venv()
    (place.path / "lib64").symlink_to("lib")
    (place.path / "venv/lib64").symlink_to("lib")
    found = place.check(program, PYTHONPLATLIBDIR="lib64")
    own = [site for site in found.site_sequence if "/venv/" in site.path]
    if "dist-packages" not in (place.real / "site.py").read_text():
        assert len(own) == (2 if place.interpreter.minor >= (3, 15) else 4)
    assert {"lib64"} == {path.split("/base/")[1].split("/")[0] for path in found.initial_path}


def test_a_safe_path_leaves_pythonpath(place: Place) -> None:
    if place.interpreter.minor < (3, 11):
        pytest.skip("-P came with 3.11")
    assert place.check(place.program, "-P", PYTHONPATH="/added").initial_path[0] == "/added"


@pytest.mark.parametrize("include", ["true", "false"])
def test_debians_directories_in_a_venv(place: Place, include: str) -> None:
    """A venv of Debian's Python processes upstream's and Debian's directories; any other only upstream's."""
    program = place.venv(f"include-system-site-packages = {include}")
    name = place.interpreter.name
    for root in (place.path, place.path / "venv"):
        for part in (f"local/lib/{name}/dist-packages", "lib/python3/dist-packages", f"lib/{name}/dist-packages"):
            mark(root / part)
    place.check(program)
    place.check(place.program)
