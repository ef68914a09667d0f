"""Which host is asked by how many at once, and which is not asked any more; for threads that fetch side by side.

A host is asked by one alone until it has answered. So one that never does is given up after the same few attempts,
however many ask, and what is told of each archive does not depend on who was first.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

Origin = tuple[str, str, int]
"""Scheme, host, port."""
PATIENCE = 3
"""Fetches that fail in a row before a host is not asked any more."""


class Turns:
    """The hosts of one fetch."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._answered: set[Origin] = set()
        self._asking: dict[Origin, int] = {}
        self._failures: dict[Origin, int] = {}

    @contextmanager
    def turn(self, host: Origin) -> Iterator[None]:
        """Wait until the host may be asked."""
        me = threading.get_ident()
        with self._changed:
            while host not in self._answered and host in self._asking:
                self._changed.wait()
            if host not in self._answered:
                self._asking[host] = me
        try:
            yield
        finally:
            with self._changed:
                if self._asking.get(host) == me:
                    del self._asking[host]
                self._changed.notify_all()

    def answered(self, host: Origin) -> None:
        """It brings something: all may ask."""
        with self._changed:
            self._answered.add(host)
            self._changed.notify_all()

    def brought(self, host: Origin) -> None:
        """It brought all of what it was asked for."""
        with self._changed:
            self._failures.pop(host, None)

    def failed(self, host: Origin, reached: bool) -> None:
        """All attempts failed; a host that cannot even be reached is given up at once."""
        with self._changed:
            self._failures[host] = self._failures.get(host, 0) + (1 if reached else PATIENCE)
            self._answered.discard(host)

    def given_up(self, host: Origin) -> bool:
        """Whether it is not to be asked any more."""
        with self._changed:
            return self._failures.get(host, 0) >= PATIENCE
