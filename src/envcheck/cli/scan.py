"""`envcheck scan`: the main job."""

from __future__ import annotations

from collections.abc import Sequence

from envcheck.cli import options

EPILOG = """examples:
  envcheck scan                                the project's .venv, against the project's lockfile
  envcheck scan .venv --lock uv.lock           both named
  envcheck scan --startup-only /usr/bin/python3   only what runs when that Python starts
  envcheck scan --python-flag=-I .venv         as python -I would start
  envcheck scan --plan --startup-only .venv    each step of the start, with its rule
  envcheck scan -o report.json .venv           also write the whole report as JSON

exit codes: 0 nothing at or above --fail-on, 1 findings, 2 usage, 3 something could not be read"""


def new_parser() -> options.Parser:
    """The options of `scan`."""
    parser = options.new_parser(
        "scan", "Tell what runs before your code, who put it there, and whether it is what the lock asked for.", EPILOG
    )
    parser.add_argument("--no-lock", action="store_true", help="compare with no lock")
    parser.add_argument("--startup-only", action="store_true", help="only what runs at startup, and what it loads")
    parser.add_argument(
        "--plan", action="store_true", help="print the start as a numbered walk-through, with the rule at each step"
    )
    return parser


def run(arguments: Sequence[str]) -> int:
    """Scan, show, and return the exit code."""
    return options.scan_and_deliver(new_parser(), arguments)
