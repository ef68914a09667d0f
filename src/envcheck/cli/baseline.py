"""`envcheck baseline`: accept what is there now, so that only what is new counts."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from envcheck.cli import options
from envcheck.files.root import Files, Unreadable
from envcheck.model.errors import UsageError
from envcheck.policy.baseline import NAME, difference, read_baseline, write_baseline
from envcheck.policy.content import Digest

ACTIONS = ("write", "check", "update")
CHANGED, INCOMPLETE = 1, 3
EPILOG = f"""examples:
  envcheck baseline write                       accept what the project's .venv has now, in {NAME}
  envcheck scan --baseline {NAME}    only what is new counts
  envcheck baseline check                       exit 1 where the environment has something else than the file
  envcheck baseline update                      show what is new and what is gone, and write it

The file has fingerprints and digests of content, sorted, a row a line, without times and absolute paths: review its
changes as you review code. Startup code is accepted with every file that it loads: a change of one is new.

exit codes: 0 written, or nothing differs; 1 something differs (check); 2 usage; 3 not everything could be read, and
nothing was written"""


def run(arguments: Sequence[str]) -> int:
    """Write, check or update a baseline."""
    if not arguments or arguments[0] not in (*ACTIONS, "-h", "--help"):
        raise UsageError(f"envcheck baseline: expected one of {', '.join(ACTIONS)}", "envcheck baseline --help")
    parser = new_parser()
    action = arguments[0]
    if action in ("-h", "--help"):
        parser.print_help()
        return 0
    from envcheck.cli.configure import settle
    from envcheck.cli.show import lies_below, write_file
    from envcheck.reports.text import visible
    from envcheck.scanner import scan_targets

    settled = settle(parser, arguments[1:], os.environ, options.working_directory(), heed_baseline=False)
    given = settled.arguments
    given.fail_on = given.fail_on or "high"
    path = os.path.abspath(given.baseline or NAME)
    files = Files()
    model = options.invocation(given)
    named = options.targets(given, files, model)
    # What is accepted is what the rules find, whatever was accepted before.
    bare = settled._replace(policy=None)
    chosen = [
        options.scan_options(given, model, options.lock_for(given, files, target, False), False, None, bare)
        for target in named
    ]
    report = scan_targets(named, chosen)
    for one in report.environments:
        if lies_below(path, one.environment.path):
            raise UsageError(f"--baseline {path}: lies inside the scanned environment", "keep it somewhere else")
    if not report.complete:
        missed = [missed for one in report.environments for missed in one.not_seen]
        for each in missed[:20]:
            print(f"envcheck: not read: {visible(each.path)} ({visible(each.why)})", file=sys.stderr)
        return INCOMPLETE
    text = write_baseline(report, _digest(files))
    known = "" if action == "write" else _read(files, path)
    if action == "write":
        write_file(path, text)
        print(f"{visible(path)}: {text.count('fingerprint')} findings, {_startup(text)} startup entries accepted")
        return 0
    changed = difference(known, text)
    for row in changed:
        print(visible(row))
    if action == "update" and changed:
        write_file(path, text)
    if not changed:
        print(f"{visible(path)}: nothing differs")
    return CHANGED if changed and action == "check" else 0


def new_parser() -> options.Parser:
    """The options: those of a scan that say what is looked at."""
    parser = options.new_parser(
        "baseline {write,check,update}", "Accept what is there now; afterwards only what is new counts.", EPILOG
    )
    parser.add_argument("--no-lock", action="store_true", help="compare with no lock")
    parser.add_argument("--startup-only", action="store_true", help="only what runs at startup, and what it loads")
    return parser


def _read(files: Files, path: str) -> str:
    try:
        data = files.read(path, files.limits.lock)
    except Unreadable as error:
        raise UsageError(f"{path}: {error.why}", "write it first: envcheck baseline write") from None
    read_baseline(data, path)
    return data.decode("utf-8")


def _digest(files: Files) -> Digest:
    from envcheck.model.sha256 import sha256

    def digest(path: str) -> str | None:
        try:
            return sha256(files.read(path, files.limits.startup)).hexdigest()
        except Unreadable:
            return None

    return digest


def _startup(text: str) -> int:
    import json

    return len(json.loads(text)["startup"])
