"""Turns text into lines that fit a terminal: wrapping, alignment and code on a rule, through rich.

Every string is made visible here (see ``text``) and only ever becomes a rich ``Text``: nothing parses markup, finds
links or highlights in it.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from envcheck.reports.text import ellipsis, pieces, shorten, visible

LONGEST = 1500
"""Characters of one name or message that are shown; the report for programs has them whole."""
NARROWEST, WIDEST_PROSE = 40, 110


class Page:
    """Lines written to a rich console; ``dot``, ``good`` and the like are what the output's encoding can hold."""

    def __init__(self, console: Console, width: int, encoding: str | None) -> None:
        self.console = console
        self.width = max(width, NARROWEST)
        self.prose = min(self.width, WIDEST_PROSE)
        self.encoding = encoding
        self._line_feeds = (visible("\n"), visible("\n", encoding))
        self.dots = ellipsis(encoding)
        self.dot = self._symbol("·", "-")
        self.bar = self._symbol("│", "|")
        self.into = self._symbol("⤷", ">")
        self._dash = self._symbol("─", "-")
        self.marks = {
            "good": self._symbol("✔", "OK"),
            "doubtful": "!",
            "bad": self._symbol("✘", "X"),
        }

    def text(self, text: str, style: str = "") -> Text:
        """Any text, ours or an attacker's, safe to show."""
        return Text(shorten(text, LONGEST, self.encoding), style)

    def join(self, *parts: Text | str) -> Text:
        """Pieces in a row; strings are made visible."""
        return Text.assemble(*(part if isinstance(part, Text) else self.text(part) for part in parts))

    def listed(self, clauses: list[str], style: str = "") -> Text:
        """Clauses with a dot between them."""
        separator = Text(f" {self.dot} ", style)
        return separator.join(self.text(clause, style) for clause in clauses)

    def blank(self) -> None:
        """An empty line."""
        self.line(Text())

    def rule(self) -> None:
        """A line from edge to edge."""
        self.line(Text(self._dash * self.width, "dim"))

    def line(self, line: Text) -> None:
        """One line that fits already."""
        line.rstrip()
        self.console.print(line, no_wrap=True, overflow="ignore", crop=False, highlight=False, emoji=False)

    def say(self, text: Text | str, first: Text | str = "", indent: int = 0, wide: bool = False) -> None:
        """A paragraph after ``first``; further lines begin where the first line's text does, never at the left edge.

        Only our own words stand there, so that no text of an attacker's can pass for a verdict or a heading.
        """
        head = first if isinstance(first, Text) else Text(first)
        body = text if isinstance(text, Text) else self.text(text)
        start = indent + head.cell_len
        hanging = start or 2
        room = (self.width if wide else self.prose) - hanging
        for number, line in enumerate(body.wrap(self.console, room, overflow="fold")):
            margin = Text(" " * hanging) if number else Text.assemble(" " * indent, head)
            self.line(Text.assemble(margin, line))

    def ends(self, first: Text, left: Text, right: Text) -> None:
        """``first`` and ``left`` at the left edge, ``right`` at the right one; below ``left`` where they do not fit."""
        edge = max(self.prose, min(first.cell_len + left.cell_len + 2 + right.cell_len, self.width))
        gap = edge - first.cell_len - left.cell_len - right.cell_len
        if gap >= 2:
            self.line(Text.assemble(first, left, " " * gap, right))
            return
        self.say(left, first=first, wide=True)
        self.say(right, indent=first.cell_len or 2, wide=True)

    def code(self, code: str, most: int | None, indent: int = 2) -> int:
        """Code on a rule, wrapped at the edge, in at most ``most`` lines; how many characters are left."""
        margin = Text.assemble(" " * indent, (f"{self.bar} ", "dim"))
        room = max(self.width - indent - 2, 10)
        taken = 0
        for number, (line, count) in enumerate(self._code_lines(code, room)):
            if most is not None and number == most:
                break
            self.line(Text.assemble(margin, line))
            taken += count
        return len(code) - taken

    def first_line(self, code: str, room: int) -> tuple[str, int]:
        """What of ``code`` fits on one line of ``room`` cells, and how many characters are left."""
        shown: list[str] = []
        cells = taken = 0
        for piece, count in pieces(code, self.encoding):
            cells += cell_len(piece)
            if cells > room:
                break
            shown.append(piece)
            taken += count
            if piece in self._line_feeds:
                break
        return "".join(shown), len(code) - taken

    def _code_lines(self, code: str, room: int) -> Iterator[tuple[str, int]]:
        """Lines of at most ``room`` cells, and how many characters of the code each stands for.

        Broken after a line feed, else after the last blank or comma of a line that is mostly full, else anywhere.
        """
        line: list[tuple[str, int]] = []
        cells = 0
        for piece in pieces(code, self.encoding):
            needed = cell_len(piece[0])
            if line and cells + needed > room:
                cut = _break_after(line, room)
                yield _joined(line[:cut])
                line = line[cut:]
                cells = sum(cell_len(shown) for shown, _ in line)
            line.append(piece)
            cells += needed
            if piece[0] in self._line_feeds:
                yield _joined(line)
                line, cells = [], 0
        if line:
            yield _joined(line)

    def _symbol(self, wanted: str, fallback: str) -> str:
        try:
            wanted.encode(self.encoding or "utf-8")
        except (UnicodeEncodeError, LookupError):
            return fallback
        return wanted


def _break_after(line: list[tuple[str, int]], room: int) -> int:
    """How many pieces stay on the line."""
    for index in range(len(line) - 1, room * 2 // 3, -1):
        if line[index][0].isspace() or line[index][0] in (",", ";", "/"):
            return index + 1
    return len(line)


def _joined(line: list[tuple[str, int]]) -> tuple[str, int]:
    return "".join(shown for shown, _ in line), sum(count for _, count in line)
