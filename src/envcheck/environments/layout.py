"""Turns prefixes, version and invocation into site directories in order, user site and initial ``sys.path``.

What ``Lib/site.py`` does before it reads the first ``.pth``, Debian's patch included; see rules.py for the versions.
"""

import posixpath
import re
from collections.abc import Sequence

from envcheck.environments import windows
from envcheck.environments.prefixes import Build, Prefixes
from envcheck.environments.rules import Rule
from envcheck.files.process import names_process
from envcheck.files.root import Files, Unreadable
from envcheck.model.environment import SiteDir, SiteOrigin
from envcheck.model.invocation import Invocation
from envcheck.model.nouns import Literal, NamedTuple

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
    by_site: bool = True
    """Whether ``site`` found a pyvenv.cfg of its own; from 3.14 on the path configuration alone can make a venv."""


def site_packages(
    files: Files, scheme: Scheme, prefix: str, platlibdir: str, build: Build, rule: Rule, in_venv: bool
) -> tuple[str, ...]:
    """``site.getsitepackages([prefix])``: the candidates in order, whether they exist or not."""
    if scheme == "windows":
        return windows.site_packages(files, prefix)
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
    files: Files,
    prefixes: Prefixes,
    rule: Rule,
    venv: Venv | None,
    invocation: Invocation,
    scheme: Scheme = "posix",
    platform: str = "",
) -> UserSite:
    """Where the user site is and whether it is enabled; PYTHONUSERBASE counts even under ``-E``."""
    path = _user_path(files, prefixes, invocation, scheme, platform)
    return UserSite(path, _user_enabled(prefixes, rule, venv, invocation))


def _user_path(files: Files, prefixes: Prefixes, invocation: Invocation, scheme: Scheme, platform: str) -> str | None:
    build = prefixes.build
    if scheme == "windows":
        return windows.user_site(build, invocation, platform)
    framework = is_framework(prefixes)
    base = user_base(files, invocation, build if framework else None)
    if base is None:
        return None
    return f"{base}/lib/{'python' if framework else build.library}/site-packages"


def is_framework(prefixes: Prefixes) -> bool:
    """A macOS framework build, by where it lies."""
    return prefixes.prefix.endswith(f"/Python.framework/Versions/{prefixes.build.minor[0]}.{prefixes.build.minor[1]}")


def user_base(files: Files, invocation: Invocation, framework: Build | None = None) -> str | None:
    """``site.USER_BASE``: PYTHONUSERBASE as it stands (no ``~`` is expanded), else ``~/.local``.

    A ``framework`` build of macOS has it in ``~/Library``.
    """
    base = invocation.environ.get("PYTHONUSERBASE")
    if base:
        return base
    home = invocation.environ.get("HOME")
    if home is None:
        home = _account_home(files, invocation)
    # os.path.expanduser strips the slashes at the end of the home directory.
    tail = f"Library/Python/{framework.minor[0]}.{framework.minor[1]}" if framework else ".local"
    return None if home is None else f"{home.rstrip('/')}/{tail}"


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


def imports_site(prefixes: Prefixes, invocation: Invocation) -> bool:
    """Whether ``site`` is imported: a ``._pth`` decides alone, whatever ``-S`` says."""
    return not invocation.no_site if prefixes.path_file is None else prefixes.path_file.imports_site


def _user_enabled(prefixes: Prefixes, rule: Rule, venv: Venv | None, invocation: Invocation) -> bool | None:
    """``ENABLE_USER_SITE``: ``None`` where real and effective user or group differ."""
    if not imports_site(prefixes, invocation) or (prefixes.path_file and rule.path_file_ends_user_site):
        return False
    if invocation.no_user_site_flag or _switch(invocation.variable("PYTHONNOUSERSITE")):
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
    if not imports_site(prefixes, invocation):
        return ()
    in_venv = venv is not None or (scheme == "debian-variable" and "VIRTUAL_ENV" in invocation.environ)

    def packages(prefix_list: Sequence[str], origin: SiteOrigin) -> list[SiteDir]:
        candidates = (
            path
            for prefix in dict.fromkeys(prefix_list)
            if prefix
            for path in site_packages(files, scheme, prefix, prefixes.platlibdir, prefixes.build, rule, in_venv)
        )
        return [SiteDir(posixpath.normpath(path), origin) for path in candidates if _is_site_dir(files, path)]

    base = [prefixes.prefix, prefixes.exec_prefix]
    users = []
    if user.enabled and user.path is not None and _is_site_dir(files, user.path):
        users = [SiteDir(posixpath.normpath(user.path), "user")]
    if venv is None:
        sequence = users + packages(base, "debian" if scheme.startswith("debian") else "base")
    elif not venv.by_site:
        sequence = users + packages([venv.prefix], "venv")
    else:
        own = packages([venv.prefix], "venv")
        shared = [prefix for prefix in base if prefix != venv.prefix] if venv.include_system_site else []
        sequence = own + users + own + packages(shared, "base")
    return tuple(sequence if rule.repeats else dict.fromkeys(sequence))


def _is_site_dir(files: Files, path: str) -> bool:
    """A directory; one that depends on the current directory, or on another system's drives, is noted, never read."""
    if not names_process(files, path):
        return files.is_dir(path)
    files.miss(path, "a site directory of the process that starts Python, or of another system: not read")
    return False


def initial_path(prefixes: Prefixes, invocation: Invocation, scheme: Scheme = "posix") -> tuple[str, ...]:
    """``sys.path`` before ``site``, each spelling once: PYTHONPATH, zip, standard library, lib-dynload.

    An empty PYTHONPATH element and ``.`` are the current directory, ``""``; other relative ones stay relative. A
    ``._pth`` replaces all of it.
    """
    if prefixes.path_file is not None:
        return tuple(dict.fromkeys(prefixes.path_file.entries))
    elements: list[str] = []
    variable = invocation.variable("PYTHONPATH")
    if variable:
        parts = variable.split(";" if scheme == "windows" else ":")
        elements += [_element(part) for part in parts]
    library = [prefixes.zip, prefixes.stdlib, prefixes.dynload]
    if scheme == "windows":
        library = [prefixes.zip, prefixes.dynload, prefixes.stdlib, prefixes.start]
    return tuple(dict.fromkeys(elements + [_normal(path) for path in library]))


def _normal(path: str) -> str:
    return posixpath.normpath(path) if path.startswith("/") else path


def _element(part: str) -> str:
    normal = posixpath.normpath(part) if part else "."
    return "" if normal == "." else normal
