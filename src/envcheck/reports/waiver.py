"""Turns a finding into the waiver that would accept it, ready to paste but for the reason and the day it ends."""

from __future__ import annotations

import json

from envcheck.model.finding import Finding
from envcheck.reports.text import printable

_PATTERN = str.maketrans({character: f"[{character}]" for character in "*?["})


def to_paste(finding: Finding) -> str:
    """A table of TOML; empty where the finding cannot be waived. The two empty values are for a person to fill."""
    if finding.content is None:
        return ""
    lines = ["[[waivers]]", f"rule = {_quoted(finding.rule)}"]
    if finding.place is not None:
        lines.append(f"path = {_quoted(escaped_pattern(finding.place))}")
    lines += [f"sha256 = {_quoted(finding.content)}", 'reason = ""', 'expires = ""']
    return "\n".join(lines) + "\n"


def escaped_pattern(place: str) -> str:
    """A pattern that matches exactly this place."""
    return printable(place).translate(_PATTERN)


def _quoted(text: str) -> str:
    """A basic string of TOML, in ASCII: those of JSON are, but for DEL and for characters past U+FFFF.

    A ``#`` is escaped besides: with letters and a bracket it would be a command to the runner of a CI job.
    """
    if max(text, default="") <= "\uffff":
        quoted = json.dumps(text)
    else:
        pieces = (f"\\U{ord(c):08x}" if c > "\uffff" else json.dumps(c)[1:-1] for c in text)
        quoted = '"' + "".join(pieces) + '"'
    return quoted.replace("\x7f", "\\u007f").replace("#", "\\u0023")
