"""`envcheck cache`: what envcheck keeps of archives that it fetched, and how to be rid of it."""

from __future__ import annotations

import os
from collections.abc import Sequence

from envcheck.cli import options
from envcheck.model.errors import UsageError

EPILOG = """examples:
  envcheck cache info      where the archives lie that --fetch brought, how many, how much
  envcheck cache clear     delete them; the next --fetch brings them again

A file in this cache is hashed again each time that it is used. Nothing else is ever deleted.

exit codes: 0 done, 2 usage, or a cache that belongs to somebody else"""


def run(arguments: Sequence[str]) -> int:
    """Tell or clear; the exit code."""
    parser = options.Parser(
        prog="envcheck cache",
        description="Tell about the archives that --fetch brought, or delete them.",
        epilog=EPILOG,
        formatter_class=options.Formatter,
        allow_abbrev=False,
    )
    parser.add_argument("action", choices=("info", "clear"), metavar="{info,clear}", help="tell, or delete")
    given = parser.parse_args(arguments)

    from envcheck.anchors.sources.directories import own_cache
    from envcheck.anchors.sources.store import WHEELS, Store, Unusable
    from envcheck.cli.launch import given_environ
    from envcheck.files.root import Files
    from envcheck.reports.text import visible

    cache = own_cache(given_environ(os.environ))
    if cache is None:
        raise UsageError("there is no cache: neither HOME nor XDG_CACHE_HOME is an absolute path")
    place = os.path.join(cache, WHEELS)
    if Files().lstat(place) is None:
        print(f"{visible(place)}: nothing was fetched yet")
        return 0
    try:
        with Store(cache) as store:
            contents = store.clear() if given.action == "clear" else store.contents()
    except Unusable as error:
        raise UsageError(f"the cache is not used: {error.why}", "look at it, then remove it yourself") from None
    except OSError as error:
        raise UsageError(f"{place}: {(error.strerror or 'cannot be read').lower()}") from None
    parts = f" and {contents.parts} unfinished" if contents.parts else ""
    print(f"{visible(place)}: {contents.archives} archives{parts}, {contents.bytes:,} bytes", end="")
    print(", deleted" if given.action == "clear" else "")
    return 0
