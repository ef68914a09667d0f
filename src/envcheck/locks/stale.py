"""A lock beside the project's own file into whether that changed since: only where the format tells for certain.

Poetry, PDM and Pipenv keep a hash of the parts that decide. uv keeps the project's requirements as it read them.
pylock.toml and requirements files say nothing. The lock of a script is compared with the script's own block.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from typing import Any

from envcheck.files.root import Files, Missing, Unreadable
from envcheck.locks.project import read_project, standard_roots
from envcheck.locks.requires import edges
from envcheck.locks.script import read_script, script_of
from envcheck.locks.tables import Table, Wrong, get_array, get_strings, get_table
from envcheck.locks.toml import parse_toml
from envcheck.model.errors import LockError
from envcheck.model.inventory import normalize_name
from envcheck.model.lock import Dependency, Lock, LockProblem

_PIPFILE_OWN = {
    *("source", "packages", "dev-packages", "requires", "scripts", "pipfile", "pipenv", "default", "develop")
}
"""Tables of a Pipfile that are no category of packages, or that are hashed under another name."""
_POETRY_OLD = ("dependencies", "source", "extras", "dev-dependencies")
_POETRY_PROJECT = ("requires-python", "dependencies", "optional-dependencies")


def stale(files: Files, lock: Lock, table: Table) -> Iterator[LockProblem]:
    """One problem where the project asks for something else than was locked; ``table`` is the lock as it was parsed."""
    directory = os.path.dirname(lock.path)
    name, source = os.path.basename(lock.path), "Pipfile" if lock.format == "pipenv" else "pyproject.toml"
    script = script_of(lock)
    if script is not None:
        source = os.path.basename(script)
    try:
        why = _why(files, lock, directory, table)
    except (Wrong, AttributeError, TypeError, ValueError, RecursionError):
        # A file that the tool itself could not hash either.
        return
    if why:
        message = f"{name} is older than {source}: {why}"
        yield LockProblem("lock-stale", source, message)


def _why(files: Files, lock: Lock, directory: str, table: Table) -> str | None:
    changed = "what that asks for has changed since"
    if lock.format == "pipenv" and lock.content_hash:
        pipfile = _pipfile(files, os.path.join(directory, "Pipfile"))
        return changed if pipfile is not None and _pipfile_hash(pipfile) != lock.content_hash else None
    if lock.format not in ("poetry", "pdm", "uv"):
        return None
    script = script_of(lock)
    if script is not None:
        return _script(table, read_script(files, script))
    project = read_project(files, directory)
    if not project:
        return None
    if lock.format == "uv":
        return _uv(table, project)
    if not lock.content_hash:
        return None
    known = _poetry_hashes(project) if lock.format == "poetry" else _pdm_hashes(project)
    return changed if lock.content_hash not in known else None


def _dumped(value: object, **options: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, **options).encode("utf-8")).hexdigest()


def _poetry_hashes(project: Table) -> tuple[str, ...]:
    """The content hash as Poetry makes it, and as it did before 2.3, without dependency groups."""
    return tuple(_poetry_hash(project, groups) for groups in (get_table(project, "dependency-groups"), {}))


def _poetry_hash(project: Table, groups: Table) -> str:
    table = get_table(project, "project")
    poetry = get_table(get_table(project, "tool"), "poetry")
    standard = {key: table[key] for key in _POETRY_PROJECT if table.get(key) is not None}
    modern = bool(standard or groups)
    # Before there was [project], keys that are absent were hashed as null.
    own = {
        key: poetry.get(key)
        for key in (*_POETRY_OLD, "group")
        if poetry.get(key) is not None or (key in _POETRY_OLD and not modern)
    }
    if not modern:
        return _dumped(own)
    content: dict[str, object] = {"tool": {"poetry": own}}
    if standard:
        content["project"] = standard
    if groups:
        content["dependency-groups"] = groups
    return _dumped(content)


def _pdm_hashes(project: Table) -> tuple[str, ...]:
    """PDM's content hash; its table of development groups and [dependency-groups] are one to it."""
    table = get_table(project, "project")
    pdm = get_table(get_table(project, "tool"), "pdm")
    groups: dict[str, object] = {}
    for name, lines in get_table(pdm, "dev-dependencies").items():
        groups[normalize_name(name)] = lines
    for name, lines in get_table(project, "dependency-groups").items():
        groups[normalize_name(name)] = lines
    resolution = pdm.get("resolution", {})
    overrides = pdm.get("overrides")
    content = {
        "sources": pdm.get("source", []),
        "dependencies": table.get("dependencies", []),
        "dev-dependencies": groups,
        "optional-dependencies": table.get("optional-dependencies", {}),
        "requires-python": table.get("requires-python", ""),
        "resolution": {**resolution, "overrides": overrides} if overrides else resolution,
    }
    return (f"sha256:{_dumped(content)}",)


def _pipfile(files: Files, path: str) -> Table | None:
    try:
        return parse_toml(files.read(path), "Pipfile")
    except Missing:
        return None
    except Unreadable as error:
        files.miss(path, error.why)
    except LockError as error:
        files.miss(path, error.message)
    return None


def _pipfile_hash(pipfile: Table) -> str:
    content = {
        "_meta": {"sources": pipfile.get("source", []), "requires": pipfile.get("requires", {})},
        "default": pipfile.get("packages", {}),
        "develop": pipfile.get("dev-packages", {}),
    }
    content |= {key: value for key, value in pipfile.items() if key not in _PIPFILE_OWN}
    return _dumped(content, separators=(",", ":"))


def _uv(lock: Table, project: Table) -> str | None:
    """The requirements of [project] beside those that the lock repeats."""
    table = get_table(project, "project")
    name = table.get("name")
    dynamic = get_strings(table, "dynamic") if "dynamic" in table else ()
    if type(name) is not str or {"dependencies", "optional-dependencies"} & set(dynamic):
        return None
    own = next(
        (p for p in get_array(lock, "package") if type(p) is dict and p.get("name") == normalize_name(name)), None
    )
    if own is None or "metadata" not in own:
        return None
    roots = standard_roots(project, set())
    asked = [*roots.dependencies, *(edge for _, found in roots.extras for edge in found)]
    return _differing(asked, get_array(get_table(own, "metadata"), "requires-dist"), project)


def _script(lock: Table, block: Table) -> str | None:
    """The requirements of a script beside those that its lock repeats."""
    if not block:
        return None
    locked = get_array(get_table(lock, "manifest"), "requirements")
    return _differing(edges(block, "dependencies", set()), locked, block)


def _differing(asked: Sequence[Dependency], locked: Sequence[Any], project: Table) -> str | None:
    """Which requirements differ in names, extras and versions, not markers.

    A requirement that ``tool.uv.sources`` redirects has another version in the lock: only its name counts.
    """
    sources = get_table(get_table(get_table(project, "tool"), "uv"), "sources")
    redirected = {normalize_name(source) for source in sources}
    now = {(edge.name, edge.extras, _canonical(edge.specifier)) for edge in asked if edge.name not in redirected}
    then = set()
    names = set()
    for item in locked:
        required = normalize_name(str(item.get("name", "")))
        names.add(required)
        if required not in redirected and not ({"url", "git", "path", "directory", "editable"} & set(item)):
            extras = (
                tuple(sorted(normalize_name(extra) for extra in get_strings(item, "extras")))
                if "extras" in item
                else ()
            )
            then.add((required, extras, _canonical(item.get("specifier"))))
        else:
            redirected.add(required)
    now = {one for one in now if one[0] not in redirected}
    then = {one for one in then if one[0] not in redirected}
    differing = sorted({one[0] for one in now ^ then} | ({edge.name for edge in asked} ^ names))
    if not differing:
        return None
    shown = ", ".join(differing[:3]) + (", …" if len(differing) > 3 else "")
    return f"they differ in {shown}"


def _canonical(specifier: str | None) -> frozenset[str]:
    """The parts of a specifier, versions without what makes no difference (``1.0`` is ``1``)."""
    from packaging.specifiers import SpecifierSet

    return frozenset(re.sub(r"(\.0)+$", "", f"{one.operator}{one.version}") for one in SpecifierSet(specifier or ""))
