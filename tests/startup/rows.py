"""One environment for one row of the rules: files and lines with marks, started for real and planned.

A mark stands in the text as ``mark("name")`` and is written out as code that appends one line to the file that
ENVCHECK_MARKS names. What ran is a list of names; so is what the plan says, where it tells what runs for certain from
what may run.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from envcheck.environments.discover import find_environment
from envcheck.files.root import Files, Unreadable
from envcheck.model.invocation import Invocation
from envcheck.model.startup import StartupEntry, StartupPlan
from envcheck.startup.plan import make_plan
from envcheck.startup.zips import read_archive, read_member
from support.pythons import Interpreter

MARK = "__import__('os').write(__import__('os').open(__import__('os').environ['ENVCHECK_MARKS'],1089,438),b'{}\\n')"
"""Appends (O_WRONLY, O_CREAT, O_APPEND) and touches nothing else."""
_CALL = re.compile(r'mark\("(\w+)"\)')
_WRITTEN = re.compile(r"1089,438\),b'(\w+)\\+n'\)")

Content = str | bytes


def marked(text: str) -> str:
    """The text with every ``mark("name")`` written out."""
    return _CALL.sub(lambda found: MARK.format(found[1]), text)


class Row:
    """A venv that is emptied and filled for each row."""

    def __init__(self, venv: Path, interpreter: Interpreter) -> None:
        self.venv = venv
        self.interpreter = interpreter
        self.site = venv / "lib" / interpreter.name / "site-packages"
        self.around = venv / "around"
        self.files = Files()
        for place in (self.site, self.around):
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir(parents=True)

    def write(self, name: str, content: Content = "", mtime: int | None = None) -> Path:
        """A file in site-packages (or at an absolute path), with its marks written out."""
        path = self.site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            text = marked(content).replace("{site}", str(self.site)).replace("{around}", str(self.around))
            content = text.encode("utf-8", "surrogateescape")
        path.write_bytes(content)
        if mtime is not None:
            os.utime(path, (mtime, mtime))
        return path

    def fill(self, files: Mapping[str, Content]) -> Row:
        for name, content in files.items():
            self.write(name.replace("{around}", str(self.around)), content)
        return self

    def environ(self, **more: str) -> dict[str, str]:
        values = {"ENVCHECK_MARKS": str(self.venv / "marks"), "HOME": os.devnull, "LANG": "C.UTF-8", **more}
        return {name: value.replace("{around}", str(self.around)) for name, value in values.items()}

    def start(self, *flags: str, **environ: str) -> list[str]:
        """Start the real interpreter, and say what ran."""
        marks = self.venv / "marks"
        marks.unlink(missing_ok=True)
        subprocess.run(
            [str(self.venv / "bin" / "python"), *flags, "-B", "-c", "pass"],
            env=self.environ(**environ),
            capture_output=True,
            timeout=60,
            check=False,
            cwd=self.around,
        )
        return marks.read_text().split() if marks.exists() else []

    def plan(self, *flags: str, **environ: str) -> StartupPlan:
        invocation = Invocation(flags, self.environ(**environ), (os.getuid(),) * 2, (os.getgid(),) * 2)
        self.files = Files()
        found = find_environment(self.files, str(self.venv / "bin" / "python"), invocation)
        return make_plan(self.files, found, invocation)

    def planned(self, *flags: str, **environ: str) -> Planned:
        return self.of(self.plan(*flags, **environ))

    def of(self, plan: StartupPlan) -> Planned:
        """The marks that a plan says are left."""
        certain: list[tuple[int, int, str]] = []
        possible: list[str] = []
        for entry in plan.entries:
            marks = self._marks(entry)
            for occurrence in entry.occurrences:
                if occurrence.outcome == "skipped":
                    continue
                possible += marks
                if occurrence.when is None:
                    certain += [(occurrence.order, 0, mark) for mark in marks]
            for place, file in enumerate(entry.closure, 1):
                found = self._marks_of_file(file.loads or file.path)
                possible += found
                if file.when is None and file.order is not None:
                    certain += [(file.order, place, mark) for mark in found]
        return Planned([mark for *_, mark in sorted(certain, key=lambda one: one[:2])], possible, plan)

    def _marks(self, entry: StartupEntry) -> list[str]:
        if entry.code is not None:
            return _WRITTEN.findall(entry.code)
        return self._marks_of_file(entry.loads or entry.path)

    def _marks_of_file(self, path: str) -> list[str]:
        """The marks in a file, or in the member of an archive: they stand in bytecode as they stand in source."""
        if os.path.isfile(path):
            data = Path(path).read_bytes()
        else:
            name, _, member = path.partition(".zip/")
            archive = read_archive(self.files, name + ".zip", self.interpreter.minor)
            if archive is None:
                return []
            try:
                data = read_member(self.files, archive, member)
            except Unreadable:
                return []
        text = data.decode("latin-1")
        return _WRITTEN.findall(text)


class Planned(NamedTuple):
    """What a plan says runs for certain, in order, and what it says may run."""

    certain: list[str]
    possible: list[str]
    plan: StartupPlan
