"""The variables of an invocation in, the codec that decodes a ``.pth`` file out (PEP 538, PEP 540)."""

import re

from envcheck.model.environment import Python
from envcheck.model.invocation import Invocation
from envcheck.model.nouns import NamedTuple
from envcheck.startup.rules import Rules

_TEXT_CODECS = (
    r"utf-?8|(us-?)?ascii|latin-?1|iso-?8859-?\d{1,2}|cp\d{3,4}|koi8-?[rtu]|euc-?(jp|kr)|gb(k|2312|18030)|big5"
    r"|shift-?jis|windows-?125\d|tis-?620"
)
_C = ("", "C", "POSIX")
UTF8_MODE_SINCE = (3, 15)
"""The first version whose UTF-8 mode is on by itself (PEP 686)."""


class Codec(NamedTuple):
    """A codec's name, and whether the files and variables at hand decide it."""

    name: str
    certain: bool


def pth_codec(rules: Rules, python: Python, invocation: Invocation) -> Codec:
    """The codec for a ``.pth`` that is not (or need not be) UTF-8: the locale's, or UTF-8 in UTF-8 mode."""
    return _codec(python, invocation, not rules.locale_despite_utf8_mode and _utf8_mode(invocation))


def filesystem_codec(python: Python, invocation: Invocation) -> Codec:
    """The codec of file names and, without PYTHONIOENCODING, of the standard streams (UTF-8 from 3.15: PEP 686)."""
    return _codec(python, invocation, _utf8_mode(invocation, default=python.minor >= UTF8_MODE_SINCE))


def encodable(text: str, codec: Codec) -> bool:
    """Whether a file can have this name; ``os.path.exists`` says no of any other. What is not certain may be one."""
    if not codec.certain:
        return True
    try:
        text.encode(codec.name, "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


def locale_of(invocation: Invocation) -> str:
    """The locale for character types that the variables name; empty for none."""
    names = ("LC_ALL", "LC_CTYPE", "LANG")
    return next((invocation.environ[name] for name in names if invocation.environ.get(name)), "")


def _codec(python: Python, invocation: Invocation, utf8_mode: bool) -> Codec:
    if not python.platform.startswith("linux"):
        # macOS and Android always use UTF-8; on Windows the ANSI code page is not in any file.
        return Codec("utf-8" if not python.platform.startswith("win") else "cp1252", False)
    locale = locale_of(invocation)
    if utf8_mode:
        return Codec("utf-8", True)
    if "musl" in python.platform:
        return Codec("utf-8", True)
    if locale in _C:
        coerced = not invocation.environ.get("LC_ALL") and invocation.variable("PYTHONCOERCECLOCALE") != "0"
        # Coercion needs a C.UTF-8 locale, which every current Linux has; the C locale itself is ASCII.
        return Codec("utf-8", False) if coerced else Codec("ascii", True)
    charset = locale.partition(".")[2].partition("@")[0].lower().replace("_", "-")
    if charset in ("utf-8", "utf8"):
        # A locale that is not installed falls back to C: only C.UTF-8 is built in.
        return Codec("utf-8", True)
    if charset and re.fullmatch(_TEXT_CODECS, charset, re.ASCII):
        return Codec(charset, False)
    return Codec("utf-8", False)


def _utf8_mode(invocation: Invocation, default: bool = False) -> bool:
    option = invocation.option("utf8")
    if option is not None:
        return option != "0"
    variable = invocation.variable("PYTHONUTF8")
    if variable:
        return variable == "1"
    return default or locale_of(invocation) in _C
