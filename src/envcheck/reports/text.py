"""Turns text that an attacker may have written into text that is safe to show, with nothing of it lost.

Whatever a terminal, a page or a reader's eye would act on, reorder or skip becomes a mark between angle brackets:
``⟨ESC⟩``, ``⟨U+202E⟩``, ``⟨byte FF⟩``, ``⟨40 spaces⟩``. Such a bracket in the text itself is a mark too: none can be
forged. Only the standard library, and only what is loaded anyway: a light scan's error lines use this.
"""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.model.printable import printable

__all__ = ["ellipsis", "pieces", "printable", "shorten", "unlogged", "visible"]

_NAMES = {
    "\0": "NUL",
    "\t": "tab",
    "\n": "LF",
    "\v": "VT",
    "\f": "FF",
    "\r": "CR",
    "\x1b": "ESC",
    "\x85": "NEL",
    "\u2028": "LS",
    "\u2029": "PS",
}
_BEGINNINGS = ("U+", "byte ", *(name + ">" for name in _NAMES.values()))

# Characters that str.isprintable() accepts although nothing is seen of them: fillers, variation selectors and the
# rest of Unicode's Default_Ignorable_Code_Point, and the Braille blank.
_INVISIBLE = frozenset((0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, 0x16FE4)).union(
    range(0x180B, 0x1810), range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0)
)
_BLANKS = 12
"""Spaces in a row from which they are counted instead of shown: fewer are an indent, more can hide what follows."""
_REPEATS = 4
"""The same mark in a row from which it is counted."""
_LOG_COMMAND = "##"
"""With letters and a bracket after it, a command to the runner of a CI job, anywhere in a line (``##[error]``,
``##vso[task]``)."""
_LONGEST_COMMAND = 32
_COMBINING = 3
"""Combining marks on one letter: living languages need up to three, a flood climbs over the lines around it."""


def visible(text: str, encoding: str | None = None) -> str:
    """``text`` as it can be shown: one line, every character of it seen or marked.

    ``encoding`` names what the output can hold: characters outside of it are marked as well, and the brackets are
    ``<`` and ``>`` where it has no others. ``None`` stands for all of Unicode.
    """
    simple = text.isascii() and text.isprintable() and " " * _BLANKS not in text and _LOG_COMMAND not in text
    if simple and ("<" not in text or _is_unicode(encoding)):
        return text
    return "".join(shown for shown, _ in pieces(text, encoding))


def shorten(text: str, limit: int, encoding: str | None = None) -> str:
    """As `visible`, but at most about ``limit`` characters, and the number of those left out is said."""
    if len(text) <= limit:
        return visible(text, encoding)
    shown: list[str] = []
    length = taken = 0
    for piece, count in pieces(text, encoding):
        if length + len(piece) > limit:
            break
        shown.append(piece)
        length += len(piece)
        taken += count
    rest = len(text) - taken
    if not rest:
        return "".join(shown)
    return f"{''.join(shown)}{ellipsis(encoding)} ({rest:,} more characters)"


def pieces(text: str, encoding: str | None = None) -> Iterator[tuple[str, int]]:
    """What `visible` shows, piece by piece: the shown form, and how many characters of ``text`` it stands for.

    A piece is one character or one mark; it is lazy, so that the head of a huge text costs only the head.
    """
    is_unicode = _is_unicode(encoding)
    opening, closing = ("\u27e8", "\u27e9") if is_unicode else ("<", ">")
    index, combined = 0, _COMBINING
    while index < len(text):
        character = text[index]
        if character == " ":
            run = _run(text, index)
            combined = _COMBINING
            if run >= _BLANKS:
                yield f"{opening}{run:,} spaces{closing}", run
            else:
                yield " " * run, run
            index += run
            continue
        combines = not character.isascii() and _combines(character)
        combined = combined + 1 if combines else 0
        plain = (
            character.isprintable()
            and not (character == opening and (is_unicode or _reads_as_mark(text, index + 1)))
            and ord(character) not in _INVISIBLE
            and not (character == "[" and _commands(text, index))
            and not (combines and combined > _COMBINING)
            and (is_unicode or _encodes(character, encoding))
        )
        if plain:
            yield character, 1
            index += 1
            continue
        run = _run(text, index)
        mark = _mark(character)
        # A mark ends the letter that a combining character could stand on.
        combined = _COMBINING
        if run >= _REPEATS:
            yield f"{opening}{run:,} {'×' if is_unicode else 'x'} {mark}{closing}", run
            index += run
        else:
            yield f"{opening}{mark}{closing}", 1
            index += 1


def unlogged(document: str) -> str:
    """A JSON document in which no string holds a command to the runner of a CI job, which reads what is printed."""
    if _LOG_COMMAND not in document:
        return document
    import re

    return re.sub(r"(##[A-Za-z]*)\[", r"\1\\u005b", document)


def ellipsis(encoding: str | None) -> str:
    """``…``, or three dots where the output has none."""
    return "…" if _is_unicode(encoding) else "..."


def _mark(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # PEP 383: a byte that is not valid in a file name's or file's encoding
        return f"byte {code - 0xDC00:02X}"
    if character == "[":
        return "["
    return _NAMES.get(character) or f"U+{code:04X}"


def _run(text: str, start: int) -> int:
    """How often the character at ``start`` stands there in a row."""
    character = text[start]
    end, step = start + 1, 1
    # Doubling steps: padding of millions of blanks is compared in a few large slices.
    while step and end < len(text):
        if text[end : end + step] == character * step:
            end += step
            step *= 2
        else:
            step //= 2
    return end - start


def _commands(text: str, bracket: int) -> bool:
    """Whether the bracket makes a command of what stands before it."""
    start = bracket
    while start and bracket - start < _LONGEST_COMMAND and text[start - 1].isascii() and text[start - 1].isalpha():
        start -= 1
    return text.endswith(_LOG_COMMAND, 0, start)


def _reads_as_mark(text: str, start: int) -> bool:
    """Whether an ASCII bracket of the text's own would open something that looks like a mark."""
    return text.startswith(_BEGINNINGS, start) or text[start : start + 1].isdigit()


def _combines(character: str) -> bool:
    import unicodedata

    return unicodedata.category(character) in ("Mn", "Me")


def _is_unicode(encoding: str | None) -> bool:
    return encoding is None or encoding.lower().replace("_", "-") in ("utf-8", "utf8", "utf-8-sig", "utf-16", "utf-32")


def _encodes(character: str, encoding: str | None) -> bool:
    try:
        character.encode(encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
