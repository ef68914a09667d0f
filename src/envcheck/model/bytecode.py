"""Whether bytecode that runs in place of a source comes from it."""

from envcheck.model.nouns import Literal, NamedTuple
from envcheck.model.ownership import Assurance

ProofResult = Literal["proven", "mismatch", "unproven"]
Scope = Literal["startup", "everywhere"]


class TrustedPython(NamedTuple):
    """An interpreter that may be started to compile sources again: no part of any target."""

    path: str
    """Absolute, links resolved."""
    minor: tuple[int, int]
    own: bool = False
    """It runs this process."""


class Proof(NamedTuple):
    """What compiling the source again told about one file of bytecode."""

    path: str
    """The ``.pyc``."""
    source: str
    magic: int
    result: ProofResult
    why: str | None = None
    """What differs, or why nothing was proven: one clause."""
    sha256: str | None = None
    """Of the bytecode, where it differs."""
    instructions_only: bool = False
    """Only instructions differ: another patch release may have compiled it."""
    source_assurance: Assurance | None = None
    """How strongly the source's own bytes are proven, where that was looked up."""


class BytecodeCoverage(NamedTuple):
    """One magic number's files of bytecode that CPython accepts in place of their sources, and what was proven."""

    magic: int
    version: str
    """``X.Y`` of the release line."""
    scope: Scope
    """Only what runs at startup, or all that lies in the environment and its standard library."""
    files: int
    proven: int
    mismatched: int
    unproven: int
    interpreters: tuple[str, ...] = ()
    """What compiled the sources again, with its version: ``/usr/bin/python3.11 (3.11.2)``."""
    reasons: tuple[tuple[str, int], ...] = ()
    """Why files stayed unproven, and how many for each reason."""
    started: tuple[str, ...] = ()
    """Those of them that were started, in place of a copy of this process."""
