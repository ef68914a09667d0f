"""An environment as a description: everything that is in it, as JSON, and how to build it again elsewhere.

What a `generator.Tree` filled is read back; elements are taken away one at a time for as long as a judgement stands;
what remains is a fixture that is short enough to read.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from startup.generator import Tree, configure
from support.pythons import MINORS, Interpreter, interpreters, of_minor

FIXTURES = Path(__file__).parents[2] / "fixtures" / "startup"
TRIES = 600
_HERE = "{venv}"
_PARTS = ("site", "around", "home")


class Content(NamedTuple):
    """What is in one file, and when it was written (cached bytecode names its source's time)."""

    data: bytes
    modified: int


class Case(NamedTuple):
    """One environment. Paths are relative to the venv, with ``site/`` for its site-packages; contents and values write
    the venv as ``{venv}``. A path that ends in a slash is a directory."""

    minor: tuple[int, int]
    """The version that it was found on: bytecode in it is that version's."""
    system_site: bool
    flags: tuple[str, ...]
    environ: dict[str, str]
    directories: tuple[str, ...]
    files: dict[str, Content]
    marks: dict[str, str]
    """Which mark the bytes of a module file leave."""
    found: str
    """Which run of which seed found it."""

    def judges(self) -> list[Interpreter]:
        """Every interpreter that can judge it, or a skip that names the missing one; bytecode has one version."""
        if any(name.endswith((".pyc", ".zip")) for name in self.files):
            return [found for found in interpreters() if found.minor == of_minor(self.minor).minor]
        return [found for found in interpreters() if found.minor in MINORS]


class Built(NamedTuple):
    """A case that stands on disk: what `Tree` is to the judge."""

    venv: Path
    around: Path
    flags: tuple[str, ...]
    environ: dict[str, str]
    marks: dict[str, str]


def case_of(tree: Tree, found: str) -> Case:
    """Read back what a tree filled."""
    places = dict(zip(_PARTS, (tree.site, tree.around, tree.home), strict=True))
    directories, files = [], {}
    for part, place in places.items():
        for path in sorted(place.rglob("*")):
            name = f"{part}/{path.relative_to(place).as_posix()}"
            if path.is_dir():
                directories.append(name + "/")
            else:
                data = path.read_bytes().replace(os.fsencode(tree.venv), _HERE.encode())
                files[name] = Content(data, int(path.stat().st_mtime))
    text = (tree.venv / "pyvenv.cfg").read_text()
    marks = {_short(Path(path), places): mark for path, mark in tree.marks.items()}
    environ = {key: value.replace(str(tree.venv), _HERE) for key, value in tree.environ.items()}
    shared = "include-system-site-packages = true" in text
    return Case(tree.interpreter.minor, shared, tree.flags, environ, tuple(directories), files, marks, found)


def _short(path: Path, places: dict[str, Path]) -> str:
    for part, place in places.items():
        if path.is_relative_to(place):
            return f"{part}/{path.relative_to(place).as_posix()}"
    raise ValueError(f"{path} is outside of the environment")


def build(case: Case, venv: Path, interpreter: Interpreter) -> Built:
    """Put a case into a venv, in place of what an earlier one left there."""
    site = venv / "lib" / interpreter.name / "site-packages"
    places = dict(zip(_PARTS, (site, venv / "around", venv / "home"), strict=True))
    for place in places.values():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
    configure(venv, case.system_site)
    for name in case.directories:
        part, _, rest = name.partition("/")
        (places[part] / rest).mkdir(parents=True, exist_ok=True)
    for name, content in case.files.items():
        part, _, rest = name.partition("/")
        path = places[part] / rest
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.data.replace(_HERE.encode(), os.fsencode(venv)))
        os.utime(path, (content.modified, content.modified))
    marks = {}
    for name, mark in case.marks.items():
        part, _, rest = name.partition("/")
        marks[str(places[part] / rest)] = mark
    environ = {key: value.replace(_HERE, str(venv)) for key, value in case.environ.items()}
    return Built(venv, venv / "around", case.flags, environ, marks)


# Minimising ---------------------------------------------------------------------------------------------------------


def minimised(case: Case, disagrees: Callable[[Case], bool]) -> Case:
    """The case with everything taken away without which ``disagrees`` still holds; at most `TRIES` times asked."""
    tries = TRIES
    smaller = True
    while smaller:
        smaller = False
        for candidate in _with_one_less(case):
            if not tries:
                return case
            tries -= 1
            if disagrees(candidate):
                case, smaller = candidate, True
                break
    return case


def _with_one_less(case: Case) -> Iterator[Case]:
    """Each way to take one element away: the big ones first, so that few are asked."""
    for part in ("home/", "around/", "site/"):
        kept = {name: content for name, content in case.files.items() if not name.startswith(part)}
        if kept != case.files:
            yield case._replace(files=kept)
    for name in case.files:
        yield case._replace(files={other: content for other, content in case.files.items() if other != name})
    for name in reversed(case.directories):
        if not any(other.startswith(name) for other in case.files):
            yield case._replace(directories=tuple(other for other in case.directories if other != name))
    for flag in case.flags:
        yield case._replace(flags=tuple(other for other in case.flags if other != flag))
    for name in case.environ:
        if name not in ("ENVCHECK_MARKS", "HOME"):
            yield case._replace(environ={key: value for key, value in case.environ.items() if key != name})
    if case.system_site:
        yield case._replace(system_site=False)
    for name, content in case.files.items():
        if name.endswith((".pyc", ".zip")):
            continue
        for data in _with_less_text(content.data):
            yield case._replace(files={**case.files, name: content._replace(data=data)})


def _with_less_text(data: bytes) -> Iterator[bytes]:
    lines = data.splitlines(keepends=True)
    if len(lines) > 8:
        half = len(lines) // 2
        yield b"".join(lines[:half])
        yield b"".join(lines[half:])
    for number in range(min(len(lines), 40) if len(lines) > 1 else 0):
        yield b"".join(lines[:number] + lines[number + 1 :])


# As JSON ------------------------------------------------------------------------------------------------------------


def to_json(case: Case) -> str:
    """The description, to be read by people: text where a file is text."""
    marks = {name: mark for name, mark in case.marks.items() if _stands(name, case)}
    document = {
        "found": case.found,
        "python": "{}.{}".format(*case.minor),
        "system-site": case.system_site,
        "flags": case.flags,
        "environ": case.environ,
        "directories": case.directories,
        "files": {name: _content_to_json(content) for name, content in case.files.items()},
        "marks": marks,
    }
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def _stands(name: str, case: Case) -> bool:
    return any(name == file or name.startswith(file + "/") for file in case.files)


def _content_to_json(content: Content) -> dict[str, Any]:
    try:
        held = {"text": content.data.decode()}
    except UnicodeDecodeError:
        held = {"base64": base64.b64encode(content.data).decode()}
    return {**held, "modified": content.modified}


def from_json(text: str) -> Case:
    """The case of a description."""
    document = json.loads(text)
    major, minor = map(int, document["python"].split("."))
    files = {}
    for name, held in document["files"].items():
        data = held["text"].encode() if "text" in held else base64.b64decode(held["base64"])
        files[name] = Content(data, held["modified"])
    return Case(
        (major, minor), document["system-site"], tuple(document["flags"]), document["environ"],
        tuple(document["directories"]), files, document["marks"], document["found"],
    )  # fmt: skip
