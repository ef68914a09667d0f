"""The accounts of a machine into the starts of Python to model: one for each user whose own site directory matters.

Accounts come from ``/etc/passwd`` and from the directories that homes usually are: those of a directory service are in
no file. Where an interpreter has a user site for several accounts, what runs differs with who starts it.
"""

from __future__ import annotations

import posixpath

from envcheck.environments.discover import find_environment
from envcheck.files.root import Files, Unreadable
from envcheck.model.environment import Environment
from envcheck.model.errors import TargetError
from envcheck.model.invocation import Invocation
from envcheck.model.nouns import NamedTuple

_HOMES = ("/home", "/Users", "/var/home", "/export/home")
_MOST = 2_000
"""Accounts that are looked at."""
_NO_USERS = frozenset({"Public", "Shared", "Default", "Default User", "All Users", "lost+found"})


class Account(NamedTuple):
    """One user of the machine."""

    name: str
    home: str
    uid: int | None = None
    gid: int | None = None
    """``None`` where only a home directory tells of the account."""


def accounts(files: Files) -> tuple[Account, ...]:
    """Every account whose home directory is there, by number, then those that only have a home; each home once."""
    found = sorted(_listed(files), key=lambda account: (account.uid or 0, account.name))
    homes = {account.home for account in found}
    for top in _HOMES:
        for name in sorted(files.names(top)) if files.is_dir(top) else ():
            home = posixpath.join(top, name)
            if home not in homes and name not in _NO_USERS and not name.startswith(".") and files.is_dir(home):
                homes.add(home)
                found.append(Account(name, home))
    if len(found) > _MOST:
        files.miss("/etc/passwd", f"has more than {_MOST:,} accounts: the others' site directories were not looked at")
    return tuple(found[:_MOST])


def _listed(files: Files) -> list[Account]:
    try:
        data, _ = files.read_part("/etc/passwd", 4 << 20)
    except Unreadable:
        return []
    found: dict[str, Account] = {}
    for line in data.decode("utf-8", "surrogateescape").split("\n"):
        fields = line.split(":")
        if len(fields) < 7 or not fields[2].isdecimal() or not fields[3].isdecimal():
            continue
        home = posixpath.normpath(fields[5]) if fields[5].startswith("/") else ""
        if home not in ("", "/") and home not in found and files.is_dir(home):
            found[home] = Account(fields[0], home, int(fields[2][:10]), int(fields[3][:10]))
    return list(found.values())


def as_account(invocation: Invocation, account: Account) -> Invocation:
    """The same start of Python, by this user."""
    ids = account.uid is not None and account.gid is not None
    return invocation._replace(
        environ={**invocation.environ, "HOME": account.home, "USER": account.name},
        uids=(account.uid, account.uid) if ids and account.uid is not None else None,
        gids=(account.gid, account.gid) if ids and account.gid is not None else None,
    )


def views(files: Files, target: str, invocation: Invocation) -> tuple[Invocation, ...]:
    """The start by the environment's owner, then by each other account with a user site of its own for this Python.

    A start that names HOME or PYTHONUSERBASE already is one user's, and stays the only one. Raises `TargetError`.
    """
    if {"HOME", "PYTHONUSERBASE"} & set(invocation.environ):
        return (invocation,)
    everybody = accounts(files)
    found = files.stat(target)
    owner = next((account for account in everybody if found is not None and account.uid == found.st_uid), None)
    first = invocation if owner is None else as_account(invocation, owner)
    chosen = [first]
    seen = _user_sites(files, find_environment(files, target, first))
    for account in everybody:
        if account == owner:
            continue
        other = as_account(invocation, account)
        try:
            sites = _user_sites(files, find_environment(files, target, other))
        except TargetError:
            continue
        if not sites <= seen:
            seen |= sites
            chosen.append(other)
    return tuple(chosen)


def _user_sites(files: Files, environment: Environment) -> frozenset[str]:
    """The user sites that are there, each as what it resolves to: several users may share one."""
    found = set()
    for site in environment.site_dirs:
        if site.origin == "user":
            try:
                found.add(files.realpath(site.path))
            except Unreadable:
                found.add(site.path)
    return frozenset(found)
