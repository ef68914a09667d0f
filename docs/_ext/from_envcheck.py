"""Directives that take documentation from envcheck itself, so that the two cannot disagree.

``{envcheck-rules}`` writes a section for each rule of the registry; ``{envcheck-help} COMMAND`` shows what
``envcheck COMMAND --help`` prints. ``{envcheck-startup-rules}``, ``{envcheck-startup-modules}`` and
``{envcheck-variables}`` write the tables that the startup plan and its checks are made from, and
``{envcheck-configuration}`` the keys of a configuration file.
"""

from __future__ import annotations

import contextlib
import io
import os
from itertools import groupby
from typing import ClassVar
from unittest import mock

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from envcheck.checks.base import Check
from envcheck.checks.registry import all_checks
from envcheck.checks.variables import VARIABLES
from envcheck.cli.main import main
from envcheck.cli.settings import NOT_IN_A_PROJECT, TIGHTENING, all_settings
from envcheck.startup import codecs
from envcheck.startup import rules as startup_rules

FAMILIES = {
    "attacks": "Known attacks",
    "startup": "Code that runs at startup",
    "variables": "Environment variables",
    "integrity": "Files, RECORD and bytecode",
    "redirection": "Where the interpreter takes its modules from",
    "interpreter": "The interpreter, the venv and its scripts",
    "drift": "Drift from the lock",
    "anchors": "What the lock's archive hashes prove",
    "lock": "What the lock means here",
    "decisions": "What a team decided",
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


class Table(SphinxDirective):
    """A table of text."""

    head: tuple[str, ...] = ()

    def rows(self) -> list[tuple[str, ...]]:
        """Its rows."""
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        """One table."""
        group = nodes.tgroup(cols=len(self.head))
        group += [nodes.colspec(colwidth=1) for _ in self.head]
        head, body = nodes.thead(), nodes.tbody()
        head += self.row(self.head)
        body += [self.row(row) for row in self.rows()]
        group += [head, body]
        table = nodes.table()
        table += group
        return [table]

    def row(self, cells: tuple[str, ...]) -> nodes.row:
        """One row."""
        row = nodes.row()
        for cell in cells:
            entry = nodes.entry()
            entry += nodes.paragraph(text=cell)
            row += entry
        return row


class StartupRules(Table):
    """What changed with which release."""

    head = ("from", "what changed", "source")

    def rows(self) -> list[tuple[str, ...]]:
        """A row a change, as the plan reads them."""
        return [
            (", ".join(".".join(map(str, since)) for since in row.since), row.what, row.source)
            for row in sorted(startup_rules.ROWS, key=lambda row: min(row.since))
        ]


class StartupModules(Table):
    """What the interpreter imports from files before and with ``site``."""

    head = ("version", "before site", "with site")

    def rows(self) -> list[tuple[str, ...]]:
        """A row a minor version."""
        rows = []
        for minor in range(startup_rules.OLDEST[1], startup_rules.NEWEST[1] + 1):
            rules = startup_rules.rules_of((3, minor, 0))
            before, after = (
                ", ".join(row.name for row in table if codecs.from_disk(row, rules)) or "none"
                for table in (codecs.BEFORE_SITE, codecs.SITE)
            )
            rows.append((f"3.{minor}", before, after))
        return rows


class Variables(Table):
    """Variables that are findings where they have an effect."""

    head = ("variable", "from", "ignored under -E and -I", "read by")

    def rows(self) -> list[tuple[str, ...]]:
        """A row a variable, in the order in which they take effect."""
        return [
            (
                variable.name,
                f"3.{variable.since[1]}" if variable.since > startup_rules.OLDEST else "always",
                "yes" if variable.ignored else "no",
                {None: "every platform", "linux": "Linux", "macos": "macOS"}[variable.loader],
            )
            for variable in VARIABLES
        ]


class Configuration(Table):
    """Every key of a configuration file that stands for an option."""

    head = ("key", "value", "meaning", "in a project's file", "inside what is scanned")

    KINDS: ClassVar = {
        "text": "string",
        "number": "number",
        "switch": "true or false",
        "list": "list of strings",
    }

    def rows(self) -> list[tuple[str, ...]]:
        """A row an option, as the command line has it."""
        return [
            (
                setting.key,
                "one of " + ", ".join(setting.choices) if setting.kind == "choice" else self.KINDS[setting.kind],
                setting.help.replace("%%", "%"),
                "no" if setting.key in NOT_IN_A_PROJECT else "yes",
                "only stricter" if setting.key in TIGHTENING else "no",
            )
            for setting in sorted(all_settings().values())
        ]


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
    app.add_directive("envcheck-startup-rules", StartupRules)
    app.add_directive("envcheck-startup-modules", StartupModules)
    app.add_directive("envcheck-variables", Variables)
    app.add_directive("envcheck-configuration", Configuration)
    return {"parallel_read_safe": True}
