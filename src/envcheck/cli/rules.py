"""`envcheck rules`: every rule with its severity."""

from __future__ import annotations

from collections.abc import Sequence

from envcheck.cli.options import Formatter, Parser

EPILOG = """examples:
  envcheck rules                     every rule
  envcheck rules | grep startup      those about code that runs at startup"""


def run(arguments: Sequence[str]) -> int:
    """Print the rules, one a line."""
    from envcheck.checks.registry import all_rules

    Parser(
        prog="envcheck rules",
        description="List every rule: id, default severity, what it finds.",
        epilog=EPILOG,
        formatter_class=Formatter,
        allow_abbrev=False,
    ).parse_args(arguments)
    for rule in all_rules():
        print(f"{rule.id:<28} {rule.severity.label:<9} {rule.summary}")
    return 0
