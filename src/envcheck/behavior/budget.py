"""How much work one piece of code may cause: counted in steps and bytes, never in time, so that results repeat."""

from __future__ import annotations

MAX_STEPS = 160_000
"""Expressions that are evaluated, those of a loop each time."""
RESERVE = 80_000
"""Steps that loops and calls leave for reading everything once."""
MAX_BYTES = 48 << 20
"""Bytes of all values that are made."""
MAX_VALUE = 4 << 20
"""Bytes of one value."""
MAX_LAYERS = 64
MAX_LAYER_DEPTH = 8
MAX_DEPTH = 90
"""Expressions within expressions; each takes a few frames of our own."""


class Spent(Exception):
    """The steps are used up."""


class TooLarge(Exception):
    """A value over a bound."""


class Budget:
    """What is left; one for a file and all that is taken out of it."""

    def __init__(self, steps: int = MAX_STEPS) -> None:
        self.steps = steps
        self.bytes = MAX_BYTES
        self.layers = MAX_LAYERS
        self.short: str | None = None
        """What was cut short first, if anything was: a clause."""

    def step(self, count: int = 1) -> None:
        """Take steps. Raises `Spent`."""
        self.steps -= count
        if self.steps < 0:
            self.cut("it takes more steps to follow than are taken")
            raise Spent

    @property
    def may_repeat(self) -> bool:
        """Whether there are steps for going through anything again."""
        return self.steps > RESERVE

    def take(self, size: int) -> None:
        """Take bytes, before they are made. Raises `TooLarge`."""
        if size > MAX_VALUE or size > self.bytes:
            self.cut(f"a value in it is larger than is made ({size:,} bytes)")
            raise TooLarge
        self.bytes -= size

    def cut(self, why: str) -> None:
        """Remember that something was left out."""
        self.short = self.short or why
