"""envcheck's own cache and the network into candidates, as the user's variables say."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from envcheck.anchors.sources import Found, Problems
from envcheck.anchors.sources.directories import own_cache
from envcheck.anchors.sources.store import Store, Unusable
from envcheck.files.root import Files, Missing, Unreadable
from envcheck.model.anchor import Wanted
from envcheck.model.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envcheck.anchors.sources.several import Brought
    from envcheck.anchors.sources.urls import Url
    from envcheck.model.report import Progress

_CERTIFICATES = 16 << 20


def in_store(
    files: Files,
    wanted: Sequence[Wanted],
    environ: Mapping[str, str],
    forbidden: Sequence[str],
    found: Found,
    problems: Problems,
) -> None:
    """What was fetched before."""
    cache = own_cache(environ)
    if not wanted or cache is None or not files.is_dir(os.path.join(cache, "wheels")):
        return
    try:
        with Store(cache, forbidden) as store:
            for one in wanted:
                held, why = store.get(files, one)
                if held:
                    found[one] = held
                if why is not None:
                    problems.append((one, why))
    except Unusable as error:
        problems.append((None, f"the cache of fetched archives is not used: {error.why}"))


def fetch(
    files: Files,
    wanted: Sequence[Wanted],
    environ: Mapping[str, str],
    index: str | None,
    forbidden: Sequence[str],
    found: Found,
    problems: Problems,
    progress: Progress | None,
) -> None:
    """Fetch what is wanted. Raises `UsageError` for an index that is no URL."""
    from envcheck.anchors.sources.local import LocalIndex, is_local

    if index is not None and is_local(index):
        local = LocalIndex(files, index)
        _take(wanted, [local.fetch(one) for one in wanted], found, problems)
        return
    named = None if index is None else _index_url(index)
    cache = own_cache(environ)
    if cache is None:
        problems.append((None, "nothing is fetched: no directory to keep it in (HOME and XDG_CACHE_HOME are not set)"))
        return
    from envcheck.anchors.sources.connection import Network
    from envcheck.anchors.sources.credentials import Credentials
    from envcheck.anchors.sources.fetch import Fetcher
    from envcheck.anchors.sources.several import fetch_several

    try:
        with Store(cache, forbidden, create=True) as store:
            network = Network(_proxies(environ), _certificates(files, environ, forbidden, problems))
            credentials = Credentials(_netrc(files, environ, forbidden, problems), named)
            fetcher = Fetcher(network, credentials, store, index)
            _take(wanted, fetch_several(fetcher, wanted, _telling(progress, len(wanted))), found, problems)
    except Unusable as error:
        problems.append((None, f"nothing is fetched, because it could not be kept: {error.why}"))
        return
    for host in sorted(fetcher.unprotected):
        text = f"{host} was asked over http: others could see what was fetched (not change it, the lock has its hash)"
        problems.append((None, text))


def _telling(progress: Progress | None, total: int) -> Callable[[int], None]:
    return lambda done: None if progress is None else progress("wheels fetched:", done, total)


def _take(wanted: Sequence[Wanted], brought: Sequence[Brought], found: Found, problems: Problems) -> None:
    for one, (held, why) in zip(wanted, brought, strict=True):
        if held:
            found[one] = held
        if why is not None:
            problems.append((one, why))


def _index_url(index: str) -> Url:
    from envcheck.anchors.sources.urls import BadUrl, parse

    try:
        return parse(index)
    except BadUrl as error:
        hint = "example: --index-url https://index.example/simple"
        raise UsageError(f"--index-url: {error.why}", hint) from None


def _proxies(environ: Mapping[str, str]) -> dict[str, str]:
    """The user's proxy variables; the spelling in small letters is the one that counts, as for other programs."""
    names = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
    return {name: environ.get(name) or environ.get(name.upper(), "") for name in names}


def _certificates(files: Files, environ: Mapping[str, str], forbidden: Sequence[str], problems: Problems) -> str | None:
    path = environ.get("SSL_CERT_FILE", "")
    data = _user_file(files, path, forbidden, problems) if path else None
    return None if data is None else data.decode("ascii", "ignore")


def _netrc(
    files: Files, environ: Mapping[str, str], forbidden: Sequence[str], problems: Problems
) -> dict[str, tuple[str, str]]:
    from envcheck.anchors.sources.credentials import parse_netrc

    home = environ.get("HOME") or environ.get("USERPROFILE", "")
    named = environ.get("NETRC", "")
    for path in [named] if named else [os.path.join(home, name) for name in (".netrc", "_netrc")]:
        data = _user_file(files, path, forbidden, problems if named else None)
        if data is not None:
            return parse_netrc(data.decode("utf-8", "surrogateescape"))
    return {}


def _user_file(files: Files, path: str, forbidden: Sequence[str], problems: Problems | None) -> bytes | None:
    """A file that the user's variables name, unless it could be a target's."""
    try:
        real = files.realpath(path)
        tops = [files.realpath(directory).rstrip("/") for directory in forbidden]
        if not os.path.isabs(path) or any(real == top or real.startswith(top + "/") for top in tops):
            raise Unreadable(path, "lies in the scanned environment, or is no absolute path")
        return files.read(path, _CERTIFICATES)
    except Missing:
        return None
    except Unreadable as error:
        if problems is not None:
            problems.append((None, f"{error.path} is not used: {error.why}"))
        return None
