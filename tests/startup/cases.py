"""An environment as a description: everything that is in it, as JSON, and how to make it smaller.

`generator` and the named contexts describe environments, `workshop` builds them, `judge` holds the plan against them.
Elements are taken away one at a time for as long as a judgement stands; what remains is a fixture short enough to read.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from support.pythons import MINORS, Interpreter, interpreters, of_minor

FIXTURES = Path(__file__).parents[2] / "fixtures" / "startup"
TRIES = 300
STAMP = 1_600_000_000
"""When every file was written that says nothing else: cached bytecode names its source's time."""

Kind = Literal["file", "link", "program", "extension"]


class Content(NamedTuple):
    """What stands at one path: a file's bytes, a link's target, the interpreter itself, or a compiled module."""

    data: bytes = b""
    modified: int = STAMP
    kind: Kind = "file"


class Case(NamedTuple):
    """One environment. Paths are relative to its root; a directory is one that needs to be there though it is empty.

    In names, contents, flags and values ``{env}`` stands for the root, ``{root}`` for the same without its first slash,
    ``{python}`` for ``python3.11`` and ``{zip}`` for ``python311.zip``.
    """

    minor: tuple[int, int]
    """The version that it was found on: bytecode in it is that version's."""
    files: dict[str, Content]
    marks: dict[str, str]
    """Which mark the bytes of a module file leave."""
    start: str = "venv/bin/python"
    """What is started; one that is not in ``files`` lies in a base."""
    flags: tuple[str, ...] = ()
    environ: Mapping[str, str] = {}
    directories: tuple[str, ...] = ()
    bases: tuple[str, ...] = ("base",)
    """Relocated copies of the interpreter's prefix, with an empty site directory."""
    found: str = ""
    """Which run of which seed found it."""

    def judges(self) -> list[Interpreter]:
        """Every interpreter that can judge it, or a skip that names the missing one; bytecode has one version."""
        if any(name.endswith((".pyc", ".zip")) for name in self.files):
            return [found for found in interpreters() if found.minor == of_minor(self.minor).minor]
        return [found for found in interpreters() if found.minor in MINORS]


class Names(NamedTuple):
    """What the placeholders stand for in one place."""

    root: Path
    interpreter: Interpreter

    def text(self, text: str) -> str:
        """With the placeholders replaced."""
        return text.replace("{env}", str(self.root)).replace("{root}", str(self.root)[1:]).replace(
            "{python}", self.interpreter.name
        ).replace("{zip}", "python{}{}.zip".format(*self.interpreter.version))  # fmt: skip

    def bytes(self, data: bytes) -> bytes:
        """The same for contents."""
        return data if b"{" not in data else self.text(data.decode("latin-1")).encode("latin-1")


# Minimising ---------------------------------------------------------------------------------------------------------


def minimised(case: Case, disagrees: Callable[[Case], bool]) -> Case:
    """The case with everything taken away without which ``disagrees`` still holds; at most `TRIES` times asked."""
    tries = TRIES
    smaller = True
    while smaller:
        smaller = False
        for candidate in _with_one_less(case):
            if not tries:
                return _only_marks_that_stand(case)
            tries -= 1
            if disagrees(candidate):
                case, smaller = candidate, True
                break
    return _only_marks_that_stand(case)


def _only_marks_that_stand(case: Case) -> Case:
    marks = {
        name: mark
        for name, mark in case.marks.items()
        if any(name == file or name.startswith(file + "/") for file in case.files)
    }
    return case._replace(marks=marks)


def _needed(case: Case, name: str) -> bool:
    """Without it nothing starts."""
    return name == case.start or case.files[name].kind == "program" or name.endswith("/pyvenv.cfg")


def _with_one_less(case: Case) -> Iterator[Case]:
    """Each way to take elements away: the big ones first, so that few are asked."""
    free = [name for name in case.files if not _needed(case, name)]
    size = len(free) // 2
    while size > 1:
        for start in range(0, len(free), size):
            gone = set(free[start : start + size])
            yield case._replace(files={name: content for name, content in case.files.items() if name not in gone})
        size //= 2
    for name in free:
        yield case._replace(files={other: content for other, content in case.files.items() if other != name})
    for name in case.directories:
        yield case._replace(directories=tuple(other for other in case.directories if other != name))
    for base in case.bases[1:]:
        yield case._replace(bases=tuple(other for other in case.bases if other != base))
    for number, flag in enumerate(case.flags):
        if flag.startswith("-"):
            words = 2 if flag.startswith("--") else 1
            yield case._replace(flags=case.flags[:number] + case.flags[number + words :])
    for name in case.environ:
        yield case._replace(environ={key: value for key, value in case.environ.items() if key != name})
    for name, content in case.files.items():
        if content.kind == "file" and not name.endswith((".pyc", ".zip", "pyvenv.cfg", "_finder.py")):
            for data in _with_less_text(content.data, name in case.marks):
                yield case._replace(files={**case.files, name: content._replace(data=data)})


def _with_less_text(data: bytes, marked: bool) -> Iterator[bytes]:
    """Fewer lines; ``marked``: of a module, whose own mark stays."""
    lines = data.splitlines(keepends=True)
    if len(lines) > 8 and not marked:
        half = len(lines) // 2
        yield b"".join(lines[:half])
        yield b"".join(lines[half:])
    for number in range(min(len(lines), 40) if len(lines) > 1 else 0):
        if not marked or b"ENVCHECK_MARKS" not in lines[number]:
            yield b"".join(lines[:number] + lines[number + 1 :])


# As JSON ------------------------------------------------------------------------------------------------------------


def to_json(case: Case) -> str:
    """The description, to be read by people: text where a file is text."""
    document = {
        "found": case.found,
        "python": "{}.{}".format(*case.minor),
        "start": case.start,
        "flags": case.flags,
        "environ": dict(case.environ),
        "bases": case.bases,
        "directories": case.directories,
        "files": {name: _content_to_json(content) for name, content in case.files.items()},
        "marks": case.marks,
    }
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def _content_to_json(content: Content) -> dict[str, Any]:
    if content.kind in ("program", "extension"):
        return {content.kind: True}
    key = "link" if content.kind == "link" else "text"
    try:
        held = {key: content.data.decode()}
    except UnicodeDecodeError:
        held = {f"{key}-base64": base64.b64encode(content.data).decode()}
    return held if content.modified == STAMP else {**held, "modified": content.modified}


def _content_from_json(held: dict[str, Any]) -> Content:
    for kind in ("program", "extension"):
        if kind in held:
            return Content(kind=kind)  # type: ignore[arg-type]
    (key,) = set(held) - {"modified"}
    data = base64.b64decode(held[key]) if key.endswith("-base64") else held[key].encode()
    return Content(data, held.get("modified", STAMP), "link" if key.startswith("link") else "file")


def from_json(text: str) -> Case:
    """The case of a description."""
    document = json.loads(text)
    major, minor = map(int, document["python"].split("."))
    return Case(
        (major, minor),
        {name: _content_from_json(held) for name, held in document["files"].items()},
        document["marks"],
        document["start"],
        tuple(document["flags"]),
        document["environ"],
        tuple(document["directories"]),
        tuple(document["bases"]),
        document["found"],
    )
