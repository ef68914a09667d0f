"""An activate script's text into the template that a maker of environments fills in, and what was filled in.

`venv`, virtualenv and uv write these scripts from templates with the environment's path and prompt in them. Every line
must be one of a known template for that shell, by digest, or fit one of its lines with placeholders; what was filled
in must be quoted so that the shell takes it for data (CVE-2024-9287). The lines in their order make the template,
known by its digest. The tables come from the tools' own releases, never from the environment or its base.
"""

import re
from functools import cached_property

from envcheck.catalogue.literals import NotLiteral, whole_literal
from envcheck.model.nouns import NamedTuple
from envcheck.model.sha256 import sha256

LANGUAGES = {
    "activate": "sh",
    "activate.csh": "csh",
    "deactivate.csh": "csh",
    "activate.fish": "fish",
    "activate.nu": "nu",
    "deactivate.nu": "nu",
    "activate.xsh": "python",
    "activate_this.py": "python",
    "activate.ps1": "ps1",
    "activate.bat": "bat",
    "deactivate.bat": "bat",
    "pydoc.bat": "bat",
}
"""File name (lower case) to the language that reads it."""

PLACEHOLDERS = {
    "__VENV_DIR__": "dir",
    "__VENV_NAME__": "prompt",
    "__VENV_PROMPT__": "prompt",
    "__VENV_BIN_NAME__": "bin",
    "__VIRTUAL_ENV_CALL__": "dir",
    "__VIRTUAL_ENV__": "dir",
    "__VIRTUAL_NAME__": "prompt",
    "__VIRTUAL_PROMPT_DISPLAY_TCSH__": "prompt",
    "__VIRTUAL_PROMPT_DISPLAY_PLAIN__": "prompt",
    "__VIRTUAL_PROMPT__": "prompt",
    "__BIN_NAME__": "bin",
    "__PATH_SEP__": "separator",
    "__TCL_LIBRARY__": "library",
    "__TK_LIBRARY__": "library",
    "__LIB_FOLDERS__": "folders",
    "__DECODE_PATH__": "decode",
    "__DEACTIVATE_PATH__": "deactivate",
}
"""The placeholders of venv and virtualenv, by what stands in their place."""

_DIGEST = 24
"""Hex digits by which a line is known: 96 bits, so that no line can be made to fit."""
_MAXIMUM = 1 << 16
"""Bytes; the longest template has 12 KiB."""
_LONGEST = 8192
"""Characters of one line."""


class Setting(NamedTuple):
    """What stands in one placeholder's place."""

    kind: str
    """``dir``, ``prompt``, ``bin``, ``separator``, ``library``, ``folders``, ``decode``, ``deactivate``, or ``comment``
    for any of them in a comment."""
    value: str
    line: int


class Unknown(NamedTuple):
    """A line that no known template has."""

    line: int
    text: str
    filled: bool = False
    """It is a template's line, but what is filled in is no plain path or name that the shell takes for data."""


class Activation(NamedTuple):
    """What was made of an activate script."""

    tool: str | None
    """Which tool wrote it, or ``None`` where the lines are known but not this order of them."""
    versions: str | None
    settings: tuple[Setting, ...] = ()
    unknown: tuple[Unknown, ...] = ()


class Tables:
    """What is known of the scripts of one name."""

    def __init__(
        self, lines: tuple[str, ...], patterns: tuple[str, ...], templates: dict[str, tuple[str, str]]
    ) -> None:
        self._lines = "".join(lines)
        self._patterns = patterns
        self.templates = templates

    @cached_property
    def lines(self) -> frozenset[str]:
        """Digests of the lines without placeholders."""
        return frozenset(self._lines[start : start + _DIGEST] for start in range(0, len(self._lines), _DIGEST))

    @cached_property
    def patterns(self) -> "tuple[Pattern, ...]":
        """Lines with placeholders, those with the most text of their own first."""
        return tuple(sorted(map(Pattern, self._patterns), key=lambda pattern: (-pattern.weight, pattern.text)))


_WILD = {
    "bin": r"((?:r#+)?['\"]?[A-Za-z]+(?:/[A-Za-z]+)?['\"]?#*)",
    "separator": r"((?:r#+)?['\"]?[:;]['\"]?#*)",
}
"""What a placeholder's text may look like, where several stand side by side."""
_SHAPE = {
    "dir": re.compile(r"/.*"),
    "library": re.compile(r"(?:/.*)?"),
    "folders": re.compile(r"\..*"),
    "decode": re.compile("(?:yes)?"),
    "deactivate": re.compile(r"/.*"),
}
"""What a value looks like: some lines differ in nothing else."""


class Pattern:
    r"""One line with placeholders, each written as ``\0kind\0``."""

    def __init__(self, text: str) -> None:
        self.text = text
        parts = text.split("\0")
        self.kinds = parts[1::2]
        self.weight = sum(map(len, parts[0::2]))
        self.contexts = [_context("".join(parts[: 2 * number + 1 : 2])) for number in range(len(self.kinds))]
        self._parts = parts[0::2]

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        wild = [_WILD.get(kind, "(.*?)") for kind in self.kinds]
        return re.compile("".join(re.escape(part) + hole for part, hole in zip(self._parts, [*wild, ""], strict=True)))

    def match(self, line: str) -> tuple[str, ...] | None:
        """What stands in each placeholder's place."""
        if not line.startswith(self._parts[0]) or not line.endswith(self._parts[-1]):
            return None
        found = self._regex.fullmatch(line)
        return None if found is None else found.groups()


def read_activation(name: str, data: bytes) -> Activation | None:
    """The template and its settings; ``None`` for a name that no maker of environments writes."""
    key = name.lower()
    if key not in LANGUAGES:
        return None
    if len(data) > _MAXIMUM:
        return Activation(None, None, (), (Unknown(1, f"{len(data):,} bytes, more than any template has"),))
    from envcheck.catalogue.data import activation

    tables = Tables(activation.LINES[key], activation.PATTERNS[key], activation.TEMPLATES[key])
    normal, settings, unknown = normal_form(LANGUAGES[key], data, tables)
    if unknown:
        return Activation(None, None, tuple(settings), tuple(unknown))
    tool, versions = tables.templates.get(template_digest(normal), (None, None))
    return Activation(tool, versions, tuple(settings))


def normal_form(language: str, data: bytes, tables: Tables) -> tuple[list[str], list[Setting], list[Unknown]]:
    """The lines with their placeholders back, what stood in those, and the lines that are no template's."""
    normal: list[str] = []
    settings: list[Setting] = []
    unknown: list[Unknown] = []
    for number, line in enumerate(split(language, data), 1):
        if line_digest(line) in tables.lines:
            normal.append(line)
            continue
        text = _fit(language, line, number, tables, settings)
        if text is None:
            filled = len(line) <= _LONGEST and any(pattern.match(line) for pattern in tables.patterns)
            unknown.append(Unknown(number, line, filled))
        else:
            normal.append(text)
    return normal, settings, unknown


def split(language: str, data: bytes) -> list[str]:
    """Lines, undecodable bytes as surrogate escapes; cmd.exe's own line ends and PowerShell's mark are taken off."""
    text = data.decode("utf-8", "surrogateescape")
    if language == "ps1":
        text = text.removeprefix("\ufeff")
    lines = text.split("\n")
    return [line.removesuffix("\r") for line in lines] if language == "bat" else lines


def line_digest(line: str) -> str:
    """By which a line is known."""
    return sha256(line.encode("utf-8", "surrogateescape")).hexdigest()[:_DIGEST]


def template_digest(lines: list[str]) -> str:
    """By which a template is known: its lines, placeholders in place of what was filled in, whatever its quotes."""
    text = "\n".join(_without_quotes(line) for line in lines)
    return sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _without_quotes(line: str) -> str:
    """A line with placeholders as all releases write it: how a value is quoted, or bracketed, may depend on it."""
    if "\0" not in line:
        return line
    return re.sub("\0[a-z]+\0", "\0", re.sub("[\"']", "", line)).replace("(\0) ", "\0")


def _fit(language: str, line: str, number: int, tables: Tables, settings: list[Setting]) -> str | None:
    """The pattern that a line fits, its settings added; ``None`` where it fits none."""
    if len(line) > _LONGEST:
        return None
    for pattern in tables.patterns:
        texts = pattern.match(line)
        if texts is None:
            continue
        found = [
            Setting(kind, value, number)
            for kind, context, text in zip(pattern.kinds, pattern.contexts, texts, strict=True)
            if (value := _value(language, kind, context, text)) is not None
        ]
        if len(found) == len(texts):
            settings += found
            return pattern.text
    return None


def _value(language: str, kind: str, context: str, text: str) -> str | None:
    """What a placeholder's text stands for; ``None`` where it is not just data, or data of another kind."""
    if kind == "comment":
        return text
    value = decode(language, context, text)
    shape = _SHAPE.get(kind)
    return value if value is None or shape is None or shape.fullmatch(value) else None


# How each language spells data ----------------------------------------------------------------------------------------


def _context(before: str) -> str:
    """The quote that is open at the end of a text: ``'``, ``"`` or none."""
    quote = ""
    escaped = False
    for character in before:
        if escaped:
            escaped = False
        elif character == "\\" and quote != "'":
            escaped = True
        elif quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
    return quote


_BARE = re.compile(r"[A-Za-z0-9_@%+=:,./~\u0080-\U0010ffff-]+")
_RAW = re.compile(r"r(#+)'(.*)'\1")


def decode(language: str, context: str, text: str) -> str | None:
    """The data that a text stands for where the quote ``context`` is open; ``None`` where it is not just data."""
    if any(character < " " or character == "\x7f" for character in text):
        return None
    if language == "bat":
        bad = '"' if context else '"&|<>^()'
        # One sign alone expands nothing; between two stands the name of a variable.
        if text.replace("%%", "").count("%") > 1 or any(character in bad for character in text):
            return None
        return text.replace("%%", "%")
    whole = context + text + context
    if language == "python":
        try:
            value = whole_literal(whole)
        except NotLiteral:
            return None
        return value if isinstance(value, str) else None
    if language == "nu":
        raw = _RAW.fullmatch(whole)
        if raw is not None:
            return None if "'" + raw[1] in raw[2] else raw[2]
        # uv quotes for nu as for sh: that is no nu, but nothing outside quotes.
        found = _plain(whole.replace("'\"'\"'", "\0"), "'", "'")
        if found is not None:
            return found.replace("\0", "'")
        return _plain(whole, '"', '"\\')
    if language == "ps1":
        if len(whole) >= 2 and whole[0] == whole[-1] == "'":
            inner = re.sub("(['\u2018-\u201b])\\1", "\0\\1", whole[1:-1])
            return None if re.search("(?<!\0)['\u2018-\u201b]", inner) else inner.replace("\0", "")
        return _plain(whole, '"', '"`$')
    return _word(language, whole)


def _plain(text: str, quote: str, bad: str) -> str | None:
    """The inside of a quoted text that holds none of ``bad``."""
    if len(text) < 2 or text[0] != quote or text[-1] != quote or any(character in bad for character in text[1:-1]):
        return None
    return text[1:-1]


def _word(language: str, text: str) -> str | None:
    """One word of sh, csh or fish: pieces in either quote, escaped characters and harmless bare ones."""
    if not text:
        return None
    pieces: list[str] = []
    at = 0
    while at < len(text):
        character = text[at]
        if character == "'":
            at += 1
            while at < len(text) and text[at] != "'":
                if language == "fish" and text[at : at + 2] in ("\\\\", "\\'"):
                    at += 1
                pieces.append(text[at])
                at += 1
            if at == len(text):
                return None
            at += 1
        elif character == '"':
            end = text.find('"', at + 1)
            inner = text[at + 1 : end]
            if end < 0 or any(bad in inner for bad in "$`\\"):
                return None
            pieces.append(inner)
            at = end + 1
        elif character == "\\" and at + 1 < len(text) and text[at + 1] in "\\'\"!$` ":
            pieces.append(text[at + 1])
            at += 2
        else:
            bare = _BARE.match(text, at)
            if bare is None or (character == "~" and not at):
                return None
            pieces.append(bare[0])
            at = bare.end()
    return "".join(pieces)
