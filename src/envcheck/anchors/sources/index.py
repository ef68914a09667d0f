"""A project's page of a named index into the links that may be a wanted archive."""

from __future__ import annotations

from collections.abc import Sequence

from envcheck.anchors.sources.bodies import digests_of
from envcheck.anchors.sources.names import filename_wanted, fitting, tags_agree, wheel_name
from envcheck.anchors.sources.simple import Link
from envcheck.model.anchor import Wanted

NOT_THERE = "the index has no archive of it whose hash the lock has"
MOST = 4
"""Archives that are fetched for one that the lock gives no name of."""


def project_page(index: str, wanted: Wanted) -> str:
    """The URL of a project's page (PEP 503)."""
    return f"{index.partition('#')[0].rstrip('/')}/{wanted.name}/"


def choose(links: Sequence[Link], wanted: Wanted) -> list[Link]:
    """The links to fetch, the likeliest first; a link whose hash the lock does not have is never worth it.

    Where the lock gives a file name, one is enough, and it may have any name if its hash is right. Else the lock's
    hashes are those of wheels for all platforms: those with a tag that is installed, or, where no tag is known, a few.
    """
    digests = set(digests_of(wanted))
    algorithms = {algorithm for algorithm, _ in digests}
    names = set(fitting([link.filename for link in links], wanted))
    asked = filename_wanted(wanted)
    found = []
    for link in links:
        told = {pair for pair in link.hashes if pair[0] in algorithms}
        if (told and not told & digests) or (not told and link.filename not in names):
            continue
        parts = wheel_name(link.filename)
        if asked is None and (parts is None or not tags_agree(parts, wanted)):
            continue
        found.append((not told, link.filename != asked, link))
    likeliest = sorted(found)
    if wanted.every:
        # No more than the lock has hashes, unless the page tells none.
        return [link for untold, _, link in likeliest if not untold] or [link for *_, link in likeliest][:MOST]
    return [link for *_, link in likeliest][:MOST]
