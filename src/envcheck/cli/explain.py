"""`envcheck explain RULE`: what a rule finds, why it matters, what to do."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from envcheck.cli.options import Parser
from envcheck.model.errors import UsageError


def run(arguments: Sequence[str]) -> int:
    """Print one rule's documentation."""
    from envcheck.checks.registry import all_rules

    parser = Parser(
        prog="envcheck explain",
        description="What a rule finds, why it matters, and what to do.",
        epilog="example: envcheck explain startup-code-unowned",
    )
    parser.add_argument("rule", metavar="RULE")
    wanted = parser.parse_args(arguments).rule
    rules = {rule.id: rule for rule in all_rules()}
    rule = rules.get(wanted)
    if rule is None:
        import difflib

        near = difflib.get_close_matches(wanted, rules, 1)
        raise UsageError(
            f"there is no rule {wanted!r}", f"did you mean: {near[0]}" if near else "envcheck rules lists them"
        )
    print(f"{rule.id} ({rule.severity.label})\n")
    for title, text in (("", rule.summary), ("Why", rule.why), ("Do", rule.remedy), ("Example", rule.example)):
        if text:
            print(
                textwrap.fill(
                    text,
                    80,
                    initial_indent=f"{title + ':':<9}" if title else "",
                    subsequent_indent=" " * 9 if title else "",
                )
            )
    return 0
