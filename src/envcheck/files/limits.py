"""Bounds on what a scan reads of a target, so that no file of an attacker's can exhaust it."""

from envcheck.model.nouns import NamedTuple


class Limits(NamedTuple):
    """Bytes and counts. Past a bound, what stands before it is judged and the rest is reported as not seen."""

    small: int = 1 << 20
    """pyvenv.cfg, direct_url.json, INSTALLER, scripts' first lines and their like."""
    startup: int = 16 << 20
    """A ``.pth``, ``.start`` or module that runs at startup."""
    record: int = 256 << 20
    """A RECORD."""
    lock: int = 64 << 20
    digest: int = 16 << 30
    """One file to hash."""
    entries: int = 2_000_000
    """Directory entries in one walk."""
    depth: int = 64
    """Directories below the one where a walk starts."""
    links: int = 40
    """Symbolic links followed in one path, as Linux does."""
