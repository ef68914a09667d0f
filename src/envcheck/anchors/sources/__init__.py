"""Wanted archives into local files that may be them. Nothing here is believed: whoever asks recomputes the hash.

In order: directories that the user names, the caches of pip and Poetry, what envcheck fetched before, and, where that
is allowed, a fetch. uv's cache is no place to look: it has no archives, only files that are one with those installed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from envcheck.files.limits import Limits
from envcheck.files.root import Files
from envcheck.model.anchor import Held, Wanted
from envcheck.model.nouns import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envcheck.model.report import Progress

Found = dict[Wanted, list[Held]]
Problems = list[tuple[Wanted | None, str]]

_ENTRIES = 500_000
"""Files and directories of a cache that are looked at."""


class Places(NamedTuple):
    """Where archives may be looked for. Paths are absolute, and none lies in a scanned environment."""

    wheels: tuple[str, ...] = ()
    """Directories that the user names; they come before all else."""
    caches: bool = True
    """Whether to look into the caches of pip and poetry."""
    fetch: bool = False
    """Whether what was not found may be downloaded."""
    index_url: str | None = None
    """The index to ask where the lock gives no URL."""
    environ: tuple[tuple[str, str], ...] = ()
    """The user's own variables, as far as they decide where caches, proxies and credentials are."""
    forbidden: tuple[str, ...] = ()
    """Directories of the targets: nothing of theirs configures a fetch, and nothing is kept there."""


def find(
    files: Files,
    wanted: Sequence[Wanted],
    places: Places,
    progress: Progress | None = None,
    problems: Problems | None = None,
) -> Found:
    """Local files that may be each wanted archive, the best first, in the order of ``wanted``.

    What has the right name in a directory that the user named is not fetched, whatever its hash turns out to be: that
    it has another is for the user to know. What an installer's cache has counts before a fetch only by its hash.
    ``problems`` receives why an archive could not be fetched, and (with ``None``) what is to be said of a whole place.
    Raises `UsageError` for a directory or an index that cannot be what the user means.
    """
    found: Found = {}
    told: Problems = [] if problems is None else problems
    looked_for = [one for one in dict.fromkeys(wanted) if _lookable(one)]
    _in_wheelhouses(files, looked_for, places, found)
    environ = dict(places.environ)
    if places.caches and _missing(looked_for, found):
        _in_caches(files, looked_for, environ, found)
    from envcheck.anchors.sources.fetched import fetch, in_store

    if places.caches:
        in_store(files, _missing(looked_for, found), environ, places.forbidden, found, told)
    if places.fetch:
        _drop_wrong(found)
    missing = _missing(looked_for, found)
    if places.fetch and missing:
        fetch(files, missing, environ, places.index_url, places.forbidden, found, told, progress)
    return {one: found[one] for one in looked_for if one in found}


def _lookable(wanted: Wanted) -> bool:
    """Whether the lock gives a hash that proves anything."""
    from envcheck.anchors.sources.bodies import algorithm_of

    return algorithm_of(wanted) is not None


def _missing(wanted: Sequence[Wanted], found: Found) -> list[Wanted]:
    return [one for one in wanted if one not in found]


def _in_wheelhouses(files: Files, wanted: Sequence[Wanted], places: Places, found: Found) -> None:
    from envcheck.anchors.sources.wheelhouse import Wheelhouse

    houses = [Wheelhouse(files, directory) for directory in dict.fromkeys(places.wheels)]
    for house in houses:
        for one in wanted:
            _add(found, one, house.by_name(one))
    for house in houses:
        for one, held in house.by_hash(_missing(wanted, found)).items():
            _add(found, one, held)


def _in_caches(files: Files, wanted: Sequence[Wanted], environ: Mapping[str, str], found: Found) -> None:
    """The installers' caches; a cache that cannot be read whole leaves nothing unseen of the target."""
    from envcheck.anchors.sources.directories import PIP, POETRY, tool_caches
    from envcheck.anchors.sources.pip import PipCache
    from envcheck.anchors.sources.poetry import PoetryCache

    quiet = Files(limits=Limits(entries=_ENTRIES))
    of_pip = [PipCache(quiet, path) for path in tool_caches(PIP, environ) if quiet.is_dir(path)]
    of_poetry = [PoetryCache(quiet, path) for path in tool_caches(POETRY, environ) if quiet.is_dir(path)]
    for one in _missing(wanted, found):
        for in_pip in of_pip:
            _add(found, one, in_pip.by_url(one))
        for in_poetry in of_poetry:
            _add(found, one, in_poetry.by_url(one))
    for poetry in of_poetry:
        for one in _missing(wanted, found):
            _add(found, one, poetry.by_name(one))
    for pip in of_pip:
        for one, held in pip.by_hash(_missing(wanted, found)).items():
            _add(found, one, held)
    files.bytes_read += quiet.bytes_read


def _drop_wrong(found: Found) -> None:
    """Take away what an installer's cache has under the right name or URL with another hash: a fetch brings it."""
    from envcheck.anchors.sources.bodies import has_hash

    quiet = Files()
    for one, held in list(found.items()):
        if held[0].origin == "cache" and not any(has_hash(quiet, candidate, one) for candidate in held):
            del found[one]


def _add(found: Found, wanted: Wanted, held: list[Held]) -> None:
    if held:
        found[wanted] = [*found.get(wanted, ()), *held]
