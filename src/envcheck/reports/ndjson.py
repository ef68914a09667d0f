"""Turns a Report into events, one a line as JSON, written as each environment is done.

``scan`` begins; for each environment ``environment``, then a line each for what it holds (``startup``,
``distribution``, ``not-seen``, ``finding``), then ``environment-end``; ``end`` ends. Facts have the fields of the JSON
report, where lists are told one by one; ``environment`` numbers them from 0. A reader that meets no ``end`` has no
whole report.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TextIO

from envcheck import __version__
from envcheck.model.report import EnvironmentReport, Options, Report
from envcheck.reports.json import environment_facts, plain, summary, timing
from envcheck.reports.text import unlogged

SCHEMA = "envcheck/events/1"
LISTS = {"startup": "startup", "distributions": "distribution", "not_seen": "not-seen", "findings": "finding"}
"""Lists of an environment, and the event that tells one row of each."""


class Writer:
    """Writes events to a stream; each line is flushed, so that a reader sees an environment when it is done."""

    def __init__(self, stream: TextIO, options: Options) -> None:
        self._stream = stream
        self._environments = 0
        invocation = options.invocation
        self._event(
            "scan",
            {
                "schema": SCHEMA,
                "tool": {"name": "envcheck", "version": __version__},
                "python_flags": invocation.flags,
                "environ": dict(sorted(invocation.environ.items())),
                "root": options.root,
                "startup_only": options.startup_only,
            },
        )

    def environment(self, report: EnvironmentReport) -> None:
        """The events of one environment."""
        facts = environment_facts(report)
        number = {"environment": self._environments}
        self._environments += 1
        self._event("environment", {**number, **{key: value for key, value in facts.items() if key not in LISTS}})
        counts = {}
        for name, event in LISTS.items():
            rows = facts[name]
            assert isinstance(rows, list)
            counts[name] = len(rows)
            for row in rows:
                self._event(event, {**number, **row})
        self._event("environment-end", {**number, "counts": counts})

    def end(self, report: Report) -> None:
        """The last event: what is only known when all is done."""
        self._event(
            "end",
            {
                "environments": self._environments,
                "clean_room": report.clean_room,
                "clean_room_why": report.clean_room_why,
                "complete": report.complete,
                "config": report.config,
                "summary": summary(report),
                "exit_code": report.exit_code,
                "timing": timing(report),
            },
        )

    def _event(self, name: str, fields: Mapping[str, object]) -> None:
        line = json.dumps(plain({"event": name, **fields}))
        self._stream.write(unlogged(line).replace("\x7f", "\\u007f") + "\n")
        self._stream.flush()


def render(report: Report) -> str:
    """All events of a scan that is done."""
    import io

    stream = io.StringIO()
    writer = Writer(stream, report.options)
    for environment in report.environments:
        writer.environment(environment)
    writer.end(report)
    return stream.getvalue()
