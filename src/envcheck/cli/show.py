"""A scan's report to standard output and to files."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from envcheck.model.errors import UsageError
from envcheck.model.nouns import Literal
from envcheck.model.report import EnvironmentReport, Options, Report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envcheck.reports.ndjson import Writer


class Stream:
    """Standard output of a scan whose events are written as they come.

    Nothing is written before the first environment is done: a target that cannot be read leaves an error and no event.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._writer: Writer | None = None

    def environment(self, report: EnvironmentReport) -> None:
        """One environment is done."""
        with writing():
            self._begun().environment(report)

    def end(self, report: Report) -> None:
        """All are."""
        with writing():
            self._begun().end(report)

    def _begun(self) -> Writer:
        if self._writer is None:
            from envcheck.reports.ndjson import Writer

            self._writer = Writer(sys.stdout, self._options)
        return self._writer


def deliver(
    report: Report, form: str, outputs: Sequence[tuple[str, str]], show_all: bool = False, walk: bool = False
) -> int:
    """Print the report (in the terminal as a ``walk``-through), write it in other formats, and return its exit code.

    Events are not printed here: they have been, as they came.
    """
    for other, path in outputs:
        refuse_inside_target(report, path)
        write_file(path, render(report, other))
    with writing():
        if form == "terminal":
            from envcheck.reports import plan, terminal

            colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
            write = plan.write if walk else terminal.write
            with unheard():
                write(report, sys.stdout, width=terminal_width(), colour=colour, show_all=show_all)
        elif form != "ndjson":
            sys.stdout.write(render(report, form))
        sys.stdout.flush()
    if "github" in (form, *(other for other, _ in outputs)):
        write_job_summary(report)
    return report.exit_code


@contextmanager
def writing() -> Iterator[None]:
    """What goes wrong on standard output, as one line."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UsageError(
            f"the report cannot be written to standard output: {(error.strerror or 'error').lower()}",
            "write it to a file: -o report.json",
        ) from None


@contextmanager
def unheard() -> Iterator[None]:
    """Where a runner of GitHub's reads what is printed, nothing in between is a command to it.

    A line of a report for people may begin with a name of an attacker's; the word that ends this is not to be guessed.
    """
    if os.environ.get("GITHUB_ACTIONS") != "true":
        yield
        return
    word = os.urandom(16).hex()
    print(f"::stop-commands::{word}", flush=True)
    try:
        yield
    finally:
        print(f"::{word}::", flush=True)


def render(report: Report, form: str) -> str:
    """The report as text of a format."""
    if form == "json":
        from envcheck.reports import json

        return json.render(report)
    if form == "ndjson":
        from envcheck.reports import ndjson

        return ndjson.render(report)
    if form == "sarif":
        from envcheck.reports import sarif

        return sarif.render(report, checkout(report))
    if form == "github":
        from envcheck.reports import github

        return github.render(report, checkout(report))
    if form == "html":
        from envcheck.reports import html

        return html.render(report)
    import io

    from envcheck.reports import terminal

    stream = io.StringIO()
    terminal.write(report, stream, width=80, colour=False, show_all=True)
    return stream.getvalue()


def checkout(report: Report) -> str | None:
    """The directory that a report's relative paths start from: a workflow's checkout, else where the scan started."""
    directory = report.options.invocation.directory
    workspace = os.environ.get("GITHUB_WORKSPACE", "")
    if directory is not None and os.path.isabs(workspace) and (directory + "/").startswith(workspace.rstrip("/") + "/"):
        return os.path.normpath(workspace)
    return directory


def refuse_missing_extras(forms: Sequence[str]) -> None:
    """Raise `UsageError`, before anything is scanned, where a format needs what is not installed."""
    if "html" in forms:
        from envcheck.reports.html import require_engine

        require_engine()


def write_job_summary(report: Report) -> None:
    """Add to the summary of a GitHub job, where there is one."""
    path = os.environ.get("GITHUB_STEP_SUMMARY", "")
    if not path:
        return
    from envcheck.reports import github

    refuse_inside_target(report, path)
    write_file(path, github.summary(report), mode="a")


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
    """Whether a path that is to be written lies in a directory, however it is spelt."""
    from envcheck.files.inside import lies_in
    from envcheck.files.root import Files

    return lies_in(Files(), path, directory)


def write_file(path: str, text: str, mode: Literal["w", "a"] = "w") -> None:
    """Write a report, replacing what was there, or (``a``) after it."""
    try:
        with open(path, mode, encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(text)
    except OSError as error:
        raise UsageError(f"-o {path}: cannot be written: {(error.strerror or 'error').lower()}") from None
