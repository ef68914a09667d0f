"""Wanted archives into files of the store, from the URL that the lock gives or from a named index.

Nothing that comes is believed: a file is kept only under the hash that the lock has for it. So plain http is allowed,
and a redirection may lead to any host, but never from https to http, and never with the user's credentials.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from typing import TypeVar

from envcheck.anchors.sources.bodies import algorithm_of, digests_of
from envcheck.anchors.sources.connection import Failed, Network, Response
from envcheck.anchors.sources.credentials import Credentials
from envcheck.anchors.sources.index import NOT_THERE, choose, project_page
from envcheck.anchors.sources.names import filename_wanted
from envcheck.anchors.sources.simple import ACCEPT, Link, links
from envcheck.anchors.sources.store import Store
from envcheck.anchors.sources.turns import Turns
from envcheck.anchors.sources.urls import BadUrl, Url, is_remote, joined, parse
from envcheck.model.anchor import Held, Wanted

_T = TypeVar("_T")

ATTEMPTS = 3
PAUSE = 0.5
"""Seconds before the second attempt; twice as many before the next."""
REDIRECTIONS = 10
PAGE = 16 << 20
"""Bytes of an index's page."""
ARCHIVE = 4 << 30
"""Bytes of an archive of which the lock gives no size."""
_MOVED = (301, 302, 303, 307, 308)
_PASSING = (408, 425, 429, 500, 502, 503, 504)
"""Answers that another attempt may change."""


class Fetcher:
    """Fetches archives, also for several threads; what goes wrong with one is told and does not end the others."""

    def __init__(
        self,
        network: Network,
        credentials: Credentials,
        store: Store,
        index: str | None = None,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self._network = network
        self._credentials = credentials
        self._store = store
        self._index = index
        self._stop = threading.Event()
        self._sleep = sleep or self._stop.wait
        self._pages: dict[str, list[Link]] = {}
        self._reading: dict[str, threading.Lock] = {}
        self._turns = Turns()
        self.unprotected: set[str] = set()
        """Hosts that were asked over plain http."""

    @property
    def stopped(self) -> bool:
        """Whether all is to end."""
        return self._stop.is_set()

    def stop(self) -> None:
        """End what is being fetched, and fetch nothing more."""
        self._stop.set()
        self._network.close()

    def fetch(self, wanted: Wanted) -> tuple[list[Held], str | None]:
        """The archive, in the store; else why it could not be fetched."""
        why = "the lock gives no URL of it: --index-url names an index to ask"
        if wanted.url is not None:
            why = "the lock names a file and no URL: --wheels names a directory to look into"
        if is_remote(wanted.url):
            try:
                return [self._archive(str(wanted.url), wanted)], None
            except Failed as error:
                why = error.why
        if self._index is not None:
            found, failed = self._from_index(wanted)
            if failed is not None and not found:
                both = is_remote(wanted.url) and failed.why != why
                return [], f"{why}; the index: {failed.why}" if both else failed.why
            if found:
                return found, failed.why if failed is not None and wanted.every else None
            why = NOT_THERE
        return [], why

    def _from_index(self, wanted: Wanted) -> tuple[list[Held], Failed | None]:
        """What the index has of it, and what went wrong first.

        One archive is enough where the lock gives a file name, or where it is known what is installed.
        """
        page = project_page(self._index or "", wanted)
        try:
            with self._reading.setdefault(page, threading.Lock()):
                if page not in self._pages:
                    self._pages[page] = self._again(page, lambda: self._page(page))
        except Failed as error:
            return [], error
        one = filename_wanted(wanted) is not None or (bool(wanted.tags) and not wanted.every)
        found: list[Held] = []
        failed: Failed | None = None
        for link in choose(self._pages[page], wanted):
            try:
                found.append(self._archive(link.url, wanted))
            except Failed as error:
                failed = failed or error
            if found and one:
                break
        return found, failed

    def _archive(self, text: str, wanted: Wanted) -> Held:
        return self._again(text, lambda: self._download(text, wanted))

    def _again(self, text: str, attempt: Callable[[], _T]) -> _T:
        """Make several attempts where the reason may pass, and none at a host that failed too often."""
        try:
            url = parse(text)
        except BadUrl as error:
            raise Failed(error.why, again=False) from None
        with self._turns.turn(url.origin):
            return self._attempts(url, attempt)

    def _attempts(self, url: Url, attempt: Callable[[], _T]) -> _T:
        if self._turns.given_up(url.origin):
            raise Failed(f"{url.host} failed too often and is not asked again")
        for number in range(ATTEMPTS):
            if self.stopped:
                raise Failed("it was not waited for", again=False)
            try:
                done = attempt()
                self._turns.brought(url.origin)
                return done
            except Failed as error:
                why = Failed(f"{url.shown}: {error.why}", error.again, error.reached)
                if not error.again:
                    break
                if number + 1 == ATTEMPTS:
                    self._turns.failed(url.origin, error.reached)
                else:
                    self._sleep(PAUSE * 2**number)
        raise why

    def _page(self, text: str) -> list[Link]:
        response, url = self._open(text, ACCEPT)
        with response:
            page = bytearray()
            for chunk in response:
                page += chunk
                if len(page) > PAGE:
                    raise Failed(f"the index's page is larger than {PAGE:,} bytes", again=False)
            return links(bytes(page), response.header("Content-Type"), f"{url.scheme}://{url.authority}{url.target}")

    def _download(self, text: str, wanted: Wanted) -> Held:
        response, _ = self._open(text, "*/*")
        with response:
            limit = ARCHIVE if wanted.size is None else wanted.size
            if response.length is not None and response.length > limit:
                raise Failed(_too_large(wanted), again=False)
            try:
                return self._write(response, wanted, limit)
            except OSError as error:
                raise Failed(f"it cannot be kept: {(error.strerror or 'error').lower()}", again=False) from None

    def _write(self, response: Response, wanted: Wanted, limit: int) -> Held:
        """The body into a file of the store, if it has the right hash."""
        algorithm = algorithm_of(wanted)
        assert algorithm is not None
        stream, part = self._store.part()
        try:
            total = 0
            hashed = hashlib.new(algorithm)
            with stream:
                for chunk in response:
                    if self.stopped:
                        raise Failed("it was not waited for", again=False)
                    total += len(chunk)
                    if total > limit:
                        raise Failed(_too_large(wanted), again=False)
                    hashed.update(chunk)
                    stream.write(chunk)
            digest = hashed.hexdigest()
            if (algorithm, digest) not in digests_of(wanted):
                raise Failed("what came has another hash than the lock gives", again=False)
            return Held(self._store.keep(part, algorithm, digest), origin="fetched")
        except BaseException:
            self._store.drop(part)
            raise

    def _open(self, text: str, accept: str) -> tuple[Response, Url]:
        """The answer at the end of all redirections, and its URL. Raises `Failed`."""
        try:
            url = parse(text)
            asked = url.origin
            login = self._credentials.header(url)
            for _ in range(REDIRECTIONS + 1):
                response = self._ask(url, accept, login)
                if response.status not in _MOVED:
                    good = _good(response)
                    self._turns.answered(asked)
                    return good, url
                with response:
                    target = response.header("Location")
                moved = parse(joined(f"{url.scheme}://{url.authority}{url.target}", target))
                if url.scheme == "https" and moved.scheme != "https":
                    raise Failed("it is redirected from https to http", again=False)
                if moved.origin != url.origin:
                    login = None
                url = moved
        except BadUrl as error:
            raise Failed(error.why, again=False) from None
        raise Failed(f"it is redirected more than {REDIRECTIONS} times", again=False)

    def _ask(self, url: Url, accept: str, login: str | None) -> Response:
        if url.scheme == "http" and not url.here:
            self.unprotected.add(url.host)
        headers = {"User-Agent": "envcheck", "Accept": accept, "Accept-Encoding": "identity"}
        if login is not None:
            headers["Authorization"] = login
        return self._network.get(url, headers)


def _good(response: Response) -> Response:
    """The answer, if it is one that brings what was asked for."""
    encoding = response.header("Content-Encoding").lower()
    if response.status == 200 and encoding in ("", "identity"):
        return response
    with response:
        if response.status == 200:
            raise Failed("it comes compressed, though that was not asked for", again=False)
        words = {401: " (credentials are asked for)", 403: " (forbidden)", 404: " (not found)"}
        said = f"the server answers {response.status}{words.get(response.status, '')}"
        raise Failed(said, again=response.status in _PASSING, reached=True)


def _too_large(wanted: Wanted) -> str:
    if wanted.size is None:
        return f"it is larger than {ARCHIVE:,} bytes"
    return f"it is larger than the lock says ({wanted.size:,} bytes)"
