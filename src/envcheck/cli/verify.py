"""`envcheck verify`: the CI command. A lock is required; drift, changed or unknown files and startup code fail."""

from __future__ import annotations

from collections.abc import Sequence

from envcheck.cli import options

EPILOG = """examples:
  envcheck verify                           the project's .venv against its lockfile
  envcheck verify --lock requirements.txt /srv/app/.venv
  envcheck verify --ignore shop             the project itself is installed, and no lock names it
  envcheck verify --wheels wheelhouse --require-anchors --except shop
                                            every file is that of a locked wheel, but for the project itself

Fails on startup findings of high and above (--fail-on), and on drift and integrity findings of low and above.
exit codes: 0 verified, 1 findings, 2 usage, 3 not everything could be read, or envcheck runs inside the target"""


def new_parser() -> options.Parser:
    """The options of `verify`."""
    parser = options.new_parser("verify", "Verify that what is installed is what the lock asks for.", EPILOG)
    parser.add_argument(
        "--allow-self", action="store_true", help="accept that envcheck or its interpreter lies in the target"
    )
    parser.add_argument(
        "--require-anchors",
        action="store_true",
        help="fail where the lock's archive hashes do not vouch for the files of a distribution",
    )
    parser.add_argument(
        "--except",
        action="append",
        default=[],
        dest="exceptions",
        metavar="NAME",
        help="a distribution that --require-anchors lets pass (repeatable)",
    )
    return parser


def run(arguments: Sequence[str]) -> int:
    """Verify, show, and return the exit code."""
    return options.scan_and_deliver(new_parser(), arguments, verify=True)
