"""A URL into one HTTP response: TCP, a proxy where the user has one, TLS, the request, all under one limit of time.

`http.client` reads the response; it is not asked to connect, because a server that sends a byte now and then would
hold it for ever.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol, cast

from envcheck.anchors.sources.credentials import basic
from envcheck.anchors.sources.urls import BadUrl, Url, parse

if TYPE_CHECKING:
    import ssl

IDLE = 20.0
"""Seconds without a byte."""
GRACE = 60.0
"""Seconds that any answer may take."""
SLOWEST = 16 << 10
"""Bytes a second that it must bring after that."""
_TOO_SLOW = "the server is too slow"
_HEAD = 64 << 10
"""Bytes of a proxy's answer."""


class Failed(Exception):
    """No answer; ``why`` is one clause. ``again``: another attempt may succeed; ``reached``: there is such a host."""

    def __init__(self, why: str, again: bool = True, reached: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.again = again
        self.reached = reached


class Network:
    """How this user reaches hosts: proxies, certificates, a clock."""

    def __init__(
        self,
        proxies: Mapping[str, str] | None = None,
        certificates: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``proxies`` has the user's ``http_proxy``, ``https_proxy``, ``all_proxy`` and ``no_proxy``, in small letters.

        ``certificates`` are authorities to trust beside the system's, as PEM.
        """
        self._proxies = dict(proxies or {})
        self._certificates = certificates
        self._clock = clock
        self._context: ssl.SSLContext | None = None
        self._open: set[_Transport] = set()
        self._closed = False

    def close(self) -> None:
        """End every connection, also those that other threads wait for; there will be no more."""
        self._closed = True
        for transport in list(self._open):
            transport.end()

    def get(self, url: Url, headers: Mapping[str, str]) -> Response:
        """Send one GET and read the head of the answer. Raises `Failed`, `BadUrl` for a proxy that is none."""
        proxy = proxy_for(url, self._proxies)
        transport = _Transport(self._clock, self._open)
        try:
            transport.connect(proxy or url)
            if self._closed:
                raise Failed("it was not waited for", again=False)
            target = url.target
            more = dict(headers)
            if proxy is not None and url.scheme == "https":
                transport.tunnel(url, _proxy_login(proxy))
            elif proxy is not None:
                target = f"http://{url.authority}{url.target}"
                more.update(_proxy_login(proxy))
            if url.scheme == "https":
                transport.secure(self._tls(), url.host)
            transport.send(_request(target, url.authority, more))
            answer = http.client.HTTPResponse(cast("socket.socket", transport), method="GET")
            answer.begin()
            return Response(answer, transport)
        except (OSError, http.client.HTTPException, ValueError) as error:
            transport.close()
            raise _failed(error, transport.connected) from None
        except Failed:
            transport.close()
            raise

    def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            import ssl

            self._context = ssl.create_default_context()
            if self._certificates is not None:
                try:
                    self._context.load_verify_locations(cadata=self._certificates)
                except (ssl.SSLError, ValueError) as error:
                    raise Failed(f"SSL_CERT_FILE has no certificates: {error}", again=False) from None
        return self._context


class Response:
    """The head of an answer, and its body piece by piece. Used in a ``with`` statement."""

    def __init__(self, answer: http.client.HTTPResponse, transport: _Transport) -> None:
        self._answer = answer
        self._transport = transport
        self._left = answer.length
        self.status = answer.status

    def __enter__(self) -> Response:
        return self

    def __exit__(self, *_: object) -> None:
        self._answer.close()
        self._transport.close()

    def header(self, name: str) -> str:
        """A header's value, or the empty text."""
        return self._answer.getheader(name) or ""

    @property
    def length(self) -> int | None:
        """Bytes that the body still has, where the server says it."""
        return self._left

    def read(self, size: int) -> bytes:
        """Some bytes of the body; none at its end. Raises `Failed`, also where the body ends too early."""
        try:
            data = self._answer.read1(size)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise _failed(error, True) from None
        if self._left is not None:
            if not data and self._left:
                raise Failed("the connection broke off in the middle", reached=True)
            self._left -= len(data)
        return data

    def __iter__(self) -> Response:
        return self

    def __next__(self) -> bytes:
        data = self.read(256 << 10)
        if not data:
            raise StopIteration
        return data


class _Socket(Protocol):
    """What a connection needs of a socket, plain or with TLS."""

    def settimeout(self, value: float | None, /) -> None: ...
    def recv_into(self, buffer: memoryview, /) -> int: ...
    def sendall(self, data: bytes, /) -> None: ...
    def close(self) -> None: ...


class _Transport(io.RawIOBase):
    """A connection that gives up on who is too slow; `http.client` takes it for a socket."""

    def __init__(self, clock: Callable[[], float], open_ones: set[_Transport]) -> None:
        """It is one of the ``open_ones`` from when it connects until it is closed."""
        self._open = open_ones
        self._clock = clock
        self._started = clock()
        self._received = 0
        self._socket: _Socket | None = None
        self._plain: socket.socket | None = None
        self.connected = False

    def connect(self, url: Url) -> None:
        self._plain = self._socket = socket.create_connection((url.host, url.port), self._patience())
        self.connected = True
        self._open.add(self)

    def end(self) -> None:
        """Have whoever waits for it be told that it ended."""
        with contextlib.suppress(OSError):
            if self._plain is not None:
                self._plain.shutdown(socket.SHUT_RDWR)

    def tunnel(self, url: Url, login: Mapping[str, str]) -> None:
        """Through a proxy to a host (RFC 9110, CONNECT)."""
        authority = f"{'[' + url.host + ']' if ':' in url.host else url.host}:{url.port}"
        self.send(_request(authority, authority, login, method="CONNECT"))
        head = bytearray()
        one = memoryview(bytearray(1))
        # A byte at a time: what follows the head is TLS.
        while not head.endswith(b"\r\n\r\n"):
            if len(head) > _HEAD or not self.readinto(one):
                raise Failed("the proxy gave no answer that can be read")
            head += one
        status = bytes(head).split(b"\r\n", 1)[0].split(b" ", 2)
        if len(status) < 2 or not status[1].startswith(b"2"):
            said = status[1].decode("ascii", "replace") if len(status) > 1 else "?"
            raise Failed(f"the proxy refused to connect (status {said})", again=False)

    def secure(self, context: ssl.SSLContext, host: str) -> None:
        assert self._plain is not None
        self._plain.settimeout(self._patience())
        self._socket = context.wrap_socket(self._plain, server_hostname=host)

    def send(self, data: bytes) -> None:
        assert self._socket is not None
        self._socket.settimeout(self._patience())
        self._socket.sendall(data)

    def makefile(self, _: str) -> io.BufferedReader:
        """What `http.client` reads from."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        """Fill a buffer with what comes next."""
        assert self._socket is not None
        patience = self._patience()
        self._socket.settimeout(patience)
        try:
            size = self._socket.recv_into(memoryview(cast("bytearray", buffer)))
        except TimeoutError:
            if patience < IDLE:
                raise Failed(_TOO_SLOW, reached=True) from None
            raise
        self._received += size
        return size

    def close(self) -> None:
        self._open.discard(self)
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.close()
        super().close()

    def _patience(self) -> float:
        """Seconds to wait for the next byte. Raises `Failed` where the whole has taken too long."""
        left = GRACE + self._received / SLOWEST - (self._clock() - self._started)
        if left <= 0:
            raise Failed(_TOO_SLOW, reached=self.connected)
        return min(IDLE, left)


def _request(target: str, authority: str, headers: Mapping[str, str], method: str = "GET") -> bytes:
    lines = [f"{method} {target} HTTP/1.1", f"Host: {authority}", *(f"{name}: {headers[name]}" for name in headers)]
    assert not any(character in line for line in lines for character in "\r\n")
    return "".join(line + "\r\n" for line in [*lines, "Connection: close", ""]).encode("ascii")


def _proxy_login(proxy: Url) -> dict[str, str]:
    return {} if proxy.user is None else {"Proxy-Authorization": basic(proxy.user, proxy.password or "")}


def _failed(error: Exception, connected: bool) -> Failed:
    """A library's error as one clause."""
    if isinstance(error, socket.gaierror):
        return Failed("no such host is known")
    if isinstance(error, TimeoutError):
        return Failed("the server does not answer", reached=connected)
    if isinstance(error, http.client.HTTPException):
        return Failed(f"the server's answer cannot be read ({type(error).__name__})", reached=connected)
    verify = getattr(error, "verify_message", "")
    if verify:
        return Failed(f"its certificate is not trusted ({verify})", again=False)
    text = getattr(error, "reason", None) or getattr(error, "strerror", None) or "the connection failed"
    return Failed(str(text).lower().replace("_", " "), reached=connected)


def proxy_for(url: Url, proxies: Mapping[str, str]) -> Url | None:
    """The proxy that the user's variables name for a host. Raises `Failed` for one that cannot be used.

    ``no_proxy`` lists hosts, with or without a port; each also stands for the hosts below it, and ``*`` for all.
    """
    chosen = proxies.get(f"{url.scheme}_proxy") or proxies.get("all_proxy")
    if not chosen or _bypassed(url, proxies.get("no_proxy", "")):
        return None
    try:
        proxy = parse(chosen if "://" in chosen else f"http://{chosen}")
    except BadUrl:
        proxy = None
    if proxy is None or proxy.scheme != "http":
        # Going there without it could be what the proxy is to prevent.
        raise Failed("the proxy in the environment is not of http, and no other kind is known", again=False)
    return proxy


def _bypassed(url: Url, listed: str) -> bool:
    for item in listed.lower().replace(" ", ",").split(","):
        name = item.lstrip(".")
        if name == "*":
            return True
        host, colon, port = name.rpartition(":")
        if colon and port.isdecimal() and ":" not in host:
            if int(port) != url.port:
                continue
            name = host
        name = name.strip("[]")
        if name and (url.host == name or url.host.endswith("." + name)):
            return True
    return False
