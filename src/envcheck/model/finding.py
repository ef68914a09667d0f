"""Severities, rules and findings."""

import enum
from collections.abc import Mapping, Sequence

from envcheck.model.nouns import NamedTuple, TypeAlias
from envcheck.model.sha256 import sha256

Evidence: TypeAlias = "str | int | bool | Sequence[Evidence] | Mapping[str, Evidence] | None"


class Severity(enum.IntEnum):
    """How bad, ordered."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def label(self) -> str:
        """Lower-case name, as reports and the command line spell it."""
        return self.name.lower()


class Rule(NamedTuple):
    """One check's metadata: its id is a contract."""

    id: str
    severity: Severity
    summary: str
    """One line: what is found."""
    why: str
    """Why it matters."""
    remedy: str
    """What to do."""
    example: str = ""


class Finding(NamedTuple):
    """One result of a check, at a place."""

    rule: str
    severity: Severity
    message: str
    path: str | None
    line: int | None
    remedy: str
    fingerprint: str
    evidence: tuple[tuple[str, Evidence], ...] = ()
    waived: str | None = None
    """Why somebody accepted it; ``None``: it counts."""
    place: str | None = None
    """``path`` in the environment's own terms, as waivers name it."""
    content: str | None = None
    """Hex digest of what was found: a waiver of it holds for nothing else. ``None``: it cannot be waived."""


class NotSeen(NamedTuple):
    """Something that the scan could not read, bounded, or did not understand."""

    path: str
    why: str


def fingerprint(rule: str, relative_path: str | None, owner: str | None, subject: str | None) -> str:
    """``envcheck/1:`` and a sha256 over rule, environment-relative POSIX path, owner and content hash or subject.

    Never an absolute path, line, version, message or time, so that it survives a move and an upgrade of envcheck.
    """
    text = "\0".join((rule, relative_path or "", owner or "", subject or ""))
    return "envcheck/1:" + sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
