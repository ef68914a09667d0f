"""The activate templates of venv, virtualenv and uv into ``src/envcheck/catalogue/data/activation.py``.

    python tests/tools/make_activation.py WHEELHOUSE --python python3.11 [--library LABEL=DIR]… [--add]

With ``--add`` the tables keep what they have, and WHEELHOUSE needs only the releases that came since; else
it holds wheels of virtualenv and uv (``make_catalogue.py --download`` fetches them). A library is the standard
library of a trusted CPython, with the version to call it by: ``--library 3.12.1=/opt/python/lib/python3.12``. The
templates of venv and virtualenv are read as they lie in the packages; uv keeps them in its binary and is let to make
environments. Of venv's templates before CVE-2024-9287 was mended the mended form is made as well: the fix took every
placeholder out of its double quotes, in each branch the same way.
"""

from __future__ import annotations

import argparse
import re
import shlex
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from make_catalogue import DATA, run, spans, uv_binaries, version_key, wheels

from envcheck.catalogue.activation import (
    LANGUAGES,
    PLACEHOLDERS,
    Pattern,
    Tables,
    line_digest,
    normal_form,
    split,
    template_digest,
)
from envcheck.catalogue.data.activation import LINES, PATTERNS, TEMPLATES

HOLE = re.compile("|".join(sorted(map(re.escape, PLACEHOLDERS), key=len, reverse=True)))
SAMPLES = {
    "dir": "/srv/env",
    "prompt": "env",
    "bin": "bin",
    "separator": ":",
    "library": "/usr/lib/tcl8.6",
    "folders": "../lib/python3.11/site-packages",
    "decode": "",
    "deactivate": "/srv/env/bin/deactivate.nu",
    "comment": "",
}
PREFIXES = {
    b"__VIRTUAL_PROMPT_PREFIX_%s__" % kind.upper(): b"""'('"$_virtualenv_prompt_%s:q"') '""" % kind
    for kind in (b"tcsh", b"plain")
}
"""What virtualenv writes in place of these, but for prompts that end in an encoding's own shift."""


class Template(NamedTuple):
    """One file of one release, its placeholders in venv's or virtualenv's spelling."""

    name: str
    text: bytes
    tool: str
    version: str


def of_venv(libraries: dict[str, Path]) -> Iterator[Template]:
    for version, library in libraries.items():
        for path in sorted((library / "venv" / "scripts").glob("*/*ctivate*")):
            if path.parent.name in ("common", "posix"):
                data = path.read_bytes()
                yield Template(path.name.lower(), data, "venv", version)
                if b'"__VENV_DIR__"' in data:
                    mended = mend(data.decode()).encode()
                    yield Template(path.name.lower(), mended, "venv", f"{version.rpartition('.')[0]} mended")


def mend(text: str) -> str:
    """Each placeholder taken out of the double quotes around it, as the mend of CVE-2024-9287 did."""

    def outside(found: re.Match[str]) -> str:
        pieces = re.split("(__VENV_[A-Z_]+__)", found[1])
        return "".join(f'"{piece}"' if number % 2 == 0 else piece for number, piece in enumerate(pieces) if piece)

    return re.sub(r'"([^"\n]*__VENV_[^"\n]*)"', outside, text)


def of_virtualenv(house: Path) -> Iterator[Template]:
    for wheel in wheels(house, "virtualenv"):
        for member in wheel.archive.namelist():
            name = member.rpartition("/")[2].lower()
            name = "activate" if name == "activate.sh" else name
            if "virtualenv/activation/" in member and name in LANGUAGES:
                data = wheel.archive.read(member)
                for hole, text in PREFIXES.items():
                    data = data.replace(hole, text)
                if not any(hole in data for hole in (b"__VENV_", b"{{")):
                    yield Template(name, data, "virtualenv", wheel.version)


def of_uv(house: Path, python: str) -> Iterator[Template]:
    with tempfile.TemporaryDirectory() as folder:
        for version, uv in uv_binaries(house, Path(folder)):
            for options in ((), ("--relocatable",)):
                if options and version_key(version) < (0, 3):
                    continue
                prefix = Path(folder) / f"zzDIR{version}{len(options)}zz"
                prompt = () if version_key(version) < (0, 1, 10) else ("--prompt", "zzPROMPTzz")
                run([uv, "venv", "-q", "--python", python, *prompt, *options, str(prefix)])
                for path in sorted((prefix / "bin").iterdir()):
                    if path.name.lower() in LANGUAGES and not path.is_symlink():
                        data = path.read_bytes().replace(str(prefix).encode(), b"__VIRTUAL_ENV__")
                        data = re.sub(rb"zzPROMPTzz|zzDIR[0-9.]+zz", b"__VIRTUAL_PROMPT__", data)
                        data = re.sub(rb"\.\./lib/python3\.[0-9]+/site-packages", b"__LIB_FOLDERS__", data)
                        yield Template(path.name.lower(), data, "uv", version)


def pattern_of(line: str) -> str:
    comment = line.lstrip().startswith("#")
    return HOLE.sub(lambda found: f"\0{'comment' if comment else PLACEHOLDERS[found[0]]}\0", line)


def is_unfilled(language: str, line: str, tables: Tables) -> bool:
    """Whether a line is one with a placeholder that uv, without a prompt, filled with nothing or its default."""
    _, settings, unknown = normal_form(language, line.encode(), tables)
    return not unknown and all(setting.value in ("", "venv") for setting in settings)


def spelt(language: str, context: str, value: str) -> str:
    """A value as a tool spells it there."""
    if context or language == "bat":
        return value
    if language == "python":
        return repr(value)
    return {"nu": f"r#'{value}'#", "ps1": f"'{value}'"}.get(language) or shlex.quote(value)


def filled(name: str, pattern: Pattern, tool: str, version: str) -> str:
    values = dict(SAMPLES)
    if tool == "venv" and version_key(version) < (3, 13) and "deactivate" not in name:
        values["prompt"] = "(env) "
    parts = pattern.text.split("\0")
    for number, (kind, context) in enumerate(zip(pattern.kinds, pattern.contexts, strict=True)):
        parts[2 * number + 1] = spelt(LANGUAGES[name], context, values[kind])
    return "".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheelhouse", type=Path)
    parser.add_argument("--python", required=True)
    parser.add_argument("--add", action="store_true", help="keep what the tables have")
    parser.add_argument("--library", action="append", default=[], metavar="LABEL=DIR")
    arguments = parser.parse_args()
    libraries = dict(pair.split("=", 1) for pair in arguments.library)
    found = [
        *of_venv({version: Path(path) for version, path in libraries.items()}),
        *of_virtualenv(arguments.wheelhouse),
        *of_uv(arguments.wheelhouse, arguments.python),
    ]
    lines: dict[str, tuple[str, ...]] = {}
    patterns: dict[str, tuple[str, ...]] = {}
    templates: dict[str, dict[str, tuple[str, str]]] = {}
    for name, language in LANGUAGES.items():
        own = [template for template in found if template.name == name]
        texts = {pattern_of(line) for template in own for line in split(language, template.text)}
        before = PATTERNS.get(name, ()) if arguments.add else ()
        patterns[name] = tuple(sorted({*before, *(text for text in texts if "\0" in text)}))
        fits = Tables((), patterns[name], {})
        plain = (text for text in texts if "\0" not in text and not is_unfilled(language, text, fits))
        had = "".join(LINES.get(name, ())) if arguments.add else ""
        kept = {had[start : start + len(line_digest(""))] for start in range(0, len(had), len(line_digest("")))}
        digests = "".join(sorted({*kept, *map(line_digest, plain)}))
        lines[name] = tuple(digests[start : start + 96] for start in range(0, len(digests), 96))
        tables = Tables(lines[name], patterns[name], {})
        seen: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for template in own:
            made = [
                filled(name, Pattern(text), template.tool, template.version) if "\0" in text else text
                for text in map(pattern_of, split(language, template.text))
            ]
            normal, _, unknown = normal_form(language, "\n".join(made).encode("utf-8", "surrogateescape"), tables)
            assert not unknown, (template.name, template.version, unknown)
            versions = seen[template_digest(normal)][template.tool]
            if template.version not in versions:
                versions.append(template.version)
        templates[name] = {
            digest: (next(iter(tools)), "; ".join(words(tool, versions, found) for tool, versions in tools.items()))
            for digest, tools in seen.items()
        }
        if arguments.add:
            templates[name] |= TEMPLATES.get(name, {})
    write(DATA / "activation.py", lines, patterns, templates)


def write(path: Path, lines: object, patterns: object, templates: object) -> None:
    doc = "Activate scripts: digests of lines (24 hex digits each), lines with placeholders, digests of templates."
    parts = [
        f'"""{doc}"""',
        "# Generated by tests/tools/make_activation.py; do not edit.\n# ruff: noqa: E501",
        "from __future__ import annotations",
        f"LINES: dict[str, tuple[str, ...]] = {lines!r}",
        f"PATTERNS: dict[str, tuple[str, ...]] = {patterns!r}",
        f"TEMPLATES: dict[str, dict[str, tuple[str, str]]] = {templates!r}",
    ]
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    run([sys.executable, "-m", "ruff", "format", "-q", str(path)])


def words(tool: str, versions: list[str], found: list[Template]) -> str:
    known = list(dict.fromkeys(template.version for template in found if template.tool == tool))
    plain = [version for version in versions if "mended" not in version]
    told = [version for version in versions if "mended" in version]
    if plain:
        told.insert(0, spans(plain, [version for version in known if "mended" not in version]))
    return f"{tool} {', '.join(told)}"


if __name__ == "__main__":
    main()
