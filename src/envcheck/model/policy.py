"""What a team decided about findings: severities, waivers, a baseline, and which startup code it expects."""

from collections.abc import Mapping

from envcheck.model.finding import Severity
from envcheck.model.nouns import NamedTuple


class Waiver(NamedTuple):
    """One finding that somebody accepted, with this content and until that day."""

    rule: str
    path: str | None
    """A pattern (``*``, ``?``, ``[…]``) over the finding's place in the environment's own terms."""
    owner: str | None
    """The distribution that the finding is about, where no path is named."""
    sha256: str
    reason: str
    expires: str
    """The last day on which it holds: ``YYYY-MM-DD``, in UTC."""
    where: str
    """File and key, for messages."""


class Lapsed(NamedTuple):
    """A waiver that names a finding and does not hold any more."""

    waiver: Waiver
    why: str
    place: str | None


class Expected(NamedTuple):
    """Startup code that a team expects: by place or owner, and by content where a hash is given."""

    path: str | None
    owner: str | None
    sha256: str | None


class Baseline(NamedTuple):
    """What was there when a team began to look: only what is new counts."""

    path: str
    findings: frozenset[tuple[str, str]]
    """Fingerprint and content."""
    startup: frozenset[str]
    """Contents of startup entries."""


class Policy(NamedTuple):
    """Applied to every environment of a scan."""

    severities: Mapping[str, Severity] = {}
    off: Mapping[str, str] = {}
    """Rules that are switched off, and where that was said."""
    raised: Mapping[str, Severity] = {}
    """Severities that a scanned tree asks for: they count only where they are higher."""
    waivers: tuple[Waiver, ...] = ()
    expected: tuple[Expected, ...] | None = None
    """``None``: nothing is said of what is expected."""
    baseline: Baseline | None = None
