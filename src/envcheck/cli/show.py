"""A scan's report to standard output and to files."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from envcheck.model.errors import UsageError
from envcheck.model.report import Report


def deliver(
    report: Report, form: str, outputs: Sequence[tuple[str, str]], show_all: bool = False, walk: bool = False
) -> int:
    """Print the report (in the terminal as a ``walk``-through), write it in other formats, and return its exit code."""
    for other, path in outputs:
        refuse_inside_target(report, path)
        write_file(path, render(report, other))
    try:
        if form == "terminal":
            from envcheck.reports import plan, terminal

            colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
            write = plan.write if walk else terminal.write
            write(report, sys.stdout, width=terminal_width(), colour=colour, show_all=show_all)
        else:
            sys.stdout.write(render(report, form))
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UsageError(
            f"the report cannot be written to standard output: {(error.strerror or 'error').lower()}",
            "write it to a file: -o report.json",
        ) from None
    return report.exit_code


def render(report: Report, form: str) -> str:
    """The report as text of a format."""
    if form == "json":
        from envcheck.reports import json

        return json.render(report)
    import io

    from envcheck.reports import terminal

    stream = io.StringIO()
    terminal.write(report, stream, width=80, colour=False, show_all=True)
    return stream.getvalue()


def terminal_width() -> int | None:
    """Columns of the terminal that standard output is, or that COLUMNS tells; ``None`` where neither is known."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns) > 0:
        return int(columns)
    try:
        return os.get_terminal_size(1).columns or None
    except OSError:
        return None


def refuse_inside_target(report: Report, path: str) -> None:
    """A scan never writes to its target, not even where it is asked to."""
    for scanned in report.environments:
        if lies_below(path, scanned.environment.path):
            raise UsageError(f"-o {path}: lies inside the scanned environment", "write the report somewhere else")


def lies_below(path: str, directory: str) -> bool:
    """Whether a path that is to be written lies in a directory, links resolved."""
    return os.path.realpath(path).startswith(os.path.realpath(directory).rstrip("/") + "/")


def write_file(path: str, text: str) -> None:
    """Write a report, replacing what was there."""
    try:
        with open(path, "w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(text)
    except OSError as error:
        raise UsageError(f"-o {path}: cannot be written: {(error.strerror or 'error').lower()}") from None
