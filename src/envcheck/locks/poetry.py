"""``poetry.lock`` (lock versions 1.0 to 2.1) into a Lock.

From 2.1 every entry bears its groups and markers, and the file is a list. Before that only the graph is there, and what
the project asks for stands in ``pyproject.toml`` alone.
"""

from __future__ import annotations

from envcheck.locks.archives import ARCHIVE_ENDINGS, artifact, filename_of, full_commit, parse_hash, without_credentials
from envcheck.locks.constraints import python_marker
from envcheck.locks.markers import checked
from envcheck.locks.names import is_name, package_name
from envcheck.locks.project import Roots, poetry_edges, poetry_roots
from envcheck.locks.requires import any_marker, every_marker, in_group
from envcheck.locks.tables import (
    Table,
    Wrong,
    by_key,
    each,
    get_array,
    get_bool,
    get_str,
    get_strings,
    get_table,
    kind,
    need_str,
)
from envcheck.model.inventory import normalize_name
from envcheck.model.lock import Artifact, Dependency, Lock, LockedPackage, LockProblem, SourceKind

KNOWN = ("1.0", "1.1", "2.0", "2.1")
LISTED = "2.1"
MAIN = "main"

Files = dict[str, tuple[Artifact, ...]]


def read_poetry(data: Table, path: str, sha256: str, project: Table) -> Lock:
    """The Lock of a parsed ``poetry.lock``; ``project`` is the ``pyproject.toml`` beside it. Raises `Wrong`."""
    metadata = get_table(data, "metadata")
    try:
        version = need_str(metadata, "lock-version")
        if version.partition(".")[0] not in ("1", "2"):
            raise Wrong(f"is {version[:40]!r}, envcheck reads versions 1.0 to {LISTED} of this format", "lock-version")
        python = get_str(metadata, "python-versions")
        content = get_str(metadata, "content-hash")
        reader = _Reader(_older_files(metadata), listed=version not in ("1.0", "1.1", "2.0"))
        environments = _environments(python, reader.markers)
    except Wrong as error:
        raise error.under("metadata") from None
    packages = each(data, "package", reader.package)
    packages = tuple(package._replace(where=f"package[{index}]") for index, package in enumerate(packages))
    if reader.files:
        packages = _own_files(packages)
    extras = by_key(data, "extras", get_strings)
    roots, unread = _roots(project, reader.markers)
    newer: tuple[LockProblem, ...] = ()
    if version not in KNOWN:
        message = f"lock-version is {version[:40]}: envcheck knows {LISTED}, and what a later one adds was not read"
        newer = (LockProblem("lock-unreadable-entry", "metadata.lock-version", message),)
    known = {group for package in packages for group in package.groups} | {group for group, _ in roots.groups}
    groups = tuple(sorted(known - {MAIN}))
    return Lock(
        path=path,
        format="poetry",
        sha256=sha256,
        packages=packages,
        problems=(*newer, *unread),
        environments=environments,
        default_groups=tuple(group for group in groups if group not in roots.optional_groups),
        extras=tuple(dict.fromkeys(normalize_name(extra) for extra, _ in extras)),
        groups=groups,
        graph=not reader.listed,
        selectable=reader.listed or bool(project),
        content_hash=content,
        root_dependencies=() if reader.listed else roots.dependencies,
        root_extra_dependencies=() if reader.listed else roots.extras,
        root_group_dependencies=() if reader.listed else roots.groups,
    )


def _roots(project: Table, markers: set[str]) -> tuple[Roots, tuple[LockProblem, ...]]:
    """What the project asks for; a file that is being edited must not stand between a lock and its reader."""
    try:
        return poetry_roots(project, markers), ()
    except Wrong as error:
        return Roots(), (LockProblem("lock-unreadable-entry", "pyproject.toml", f"pyproject.toml: {error}"),)


def _environments(python: str | None, markers: set[str]) -> tuple[str, ...]:
    try:
        marker = checked(python_marker(python) if python else None, markers)
    except Wrong as error:
        raise Wrong(error.why, "python-versions") from None
    return () if marker is None else (marker,)


def _older_files(metadata: Table) -> Files:
    """``[metadata.files]`` (lock version 1.1) and ``[metadata.hashes]`` (1.0): archives by package name."""
    found = dict(by_key(metadata, "files", lambda table, key: each(table, key, _file)))
    for name, hashes in by_key(metadata, "hashes", get_strings):
        pairs = []
        for index, digest in enumerate(hashes):
            pair = parse_hash(digest if ":" in digest else f"sha256:{digest}")
            if pair is None:
                raise Wrong("is not a hash", f"hashes.{name}[{index}]")
            pairs.append(pair)
        found.setdefault(name, tuple(Artifact(None, None, (pair,)) for pair in pairs))
    return {normalize_name(name): files for name, files in found.items()}


def _own_files(packages: tuple[LockedPackage, ...]) -> tuple[LockedPackage, ...]:
    """Where several entries of a name share one list of archives: each without those of another entry's version."""
    versions: dict[str, set[str | None]] = {}
    for package in packages:
        versions.setdefault(package.name, set()).add(package.version)

    def own(package: LockedPackage) -> tuple[Artifact, ...]:
        others = versions[package.name] - {package.version}
        return tuple(a for a in package.artifacts if not any(_is_of(a.filename, other) for other in others))

    return tuple(p._replace(artifacts=own(p)) if len(versions[p.name]) > 1 else p for p in packages)


def _is_of(filename: str | None, version: str | None) -> bool:
    """Whether a wheel's or source archive's name has the version, spelt as the lock spells it."""
    if filename is None or version is None:
        return False
    if filename.endswith(".whl"):
        return filename.split("-")[1:2] == [version]
    return any(filename.endswith(f"-{version}{ending}") for ending in ARCHIVE_ENDINGS)


class _Reader:
    """Reads the entries of one lock; remembers the markers that it has already checked."""

    def __init__(self, files: Files, listed: bool) -> None:
        self.files = files
        self.listed = listed
        self.markers: set[str] = set()

    def package(self, table: Table) -> LockedPackage:
        name = package_name(table, "name")
        version = need_str(table, "version")
        files = each(table, "files", _file) if "files" in table else self.files.get(name, ())
        get_bool(table, "optional")
        groups = self.groups(table) if self.listed else ()
        source_kind, source, commit, subdirectory = _source(table)
        if source_kind in ("url", "path") and source is not None and not files:
            files = (artifact(filename_of(source), source, ()),)
        edges: tuple[Dependency, ...] = ()
        extras: tuple[tuple[str, tuple[Dependency, ...]], ...] = ()
        if not self.listed:
            edges, extras = self.dependencies(table)
        return LockedPackage(
            name=name,
            version=version,
            source_kind=source_kind,
            source=source,
            where="",
            commit=commit,
            marker=self.marker(table, groups) if self.listed else None,
            artifacts=() if source_kind in ("git", "directory", "editable") else files,
            dependencies=edges,
            optional_dependencies=extras,
            groups=groups,
            subdirectory=subdirectory,
        )

    def groups(self, table: Table) -> tuple[str, ...]:
        if "groups" not in table:
            raise Wrong("is missing, expected an array", "groups")
        names = get_strings(table, "groups")
        if not names:
            raise Wrong("is empty, expected names", "groups")
        for index, name in enumerate(names):
            if not is_name(name):
                raise Wrong("is not a name", f"groups[{index}]")
        return tuple(dict.fromkeys(normalize_name(name) for name in names))

    def marker(self, table: Table, groups: tuple[str, ...]) -> str | None:
        """Where an entry is installed: for one of its groups, each under its own marker or all under one."""
        value = table.get("markers")
        if value is None or type(value) is str:
            own = checked(value, self.markers)
            return every_marker(any_marker([_in(group) for group in groups]) if groups else None, own)
        if type(value) is not dict:
            raise Wrong(f"is {kind(value)}, expected a string or a table", "markers")
        by_group = {normalize_name(group): marker for group, marker in by_key(table, "markers", get_str)}
        for group, marker in by_group.items():
            try:
                checked(marker, self.markers)
            except Wrong as error:
                raise Wrong(error.why, f"markers.{group}") from None
        return any_marker([every_marker(_in(group), by_group.get(group)) for group in groups])

    def dependencies(
        self, table: Table
    ) -> tuple[tuple[Dependency, ...], tuple[tuple[str, tuple[Dependency, ...]], ...]]:
        """What an entry needs always, and for each of its extras."""
        inner = get_table(table, "dependencies")
        always: list[Dependency] = []
        optional: dict[str, list[Dependency]] = {}
        for name in inner:
            try:
                for edge, left_out in poetry_edges(inner, name, self.markers):
                    (optional.setdefault(edge.name, []) if left_out else always).append(edge)
            except Wrong as error:
                raise error.under("dependencies") from None
        extras = []
        for extra, requirements in by_key(table, "extras", get_strings):
            names = dict.fromkeys(_leading_name(requirement) for requirement in requirements)
            extras.append((normalize_name(extra), tuple(e for name in names for e in optional.get(name, ()))))
        return tuple(always), tuple(extras)


def _in(group: str) -> str | None:
    """The condition for a group; ``main`` is always chosen."""
    return None if group == MAIN else in_group(group)


def _leading_name(requirement: str) -> str:
    """``zeta`` of ``zeta (>=1)`` and ``zeta[fast] (>=1)``."""
    end = next((index for index, character in enumerate(requirement) if character in " [(;<>=!~"), len(requirement))
    return normalize_name(requirement[:end])


def _file(table: Table) -> Artifact:
    """An archive's name and hash; its URL is not recorded, except for one that was given as a URL."""
    filename = need_str(table, "file")
    text = get_str(table, "hash")
    hashes: tuple[tuple[str, str], ...] = ()
    if text:
        pair = parse_hash(text)
        if pair is None:
            raise Wrong("is not of the form algorithm:digest", "hash")
        hashes = (pair,)
    url = get_str(table, "url")
    return artifact(filename, None if url is None else without_credentials(url), hashes)


def _source(table: Table) -> tuple[SourceKind, str | None, str | None, str | None]:
    """Kind, URL or path, commit, subdirectory; without a source it is PyPI."""
    source = get_table(table, "source")
    if not source:
        return "registry", None, None, None
    try:
        sort = get_str(source, "type") or "legacy"
        url = need_str(source, "url")
        commit = full_commit(get_str(source, "resolved_reference"))
        subdirectory = get_str(source, "subdirectory")
        get_array(source, "reference") if type(source.get("reference")) is list else get_str(source, "reference")
    except Wrong as error:
        raise error.under("source") from None
    if sort == "git":
        return "git", without_credentials(url), commit, subdirectory
    if sort == "directory":
        return "editable" if get_bool(table, "develop") else "directory", url, None, subdirectory
    if sort == "file":
        return "path", url, None, subdirectory
    if sort == "url":
        return "url", without_credentials(url), None, subdirectory
    if sort in ("legacy", "pypi"):
        return "registry", without_credentials(url), None, None
    raise Wrong(f"is {sort[:40]!r}, which envcheck does not know", "source.type")
