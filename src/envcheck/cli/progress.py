"""A progress bar on standard error: only on a terminal, and only for work that takes longer than a moment."""

from __future__ import annotations

import sys
import time

PATIENCE = 1.0
"""Seconds of silence before a bar appears."""
_WIDTH = 24


class Bar:
    """A callback for `envcheck.model.report.Options.progress` that draws; ``clear`` takes away what it drew."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._drawn = False

    def __call__(self, what: str, done: int, total: int) -> None:
        """Draw how far the work is."""
        if not self._drawn and time.monotonic() - self._started < PATIENCE:
            return
        self._drawn = True
        filled = _WIDTH * done // total if total else 0
        of = f" {done:,} of {total:,}" if total else f" {done:,}"
        sys.stderr.write(f"\r\x1b[K{'█' * filled}{'░' * (_WIDTH - filled)} {what}{of}")
        sys.stderr.flush()

    def clear(self) -> None:
        """Before anything else is written."""
        if self._drawn:
            self._drawn = False
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def bar_on_terminal() -> Bar | None:
    """A bar, or ``None`` where nobody watches."""
    return Bar() if sys.stderr.isatty() else None
