"""``uv.lock`` (version 1, any revision; project, workspace and script locks) into a Lock.

The version number is uv's promise about breaking changes and another one is refused; revisions add keys only.
``requires-dist`` and its like under ``package.metadata`` are the raw requirements that uv resolved: not edges.
"""

from __future__ import annotations

from urllib.parse import parse_qs

from envcheck.locks.archives import archive_kind, filename_of, full_commit, parse_hash, without_credentials
from envcheck.locks.markers import checked
from envcheck.locks.names import package_name
from envcheck.locks.tables import (
    Table,
    Wrong,
    by_key,
    each,
    get_int,
    get_str,
    get_strings,
    get_table,
    get_time,
    need_str,
)
from envcheck.model.inventory import normalize_name
from envcheck.model.lock import Artifact, Dependency, Lock, LockedPackage, SourceKind

VERSION = 1
MAX_FORKS = 64
"""Entries of one name, and markers of one entry: far more than any resolution has forks."""

_KINDS: tuple[SourceKind, ...] = ("registry", "git", "url", "path", "directory", "editable", "virtual")
_LOCAL_ROOT = ("editable", "virtual", "directory")

Source = tuple[SourceKind, str, "str | None", "str | None"]
"""Kind, URL or path, commit, subdirectory."""


def read_uv(data: Table, path: str, sha256: str, default_groups: tuple[str, ...] | None = ("dev",)) -> Lock:
    """The Lock of a parsed ``uv.lock``; ``default_groups`` is ``None`` for all of them. Raises `Wrong`."""
    version = get_int(data, "version")
    if version != VERSION:
        shown = "is missing" if version is None else f"is {version}"
        raise Wrong(f"{shown}, envcheck reads version {VERSION} of this format", "version")
    reader = _Reader()
    packages = each(data, "package", reader.package)
    packages = tuple(package._replace(where=f"package[{index}]") for index, package in enumerate(packages))
    manifest = get_table(data, "manifest")
    try:
        members = tuple(normalize_name(name) for name in get_strings(manifest, "members"))
        requirements = each(manifest, "requirements", reader.requirement)
        groups = by_key(manifest, "dependency-groups", lambda table, key: each(table, key, reader.requirement))
    except Wrong as error:
        raise error.under("manifest") from None
    _check_edges(
        packages,
        (("manifest.requirements", requirements), *((f"manifest.dependency-groups.{g}", e) for g, e in groups)),
    )
    roots = _roots(packages, members)
    if default_groups is None:
        default_groups = _all_groups(packages, roots, groups)
    return Lock(
        path=path,
        format="uv",
        sha256=sha256,
        packages=packages,
        roots=roots,
        requires_python=get_str(data, "requires-python"),
        default_groups=default_groups,
        root_dependencies=requirements,
        root_group_dependencies=groups,
        graph=True,
        limited=_is_limited(data),
    )


def _is_limited(data: Table) -> bool:
    """Whether the resolution left out what was too new. For a relative span uv writes a date of year 1 beside it."""
    options = get_table(data, "options")
    return "exclude-newer" in options or "exclude-newer-span" in options


class _Reader:
    """Reads the tables of one lock; remembers the markers and sources that it has already checked."""

    def __init__(self) -> None:
        self.markers: set[str] = set()
        self.registries: dict[str, str] = {}

    def package(self, table: Table) -> LockedPackage:
        name = package_name(table, "name")
        version = get_str(table, "version")
        kind, source, commit, subdirectory = self.source(table, "source")
        if version is None and kind not in _LOCAL_ROOT:
            raise Wrong("is missing, expected a string (only a directory may have a dynamic version)", "version")
        wheels = each(table, "wheels", _artifact)
        artifacts = wheels
        if "sdist" in table:
            try:
                artifacts = (_artifact(get_table(table, "sdist"), "sdist"), *wheels)
            except Wrong as error:
                raise error.under("sdist") from None
        return LockedPackage(
            name=name,
            version=version,
            source_kind=kind,
            source=source,
            where="",
            commit=commit,
            marker=self.resolution_markers(table),
            artifacts=artifacts,
            dependencies=each(table, "dependencies", self.edge),
            optional_dependencies=self.edges(table, "optional-dependencies"),
            group_dependencies=self.edges(table, "dev-dependencies"),
            subdirectory=subdirectory,
        )

    def edges(self, table: Table, key: str) -> tuple[tuple[str, tuple[Dependency, ...]], ...]:
        """Extra or group name, normalised, to its edges."""
        if key not in table:
            return ()
        found = by_key(table, key, lambda inner, name: each(inner, name, self.edge))
        return tuple((normalize_name(name), edges) for name, edges in found)

    def edge(self, table: Table) -> Dependency:
        source: str | None = None
        commit: str | None = None
        if "source" in table:
            _, source, commit, _ = self.source(table, "source")
        extras: tuple[str, ...] = ()
        if "extra" in table:
            extras = tuple(normalize_name(extra) for extra in get_strings(table, "extra"))
        version = get_str(table, "version") if "version" in table else None
        marker = checked(get_str(table, "marker"), self.markers) if "marker" in table else None
        # Every field in its place: a lock has thousands of edges, and filling in defaults costs more than reading one.
        return Dependency(package_name(table, "name"), version, marker, extras, source, commit, None)

    def requirement(self, table: Table) -> Dependency:
        """A raw requirement of a script or of a workspace root: it names a package, never one of several forks."""
        extras = get_strings(table, "extras") if "extras" in table else ()
        return Dependency(
            package_name(table, "name"),
            None,
            checked(get_str(table, "marker"), self.markers),
            tuple(normalize_name(extra) for extra in extras),
        )

    def resolution_markers(self, table: Table) -> str | None:
        """The forks that an entry belongs to, as one marker."""
        if "resolution-markers" not in table:
            return None
        markers = get_strings(table, "resolution-markers")
        if len(markers) > MAX_FORKS:
            raise Wrong(f"has more than {MAX_FORKS} items", "resolution-markers")
        for index, marker in enumerate(markers):
            try:
                checked(marker, self.markers)
            except Wrong as error:
                raise Wrong(error.why, f"resolution-markers[{index}]") from None
        return " or ".join(f"({marker})" for marker in markers) or None

    def source(self, table: Table, key: str) -> Source:
        source = get_table(table, key)
        for kind in _KINDS:
            if kind in source:
                break
        else:
            raise Wrong(f"has none of the known kinds ({', '.join(_KINDS)})", key)
        try:
            text = need_str(source, kind)
            if kind == "git":
                return _git_source(text, get_str(source, "subdirectory"))
            shown = self.registries.get(text)
            if shown is None:
                shown = self.registries[text] = without_credentials(text)
            return kind, shown, None, get_str(source, "subdirectory")
        except Wrong as error:
            raise error.under(key) from None


def _git_source(text: str, subdirectory: str | None) -> Source:
    """``URL?tag=v1&subdirectory=a#<commit>``."""
    rest, _, commit = text.partition("#")
    url, _, query = rest.partition("?")
    try:
        values = parse_qs(query, max_num_fields=20)
    except ValueError:
        raise Wrong("has a query that cannot be read", "git") from None
    subdirectory = subdirectory or next(iter(values.get("subdirectory", ())), None)
    return "git", without_credentials(url), full_commit(commit), subdirectory


def _artifact(table: Table, kind: str = "wheel") -> Artifact:
    """An entry of ``wheels``, or ``sdist``: a URL, a path, or only a file name; a hash where the index gave one."""
    url = get_str(table, "url")
    filename = get_str(table, "filename") if "filename" in table else None
    location = url if url is not None else get_str(table, "path")
    if filename is None:
        if location is None:
            # An sdist entry of a directory or Git source has neither: the archive is made on installing.
            if kind == "wheel":
                raise Wrong("has none of url, path and filename")
        else:
            filename = filename_of(location)
    text = get_str(table, "hash")
    hashes: tuple[tuple[str, str], ...] = ()
    if text is not None:
        parsed = parse_hash(text)
        if parsed is None:
            raise Wrong("is not of the form algorithm:digest", "hash")
        hashes = (parsed,)
    size = get_int(table, "size") if "size" in table else None
    # The first locks of revision 2 spelt the key with an underscore.
    time = get_time(table, "upload-time" if "upload-time" in table else "upload_time")
    shown = None if location is None else without_credentials(location)
    return Artifact(filename, shown, hashes, size, time, "wheel" if kind == "wheel" else archive_kind(filename))


def _check_edges(packages: tuple[LockedPackage, ...], roots: tuple[tuple[str, tuple[Dependency, ...]], ...]) -> None:
    """Every edge must lead to a package of the lock."""
    names: dict[str, int] = {}
    for package in packages:
        names[package.name] = names.get(package.name, 0) + 1
        if names[package.name] > MAX_FORKS:
            raise Wrong(f"is one of more than {MAX_FORKS} packages named {package.name!r}", package.where)

    def check(edges: tuple[Dependency, ...], where: str) -> None:
        for index, edge in enumerate(edges):
            if edge.name not in names:
                raise Wrong(f"no package of the lock is named {edge.name!r}", f"{where}[{index}].name")

    for package in packages:
        check(package.dependencies, f"{package.where}.dependencies")
        for extra, edges in package.optional_dependencies:
            check(edges, f"{package.where}.optional-dependencies.{extra}")
        for group, edges in package.group_dependencies:
            check(edges, f"{package.where}.dev-dependencies.{group}")
    for where, edges in roots:
        check(edges, where)


def _roots(packages: tuple[LockedPackage, ...], members: tuple[str, ...]) -> tuple[str, ...]:
    """The project itself first, then the other workspace members."""
    own = [package.name for package in packages if package.source_kind in _LOCAL_ROOT and package.source == "."]
    known = {package.name for package in packages}
    for index, member in enumerate(members):
        if member not in known:
            raise Wrong(f"no package of the lock is named {member!r}", f"manifest.members[{index}]")
    return tuple(dict.fromkeys((*own, *members)))


def _all_groups(
    packages: tuple[LockedPackage, ...],
    roots: tuple[str, ...],
    root_groups: tuple[tuple[str, tuple[Dependency, ...]], ...],
) -> tuple[str, ...]:
    names = [group for package in packages if package.name in roots for group, _ in package.group_dependencies]
    return tuple(dict.fromkeys((*names, *(group for group, _ in root_groups))))
