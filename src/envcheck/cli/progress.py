"""A progress bar on standard error: only on a terminal, and only for work that takes longer than a moment."""

from __future__ import annotations

import sys
import time

from envcheck.model.report import Progress

PATIENCE = 1.0
"""Seconds of silence before a bar appears."""


def progress_on_terminal() -> Progress | None:
    """A callback that draws, or ``None`` where nobody watches."""
    if not sys.stderr.isatty():
        return None
    started = time.monotonic()
    drawn = False

    def show(what: str, done: int, total: int) -> None:
        nonlocal drawn
        if not drawn and time.monotonic() - started < PATIENCE:
            return
        if total and done >= total:
            if drawn:
                sys.stderr.write("\r\x1b[K")
                sys.stderr.flush()
            drawn = False
            return
        drawn = True
        width = 24
        filled = width * done // total if total else 0
        of = f" {done:,} of {total:,}" if total else f" {done:,}"
        sys.stderr.write(f"\r\x1b[K{'█' * filled}{'░' * (width - filled)} {what}{of}")
        sys.stderr.flush()

    return show
