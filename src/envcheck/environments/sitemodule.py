"""Turns the standard library's ``site.py`` into the scheme of its site directories, and a verdict.

The verdict: it is what its release ships, it is something else, or nobody here knows.
The module runs at every start up to 3.10; from 3.11 on it is frozen into the interpreter, and the file is inert.
"""

from __future__ import annotations

import posixpath
import re

from envcheck.catalogue.sitemodules import digests_of
from envcheck.environments.layout import Scheme
from envcheck.environments.libraries import OpenBinary
from envcheck.environments.prefixes import Prefixes
from envcheck.files.process import names_process
from envcheck.files.root import Files, Missing, Unreadable
from envcheck.formats.binary import section_bytes
from envcheck.model.environment import SiteModule
from envcheck.model.sha256 import sha256

_DEBIAN = b"dist-packages"
_PACKAGED = ("/var/lib/dpkg/status", "/var/lib/rpm", "/usr/lib/sysimage/rpm", "/lib/apk/db", "/var/lib/pacman")
_PATCHING = ("/nix/store/", "/gnu/store/", "/Cellar/")


def read_site_module(
    files: Files, prefixes: Prefixes, release: str, binary: str | None
) -> tuple[Scheme, SiteModule | None]:
    """The scheme, and the ``site.py`` of a library that can be read (``None`` where there is none).

    ``binary`` holds the frozen modules, or is ``None`` where the file itself runs. Debian's ``site.py`` speaks of
    dist-packages, upstream's does not; where the frozen one runs, what the file says decides nothing.
    """
    path = posixpath.join(prefixes.stdlib, "site.py")
    data = _content(files, path)
    digest = None if data is None else sha256(data).hexdigest()
    known = digests_of(release)
    scheme = _scheme(data or b"")
    if digest not in known and binary is not None:
        frozen = _speaks_of_debian(files, binary)
        if frozen is not None:
            scheme = "posix" if not frozen else "debian" if scheme == "posix" else scheme
    if digest is None:
        return scheme, None
    if digest in known:
        return scheme, SiteModule(path, "known", digest, f"as {known[digest]} ships it with {release}")
    if prefixes.prefix == "/usr" and any(files.exists(place) for place in _PACKAGED):
        return scheme, SiteModule(path, "unknown", digest, "the system's package database decides")
    if any(part in prefixes.prefix for part in _PATCHING) or files.exists(
        posixpath.join(prefixes.prefix, "conda-meta")
    ):
        return scheme, SiteModule(path, "unknown", digest, "its distributor may change it")
    if "python.org" not in known.values():
        return scheme, SiteModule(path, "unknown", digest, f"what {release} ships is not known here")
    return scheme, SiteModule(
        path, "modified", digest, f"not a file that {' or '.join(sorted(set(known.values())))} ships with {release}"
    )


def _content(files: Files, path: str) -> bytes | None:
    """With the line ends of POSIX: Windows' installers write others."""
    if names_process(files, path):
        return None
    try:
        return files.read(path).replace(b"\r\n", b"\n")
    except Missing:
        return None
    except Unreadable as error:
        files.miss(path, error.why)
        return None


def _scheme(source: bytes) -> Scheme:
    if _DEBIAN not in source:
        return "posix"
    return "debian-variable" if re.search(rb"""["']VIRTUAL_ENV["'] in os\.environ""", source) else "debian"


def _speaks_of_debian(files: Files, binary: str) -> bool | None:
    """Whether the frozen ``site`` does; ``None`` where the binary cannot be read."""
    with OpenBinary(files, binary) as (read, found):
        sections = [] if found is None else [found.section(name) for name in (".rodata", ".data")]
        present = [section for section in sections if section is not None]
        return any(_DEBIAN in section_bytes(read, section) for section in present) if present else None
