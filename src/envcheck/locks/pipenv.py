"""``Pipfile.lock`` (specification 6, JSON) into a Lock.

A file holds a table of packages for each category: ``default``, ``develop``, and any of the project's own. Hashes
stand without the names of the archives that they are of.
"""

from __future__ import annotations

import json
from typing import Any

from envcheck.locks.archives import artifact, filename_of, full_commit, parse_hash, without_credentials
from envcheck.locks.markers import checked
from envcheck.locks.names import is_name
from envcheck.locks.quality import plain_index
from envcheck.locks.requires import every_marker, in_group
from envcheck.locks.tables import Table, Wrong, each, get_bool, get_int, get_str, get_strings, get_table, kind
from envcheck.model.errors import LockError
from envcheck.model.inventory import normalize_name
from envcheck.model.lock import Artifact, Lock, LockedPackage, SourceKind

SPECIFICATION = 6
DEFAULT = "default"
MAX_DIGITS = 100

_REPOSITORIES = ("git", "hg", "svn", "bzr")
_MARKERS = (
    *("os_name", "sys_platform", "platform_machine", "platform_python_implementation", "platform_release"),
    *("platform_system", "platform_version", "python_version", "python_full_version", "implementation_name"),
    "implementation_version",
)
"""Parts of a marker that older Pipenvs, and people, write as keys of their own."""
_HINT = "lock again: pipenv lock"


def parse_json(data: bytes, shown: str) -> Table:
    """A JSON object in which no key stands twice. Raises `LockError` with the line."""
    try:
        parsed = json.loads(data.decode("utf-8"), object_pairs_hook=_once, parse_int=_bounded, parse_constant=_refuse)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise LockError(f"{shown}:{line}: not UTF-8", _HINT) from None
    except json.JSONDecodeError as error:
        raise LockError(f"{shown}:{error.lineno}: {error.msg}", _HINT) from None
    except Wrong as error:
        raise LockError(f"{shown}: {error}", _HINT) from None
    except (RecursionError, ValueError):
        raise LockError(f"{shown}: nested too deeply, or not JSON", _HINT) from None
    if type(parsed) is not dict:
        raise LockError(f"{shown}: is {kind(parsed)}, expected a table", _HINT)
    return parsed


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A table; one reader takes the first of two equal keys, another the last."""
    table = dict(pairs)
    if len(table) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise Wrong(f"the key {key[:80]!r} stands twice in one table")
            seen.add(key)
    return table


def _bounded(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise Wrong(f"a number has more than {MAX_DIGITS} digits")
    return int(digits)


def _refuse(name: str) -> None:
    raise Wrong(f"{name} is not JSON")


def read_pipenv(data: Table, path: str, sha256: str) -> Lock:
    """The Lock of a parsed ``Pipfile.lock``. Raises `Wrong`."""
    try:
        meta = get_table(data, "_meta")
        found = get_int(meta, "pipfile-spec")
    except Wrong as error:
        raise error.under("_meta") from None
    if found != SPECIFICATION:
        shown = "is missing" if found is None else f"is {found}"
        raise Wrong(f"{shown}, envcheck reads {SPECIFICATION} of this format", "_meta.pipfile-spec")
    try:
        python = get_table(meta, "requires")
        content = get_str(get_table(meta, "hash"), "sha256")
        wanted = get_str(python, "python_version")
        urls = each(meta, "sources", lambda source: get_str(source, "url"))
    except Wrong as error:
        raise error.under("_meta") from None
    markers: set[str] = set()
    packages: list[LockedPackage] = []
    categories = [key for key in data if key != "_meta"]
    for category in categories:
        if not is_name(category):
            raise Wrong("is not a name of a category", category[:80])
        for name in get_table(data, category):
            try:
                packages.append(_package(get_table(data[category], name), name, category, markers))
            except Wrong as error:
                raise error.under(category) from None
    groups = tuple(dict.fromkeys(normalize_name(category) for category in categories if category != DEFAULT))
    own = (p.name for p in packages if p.source_kind in ("editable", "directory") and p.source in (".", "./"))
    return Lock(
        path=path,
        format="pipenv",
        sha256=sha256,
        packages=tuple(packages),
        roots=tuple(dict.fromkeys(own)),
        requires_python=f"=={wanted}.*" if wanted and wanted.replace(".", "").isdecimal() else None,
        default_groups=(),
        groups=groups,
        content_hash=content,
        problems=tuple(
            problem for at, url in enumerate(urls) for problem in plain_index(url or "", f"_meta.sources[{at}]")
        ),
    )


def _package(table: Table, name: str, category: str, markers: set[str]) -> LockedPackage:
    try:
        if not is_name(name):
            raise Wrong("is not a package name")
        kind_, source, commit = _source(table)
        hashes = []
        for index, text in enumerate(get_strings(table, "hashes")):
            pair = parse_hash(text)
            if pair is None:
                raise Wrong("is not of the form algorithm:digest", f"hashes[{index}]")
            hashes.append(pair)
        version = get_str(table, "version")
        pinned = version[2:].strip() if version and version.startswith("==") and "*" not in version else None
        get_strings(table, "extras")
        get_str(table, "index")
        group = None if category == DEFAULT else in_group(normalize_name(category))
        return LockedPackage(
            name=normalize_name(name),
            version=pinned,
            source_kind=kind_,
            source=source,
            where=f"{category}.{name}",
            commit=commit,
            marker=every_marker(group, checked(_marker(table), markers)),
            artifacts=_artifacts(kind_, source, tuple(hashes)),
            groups=() if category == DEFAULT else (normalize_name(category),),
            subdirectory=get_str(table, "subdirectory"),
            specifier=version if version not in (None, "*") and pinned is None else None,
        )
    except Wrong as error:
        raise error.under(name[:80]) from None


def _marker(table: Table) -> str | None:
    parts = [get_str(table, "markers")]
    for key in _MARKERS:
        condition = get_str(table, key)
        if condition is not None:
            parts.append(f"{key} {condition}")
    return every_marker(*parts)


def _source(table: Table) -> tuple[SourceKind, str | None, str | None]:
    """Kind, URL or path, commit."""
    for repository in _REPOSITORIES:
        url = get_str(table, repository)
        if url is not None:
            return "git", without_credentials(url), full_commit(get_str(table, "ref"))
    path = get_str(table, "path")
    for key in ("file", "uri"):
        text = get_str(table, key)
        if text is not None and path is None:
            if "://" in text:
                return "url", without_credentials(text), None
            path = text
    if path is None:
        return "registry", None, None
    if artifact(None, path, ()).kind != "unknown":
        return "path", path, None
    return "editable" if get_bool(table, "editable") else "directory", path, None


def _artifacts(
    source_kind: SourceKind, source: str | None, hashes: tuple[tuple[str, str], ...]
) -> tuple[Artifact, ...]:
    """One artifact for each hash: they are of different archives. A weak hash beside a strong one is of the same."""
    if source_kind in ("url", "path") and source is not None:
        return (artifact(filename_of(source), source, hashes),)
    return tuple(Artifact(None, None, (pair,)) for pair in hashes)
