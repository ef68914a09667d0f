"""Wanted archives into what a fetcher brings of each: a few at a time, told in the order of the question."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence

from envcheck.anchors.sources.fetch import Fetcher
from envcheck.model.anchor import Held, Wanted

AT_ONCE = 4
PATIENCE = 2.0
"""Seconds that a fetch has to end when all are to."""
Brought = tuple[list[Held], "str | None"]


def fetch_several(fetcher: Fetcher, wanted: Sequence[Wanted], done: Callable[[int], None]) -> list[Brought]:
    """Each archive, or why it could not be fetched; ``done`` is told, by the caller's thread, how many are.

    Whatever ends this ends every fetch, and leaves no unfinished file.
    """
    found: dict[int, Brought] = {}
    numbers: queue.SimpleQueue[int] = queue.SimpleQueue()
    ended: queue.SimpleQueue[int | BaseException] = queue.SimpleQueue()
    for number in range(len(wanted)):
        numbers.put(number)

    def work() -> None:
        try:
            while not fetcher.stopped:
                number = numbers.get_nowait()
                found[number] = fetcher.fetch(wanted[number])
                ended.put(number)
        except queue.Empty:
            return
        except BaseException as error:
            ended.put(error)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(AT_ONCE, len(wanted)))]
    try:
        for thread in threads:
            thread.start()
        for count in range(len(wanted)):
            done(count)
            _raise(ended)
    except BaseException:
        fetcher.stop()
        raise
    finally:
        for thread in threads:
            if thread.ident is not None:
                thread.join(PATIENCE if fetcher.stopped else None)
    return [found[number] for number in range(len(wanted))]


def _raise(ended: queue.SimpleQueue[int | BaseException]) -> None:
    """Wait for one fetch to end; in steps, so that Ctrl-C is heard on every system."""
    while True:
        try:
            one = ended.get(timeout=0.5)
        except queue.Empty:
            continue
        if isinstance(one, BaseException):
            raise one
        return
