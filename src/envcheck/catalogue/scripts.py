"""An entry-point script's bytes into the installer, the entry point and the interpreter that it names.

A script that an installer makes for an entry point is not listed by the wheel, so no hash vouches for it; it is derived
from ``entry_points.txt`` and must be one of the bodies that installers write, byte for byte. Windows ``.exe``
launchers are not read here.
"""

import re

from envcheck.catalogue.names import is_dotted
from envcheck.model.nouns import NamedTuple
from envcheck.model.sha256 import sha256

_MAXIMUM = 16384
"""Bytes; the longest body is under 1 KiB, an interpreter's path under 4 KiB."""


class Script(NamedTuple):
    """A script that an installer writes for the entry point ``module:attribute``."""

    installer: str
    """``pip``, ``uv``, or ``installer`` (the library that Poetry and PDM use); the first of them where they share a
    body."""
    versions: str
    """Everything seen to write this body, in words (``installer 0.2.0 to 1.1.0; uv 0.1.25 to 0.5.8``)."""
    module: str
    attribute: str
    """The callable, dotted where it is an attribute of what is imported (``A.main``)."""
    executable: str | None
    """The interpreter in the first lines, or ``None`` where a relocatable script looks beside itself."""


class LegacyScript(NamedTuple):
    """A wrapper of setuptools' ``develop`` or ``easy_install``: it looks the entry point up when it runs."""

    distribution: str
    """As the script asks for it: ``demo==0.1`` or ``demo``."""
    group: str
    name: str
    executable: str | None


class Shebang(NamedTuple):
    """The first line, or the three lines that stand for one that a kernel would not take."""

    executable: str | None
    """What is started, or ``None``: without a shebang, or relocatable."""
    relocatable: bool
    body: bytes
    """Everything after it."""


def match_script(data: bytes) -> Script | None:
    """The script whose body is, whole, one that an installer writes; ``None`` for anything else."""
    from envcheck.catalogue.data.scripts import BODIES

    shebang = read_shebang(data)
    if shebang is None:
        return None
    taken = script_template(shebang.body)
    if taken is None:
        return None
    template, module, attribute = taken
    row = BODIES.get(sha256(template).hexdigest())
    if row is None:
        return None
    return Script(*row, module, attribute, shebang.executable)


def match_legacy(data: bytes) -> LegacyScript | None:
    """The wrapper whose body is, whole, one that setuptools writes for a console or GUI script."""
    from envcheck.catalogue.data.scripts import LEGACY_BODIES

    shebang = read_shebang(data)
    taken = legacy_template(shebang.body) if shebang else None
    if shebang is None or taken is None:
        return None
    template, distribution, group, name = taken
    if sha256(template).hexdigest() not in LEGACY_BODIES:
        return None
    return LegacyScript(distribution, group, name, shebang.executable)


def split_shebang(data: bytes) -> tuple[str | None, bytes]:
    """The interpreter that a script names (``None`` where none is, or it is relocatable) and the bytes after that.

    For a script that a wheel ships with ``#!python``, whose first line the installer rewrites and whose rest it keeps.
    """
    shebang = read_shebang(data)
    return (None, data) if shebang is None else (shebang.executable, shebang.body)


# The first lines ----------------------------------------------------------------------------------------------------

_PLAIN = re.compile(rb"#!([^\n\r\0]+)\r?\n")
_SH = b"#!/bin/sh\n'''exec' "
_SH_END = b"' '''\n"
_ARGUMENTS = b' "$0" "$@"\n'
# What stands between quotes must be nothing that the shell expands: pip quotes with double quotes and only when there
# is a blank; uv with single quotes, and a single quote itself as '"'"'.
_BARE = re.compile(rb"[A-Za-z0-9_/.,+@%:=~\x80-\xff-]+")
_DOUBLE = re.compile(rb'"([^"\\$`\n\r\0]+)"')
_SINGLE = re.compile(rb"'((?:[^'\n\r\0]|'\"'\"')+)'")
_REALPATH = rb'dirname -- "$(realpath -- "$0")"'
_CDPATH = rb'CDPATH= cd -- "$(dirname -- "$0")" && echo "$PWD"'  # uv before 0.4
_BESIDE = re.compile(
    rb'"\$\((?:%b|%b)\)"' % (re.escape(_REALPATH), re.escape(_CDPATH)) + rb"/'(?:python|pypy|graalpy)w?[0-9.]*t?'"
)


def read_shebang(data: bytes) -> Shebang | None:
    """How the script is started; ``None`` where it has no ``#!``.

    Three lines that begin with ``#!/bin/sh`` count as one shebang only in the exact forms that pip and uv write for a
    path that is long or has blanks in it, and uv for a relocatable environment.
    """
    if data.startswith(_SH):
        end = data.find(b"\n", len(_SH))
        line, body = data[len(_SH) : end + 1], data[end + 1 :]
        if line.endswith(_ARGUMENTS) and body.startswith(_SH_END):
            word, body = line[: -len(_ARGUMENTS)], body[len(_SH_END) :]
            if _BESIDE.fullmatch(word):
                return Shebang(None, True, body)
            path = _unquote(word)
            if path is not None:
                return Shebang(path, False, body)
    found = _PLAIN.match(data)
    if found is None:
        return None
    return Shebang(found[1].decode("utf-8", "surrogateescape"), False, data[found.end() :])


def _unquote(word: bytes) -> str | None:
    if _BARE.fullmatch(word):
        return word.decode("utf-8", "surrogateescape")
    double = _DOUBLE.fullmatch(word)
    single = _SINGLE.fullmatch(word)
    if double:
        return double[1].decode("utf-8", "surrogateescape")
    if single:
        return single[1].replace(b"'\"'\"'", b"'").decode("utf-8", "surrogateescape")
    return None


# The bodies ---------------------------------------------------------------------------------------------------------

_IMPORT = re.compile(rb"^( *)from ([A-Za-z0-9_.]+) import ([A-Za-z0-9_]+)$", re.MULTILINE)
_EXIT = re.compile(rb"^( *)sys\.exit\(([A-Za-z0-9_.]+)\(\)\)$", re.MULTILINE)


def script_template(body: bytes) -> tuple[bytes, str, str] | None:
    """A body with module and attribute taken out, then both; ``None`` where it has not one place for each."""
    if len(body) > _MAXIMUM or b"\0" in body:
        return None
    found, left = _IMPORT.search(body), _EXIT.search(body)
    if found is None or left is None or left.start() < found.end():
        return None
    module, attribute = found[2].decode(), left[2].decode()
    if not is_dotted(module) or not is_dotted(attribute) or attribute.partition(".")[0].encode() != found[3]:
        return None
    template = b"".join(
        (
            body[: found.start()],
            found[1] + b"from \0module import \0name",
            body[found.end() : left.start()],
            left[1] + b"sys.exit(\0call())",
            body[left.end() :],
        )
    )
    return template, module, attribute


_SPEC = rb"'([A-Za-z0-9][A-Za-z0-9._+!-]*(?:==[A-Za-z0-9][A-Za-z0-9._+!-]*)?)'"
_LEGACY = re.compile(
    rb"# EASY-INSTALL-ENTRY-SCRIPT: " + _SPEC + rb",'(console_scripts|gui_scripts)','([^'\\\n\r\0]+)'\n"
)


def legacy_template(body: bytes) -> tuple[bytes, str, str, str] | None:
    """A ``# EASY-INSTALL-ENTRY-SCRIPT`` body with its names taken out, then distribution, group and name."""
    found = _LEGACY.match(body)
    if found is None or len(body) > _MAXIMUM or b"\0" in body:
        return None
    spec, group, name = (b"'" + found[i] + b"'" for i in (1, 2, 3))
    call = b"(" + b", ".join((spec, group, name)) + b")"
    rest = body[found.end() :].replace(call, b"(\0call)").replace(b"= " + spec + b"\n", b"= \0spec\n")
    return rest, found[1].decode(), found[2].decode(), found[3].decode("utf-8", "surrogateescape")
