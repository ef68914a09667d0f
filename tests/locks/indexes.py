"""A package index on this machine, for as long as a test session: installers lock and install from it offline."""

from __future__ import annotations

import html
import threading
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from support.wheels import Wheel


class Index:
    """PEP 503 pages and the wheels themselves, on a free port of the loopback interface."""

    def __init__(self, wheels: Iterable[Wheel]) -> None:
        self.projects: dict[str, list[Wheel]] = {}
        for wheel in wheels:
            self.projects.setdefault(wheel.name.lower().replace("_", "-"), []).append(wheel)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        """What ``--index-url`` takes."""
        return f"http://127.0.0.1:{self._server.server_port}/simple"

    def __enter__(self) -> Index:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def page(self, project: str) -> bytes | None:
        """One project's links."""
        wheels = self.projects.get(project)
        if wheels is None:
            return None
        links = (
            f'<a href="/files/{html.escape(wheel.path.name)}#sha256={wheel.sha256}">{html.escape(wheel.path.name)}</a>'
            for wheel in wheels
        )
        return f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>".encode()

    def file(self, name: str) -> bytes | None:
        """One wheel."""
        found = (wheel.path for wheels in self.projects.values() for wheel in wheels if wheel.path.name == name)
        path = next(found, None)
        return None if path is None else path.read_bytes()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        index = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self._answer()

            def do_GET(self) -> None:
                self.wfile.write(self._answer())

            def _answer(self) -> bytes:
                parts = [part for part in self.path.partition("?")[0].split("/") if part]
                body: bytes | None = None
                kind = "application/octet-stream"
                if len(parts) == 2 and parts[0] == "simple":
                    body, kind = index.page(parts[1]), "text/html"
                elif len(parts) == 2 and parts[0] == "files":
                    body = index.file(parts[1])
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                return body or b""

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        return Handler
