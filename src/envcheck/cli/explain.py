"""`envcheck explain RULE|FILE`: what a rule finds, why it matters, what to do; or what a startup file would do."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Sequence

from envcheck.cli.options import Formatter, Parser
from envcheck.model.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envcheck.files.root import Files

EPILOG = """examples:
  envcheck explain startup-code-unowned       a rule; envcheck rules lists them
  envcheck explain .venv/lib/python3.12/site-packages/shop.pth
                                              a startup file, line by line"""


def run(arguments: Sequence[str]) -> int:
    """Print one rule's documentation, or the explanation of one file."""
    parser = Parser(
        prog="envcheck explain",
        description="What a rule finds, why it matters, and what to do; or, for a file, each line of it, what it\n"
        "does, who owns it and why the verdict. Nothing of it is run, and it is printed safely.",
        epilog=EPILOG,
        formatter_class=Formatter,
        allow_abbrev=False,
    )
    parser.add_argument("subject", metavar="RULE|FILE")
    parser.add_argument(
        "--target", metavar="TARGET", help="the environment that the file is part of; by default the one it lies in"
    )
    chosen = parser.parse_args(arguments)
    subject: str = chosen.subject
    from envcheck.files.root import Files

    files = Files()
    if "/" in subject or files.is_file(os.path.abspath(subject)):
        return _explain_file(os.path.abspath(subject), chosen.target)
    return _explain_rule(subject)


def _explain_rule(wanted: str) -> int:
    from envcheck.checks.registry import all_rules

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


def _explain_file(path: str, target: str | None) -> int:
    from envcheck.behavior.account import account_of_file, account_of_lines
    from envcheck.cli.launch import modelled_environ
    from envcheck.cli.show import terminal_width
    from envcheck.files.root import Files, Unreadable
    from envcheck.formats import source
    from envcheck.model.invocation import Invocation
    from envcheck.model.report import Options
    from envcheck.reports.explanation import explanation
    from envcheck.scanner import scan_targets

    files = Files()
    try:
        data = files.read(path, files.limits.startup)
    except Unreadable as error:
        raise UsageError(f"{path}: {error.why}", "name a startup file, or a rule (envcheck rules)") from None
    place = os.path.abspath(target) if target is not None else _environment_of(files, path)
    plan = None
    if place is not None:
        options = Options(invocation=Invocation(environ=modelled_environ(os.environ)), startup_only=True, explain=True)
        plan = scan_targets([place], [options]).environments[0].plan
    try:
        text = source.decode(data)
    except (ValueError, LookupError):
        text = data.decode("utf-8", "surrogateescape")
    account = account_of_lines(text) if path.endswith(".pth") else account_of_file(os.path.basename(path), data)
    if account.form in ("bytecode", "native"):
        text = ""
    shown = explanation(path, text, plan, account, terminal_width())
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(shown.encode(encoding, "backslashreplace").decode(encoding))
    return 0


def _environment_of(files: Files, path: str) -> str | None:
    """The prefix that a file lies in: what has a ``pyvenv.cfg``, or the parent of its ``lib/pythonX.Y``."""
    directory = os.path.dirname(path)
    while directory not in ("", "/"):
        if files.is_file(f"{directory}/pyvenv.cfg"):
            return directory
        parent, name = os.path.split(directory)
        if name.startswith("python3.") and os.path.basename(parent) in ("lib", "lib64"):
            return os.path.dirname(parent)
        directory = parent
    return None
