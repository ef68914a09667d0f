"""A lock's project into which builds its installer is told not to make, or to make, and the settings that forbid them.

Variables and command lines are not known.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from envcheck.files.root import Files, Missing, Unreadable
from envcheck.locks.builds import Build
from envcheck.locks.entries import options
from envcheck.locks.project import read_project
from envcheck.locks.requirement_lines import decode, logical_lines
from envcheck.locks.script import read_script, script_of
from envcheck.locks.tables import Table, Wrong, get_bool, get_str, get_strings, get_table
from envcheck.locks.toml import parse_toml
from envcheck.model.errors import LockError
from envcheck.model.inventory import normalize_name
from envcheck.model.lock import Lock, LockedPackage, LockFormat, LockProblem
from envcheck.model.nouns import NamedTuple

ALL, NONE = ":all:", ":none:"
_MAX_INCLUDED = 16
"""Files within files; what goes deeper is no lock that is read."""


class Configured(NamedTuple):
    """Whether an installer is told to build nothing, or not to build some packages, and where that stands."""

    everywhere: bool
    names: frozenset[str] = frozenset()
    where: str | None = None
    built: frozenset[str] = frozenset()
    """What it is told to build even where there is a wheel, normalised, or ``:all:``."""
    built_where: str | None = None


def forced(configured: Configured, packages: Iterable[LockedPackage], found: Iterable[Build]) -> tuple[Build, ...]:
    """Selected packages that have a wheel and are built nevertheless; what ``found`` has is built anyway."""
    if not configured.built:
        return ()
    already = {id(build.package) for build in found}
    made = []
    for package in packages:
        if package.source_kind != "registry" or id(package) in already or package.name in configured.names:
            continue
        # Where there is no source archive the installer refuses; bare hashes may be those of one.
        if not any(artifact.kind in ("sdist", "unknown") for artifact in package.artifacts):
            continue
        if package.name in configured.built or (ALL in configured.built and not configured.everywhere):
            why = f"is built even where there is a wheel: {configured.built_where} says so"
            made.append(Build(package, why))
    return tuple(made)


def forced_problems(found: Iterable[Build], configured: Configured) -> Iterator[LockProblem]:
    """One problem a package: the setting makes code run that its wheel would not."""
    for build in found:
        message = f"{build.package.name}: {build.why}"
        remedy = f"take it out of {configured.built_where}, unless you need what is built here"
        yield LockProblem("lock-sdist", build.package.where, message, build.package.name, remedy)


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
            return _pip_options(files, lock.path)
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
    built, built_where = frozenset(map(normalize_name, get_strings(table, "no-binary-package"))), "no-binary-package"
    if get_bool(table, "no-binary"):
        built, built_where = built | {ALL}, "no-binary"
    names = frozenset(map(normalize_name, get_strings(table, "no-build-package")))
    everywhere = get_bool(table, "no-build")
    key = "no-build" if everywhere else "no-build-package" if names else None
    return Configured(
        everywhere,
        frozenset() if everywhere else names,
        key and f"{where}{key}",
        built,
        f"{where}{built_where}" if built else None,
    )


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
    return _named(_names(table, "only-binary"), _names(table, "no-binary"), f"{where}: ")


def _names(table: Table, key: str) -> set[str]:
    value = table.get(key)
    if value is None or type(value) is bool:
        return {ALL} if value else set()
    parts = (get_str(table, key) or "").split(",") if type(value) is str else get_strings(table, key)
    return {part.strip() for part in parts} - {"", NONE}


def _named(only: set[str], built: set[str], where: str) -> Configured:
    """``where`` is what stands before the name of the setting."""
    return Configured(
        ALL in only,
        frozenset() if ALL in only else frozenset(map(normalize_name, only)),
        (f"{where}only-binary {ALL}" if ALL in only else f"{where}only-binary") if only else None,
        frozenset(name if name == ALL else normalize_name(name) for name in built),
        f"{where}no-binary" if built else None,
    )


def _pip_options(files: Files, path: str) -> Configured:
    """The options of a requirements file, in the order in which pip reads them: an included file's where it stands."""
    sets: dict[str, set[str]] = {"--only-binary": set(), "--no-binary": set()}
    only, built = sets.values()
    for line in _option_lines(files, path, ()):
        words = line.replace("=", " ").split()
        for option, value in pairwise(words):
            if option in sets:
                _take(value, sets[option], built if sets[option] is only else only)
    return _named(only, built, "--")


def _option_lines(files: Files, path: str, above: tuple[str, ...]) -> Iterator[str]:
    """The lines of options of a requirements file and of those that it includes; what cannot be read has none."""
    if path in above or len(above) > _MAX_INCLUDED:
        return
    try:
        lines = list(logical_lines(decode(files.read(path, files.limits.lock))))
    except Unreadable:
        return
    for _, line in lines:
        if not line.lstrip().startswith("-"):
            continue
        try:
            included = options(line)[1].included
        except Wrong:
            included = ()
        for name, _ in included:
            nested = os.path.normpath(os.path.join(os.path.dirname(path), name.removeprefix("file://")))
            yield from _option_lines(files, nested, (*above, path))
        yield line


def _take(value: str, own: set[str], other: set[str]) -> None:
    """One more value, as pip takes it: ``:all:`` and ``:none:`` replace what stands before, a name is in one set."""
    names = value.split(",")
    if ALL in names:
        own.clear()
        other.clear()
        own.add(ALL)
        names = names[len(names) - names[::-1].index(ALL) :]
        if NONE not in names:
            return
    for name in names:
        if name == NONE:
            own.clear()
        elif name:
            own.add(normalize_name(name))
            other.discard(normalize_name(name))
