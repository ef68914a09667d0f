"""Whose start of Python is modelled on a mounted machine: the owner's, and each user's for whom something else runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from envcheck.environments.accounts import Account, accounts, as_account, views
from envcheck.files.root import Files
from envcheck.model.invocation import Invocation

PASSWD = """\
root:x:0:0:root:/root:/bin/bash
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
ana:x:1000:1000::/home/ana:/bin/bash
bob:x:1001:1001::/home/bob/:/bin/sh
broken line
evil:x:0x10:0::/etc:/bin/sh
daemon:x:1:1:daemon:/:/usr/sbin/nologin
"""


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    for home in ("root", "home/ana", "home/bob", "home/carla", "home/.hidden", "Users/Shared"):
        (tmp_path / home).mkdir(parents=True)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text(PASSWD)
    library = tmp_path / "usr/lib/python3.11"
    library.mkdir(parents=True)
    (library / "os.py").write_text("")
    return tmp_path


def user_site(machine: Path, home: str) -> Path:
    site = machine / home / ".local/lib/python3.11/site-packages"
    site.mkdir(parents=True)
    return site


def test_every_account_with_a_home_is_found_once(machine: Path) -> None:
    assert accounts(Files(str(machine))) == (
        Account("root", "/root", 0, 0),
        Account("ana", "/home/ana", 1000, 1000),
        Account("bob", "/home/bob", 1001, 1001),
        Account("carla", "/home/carla"),
    )


def test_a_machine_without_an_account_database_has_its_homes(machine: Path) -> None:
    (machine / "etc/passwd").unlink()
    assert [account.name for account in accounts(Files(str(machine)))] == ["ana", "bob", "carla"]


def test_a_home_that_leads_out_of_the_machine_is_its_own_place_there(machine: Path) -> None:
    (machine / "home/dora").symlink_to("/nowhere")
    assert "dora" not in [account.name for account in accounts(Files(str(machine)))]


def test_an_account_is_modelled_by_its_variables_and_numbers() -> None:
    start = as_account(Invocation(("-E",), {"LANG": "C"}), Account("ana", "/home/ana", 1000, 1000))
    assert start == Invocation(("-E",), {"LANG": "C", "HOME": "/home/ana", "USER": "ana"}, (1000, 1000), (1000, 1000))
    assert as_account(start, Account("carla", "/home/carla")).uids is None


def test_each_user_with_a_site_of_its_own_is_a_view(machine: Path) -> None:
    for home in ("home/bob", "home/carla"):
        user_site(machine, home)
    found = views(Files(str(machine)), "/usr", Invocation())
    assert [view.environ["HOME"] for view in found][-2:] == ["/home/bob", "/home/carla"]
    assert len(found) == 3


def test_a_site_that_several_users_share_is_one_view(machine: Path) -> None:
    user_site(machine, "home/bob")
    (machine / "home/carla").rmdir()
    (machine / "home/carla").symlink_to("bob")
    found = views(Files(str(machine)), "/usr", Invocation())
    assert [view.environ["HOME"] for view in found][1:] == ["/home/bob"]


def test_who_names_a_home_speaks_for_one_user(machine: Path) -> None:
    user_site(machine, "home/bob")
    for variable in ("HOME", "PYTHONUSERBASE"):
        start = Invocation((), {variable: "/home/ana"})
        assert views(Files(str(machine)), "/usr", start) == (start,)


def test_without_a_user_site_in_use_there_is_one_view(machine: Path) -> None:
    user_site(machine, "home/bob")
    start = Invocation(("-I",))
    assert len(views(Files(str(machine)), "/usr", start)) == 1
