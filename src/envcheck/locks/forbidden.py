"""A lock's project into which builds its installer is told not to make, and into the settings that forbid them.

Variables and command lines are not known.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

from envcheck.files.root import Files, Missing, Unreadable
from envcheck.locks.builds import Build
from envcheck.locks.project import read_project
from envcheck.locks.requirement_lines import decode, logical_lines
from envcheck.locks.script import read_script, script_of
from envcheck.locks.tables import Table, Wrong, get_bool, get_str, get_strings, get_table
from envcheck.locks.toml import parse_toml
from envcheck.model.errors import LockError
from envcheck.model.inventory import normalize_name
from envcheck.model.lock import Lock, LockFormat, LockProblem
from envcheck.model.nouns import NamedTuple

ALL, NONE = ":all:", ":none:"


class Configured(NamedTuple):
    """Whether an installer is told to build nothing, or not to build some packages, and where that stands."""

    everywhere: bool
    names: frozenset[str] = frozenset()
    where: str | None = None


def sdist_problems(lock: Lock, found: Sequence[Build], configured: Configured) -> Iterator[LockProblem]:
    """One problem a package that is not the project's own; none for those that an installer is told not to build."""
    remedy = remedy_of(lock.format, exempt(lock.format, found))
    for build in found:
        if build.local or _is_forbidden(lock.format, build, configured):
            continue
        message = f"{build.package.name or build.package.source}: {build.why}"
        yield LockProblem("lock-sdist", build.package.where, message, build.package.name, remedy)


def _is_forbidden(form: LockFormat, build: Build, configured: Configured) -> bool:
    """Only uv's setting also holds for what comes from a repository or a URL."""
    if form != "uv" and build.package.source_kind != "registry":
        return False
    return configured.everywhere or build.package.name in configured.names


def exempt(form: LockFormat, found: Iterable[Build]) -> tuple[str, ...]:
    """The packages that must be named where every other build is forbidden, sorted.

    uv never forbids to build what is editable; the others forbid to build archives of an index only.
    """
    names = set()
    for build in found:
        kind = build.package.source_kind
        if kind != "editable" if form == "uv" else kind == "registry":
            names.add(build.package.name)
    return tuple(sorted(names - {""}))


def settings(form: LockFormat, names: Sequence[str]) -> tuple[str, ...]:
    """The lines that forbid every build but those of ``names``, for the tool that installs from such a lock."""
    listed = ", ".join(f'"{name}"' for name in names)
    joined = ",".join(names)
    if form == "uv":
        return ("[tool.uv]", "no-build = true", *([f"no-binary-package = [{listed}]"] if names else []))
    if form == "pdm":
        lines = ("[tool.pdm.resolution]", f'only-binary = ["{ALL}"]')
        return (*lines, *([f"no-binary = [{listed}]"] if names else []))
    if form == "poetry":
        command = "poetry config --local installer."
        return (f"{command}only-binary {ALL}", *([f"{command}no-binary {joined}"] if names else []))
    if form == "pipenv":
        return (f"PIP_ONLY_BINARY={ALL}", *([f"PIP_NO_BINARY={joined}"] if names else []))
    return (f"--only-binary {ALL}", *([f"--no-binary {joined}"] if names else []))


def remedy_of(form: LockFormat, names: Sequence[str]) -> str:
    """The settings in one line."""
    return f"forbid all other builds: {'; '.join(settings(form, names))}"


def no_build(files: Files, lock: Lock) -> Configured:
    """What the project's own files forbid."""
    directory = os.path.dirname(lock.path)
    try:
        if lock.format == "requirements":
            return _only_binary(files, lock.path)
        if lock.format == "uv":
            script = script_of(lock)
            return _of_uv(files, directory) if script is None else _of_script(files, script)
        if lock.format == "pdm":
            table = get_table(get_table(get_table(read_project(files, directory), "tool"), "pdm"), "resolution")
            return _listed(table, "tool.pdm.resolution")
        if lock.format == "poetry":
            return _listed(get_table(_table(files, os.path.join(directory, "poetry.toml")), "installer"), "poetry.toml")
    except Wrong:
        pass
    return Configured(False)


def _of_uv(files: Files, directory: str) -> Configured:
    """``uv.toml`` takes the place of the project's table."""
    path = os.path.join(directory, "uv.toml")
    own = files.exists(path)
    table = _table(files, path) if own else get_table(get_table(read_project(files, directory), "tool"), "uv")
    where = "uv.toml: " if own else "tool.uv."
    return _uv_settings(table, where)


def _of_script(files: Files, path: str) -> Configured:
    """Its own block: what stands beside the script holds only where uv is started there."""
    table = get_table(get_table(read_script(files, path), "tool"), "uv")
    return _uv_settings(table, f"{os.path.basename(path)}: tool.uv.")


def _uv_settings(table: Table, where: str) -> Configured:
    if get_bool(table, "no-build"):
        return Configured(True, where=f"{where}no-build")
    names = get_strings(table, "no-build-package") if "no-build-package" in table else ()
    return Configured(False, frozenset(map(normalize_name, names)), f"{where}no-build-package" if names else None)


def _table(files: Files, path: str) -> Table:
    """A TOML file beside the lock; nothing is known of one that cannot be read."""
    try:
        return parse_toml(files.read(path), os.path.basename(path))
    except Missing:
        pass
    except Unreadable as error:
        files.miss(path, error.why)
    except LockError as error:
        files.miss(path, error.message)
    return {}


def _listed(table: Table, where: str) -> Configured:
    """``only-binary``, of which a name under ``no-binary`` is exempt: a list, or names with commas between them."""
    value = table.get("only-binary")
    if value is None:
        return Configured(False)
    if type(value) is bool:
        return Configured(value, where=f"{where}: only-binary" if value else None)
    parts = (
        (get_str(table, "only-binary") or "").split(",") if type(value) is str else get_strings(table, "only-binary")
    )
    return _named({part.strip() for part in parts} - {""}, f"{where}: only-binary")


def _named(names: set[str], where: str) -> Configured:
    if ALL in names:
        return Configured(True, where=f"{where} {ALL}")
    return Configured(False, frozenset(map(normalize_name, names)), where if names else None)


def _only_binary(files: Files, path: str) -> Configured:
    """The options of a requirements file; ``:none:`` takes back what stands before it."""
    names: set[str] = set()
    try:
        lines = list(logical_lines(decode(files.read(path, files.limits.lock))))
    except Unreadable:
        return Configured(False)
    for _, line in lines:
        words = line.replace("=", " ").split()
        if len(words) == 2 and words[0] == "--only-binary":
            for word in words[1].split(","):
                names = set() if word == NONE else names | {word}
    return _named(names - {""}, "--only-binary")
