"""Collects what reading a piece of code brings to light, each thing once, with the source text and line of it."""

from __future__ import annotations

import _ast
import re

from envcheck.behavior import strings
from envcheck.model.behavior import Account, Capability, Flow, FlowKind, Indicator, Layer, Use

MAX_EXPRESSION = 2_000
"""Characters of a source text that are kept; how many follow is said."""
MAX_RECORDS = 2_000
MAX_CHARACTERS = 1_500_000
"""Of all strings that are looked at."""
_NEWLINE = re.compile(r"\r\n|\r|\n")


class Source:
    """A text and its lines, as the parser counts them."""

    def __init__(self, text: str, first_line: int = 1) -> None:
        self.text = text
        self._first = first_line
        self._lines: list[str] | None = None

    def line(self, node: _ast.AST) -> int | None:
        """The number of the line that a node begins on."""
        number = getattr(node, "lineno", None)
        return None if number is None else number + self._first - 1

    def of(self, node: _ast.AST) -> str:
        """The text of a node; columns are counted in bytes of UTF-8."""
        first, last = getattr(node, "lineno", None), getattr(node, "end_lineno", None)
        if first is None or last is None:
            return ""
        if self._lines is None:
            self._lines = _NEWLINE.split(self.text)
        lines = self._lines[first - 1 : min(last, first + 60)]
        if not lines:
            return ""
        begin, end = getattr(node, "col_offset", 0), getattr(node, "end_col_offset", None)
        if first == last:
            return shortened(_columns(lines[0], begin, end))
        whole = "\n".join([_columns(lines[0], begin, None), *lines[1:-1], _columns(lines[-1], 0, end)])
        return shortened(whole)


def _columns(line: str, begin: int, end: int | None) -> str:
    if line.isascii():
        return line[begin:end]
    raw = line.encode("utf-8", "surrogatepass")
    return raw[begin:end].decode("utf-8", "replace")


def shortened(text: str) -> str:
    """A text with the number of characters that are left out, where it is very long."""
    if len(text) <= MAX_EXPRESSION:
        return text
    return f"{text[:MAX_EXPRESSION]}… ({len(text) - MAX_EXPRESSION:,} more characters)"


class Recorder:
    """Uses, flows, layers and indicators of one text."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._uses: dict[tuple[Capability, int | None, str], Use] = {}
        self._flows: dict[tuple[FlowKind, int | None], Flow] = {}
        self._layers: dict[str, Layer] = {}
        self._indicators: dict[tuple[str, str], Indicator] = {}
        self._looked: set[str] = set()
        self._characters = 0

    def use(self, capability: Capability, node: _ast.AST, means: str) -> None:
        """A place with a capability."""
        key = (capability, self.source.line(node), means)
        if key not in self._uses and len(self._uses) < MAX_RECORDS:
            self._uses[key] = Use(capability, key[1], self.source.of(node), shortened(means))

    def flow(self, kind: FlowKind, node: _ast.AST, means: str) -> None:
        """Something that reaches something else."""
        key = (kind, self.source.line(node))
        if key not in self._flows and len(self._flows) < MAX_RECORDS:
            self._flows[key] = Flow(kind, key[1], self.source.of(node), shortened(means))

    def text(self, text: str, node: _ast.AST) -> None:
        """A string that the code has."""
        if len(text) < 4 or text in self._looked or self._characters > MAX_CHARACTERS:
            return
        self._looked.add(text)
        self._characters += len(text) + 100
        for capability, means in strings.hints(text):
            self.use(capability, node, means)
        if "." in text or "/" in text or "\\" in text:
            for found in strings.indicators(text, self.source.line(node)):
                if len(self._indicators) < MAX_RECORDS:
                    self._indicators.setdefault((found.kind, found.value), found)

    def layer(self, layer: Layer) -> None:
        """Something taken out."""
        self._layers.setdefault(layer.sha256, layer)

    def has_layer(self, digest: str) -> Layer | None:
        """The layer of that content, where it was taken out before."""
        return self._layers.get(digest)

    def account(self, why: str | None, tricks: tuple[str, ...] = ()) -> Account:
        """All of it, in the order of the text."""
        return Account(
            "source",
            why is None,
            why,
            tuple(sorted(self._uses.values(), key=lambda use: use.line or 0)),
            tuple(sorted(self._flows.values(), key=lambda flow: flow.line or 0)),
            tuple(self._layers.values()),
            tuple(self._indicators.values()),
            tricks,
        )
