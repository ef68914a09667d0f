"""A package index on this machine, for as long as a test session: installers lock and install from it offline."""

from __future__ import annotations

import contextlib
import html
import re
import shutil
import threading
from collections.abc import Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

from support.wheels import Wheel


class Index:
    """PEP 503 pages and the wheels themselves, on a free port of the loopback interface."""

    def __init__(self, wheels: Iterable[Wheel], headers: Mapping[str, str] | None = None) -> None:
        """``headers`` go with each wheel: `support.servers.CACHEABLE` lets installers keep them."""
        self.projects: dict[str, list[Wheel]] = {}
        self._files: dict[str, Path] = {}
        self._headers = dict(headers or {})
        for wheel in wheels:
            self.projects.setdefault(re.sub(r"[-_.]+", "-", wheel.name).lower(), []).append(wheel)
            self._files[wheel.path.name] = wheel.path
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

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        index = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self._answer(whole=False)

            def do_GET(self) -> None:
                with contextlib.suppress(ConnectionError):
                    self._answer(whole=True)

            def _answer(self, whole: bool) -> None:
                parts = [part for part in self.path.partition("?")[0].split("/") if part]
                if len(parts) == 2 and parts[0] == "files" and parts[1] in index._files:
                    path = index._files[parts[1]]
                    self._head(200, "application/octet-stream", path.stat().st_size, index._headers)
                    if whole:
                        with path.open("rb") as stream:
                            shutil.copyfileobj(stream, self.wfile)
                    return
                page = index.page(parts[1]) if len(parts) == 2 and parts[0] == "simple" else None
                self._head(404 if page is None else 200, "text/html", len(page or b""))
                if whole:
                    self.wfile.write(page or b"")

            def _head(self, status: int, kind: str, length: int, more: Mapping[str, str] | None = None) -> None:
                self.send_response(status)
                for name, value in {"Content-Type": kind, "Content-Length": str(length), **(more or {})}.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        return Handler
