"""A small HTTP server on this machine that answers what a test tells it to, and keeps what it was asked."""

from __future__ import annotations

import contextlib
import html
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, NamedTuple
from urllib.parse import unquote

import pytest

from support.venvs import find_tool, run
from support.wheels import Wheel

CACHEABLE = {"Cache-Control": "max-age=365000000, immutable, public", "ETag": '"one"'}
"""Headers with which an index lets pip keep a response."""


class Asked(NamedTuple):
    """One request."""

    method: str
    target: str
    headers: Mapping[str, str]


class Answer(NamedTuple):
    """A status, headers and a body. ``length`` says another number of bytes than the body has."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = {}
    length: int | None = None
    write: Callable[[BinaryIO], None] | None = None
    """Writes all of the answer itself."""


def moved(target: str, status: int = 302) -> Answer:
    return Answer(status=status, headers={"Location": target})


class Server:
    """Routes from a request's target to an answer, or to answers in turn; anything else is not found."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.routes: dict[str, Answer | list[Answer]] = {}
        self.asked: list[Asked] = []
        self.end = threading.Event()
        """Set when the server ends: what an answer that never comes waits for."""
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self._scheme = "http" if context is None else "https"
        if context is not None:
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def port(self) -> int:
        return self._http.server_port

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}"

    @property
    def index(self) -> str:
        return f"{self.url}/simple"

    def serve(self, wheels: Iterable[Wheel], hashes: bool = True, headers: Mapping[str, str] = CACHEABLE) -> None:
        """Be a package index that has these wheels."""
        projects: dict[str, list[Wheel]] = {}
        for wheel in wheels:
            projects.setdefault(wheel.name, []).append(wheel)
            self.routes[f"/files/{wheel.path.name}"] = Answer(wheel.path.read_bytes(), headers=headers)
        for name, offered in projects.items():
            page = "".join(
                f'<a href="/files/{html.escape(wheel.path.name)}{f"#sha256={wheel.sha256}" if hashes else ""}">x</a>'
                for wheel in offered
            )
            self.routes[f"/simple/{name}/"] = Answer(page.encode(), headers={"Content-Type": "text/html"})

    def file_url(self, wheel: Wheel) -> str:
        return f"{self.url}/files/{wheel.path.name}"

    def targets(self) -> list[str]:
        return [asked.target for asked in self.asked]

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.end.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append(Asked("GET", self.path, dict(self.headers)))
                answer = server.routes.get(self.path) or server.routes.get(unquote(self.path)) or Answer(status=404)
                if isinstance(answer, list):
                    answer = answer.pop(0) if len(answer) > 1 else answer[0]
                with contextlib.suppress(OSError, ValueError):
                    self._give(answer)

            def do_HEAD(self) -> None:
                server.asked.append(Asked("HEAD", self.path, dict(self.headers)))
                answer = server.routes.get(self.path) or Answer(status=404)
                one = answer[0] if isinstance(answer, list) else answer
                self._give(one._replace(body=b"", length=len(one.body) if one.length is None else one.length))

            def do_CONNECT(self) -> None:
                """A proxy's part: carry bytes both ways."""
                server.asked.append(Asked("CONNECT", self.path, dict(self.headers)))
                answer = server.routes.get(f"CONNECT {self.path}", Answer())
                assert isinstance(answer, Answer)
                if answer.status != 200:
                    self._give(answer)
                    return
                host, _, port = self.path.rpartition(":")
                with socket.create_connection((host, int(port)), 10) as beyond:
                    self.wfile.write(b"HTTP/1.1 200 go on\r\n\r\n")
                    back = threading.Thread(target=_carry, args=(beyond, self.connection), daemon=True)
                    back.start()
                    _carry(self.connection, beyond)
                    back.join(10)

            def _give(self, answer: Answer) -> None:
                if answer.write is not None:
                    answer.write(self.wfile)  # type: ignore[arg-type]
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body) if answer.length is None else answer.length))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        return Handler


def _carry(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := one.recv(1 << 16):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)


class Authority(NamedTuple):
    """A certificate for an address that signs itself, in a file, and a context for a server that has it."""

    certificate: Path
    context: ssl.SSLContext


def make_authority(directory: Path, address: str = "127.0.0.1") -> Authority:
    tool = find_tool("openssl")
    if tool is None:
        pytest.skip("openssl, which makes a certificate for the test, is not on PATH")
    certificate, key = directory / "certificate.pem", directory / "key.pem"
    names = ("-subj", f"/CN={address}", "-addext", f"subjectAltName=IP:{address}")
    kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    run([tool, "req", "-x509", *kind, "-keyout", str(key), "-out", str(certificate), *names])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return Authority(certificate, context)
