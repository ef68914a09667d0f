"""Finds configuration files and decides what of them may be believed.

The user's own file, then that of the project one stands in; ``--config`` names one file in place of both. A project's
file may have been written by anybody whose repository was cloned: it names nothing that envcheck would start, fetch
from or write to. A file that lies inside what is scanned may only tighten.
"""

from __future__ import annotations

import argparse
import os
import stat
import sys
from collections.abc import Mapping

from envcheck.cli.settings import NOT_IN_A_PROJECT, TIGHTENING, all_settings
from envcheck.files.inside import lies_in
from envcheck.files.root import Files, Unreadable
from envcheck.files.upwards import upwards
from envcheck.model.errors import UsageError
from envcheck.model.nouns import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envcheck.policy.configuration import Configuration

HEEDS_NONE = "heeds_no_configuration"
"""What a command sets among its parser's defaults to heed no configuration but one that is named."""
_PREFIX_ABOVE = 4
"""A prefix is at most so far above what may be named: ``lib/python3.12/site-packages``, ``Scripts/python.exe``."""
NAMES = ("envcheck.toml", "pyproject.toml")
"""A file of envcheck's own comes before a table in the project's."""


class Source(NamedTuple):
    """A configuration, and what it may do."""

    configuration: Configuration
    kind: str
    """``user``, ``project``, ``named`` or ``scanned``: a file inside what is scanned, which may only tighten."""


def sources_of(given: argparse.Namespace, environ: Mapping[str, str], directory: str) -> list[Source]:
    """The configurations of a command, in the order in which they apply. Raises `UsageError`."""
    files = Files()
    if given.config:
        if given.no_config:
            raise UsageError("--config and --no-config: one names a file, the other wants none")
        return [_named(files, given)]
    if given.no_config or heeds_none(given):
        return []
    sources = []
    user = user_file(environ, sys.platform)
    if user is not None and files.lstat(user) is not None:
        found = _read(files, user)
        if found is not None:
            sources.append(Source(found, "user"))
    home = environ.get("HOME")
    around = _stands_inside(files, given, directory)
    if around is None:
        found_here = project_file(files, directory, home)
    else:
        # What is scanned says what it may; it hides neither the project around it nor what that asks for.
        found_here = project_file(files, directory, os.path.dirname(around))
        if found_here is not None and inside(files, given, found_here) is not None:
            sources += _scanned(files, found_here, around)
        found_here = project_file(files, os.path.dirname(around), home)
    if found_here is not None and found_here != user:
        sources += _of_project(files, given, found_here)
    return sources


def heeds_none(given: argparse.Namespace) -> bool:
    """Whether a command heeds no file that was not named: those of an investigation, and the tool in one file.

    They stand on a machine whose files are evidence; nothing that lies about there may decide what they do.
    """
    return any(getattr(given, name, None) for name in ("root", HEEDS_NONE)) or in_one_file()


def in_one_file() -> bool:
    """Whether envcheck runs out of an archive that was carried here."""
    import envcheck

    return type(envcheck.__loader__).__module__ == "zipimport"


def _named(files: Files, given: argparse.Namespace) -> Source:
    path = os.path.abspath(given.config)
    found = _read(files, path)
    if found is None:
        raise UsageError(f"--config {path}: has no [tool.envcheck]", "name a file that has")
    holder = inside(files, given, path)
    if holder is not None:
        raise UsageError(f"--config {path}: lies inside {holder}, which is scanned", "keep it somewhere else")
    return Source(found, "named")


def _of_project(files: Files, given: argparse.Namespace, path: str) -> list[Source]:
    holder = inside(files, given, path)
    if holder is not None:
        return _scanned(files, path, holder)
    if _is_anybodys(files, path):
        from envcheck.reports.text import visible

        print(
            f"envcheck: {visible(path)} is not heeded: anybody may write it; name it with --config if you trust it",
            file=sys.stderr,
        )
        return []
    found = _read(files, path)
    if found is None:
        return []
    _refuse_in_a_project(found)
    return [Source(found, "project")]


def user_file(environ: Mapping[str, str], platform: str) -> str | None:
    """The user's own configuration, where `platformdirs` has it; without loading that for a file that is not there."""
    home = environ.get("HOME", "")
    if platform == "win32":
        from platformdirs import user_config_path

        return str(user_config_path("envcheck", appauthor=False) / "envcheck.toml")
    if platform == "darwin":
        base = os.path.join(home, "Library", "Application Support") if os.path.isabs(home) else ""
    else:
        base = environ.get("XDG_CONFIG_HOME", "").strip()
        if not base and os.path.isabs(home):
            base = os.path.join(home, ".config")
    return os.path.join(base, "envcheck", "envcheck.toml") if os.path.isabs(base) else None


def project_file(files: Files, directory: str, home: str | None) -> str | None:
    """The configuration of the project that one stands in: in the nearest directory upwards that has one."""
    for place in upwards(files, directory, home):
        for name in NAMES:
            path = os.path.join(place, name)
            if files.lstat(path) is None:
                continue
            if name == "envcheck.toml" or _has_table(_bytes(files, path), path):
                return path
    return None


def _is_anybodys(files: Files, path: str) -> bool:
    """Whether every user of the machine may write a file, or put one in its place (as in ``/tmp``), links resolved."""
    try:
        resolved = files.realpath(path)
    except Unreadable:
        return True
    for place in (path, os.path.dirname(path), os.path.dirname(resolved)):
        found = files.stat(place)
        if found is None or found.st_mode & stat.S_IWOTH:
            return True
    return False


def _has_table(data: bytes, path: str) -> bool:
    """Whether a ``pyproject.toml`` has ``tool.envcheck``; parsed only where something looks like such a table."""
    if b"envcheck" not in data:
        return False
    import re

    if re.search(rb"""(?m)(?:^|[.{,])\s*["']?envcheck["']?\s*(?:\]|\.|=\s*\{)""", data) is None:
        return False
    from envcheck.policy.configuration import parse

    return parse(data, path) is not None


def _bytes(files: Files, path: str) -> bytes:
    try:
        return files.read(path, files.limits.small)
    except Unreadable as error:
        raise UsageError(f"{path}: {error.why}", "correct it, or scan with --no-config") from None


def _read(files: Files, path: str) -> Configuration | None:
    from envcheck.checks.registry import all_rules
    from envcheck.policy.configuration import parse, read

    table = parse(_bytes(files, path), path)
    if table is None:
        return None
    return read(table, path, all_settings(), [rule.id for rule in all_rules()])


def inside(files: Files, given: argparse.Namespace, path: str) -> str | None:
    """The scanned environment that a path lies in; ``None`` for none, and where a command scans nothing."""
    if not hasattr(given, "targets"):
        return None
    from envcheck.cli.options import invocation, targets
    from envcheck.environments.discover import find_environment
    from envcheck.environments.pyvenv import venvs_around

    model = invocation(given)
    for target in targets(given, files, model):
        environment = find_environment(Files(), target, model)
        sites = [site.path for site in environment.own_site_dirs]
        # What is named may be a part of a venv: its site directory, a directory in it.
        for place in (environment.path, *venvs_around(files, target), *sites):
            if lies_in(files, path, place):
                return place
    return None


def _stands_inside(files: Files, given: argparse.Namespace, directory: str) -> str | None:
    """The scanned environment that the current directory lies in.

    What a target is takes time to tell: it is asked only where the directory lies below it, or below what may be the
    prefix of an interpreter or a site directory that is named.
    """
    if not hasattr(given, "targets"):
        return None
    from envcheck.cli.options import invocation, targets

    for target in targets(given, files, invocation(given)):
        places = [target]
        if not files.is_file(os.path.join(target, "pyvenv.cfg")):
            for _ in range(_PREFIX_ABOVE):
                places.append(os.path.dirname(places[-1]))
        if any(place != "/" and lies_in(files, directory, place) for place in places):
            return inside(files, given, directory)
    return None


def _scanned(files: Files, path: str, holder: str) -> list[Source]:
    """A configuration inside what is scanned: what it cannot do, or cannot say, is said and left out."""
    from envcheck.reports.text import visible

    try:
        found = _read(files, path)
    except UsageError as error:
        print(f"envcheck: {visible(path)} is not heeded: {visible(error.message)}", file=sys.stderr)
        return []
    if found is None:
        return []
    left_out = [key for key in found.values if key not in TIGHTENING]
    left_out += ["waivers"] * bool(found.waivers) + ["expected"] * (found.expected is not None)
    left_out += [f"rules.{rule}" for rule in found.off]
    if left_out:
        print(
            f"envcheck: {visible(path)} lies inside what is scanned and may only tighten: "
            f"{visible(', '.join(left_out))} not heeded",
            file=sys.stderr,
        )
    values = {key: value for key, value in found.values.items() if key in TIGHTENING}
    return [Source(found._replace(values=values, off=(), waivers=(), expected=None), "scanned")]


def _refuse_in_a_project(found: Configuration) -> None:
    for key in found.values:
        if key in NOT_IN_A_PROJECT:
            raise UsageError(
                f"{found.path}: {key}: not in a project's configuration, which anybody may have written",
                "give it on the command line, in your own configuration, or in a file that --config names",
            )
