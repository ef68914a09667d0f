"""Turns a report into the last line of a verification: the sentence that the log of a build needs."""

from __future__ import annotations

from envcheck.model.report import EnvironmentReport, Report
from envcheck.reports import words


def last_lines(report: Report, environment: EnvironmentReport) -> list[str]:
    """What was verified, then, where there is any, what was not proven."""
    inventory = environment.inventory
    if inventory is None:
        return []
    lock = words.lock_name(environment)
    distributions = words.plural(len(inventory.distributions), "distribution")
    if report.exit_code:
        why = {1: "there are findings", 3: "the scan is incomplete, or no independent witness"}
        return [f"not verified: {distributions} against {lock}: {why.get(report.exit_code, 'it failed')}"]
    anchoring = inventory.anchoring
    anchored = anchoring.distributions if anchoring is not None else 0
    others = [f"{len(anchoring.excepted)} excepted"] if anchoring is not None and anchoring.excepted else []
    if anchoring is None or not anchored:
        files = words.plural(inventory.counts.verified, "file")
        counts = ", ".join(["0 anchored", *others])
        line = f"verified: {distributions} match {lock}, {files} match their own RECORD ({counts})"
        return [line, *_unproven(report, environment)]
    counts = ", ".join([f"{anchored:,} anchored", *others])
    rest = len(inventory.distributions) - anchored - len(anchoring.excepted)
    if rest > 0:
        counts += f", {rest:,} by their own RECORD only"
    files = words.plural(anchoring.files, "file")
    return [f"verified: {distributions}, {files} match {lock} ({counts})", *_unproven(report, environment)]


def _unproven(report: Report, environment: EnvironmentReport) -> list[str]:
    """What no lock can prove and nothing else did."""
    found = []
    inventory, target = environment.inventory, environment.environment
    library = inventory.standard_library if inventory is not None else None
    if library is None or library.compared_with is None:
        base = "the base " if target.kind == "venv" else "this Python "
        found.append(f"{base}{target.python.version}'s standard library")
    if target.kind != "venv" or (target.cfg is not None and target.cfg.include_system_site):
        found.append("site directories of other users")
    if inventory is not None and any(one.problem == "activate-unproven" for one in inventory.deviations):
        found.append("the activate scripts")
    if not report.clean_room:
        found.append("envcheck itself, which runs on what it verifies")
    return [f"not proven: {'; '.join(found)}"] if found else []
