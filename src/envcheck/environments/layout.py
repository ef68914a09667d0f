"""Turns prefixes, version and invocation into site directories in order, user site and initial ``sys.path``.

What ``Lib/site.py`` does before it reads the first ``.pth``, Debian's patch included; see rules.py for the versions.
"""

import posixpath
import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from envcheck.environments.prefixes import Build, Prefixes
from envcheck.environments.rules import Rule
from envcheck.files.root import Files, Unreadable
from envcheck.model.environment import SiteDir, SiteOrigin
from envcheck.model.invocation import Invocation

Scheme = Literal["posix", "debian", "debian-variable", "windows"]
"""How a prefix spells its site directories: upstream's, Debian's, older Debian's (which asks VIRTUAL_ENV), Windows'."""


class UserSite(NamedTuple):
    """``site.USER_SITE`` and ``site.ENABLE_USER_SITE``."""

    path: str | None
    enabled: bool | None


class Venv(NamedTuple):
    """What ``site`` knows of the virtual environment that it runs in."""

    prefix: str
    include_system_site: bool


def detect_scheme(files: Files, stdlib: str) -> Scheme:
    """Debian's ``site.py`` speaks of dist-packages, upstream's does not."""
    try:
        text, _ = files.read_part(posixpath.join(stdlib, "site.py"), 1 << 17)
    except Unreadable:
        return "posix"
    if b"dist-packages" not in text:
        return "posix"
    return "debian-variable" if re.search(rb"""["']VIRTUAL_ENV["'] in os\.environ""", text) else "debian"


def site_packages(
    scheme: Scheme, prefix: str, platlibdir: str, build: Build, rule: Rule, in_venv: bool
) -> tuple[str, ...]:
    """``site.getsitepackages([prefix])``: the candidates in order, whether they exist or not."""
    if scheme == "windows":
        return (prefix, posixpath.join(prefix, "Lib/site-packages"))
    libraries = [platlibdir] if rule.platlibdir else ["lib"]
    if "lib" not in libraries:
        libraries.append("lib")
    version = f"python{build.minor[0]}.{build.minor[1]}"
    if scheme == "posix":
        return tuple(posixpath.join(prefix, lib, build.library, "site-packages") for lib in libraries)
    names = [f"lib/{version}/site-packages"] if in_venv else []
    names += [f"local/lib/{version}/dist-packages", "lib/python3/dist-packages"]
    names += [f"{lib}/{version}/dist-packages" for lib in libraries]
    return tuple(posixpath.join(prefix, name) for name in names)


def user_site(
    files: Files, build: Build, venv: Venv | None, invocation: Invocation, scheme: Scheme = "posix"
) -> UserSite:
    """Where the user site is and whether it is enabled; PYTHONUSERBASE counts even under ``-E``."""
    return UserSite(_user_path(files, build, invocation, scheme), _user_enabled(venv, invocation))


def _user_path(files: Files, build: Build, invocation: Invocation, scheme: Scheme) -> str | None:
    base = user_base(files, invocation)
    if base is None or scheme == "windows":
        return None
    return f"{base}/lib/{build.library}/site-packages"


def user_base(files: Files, invocation: Invocation) -> str | None:
    """``site.USER_BASE``: PYTHONUSERBASE as it stands (no ``~`` is expanded), else ``~/.local``."""
    base = invocation.environ.get("PYTHONUSERBASE")
    if base:
        return base
    home = invocation.environ.get("HOME")
    if home is None:
        home = _account_home(files, invocation)
    # os.path.expanduser strips the slashes at the end of the home directory.
    return None if home is None else home.rstrip("/") + "/.local"


def _account_home(files: Files, invocation: Invocation) -> str | None:
    """Without HOME, Python asks the account database for the real user's home."""
    if invocation.uids is None:
        return None
    try:
        data, _ = files.read_part("/etc/passwd")
    except Unreadable:
        return None
    for line in data.decode("utf-8", "surrogateescape").split("\n"):
        fields = line.split(":")
        if len(fields) >= 7 and fields[2] == str(invocation.uids[0]):
            return fields[5]
    return None


def _user_enabled(venv: Venv | None, invocation: Invocation) -> bool | None:
    """``ENABLE_USER_SITE``: ``None`` where real and effective user or group differ."""
    if invocation.no_site or invocation.no_user_site_flag or _switch(invocation.variable("PYTHONNOUSERSITE")):
        return False
    if venv is not None and not venv.include_system_site:
        return False
    if any(ids is not None and ids[0] != ids[1] for ids in (invocation.uids, invocation.gids)):
        return None
    return True


def _switch(value: str | None) -> bool:
    """A variable that is a flag since 3.7: a number above zero, or any text that is no number."""
    if not value:
        return False
    if re.fullmatch(r"[ \t\n\v\f\r]*[+-]?[0-9]+", value):
        return int(value[:32]) != 0
    return True


def site_sequence(
    files: Files,
    prefixes: Prefixes,
    rule: Rule,
    venv: Venv | None,
    user: UserSite,
    invocation: Invocation,
    scheme: Scheme = "posix",
) -> tuple[SiteDir, ...]:
    """Existing site directories in the order of processing, repetitions included; empty under ``-S``."""
    if invocation.no_site:
        return ()
    in_venv = venv is not None or (scheme == "debian-variable" and "VIRTUAL_ENV" in invocation.environ)

    def packages(prefix_list: Sequence[str], origin: SiteOrigin) -> list[SiteDir]:
        candidates = (
            path
            for prefix in dict.fromkeys(prefix_list)
            if prefix
            for path in site_packages(scheme, prefix, prefixes.platlibdir, prefixes.build, rule, in_venv)
        )
        return [SiteDir(posixpath.normpath(path), origin) for path in candidates if _is_site_dir(files, path)]

    base = [prefixes.prefix, prefixes.exec_prefix]
    users = []
    if user.enabled and user.path is not None and _is_site_dir(files, user.path):
        users = [SiteDir(posixpath.normpath(user.path), "user")]
    if venv is None:
        sequence = users + packages(base, "debian" if scheme.startswith("debian") else "base")
    else:
        own = packages([venv.prefix], "venv")
        shared = [prefix for prefix in base if prefix != venv.prefix] if venv.include_system_site else []
        sequence = own + users + own + packages(shared, "base")
    return tuple(sequence if rule.repeats else dict.fromkeys(sequence))


def _is_site_dir(files: Files, path: str) -> bool:
    """A directory; one that depends on the current directory, or on another system's drives, is noted, never read."""
    if path.startswith("/"):
        return files.is_dir(path)
    files.miss(path, "a site directory that is no absolute path here: not read")
    return False


def initial_path(prefixes: Prefixes, invocation: Invocation) -> tuple[str, ...]:
    """``sys.path`` before ``site``, each spelling once: PYTHONPATH, zip, standard library, lib-dynload.

    An empty PYTHONPATH element and ``.`` are the current directory, ``""``; other relative ones stay relative.
    """
    elements: list[str] = []
    variable = invocation.variable("PYTHONPATH")
    if variable:
        elements += [_element(part) for part in variable.split(":")]
    library = [prefixes.zip, prefixes.stdlib, prefixes.dynload]
    return tuple(dict.fromkeys(elements + [posixpath.normpath(path) for path in library]))


def _element(part: str) -> str:
    normal = posixpath.normpath(part) if part else "."
    return "" if normal == "." else normal
