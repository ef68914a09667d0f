"""A site directory's ``.pth`` files: bytes in, classified lines out, as each CPython decodes, splits and reads them.

``site.addpackage`` (up to 3.14) and ``site._read_pth_file`` (3.15, PEP 829). What the lines do when they run is not
decided here.
"""

import codecs
import re
from collections.abc import Iterator

from envcheck.model.nouns import Literal, NamedTuple
from envcheck.startup.encoding import Codec
from envcheck.startup.rules import Rules, source

LineKind = Literal["import", "path", "dormant"]

MAX_LINES = 200_000
"""Lines of one file; no Python starts in any useful time with more."""
_CHUNK = 8192
"""TextIOWrapper's: lines of earlier chunks have run when a later one cannot be decoded."""
_NARROW = r"\r\n|\r|\n"
_WIDE = r"\r\n|[\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029]"
_SEPARATORS = re.compile(rb"[\n\r\x0b\x0c\x1c-\x1e\x85]|\xe2\x80[\xa8\xa9]")
_IMPORT = ("import ", "import\t")


class Line(NamedTuple):
    """One line that does something, or would on another version."""

    number: int
    kind: LineKind
    text: str
    """The text that is executed, or the path; for a dormant line the text that would be."""
    ended: bool
    """Whether a line break follows (up to 3.12.3 it is part of the executed text)."""
    notes: tuple[str, ...] = ()
    reason: str | None = None
    """Why a dormant line does not run."""
    rule: str = ""


class Content(NamedTuple):
    """A decoded ``.pth``."""

    lines: tuple[Line, ...]
    lost: tuple[Line, ...] = ()
    """Lines behind the place where decoding fails: they never run here."""
    undecodable: str | None = None
    """Why the file cannot be decoded, when it cannot."""
    certain: bool = True
    """Whether the codec is known, so that the failure is."""
    sure: int = 0
    """Lines up to this number run even so: they stand in an earlier chunk."""


def is_pth(name: str, suffix: str = ".pth") -> bool:
    """Case-sensitive on every system."""
    return name.endswith(suffix)


def too_many_lines(data: bytes) -> bool:
    """Whether there are lines behind `MAX_LINES`, by any version's separators."""
    return len(data) > MAX_LINES and sum(1 for _ in _SEPARATORS.finditer(data)) > MAX_LINES


def read(data: bytes, rules: Rules, codec: Codec) -> Content:
    """Decode, split and classify the bytes of a ``.pth`` file."""
    if rules.utf8_first:
        return _read_whole(data, rules, codec)
    decoder = codecs.getincrementaldecoder(codec.name)()
    pieces: list[str] = []
    # The end of the file is a chunk of its own: what a cut character at the end refuses, whole lines have run before.
    for start in range(0, len(data) + _CHUNK, _CHUNK):
        chunk = data[start : start + _CHUNK]
        try:
            pieces.append(decoder.decode(chunk, final=not chunk))
        except UnicodeDecodeError as error:
            return _cut("".join(pieces), data, str(error), rules, codec)
    return Content(tuple(_lines("".join(pieces), rules)))


def _read_whole(data: bytes, rules: Rules, codec: Codec) -> Content:
    try:
        return Content(tuple(_lines(data.decode("utf-8-sig"), rules)))
    except UnicodeDecodeError as error:
        why = str(error)
    try:
        return Content(tuple(_lines(data.decode(codec.name), rules)))
    except UnicodeDecodeError:
        pass
    lines = tuple(_lines(data.decode("utf-8-sig", "surrogateescape"), rules))
    if codec.certain:
        return Content((), lines, why)
    return Content(lines, (), why, certain=False)


def _cut(before: str, data: bytes, why: str, rules: Rules, codec: Codec) -> Content:
    """A file with a chunk that cannot be decoded: whole lines of what stands ``before`` it have run."""
    everything = tuple(_lines(data.decode(codec.name if codec.name == "ascii" else "utf-8", "surrogateescape"), rules))
    # A carriage return at the very end is held back: the next character might be a line feed.
    held = before[:-1] if before.endswith("\r") else before
    breaks = len(re.findall(_NARROW, held))
    if not codec.certain:
        return Content(everything, (), why, certain=False, sure=breaks)
    ran = tuple(line for line in everything if line.number <= breaks)
    return Content(ran, everything[len(ran) :], why)


def _lines(text: str, rules: Rules) -> Iterator[Line]:
    """Classified lines; comments and blanks give none, unless they hide code that another version runs."""
    separator = re.compile(_WIDE if rules.wide_lines else _NARROW)
    start = number = 0
    while start < len(text) and number < MAX_LINES:
        found = separator.search(text, start)
        end = found.start() if found else len(text)
        number += 1
        raw = text[start:end]
        odd = found is not None and found[0] not in ("\n", "\r\n")
        line = _classified(raw, number, found is not None, rules)
        if line is not None:
            notes = hiding_notes(raw, line.kind)
            if odd or (start and text[start - 1] not in "\n"):
                notes = (*notes, "line-separator")
            yield line._replace(notes=notes)
        if not rules.wide_lines:
            yield from _elsewhere(raw, number)
        start = found.end() if found else len(text)


def _classified(raw: str, number: int, ended: bool, rules: Rules) -> Line | None:
    text = raw.strip() if rules.lines_stripped else raw
    if text.startswith("#") or not text.strip():
        return None
    if text.startswith(_IMPORT):
        return Line(number, "import", text, ended)
    if raw.strip().startswith(_IMPORT):
        return Line(
            number, "dormant", raw.strip(), ended,
            reason="a blank before it makes it a path line; Python 3.15 runs it", rule=source("lines_stripped"),
        )  # fmt: skip
    return Line(number, "path", raw.strip() if rules.lines_stripped else raw.rstrip(), ended)


def _elsewhere(raw: str, number: int) -> Iterator[Line]:
    """Code that only Pythons with more line separators run: what follows a form feed in a comment, for one."""
    pieces = re.split(_WIDE, raw)
    for piece in pieces[1:]:
        if piece.startswith(_IMPORT):
            yield Line(
                number, "dormant", piece, False, (*hiding_notes(piece, "import"), "line-separator"),
                "it follows a character that ends a line only from Python 3.12.4 on", source("wide_lines"),
            )  # fmt: skip


_PADDED = r"[ \t]{40,}(?=[^ \t#])"
_CONTROL = "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
_BIDI = "[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]"
_ZERO_WIDTH = "[\u200b-\u200d\u2060-\u2064\ufeff\u00ad\u180e\u3164\uffa0\u115f\u1160]"


def hiding_notes(text: str, kind: str) -> tuple[str, ...]:
    """What is odd about how a line is written: words for the check that looks for hidden code."""
    if text.isascii() and text.isprintable() and "    " not in text:
        return ()
    notes = []
    if kind != "path" and re.search(_PADDED, text.rstrip()):
        notes.append("off-screen")
    if re.search(_CONTROL, text):
        notes.append("control-characters")
    if re.search(_BIDI, text):
        notes.append("bidi")
    if re.search(_ZERO_WIDTH, text):
        notes.append("zero-width")
    return tuple(notes)
