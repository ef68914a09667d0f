"""Directives that take documentation from envcheck itself, so that the two cannot disagree.

``{envcheck-rules}`` writes a section for each rule of the registry; ``{envcheck-help} COMMAND`` shows what
``envcheck COMMAND --help`` prints.
"""

from __future__ import annotations

import contextlib
import io
import os
from itertools import groupby
from unittest import mock

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from envcheck.checks.base import Check
from envcheck.checks.registry import all_checks
from envcheck.cli.main import main

FAMILIES = {
    "startup": "Code that runs at startup",
    "integrity": "Files, RECORD and bytecode",
    "redirection": "Where the interpreter takes its modules from",
    "interpreter": "The interpreter, the venv and its scripts",
    "drift": "Drift from the lock",
    "scan": "The scan itself",
}
"""The modules of ``envcheck.checks``, in the order of the page."""


class Rules(SphinxDirective):
    """Every rule: what is found, why it matters, what to do, an example."""

    def run(self) -> list[nodes.Node]:
        """A section a family, in it a section a rule."""

        def place(check: Check) -> tuple[int, str]:
            return list(FAMILIES).index(family(check)), check.rule.id

        sections: list[nodes.Node] = []
        for name, checks in groupby(sorted(all_checks(), key=place), family):
            section = nodes.section(ids=[f"rules-{name}"])
            section += nodes.title(text=FAMILIES[name])
            section += [self.rule(check) for check in checks]
            sections.append(section)
        return sections

    def rule(self, check: Check) -> nodes.section:
        """One rule; its id is the anchor."""
        rule = check.rule
        section = nodes.section(ids=[rule.id])
        section += nodes.title("", "", nodes.literal(text=rule.id))
        section += nodes.paragraph(
            "", "", nodes.strong(text=rule.severity.label.capitalize()), nodes.Text(" · "), nodes.Text(rule.summary)
        )
        section += nodes.paragraph(text=rule.why)
        section += nodes.paragraph("", "", nodes.strong(text="What to do: "), nodes.Text(sentence(rule.remedy)))
        if rule.example:
            section += nodes.paragraph("", "", nodes.strong(text="Example: "), nodes.literal(text=rule.example))
        self.env.get_domain("std").note_hyperlink_target(rule.id, self.env.docname, rule.id, rule.id)
        return section


class Help(SphinxDirective):
    """What a command prints for ``--help``."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """One literal block."""
        printed = io.StringIO()
        fixed = mock.patch.dict(os.environ, {"COLUMNS": "90", "NO_COLOR": "1"})
        with fixed, contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
            main([self.arguments[0], "--help"])
        return [nodes.literal_block(text=printed.getvalue().rstrip(), language="text")]


def family(check: Check) -> str:
    """The module that a check is in."""
    return check.run.__module__.rpartition(".")[2]


def sentence(text: str) -> str:
    """A remedy, which findings show as a clause, as a sentence."""
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def setup(app: Sphinx) -> dict[str, bool]:
    """Sphinx's entry point."""
    app.add_directive("envcheck-rules", Rules)
    app.add_directive("envcheck-help", Help)
    return {"parallel_read_safe": True}
