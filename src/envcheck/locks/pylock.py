"""``pylock.toml`` (PEP 751, lock version 1.0) into a Lock.

`packaging.pylock` judges the file by the specification; what it gives is read once more, from the same tables, into
the model. A later minor version may add keys that matter, and is said to.
"""

from __future__ import annotations

from packaging.pylock import Pylock, PylockUnsupportedVersionError, PylockValidationError

from envcheck.locks.archives import archive_kind, filename_of, full_commit, without_credentials
from envcheck.locks.markers import checked
from envcheck.locks.names import is_name, package_name
from envcheck.locks.requires import every_marker
from envcheck.locks.tables import (
    Table,
    Wrong,
    each,
    get_array,
    get_bool,
    get_int,
    get_str,
    get_strings,
    get_table,
    get_time,
    kind,
    need_str,
)
from envcheck.model.inventory import normalize_name
from envcheck.model.lock import Artifact, Lock, LockedPackage, LockProblem, SourceKind

VERSION = "1.0"
MAX_TEXT = 20_000
"""Characters of a marker, name, version or specifier; a URL is as long as a server takes."""
MAX_ENVIRONMENTS = 200


def read_pylock(data: Table, path: str, sha256: str) -> Lock:
    """The Lock of a parsed ``pylock.toml``. Raises `Wrong`."""
    version = need_str(data, "lock-version")
    if version.partition(".")[0] != "1":
        raise Wrong(f"is {version[:40]!r}, envcheck reads version 1 of this format", "lock-version")
    reader = _Reader()
    packages = each(data, "packages", reader.package)
    environments = get_strings(data, "environments") if "environments" in data else ()
    if len(environments) > MAX_ENVIRONMENTS:
        raise Wrong(f"has more than {MAX_ENVIRONMENTS} items", "environments")
    for index, marker in enumerate(environments):
        try:
            checked(marker, reader.markers)
        except Wrong as error:
            raise Wrong(error.why, f"environments[{index}]") from None
    _judge(data)
    packages = tuple(package._replace(where=f"packages[{index}]") for index, package in enumerate(packages))
    newer: tuple[LockProblem, ...] = ()
    if version != VERSION:
        message = f"lock-version is {version[:40]}: envcheck knows {VERSION}, and what a later one adds was not read"
        newer = (LockProblem("lock-unreadable-entry", "lock-version", message),)
    return Lock(
        path=path,
        format="pylock",
        sha256=sha256,
        packages=packages,
        roots=tuple(p.name for p in packages if p.source_kind in ("editable", "directory") and p.source == "."),
        problems=newer,
        requires_python=get_str(data, "requires-python"),
        environments=environments,
        default_groups=_names(data, "default-groups"),
        extras=_names(data, "extras"),
        groups=tuple(dict.fromkeys((*_names(data, "dependency-groups"), *_names(data, "default-groups")))),
    )


def _judge(data: Table) -> None:
    """The rules of the specification, by `packaging`."""
    try:
        Pylock.from_dict(data)
    except PylockUnsupportedVersionError as error:
        raise Wrong(error.message, "lock-version") from None
    except PylockValidationError as error:
        why = error.message.splitlines()[0] if error.message else "is not valid"
        raise Wrong(why[:300], error.context or "") from None
    except (RecursionError, ValueError):
        raise Wrong("is not a pylock file that can be read") from None


class _Reader:
    """Reads the tables of one lock; remembers the markers that it has already checked."""

    def __init__(self) -> None:
        self.markers: set[str] = set()

    def package(self, table: Table) -> LockedPackage:
        for key in ("name", "version", "requires-python"):
            text = get_str(table, key)
            if text is not None and len(text) > MAX_TEXT:
                raise Wrong(f"is longer than {MAX_TEXT:,} characters", key)
        name = package_name(table, "name")
        marker = checked(get_str(table, "marker"), self.markers)
        version = get_str(table, "version")
        artifacts = each(table, "wheels", lambda inner: _artifact(inner, "wheel"))
        if "sdist" in table:
            artifacts = (_inner(table, "sdist"), *artifacts)
        source_kind, source, commit, subdirectory = _source(table)
        if source_kind in ("url", "path"):
            artifacts = (_inner(table, "archive"),)
        get_array(table, "dependencies")
        return LockedPackage(
            name=name,
            version=version,
            source_kind=source_kind,
            source=source,
            where="",
            commit=commit,
            marker=every_marker(marker),
            artifacts=artifacts,
            subdirectory=subdirectory,
            requires_python=get_str(table, "requires-python"),
        )


def _source(table: Table) -> tuple[SourceKind, str | None, str | None, str | None]:
    """Kind, URL or path, commit, subdirectory."""
    for key in ("vcs", "directory", "archive"):
        if key not in table:
            continue
        try:
            inner = get_table(table, key)
            url, path, subdirectory = get_str(inner, "url"), get_str(inner, "path"), get_str(inner, "subdirectory")
            if key == "vcs":
                shown = without_credentials(url) if url is not None else path
                return "git", shown, full_commit(get_str(inner, "commit-id")), subdirectory
            if key == "directory":
                return "editable" if get_bool(inner, "editable") else "directory", path, None, subdirectory
            if url is not None:
                return "url", without_credentials(url), None, subdirectory
            return "path", path, None, subdirectory
        except Wrong as error:
            raise error.under(key) from None
    index = get_str(table, "index")
    return "registry", None if index is None else without_credentials(index), None, None


def _inner(table: Table, key: str) -> Artifact:
    try:
        return _artifact(get_table(table, key), "sdist" if key == "sdist" else "")
    except Wrong as error:
        raise error.under(key) from None


def _artifact(table: Table, sort: str) -> Artifact:
    """A wheel, sdist or archive: ``name`` where it is not the last part of the URL or path."""
    url, path = get_str(table, "url"), get_str(table, "path")
    location = url or path
    filename = get_str(table, "name") or (None if location is None else filename_of(location))
    given = get_table(table, "hashes")
    hashes = []
    for algorithm, digest in given.items():
        if type(digest) is not str:
            raise Wrong(f"is {kind(digest)}, expected a string", f"hashes.{algorithm}")
        hashes.append((algorithm.lower(), digest.lower()))
    return Artifact(
        filename,
        None if location is None else without_credentials(location),
        tuple(hashes),
        get_int(table, "size"),
        get_time(table, "upload-time"),
        "wheel" if sort == "wheel" else archive_kind(filename),
    )


def _names(data: Table, key: str) -> tuple[str, ...]:
    """Names of extras or groups, normalised."""
    names = get_strings(data, key) if key in data else ()
    for index, name in enumerate(names):
        if not is_name(name):
            raise Wrong("is not a name", f"{key}[{index}]")
    return tuple(dict.fromkeys(normalize_name(name) for name in names))
