"""The first word of the command line picks a command; errors become one line and an exit code."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence

from envcheck.model.errors import UsageError

COMMANDS = {
    "scan": "what runs at startup, who put it there, is it what the lock asked for",
    "verify": "the same for CI: a lock is required, and drift or changed files fail",
    "anchor": "write digests of what locked wheels install, to be committed beside the lock",
    "lock": "what a lockfile alone tells: what it is not good for, whose build code it runs",
    "baseline": "accept what is there now, so that only what is new counts",
    "config": "what configuration is in force here, and where each value came from",
    "reference": "write digests of a trusted Python, to compare other bases with",
    "cache": "the wheels that were fetched: where, how many; or delete them",
    "rules": "list every rule with its severity",
    "explain": "what a rule means and what to do, or what a startup file does",
}
USAGE = 2
INTERRUPTED = 130
BROKEN_PIPE = 141
"""128 + SIGPIPE, as a shell reports a writer whose reader went away."""


def main(arguments: Sequence[str]) -> int:
    """Run one command; the exit code, with everything written. Never a traceback for what a user can cause."""
    # Python has no such stream where its descriptor is closed.
    sys.stdout = sys.stdout or io.StringIO()
    sys.stderr = sys.stderr or io.StringIO()
    try:
        code = _run(arguments)
        sys.stdout.flush()
        return code
    except UsageError as error:
        from envcheck.reports.text import visible

        print(f"envcheck: {visible(error.message)}", file=sys.stderr)
        if error.hint:
            print(f"  {visible(error.hint)}", file=sys.stderr)
        return USAGE
    except ModuleNotFoundError as error:
        from envcheck.cli.launch import LIBRARIES

        library = (error.name or "").partition(".")[0]
        if library not in LIBRARIES or library == "envcheck":
            raise
        print(f"envcheck: its library {library!r} is not installed where envcheck is", file=sys.stderr)
        print("  install envcheck with its dependencies, in an environment of its own (pipx does)", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return BROKEN_PIPE


def _run(arguments: Sequence[str]) -> int:
    name = arguments[0] if arguments else "--help"
    if name in ("-h", "--help", "help"):
        print(_help())
        return 0
    if name in ("-V", "--version"):
        from envcheck import __version__

        print(f"envcheck {__version__}")
        return 0
    if name == "scan":
        from envcheck.cli import scan

        return scan.run(arguments[1:])
    if name == "verify":
        from envcheck.cli import verify

        return verify.run(arguments[1:])
    if name == "anchor":
        from envcheck.cli import anchor

        return anchor.run(arguments[1:])
    if name == "lock":
        from envcheck.cli import lock

        return lock.run(arguments[1:])
    if name == "baseline":
        from envcheck.cli import baseline

        return baseline.run(arguments[1:])
    if name == "config":
        from envcheck.cli import config

        return config.run(arguments[1:])
    if name == "reference":
        from envcheck.cli import reference

        return reference.run(arguments[1:])
    if name == "cache":
        from envcheck.cli import cache

        return cache.run(arguments[1:])
    if name == "rules":
        from envcheck.cli import rules

        return rules.run(arguments[1:])
    if name == "explain":
        from envcheck.cli import explain

        return explain.run(arguments[1:])
    raise UsageError(f"there is no command {name!r}", _nearest(name))


def _nearest(name: str) -> str:
    import difflib

    near = difflib.get_close_matches(name, COMMANDS, 1)
    if near:
        return f"did you mean: envcheck {near[0]}"
    if "/" in name or name.startswith("."):
        return f"to scan an environment: envcheck scan {name}"
    return "commands: " + ", ".join(COMMANDS)


def _help() -> str:
    rows = "\n".join(f"  {name:<9} {text}" for name, text in COMMANDS.items())
    return (
        "envcheck: what runs before your code in a Python environment, who put it there, and is it what you locked?\n"
        "It reads everything as data: nothing of an environment is started, nothing is written.\n\n"
        f"usage: envcheck COMMAND …\n\n{rows}\n\n"
        "examples:\n"
        "  envcheck scan                     the project's .venv, against its lockfile\n"
        "  envcheck scan /srv/app/.venv      another environment, interpreter, prefix or site directory\n"
        "  envcheck verify --lock uv.lock    in CI, after installing\n\n"
        "envcheck COMMAND --help tells more.  Exit codes: 0 nothing found, 1 findings, 2 usage, 3 incomplete."
    )
