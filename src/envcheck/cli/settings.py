"""The keys that a configuration file may have: the options of the command line, by their long names."""

from __future__ import annotations

import argparse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envcheck.cli.options import Parser
    from envcheck.policy.configuration import Kind, Setting

NOT_HERE = frozenset({"help", "config", "no_config", "targets", "verify"})
"""What only a command line can say."""
NOT_IN_A_PROJECT = frozenset({"trusted-python", "output", "fetch", "index-url", "allow-self"})
"""What would have envcheck start, ask or write something, or believe itself: not in a file that was found."""
TIGHTENING = frozenset({"fail-on", "cooldown", "deep"})
_PATHS = ("FILE", "PATH", "DIR")


def all_settings() -> dict[str, Setting]:
    """Every key that a file may have: the options of `scan` and `verify`, by their long names."""
    from envcheck.cli import scan, verify

    return {**settings_of(verify.new_parser()), **settings_of(scan.new_parser())}


def settings_of(parser: Parser) -> dict[str, Setting]:
    """The keys that one command's options stand for."""
    from envcheck.policy.configuration import Setting

    found = {}
    for action in parser._actions:
        if action.dest in NOT_HERE or not action.option_strings:
            continue
        key = next(name for name in action.option_strings if name.startswith("--")).lstrip("-")
        kind: Kind = "text"
        if isinstance(action, argparse._StoreTrueAction):
            kind = "switch"
        elif isinstance(action, argparse._AppendAction):
            kind = "list"
        elif action.type is int:
            kind = "number"
        elif action.choices is not None:
            kind = "choice"
        choices = tuple(map(str, action.choices or ()))
        found[key] = Setting(key, kind, action.help or "", choices, action.metavar in _PATHS)
    return found
