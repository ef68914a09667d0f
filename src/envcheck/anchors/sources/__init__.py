"""Wanted archives into local files that may be them. Nothing here is believed: whoever asks recomputes the hash."""

from __future__ import annotations

from collections.abc import Sequence

from envcheck.files.root import Files
from envcheck.model.anchor import Held, Wanted
from envcheck.model.nouns import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envcheck.model.report import Progress


class Places(NamedTuple):
    """Where archives may be looked for. Paths are absolute, and none lies in a scanned environment."""

    wheels: tuple[str, ...] = ()
    """Directories that the user names; they come before all else."""
    caches: bool = True
    """Whether to look into the caches of pip and poetry."""
    fetch: bool = False
    """Whether what was not found may be downloaded."""
    index_url: str | None = None
    """The index to ask where the lock gives no URL."""
    environ: tuple[tuple[str, str], ...] = ()
    """The user's own variables, as far as they decide where caches, proxies and credentials are."""


def find(
    files: Files, wanted: Sequence[Wanted], places: Places, progress: Progress | None = None
) -> dict[Wanted, list[Held]]:
    """Local files that may be each wanted archive, the best first; what was not found is not in the result."""
    raise NotImplementedError
