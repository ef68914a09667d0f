"""``pdm.lock`` (lock version 4, up to 4.5) into a Lock.

With the strategy ``inherit_metadata``, PDM's default, every entry bears its groups and marker, and the file is a list.
Without it only the graph is there, and what the project asks for stands in ``pyproject.toml`` alone. An entry for a
package with extras stands beside the one without.
"""

from __future__ import annotations

from envcheck.locks.archives import artifact, filename_of, full_commit, parse_hash, without_credentials
from envcheck.locks.constraints import python_marker
from envcheck.locks.markers import checked
from envcheck.locks.names import is_name, package_name
from envcheck.locks.project import Roots, standard_roots
from envcheck.locks.requires import any_marker, edges, every_marker, in_group
from envcheck.locks.tables import Table, Wrong, by_key, each, get_bool, get_str, get_strings, get_table, need_str
from envcheck.model.inventory import normalize_name
from envcheck.model.lock import Artifact, Dependency, Lock, LockedPackage, LockProblem, SourceKind

MAJOR, MINOR = 4, 5
DEFAULT = "default"
_SYSTEMS = {"linux": "linux", "manylinux": "linux", "musllinux": "linux", "alpine": "linux", "macos": "darwin"}
_REPOSITORIES = ("git", "hg", "svn", "bzr")


def read_pdm(data: Table, path: str, sha256: str, project: Table) -> Lock:
    """The Lock of a parsed ``pdm.lock``; ``project`` is the ``pyproject.toml`` beside it. Raises `Wrong`."""
    metadata = get_table(data, "metadata")
    try:
        _check_version(need_str(metadata, "lock_version"))
        strategy = get_strings(metadata, "strategy") if "strategy" in metadata else ()
        names = get_strings(metadata, "groups") if "groups" in metadata else (DEFAULT,)
        for index, name in enumerate(names):
            if not is_name(name):
                raise Wrong("is not a name", f"groups[{index}]")
        content = get_str(metadata, "content_hash")
        listed = "inherit_metadata" in strategy
        reader = _Reader(listed)
        environments = _environments(metadata, reader.markers)
    except Wrong as error:
        raise error.under("metadata") from None
    packages = each(data, "package", reader.package)
    packages = tuple(package._replace(where=f"package[{index}]") for index, package in enumerate(packages))
    packages = packages if listed else _merged(packages)
    roots, unread = _roots({} if listed else project, reader.markers)
    groups = tuple(dict.fromkeys(normalize_name(name) for name in names if normalize_name(name) != DEFAULT))
    asked = tuple(pair for pair in (*roots.extras, *roots.groups) if pair[0] in groups)
    return Lock(
        path=path,
        format="pdm",
        sha256=sha256,
        packages=packages,
        problems=unread,
        environments=environments,
        default_groups=groups,
        groups=groups,
        graph=not listed,
        selectable=listed or bool(project),
        content_hash=content,
        root_dependencies=roots.dependencies,
        root_group_dependencies=asked,
    )


def _check_version(version: str) -> None:
    major, _, rest = version.partition(".")
    minor = rest.partition(".")[0]
    if not (major.isdecimal() and minor.isdecimal() and len(version) < 20):
        raise Wrong(f"is {version[:40]!r}, which is no version", "lock_version")
    if int(major) != MAJOR or int(minor) > MINOR:
        raise Wrong(f"is {version}, envcheck reads version {MAJOR}.0 to {MAJOR}.{MINOR} of this format", "lock_version")


def _roots(project: Table, markers: set[str]) -> tuple[Roots, tuple[LockProblem, ...]]:
    """What the project asks for; PDM's older table of development groups too."""
    try:
        roots = standard_roots(project, markers)
        older = get_table(get_table(project, "tool"), "pdm")
        groups = by_key(older, "dev-dependencies", lambda table, key: edges(table, key, markers))
    except Wrong as error:
        return Roots(), (LockProblem("lock-unreadable-entry", "pyproject.toml", f"pyproject.toml: {error}"),)
    return roots._replace(groups=(*roots.groups, *((normalize_name(name), found) for name, found in groups))), ()


def _environments(metadata: Table, markers: set[str]) -> tuple[str, ...]:
    """The targets that were locked for, each as a marker; none where one of them is any environment."""

    def target(table: Table) -> str | None:
        python, platform = get_str(table, "requires_python"), get_str(table, "platform")
        implementation = get_str(table, "implementation")
        parts: list[str | None] = [python_marker(python) if python and python != "*" else None]
        if platform is not None:
            system = platform.partition("_")[0].lower()
            parts.append(f"sys_platform == '{_SYSTEMS.get(system, 'win32' if system == 'windows' else system)}'")
        if implementation is not None:
            parts.append(f"implementation_name == '{implementation.lower()}'")
        return checked(every_marker(*parts), markers)

    found = each(metadata, "targets", target) if "targets" in metadata else ()
    marker = any_marker(list(found)) if found else None
    return () if marker is None else (marker,)


class _Reader:
    """Reads the entries of one lock; remembers the markers that it has already checked."""

    def __init__(self, listed: bool) -> None:
        self.listed = listed
        self.markers: set[str] = set()

    def package(self, table: Table) -> LockedPackage:
        name = package_name(table, "name")
        version = get_str(table, "version")
        source_kind, source, commit = _source(table)
        if version is None and source_kind == "registry":
            raise Wrong("is missing, expected a string", "version")
        names = get_strings(table, "groups") if "groups" in table else ()
        for index, group in enumerate(names):
            if not is_name(group):
                raise Wrong("is not a name", f"groups[{index}]")
        groups = tuple(dict.fromkeys(normalize_name(group) for group in names))
        # An entry of no group is installed with every choice.
        chosen = None if DEFAULT in groups or not groups else any_marker([in_group(group) for group in groups])
        own = checked(get_str(table, "marker"), self.markers)
        extras = get_strings(table, "extras") if "extras" in table else ()
        files = each(table, "files", _file) if "files" in table else ()
        if source_kind in ("url", "path") and source is not None and not files:
            files = (artifact(filename_of(source), source, ()),)
        return LockedPackage(
            name=name,
            version=version,
            source_kind=source_kind,
            source=source,
            where="",
            commit=commit,
            marker=every_marker(chosen, own) if self.listed else None,
            artifacts=() if source_kind in ("git", "directory", "editable") else files,
            dependencies=() if self.listed else edges(table, "dependencies", self.markers),
            extras=tuple(sorted(normalize_name(extra) for extra in extras)),
            groups=tuple(group for group in groups if group != DEFAULT),
            subdirectory=get_str(table, "subdirectory"),
        )


def _merged(packages: tuple[LockedPackage, ...]) -> tuple[LockedPackage, ...]:
    """Each entry with extras as extras of the entry without: the smallest that has one tells what it needs."""
    variants: dict[tuple[str, str | None, str | None], dict[str, LockedPackage]] = {}
    for package in packages:
        known = variants.setdefault((package.name, package.version, package.source), {})
        for extra in package.extras:
            if extra not in known or len(package.extras) < len(known[extra].extras):
                known[extra] = package
    found = []
    for package in packages:
        if not package.extras:
            known = variants[package.name, package.version, package.source]
            optional: list[tuple[str, tuple[Dependency, ...]]] = [(e, known[e].dependencies) for e in sorted(known)]
            found.append(package._replace(optional_dependencies=tuple(optional)))
    bases = {(package.name, package.version, package.source) for package in found}
    alone = (p for p in packages if p.extras and (p.name, p.version, p.source) not in bases)
    return (*found, *(p._replace(optional_dependencies=tuple((e, ()) for e in p.extras)) for p in alone))


def _file(table: Table) -> Artifact:
    """An archive by its name, or by its URL (strategy ``static_urls``), and its hash."""
    url, filename = get_str(table, "url"), get_str(table, "file")
    if url is None and filename is None:
        raise Wrong("has neither url nor file")
    text = get_str(table, "hash")
    hashes: tuple[tuple[str, str], ...] = ()
    if text:
        pair = parse_hash(text)
        if pair is None:
            raise Wrong("is not of the form algorithm:digest", "hash")
        hashes = (pair,)
    return artifact(filename, None if url is None else without_credentials(url), hashes)


def _source(table: Table) -> tuple[SourceKind, str | None, str | None]:
    """Kind, URL or path, commit."""
    for repository in _REPOSITORIES:
        url = get_str(table, repository)
        if url is not None:
            return "git", without_credentials(url), full_commit(get_str(table, "revision"))
    path, url = get_str(table, "path"), get_str(table, "url")
    if path is not None:
        if artifact(None, path, ()).kind != "unknown":
            return "path", path, None
        return "editable" if get_bool(table, "editable") else "directory", path, None
    if url is not None:
        return "url", without_credentials(url), None
    return "registry", None, None
