"""The bytes of a ``.start`` file in, its entry points out (PEP 829, Python 3.15)."""

import re

from envcheck.model.nouns import NamedTuple
from envcheck.startup.pth import hiding_notes

_SEPARATOR = r"\r\n|[\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029]"


class EntryPoint(NamedTuple):
    """One line: ``module:callable``; both ``None`` where the line is refused without importing anything."""

    number: int
    text: str
    module: str | None
    attribute: str | None
    notes: tuple[str, ...] = ()


def read(data: bytes) -> tuple[EntryPoint, ...] | None:
    """The lines that are neither blank nor comments; ``None`` where the file is not UTF-8 and so ignored.

    An ignored file does not suppress the import lines of the ``.pth`` beside it; an empty one does.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    found = []
    for number, raw in enumerate(re.split(_SEPARATOR, text), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        module, attribute = _parsed(line)
        found.append(EntryPoint(number, line, module, attribute, hiding_notes(raw, "import")))
    return tuple(found)


def _parsed(line: str) -> tuple[str | None, str | None]:
    """``pkgutil.resolve_name(strict=True)``: exactly one colon, identifiers on both sides, the callable mandatory."""
    module, colon, attribute = line.partition(":")
    if not colon or not all(part.isidentifier() for part in (*module.split("."), *attribute.split("."))):
        return None, None
    return module, attribute
