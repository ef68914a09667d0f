"""Files of a distribution into its canonical manifest: the same for a wheel, and for what any installer made of it.

A location says where a file belongs, whatever the prefix, the version of Python and the depth of the site directory:
``S/`` a site directory, ``B/`` the scripts directory, ``H/NAME/`` the headers of NAME, ``P/`` elsewhere below the
prefix. What installers make themselves is a closed list, and is in no manifest.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from envcheck.formats.bytecode import source_key
from envcheck.formats.entrypoints import EntryPoint
from envcheck.model.inventory import normalize_name
from envcheck.model.sha256 import sha256

OWN = frozenset(
    {
        *("RECORD", "RECORD.jws", "RECORD.p7s", "INSTALLER", "REQUESTED", "direct_url.json"),
        *("uv_cache.json", "uv_build.json"),
    }
)
"""What an installer writes in a distribution's own ``.dist-info``, whatever the wheel has there."""

SCRIPT_GROUPS = frozenset({"console_scripts", "gui_scripts"})
_VERSIONED = re.compile(r"(pip|easy_install)-?[0-9]+(?:\.[0-9]+)?$")
"""pip writes such names for its own wheels, instead of those that they declare."""
_SITE = re.compile(r"lib(?:64)?/python[0-9.]+t?/(?:site|dist)-packages/(.+)", re.DOTALL)
_SCRIPT = re.compile(r"(?:bin|Scripts)/(.+)", re.DOTALL)
_HEADER = re.compile(r"include(?:/site)?/python[0-9.]+[a-z]*/([^/]+)/(.+)", re.DOTALL)
_EMPTY = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
"""The digest of nothing: virtualenv leaves an empty NAME-VERSION.virtualenv beside each distribution that it seeds."""
PYTHON = "python:"
"""Before the digest of a script whose first line, ``#!python``, the installer replaces: of all that follows it."""


def fold(path: str) -> str:
    """The location of a path below the prefix. An installed file does not tell by which scheme it came there."""
    found = _SITE.fullmatch(path)
    if found:
        return f"S/{found[1]}"
    found = _SCRIPT.fullmatch(path)
    if found:
        return f"B/{found[1]}"
    found = _HEADER.fullmatch(path)
    if found:
        return header(found[1], found[2])
    return f"P/{path}"


def header(name: str, path: str) -> str:
    """The location of a header; installers name the directory as the wheel does, or normalised."""
    return f"H/{normalize_name(name)}/{path}"


def script_names(entry_points: Iterable[EntryPoint]) -> frozenset[str]:
    """The names of the scripts that are made for entry points."""
    return frozenset(entry.name for entry in entry_points if entry.group in SCRIPT_GROUPS)


def is_made_script(name: str, declared: Collection[str], windows: bool = False) -> bool:
    """Whether a file of the scripts directory is made for a declared entry point, and so is in no manifest.

    On Windows a script is a program, or a program beside a script; elsewhere nobody makes such files.
    """
    for suffix in ("", ".exe", "-script.py", "-script.pyw") if windows else ("",):
        stem = name.removesuffix(suffix)
        if stem in declared:
            return True
    found = _VERSIONED.match(name)
    return found is not None and any(one == found[1] or _base(one) == found[1] for one in declared)


def _base(name: str) -> str | None:
    found = _VERSIONED.match(name)
    return found[1] if found else None


def is_left_out(
    location: str, info: str, files: Mapping[str, str], declared: Collection[str], windows: bool = False
) -> bool:
    """Whether a location is of the closed list.

    ``info`` is the name of the distribution's own metadata directory, ``files`` all its locations, ``declared`` the
    names of its scripts; ``windows``: they lie in ``Scripts``.
    """
    if location.startswith("S/"):
        if location.startswith(f"S/{info}/"):
            return location[len(info) + 3 :] in OWN
        if location.endswith(".virtualenv"):
            stem = info.removesuffix(".dist-info")
            return location[2:] == f"{stem}.virtualenv" and files.get(location) == _EMPTY
        if location.endswith(".pyc"):
            source = source_key(location)
            return source is not None and source in files
        return False
    return location.startswith("B/") and is_made_script(location[2:], declared, windows)


def manifest_digest(files: Mapping[str, str]) -> str:
    """The digest (unpadded URL-safe base64) over locations and digests, in the order of the locations.

    A digest is what RECORD's field has behind ``sha256=``, with `PYTHON` before it where the first line is left out.
    """
    text = "\n".join([f"{location}\0{found}" for location, found in sorted(files.items())])
    from envcheck.formats.record import hash_field

    return hash_field(sha256(text.encode("utf-8", "surrogateescape")).digest()).removeprefix("sha256=")


def script_body(data: bytes) -> bytes | None:
    """All behind the first line of a script that begins with ``#!python``; ``None`` for any other."""
    return data[data.find(b"\n") + 1 or len(data) :] if data.startswith(b"#!python") else None
