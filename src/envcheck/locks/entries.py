"""One logical line of a requirements file into a locked package.

What stands before the first option is the requirement: a PEP 508 requirement, a URL, or a local path. Options are
those that pip knows; any other makes the line unreadable.
"""

import os
import re
import shlex

from packaging.requirements import InvalidRequirement, Requirement

from envcheck.files.root import Files
from envcheck.locks.archives import (
    ARCHIVE_ENDINGS,
    archive_kind,
    file_url_path,
    filename_of,
    fragment_hash,
    full_commit,
    parse_hash,
    without_credentials,
)
from envcheck.locks.local import project_name
from envcheck.locks.markers import checked
from envcheck.locks.names import is_name
from envcheck.locks.tables import Wrong
from envcheck.model.inventory import normalize_name
from envcheck.model.lock import Artifact, LockedPackage, SourceKind
from envcheck.model.nouns import NamedTuple

MAX_LENGTH = 200_000
"""Characters of one logical line; a line with two hundred hashes has 16,000."""

_VALUES = {
    "-r": "included",
    "--requirement": "included",
    "-c": "constraint",
    "--constraint": "constraint",
    "-e": "editable",
    "--editable": "editable",
    "--hash": "hash",
    **dict.fromkeys(
        (
            *(
                "--trusted-host",
                "--no-binary",
                "--only-binary",
                "--use-feature",
                "--uploaded-prior-to",
                "--all-releases",
                "--only-final",
            ),
            *("--global-option", "--config-settings", "--config-setting", "-C"),
        ),
        "other",
    ),
    **dict.fromkeys(("-i", "--index-url", "--pypi-url", "--extra-index-url", "-f", "--find-links"), "index"),
}
"""Options that take a value, and what becomes of it."""

_FLAGS = ("--no-index", "--require-hashes", "--pre", "--prefer-binary")
_VCS = ("git", "hg", "svn", "bzr")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|file:", re.IGNORECASE)
_EXTRAS = re.compile(r"^(.+?)(\[[^\]]*\])$")
_SDIST = re.compile(r"(.+)-(\d[^-]*)")


class Given(NamedTuple):
    """The options of a line."""

    included: tuple[tuple[str, bool], ...] = ()
    """``-r`` and ``-c`` files, the latter marked true."""
    editable: str | None = None
    hashes: tuple[tuple[str, str], ...] = ()
    require_hashes: bool = False
    indexes: tuple[str, ...] = ()


class Line(NamedTuple):
    """A line that asks for a package."""

    arguments: str
    given: Given
    where: str
    base: str
    """The directory that relative paths start at."""
    constraint: bool


def _words(text: str) -> list[str]:
    """As a shell splits them. Most lines quote nothing, and are split a hundred times faster without ``shlex``."""
    if text.isascii() and text.isprintable() and not any(mark in text for mark in "'\"\\"):
        return text.split()
    try:
        return shlex.split(text)
    except ValueError:
        raise Wrong("a quotation mark is not closed") from None


def options(line: str) -> tuple[str, Given]:
    """What stands before the first option, and the options. Raises `Wrong` for an option that pip does not know."""
    if len(line) > MAX_LENGTH:
        raise Wrong(f"longer than {MAX_LENGTH:,} characters")
    arguments, text = _break(line)
    if not text:
        return arguments, Given()
    words = _words(text)
    included: list[tuple[str, bool]] = []
    editables: list[str] = []
    hashes: list[tuple[str, str]] = []
    indexes: list[str] = []
    require_hashes = False
    words.reverse()
    while words:
        word = words.pop()
        if word in _FLAGS:
            require_hashes = require_hashes or word == "--require-hashes"
            continue
        option, value = _value(word, words)
        use = _VALUES[option]
        if use in ("included", "constraint"):
            included.append((value, use == "constraint"))
        elif use == "editable":
            editables.append(value)
        elif use == "index":
            indexes.append(value)
        elif use == "hash":
            pair = parse_hash(value)
            if pair is None:
                raise Wrong("a --hash is not of the form algorithm:digest")
            hashes.append(pair)
    if len(editables) > 1 or (editables and arguments):
        raise Wrong("more than one requirement on a line")
    if included and (arguments or editables):
        raise Wrong("a requirement and an included file on one line")
    if hashes and not arguments:
        raise Wrong("a --hash without a requirement that it could hold for")
    editable = editables[0] if editables else None
    return arguments, Given(tuple(included), editable, tuple(hashes), require_hashes, tuple(indexes))


def _break(line: str) -> tuple[str, str]:
    """Requirement and options: pip splits at blanks, and at the first word that begins with a hyphen."""
    words = line.split(" ")
    for index, word in enumerate(words):
        if word.startswith("-"):
            return " ".join(words[:index]).strip(), " ".join(words[index:])
    return line.strip(), ""


def _value(word: str, words: list[str]) -> tuple[str, str]:
    """An option that takes a value, and the value, which stands behind ``=``, a blank, or a short option itself."""
    if word.startswith("--"):
        option, equals, value = word.partition("=")
        if option in _VALUES and equals:
            return option, value
    else:
        option, value = word[:2], word[2:]
        if option in _VALUES and value:
            return option, value.removeprefix("=")
    if option not in _VALUES:
        raise Wrong(f"the option {option!r} is not one that envcheck knows")
    if not words:
        raise Wrong(f"the option {option!r} has no value")
    return option, words.pop()


def read_line(files: Files, line: Line, markers: set[str]) -> LockedPackage:
    """The package that a line asks for. Raises `Wrong`; ``markers`` are those already checked."""
    if line.given.editable is not None:
        return _direct(files, line, line.given.editable, None, None, markers)
    text = line.arguments
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        if not _is_location(text):
            raise Wrong("not a requirement that can be read") from None
        location, marker = _split_marker(text)
        return _direct(files, line, location, None, marker, markers)
    except (RecursionError, ValueError):
        raise Wrong("not a requirement that can be read") from None
    marker = None if requirement.marker is None else str(requirement.marker)
    if requirement.url is not None:
        return _direct(files, line, requirement.url, requirement.name, marker, markers)
    pinned = _pinned(requirement)
    hashes = line.given.hashes
    return LockedPackage(
        name=normalize_name(requirement.name),
        version=pinned,
        source_kind="registry",
        source=None,
        where=line.where,
        marker=checked(marker, markers),
        artifacts=(Artifact(None, None, hashes),) if hashes else (),
        extras=tuple(sorted(normalize_name(extra) for extra in requirement.extras)),
        specifier=None if pinned is not None else str(requirement.specifier) or None,
        constraint=line.constraint,
    )


def _pinned(requirement: Requirement) -> str | None:
    """The one version that ``==`` or ``===`` allows, beside whatever other bounds."""
    for specifier in requirement.specifier:
        if specifier.operator == "===" or (specifier.operator == "==" and not specifier.version.endswith(".*")):
            return specifier.version
    return None


def _is_location(text: str) -> bool:
    """A URL or path by its look: pip also asks whether the directory exists, which a lock must not depend on."""
    location = _split_marker(text)[0]
    location = _EXTRAS.sub(r"\1", location)
    return bool(_URL.match(location)) or _scheme(location) in _VCS or _is_path(location)


def _is_path(location: str) -> bool:
    return "/" in location or location.startswith(".") or location.lower().endswith(ARCHIVE_ENDINGS)


def _split_marker(text: str) -> tuple[str, str | None]:
    """A URL's marker stands behind ``; `` (a ``;`` without a blank belongs to the URL); a path's behind any ``;``."""
    separator = "; " if _URL.match(text) else ";"
    location, found, marker = text.partition(separator)
    return location.strip(), marker.strip() if found else None


def _scheme(location: str) -> str:
    """``git`` for ``git+https://…`` and ``git+ssh://…``."""
    return location.partition("+")[0].partition(":")[0].lower()


def _direct(
    files: Files, line: Line, location: str, name: str | None, marker: str | None, markers: set[str]
) -> LockedPackage:
    """A package that a URL or path names, with or without ``name @`` or ``#egg=name``."""
    match = None if _URL.match(location) else _EXTRAS.match(location)
    if match:
        location = match[1]
    fragment = dict(part.partition("=")[::2] for part in location.partition("#")[2].split("&"))
    name = name or fragment.get("egg", "").partition("[")[0] or None
    url = location.partition("#")[0]
    editable = line.given.editable is not None
    path = file_url_path(url) if _URL.match(url) else url
    commit: str | None = None
    hashes = (*line.given.hashes, *fragment_hash(location))
    artifacts: tuple[Artifact, ...] = ()
    version: str | None = None
    kind: SourceKind
    if _scheme(location) in _VCS and ("+" in location.partition(":")[0] or location.startswith("git:")):
        kind = "git"
        url, commit = _revision(url.partition("+")[2] or url)
    elif path is None or archive_kind(filename_of(path)) != "unknown":
        kind = "url" if path is None else "path"
        if path is not None:
            url = path
        filename = filename_of(url)
        artifacts = (Artifact(filename, without_credentials(url), hashes, kind=archive_kind(filename)),)
        found, version = _from_filename(filename)
        name = name or found
    else:
        kind, url = "editable" if editable else "directory", path
        name = name or project_name(files, os.path.join(line.base, path))
    if name is not None and not is_name(name):
        raise Wrong(f"{name!r} is not a package name")
    return LockedPackage(
        name=normalize_name(name) if name is not None else "",
        version=version,
        source_kind=kind,
        source=os.path.normpath(os.path.join(line.base, url))
        if kind in ("path", "editable", "directory")
        else without_credentials(url),
        where=line.where,
        commit=commit,
        marker=checked(marker, markers),
        artifacts=artifacts,
        subdirectory=fragment.get("subdirectory") or None,
        constraint=line.constraint,
    )


def _revision(url: str) -> tuple[str, str | None]:
    """A repository's URL and full commit: the revision stands behind an ``@`` in the path."""
    head, separator, path = url.partition("://")
    host, slash, rest = path.partition("/")
    repository, at, revision = rest.rpartition("@")
    if not at:
        return url, None
    return f"{head}{separator}{host}{slash}{repository}", full_commit(revision)


def _from_filename(filename: str) -> tuple[str | None, str | None]:
    """Name and version of a wheel or sdist, as far as its file name tells."""
    if filename.lower().endswith(".whl"):
        parts = filename[:-4].split("-")
        if len(parts) >= 5:
            return parts[0], parts[1].replace("_", "+") if "+" not in parts[1] else parts[1]
        return None, None
    stem = next((filename[: -len(end)] for end in ARCHIVE_ENDINGS if filename.lower().endswith(end)), filename)
    found = _SDIST.fullmatch(stem)
    return (found[1], found[2]) if found and is_name(found[1]) else (None, None)
