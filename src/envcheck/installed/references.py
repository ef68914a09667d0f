"""A reference: the digests of a trusted installation, as a file that another machine's scan compares with.

The file is JSON, sorted, one row a file. Paths are relative to the prefix that the interpreter's library is found in
(``lib/python3.12/os.py``, ``bin/python3.12``). A reference is read whole or refused: one that is half understood would
prove less than it seems to.
"""

import json
import posixpath
import re

from envcheck.files.root import Files, Unreadable
from envcheck.model.environment import Environment
from envcheck.model.errors import UsageError
from envcheck.model.nouns import NamedTuple

SCHEMA = "envcheck/reference/1"
_HEX = re.compile(r"[0-9a-f]{64}")
_VERSION = re.compile(r"3\.\d{1,3}\.\d{1,3}(?:(?:a|b|rc)\d{1,3})?")
_MOST = 200_000
_KEYS = {"schema", "python", "files"}
_PYTHON = ("version", "abi", "platform")


class BadReference(ValueError):
    """Why a text is no reference, in one clause that names the place."""


class Reference(NamedTuple):
    """A trusted installation of one Python."""

    path: str
    """Where it was read from, for messages."""
    version: str
    abi: str
    platform: str
    files: dict[str, bytes]
    """Path relative to the prefix, to raw sha256."""

    def is_for(self, environment: Environment) -> bool:
        """Whether an environment has this very Python: version, ABI and platform, the C library's version aside."""
        python = environment.python
        return (self.version, self.abi, _machine(self.platform)) == (
            python.version,
            python.abi,
            _machine(python.platform),
        )

    def __str__(self) -> str:
        return f"{self.version} ({self.abi}, {self.platform})"


def _machine(platform: str) -> str:
    return re.sub(r"(glibc|musl)[0-9.]*$", r"\1", platform)


def read_reference(text: str, path: str) -> Reference:
    """The reference in a text. Raises `BadReference` for anything that `write_reference` would not have written."""
    try:
        data = json.loads(text, object_pairs_hook=_no_twice)
    except (ValueError, RecursionError) as error:
        why = str(error) if isinstance(error, (BadReference, json.JSONDecodeError)) else "it cannot be parsed"
        raise BadReference(f"not JSON of a reference: {why}") from None
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise BadReference(f'no reference: "schema" is not "{SCHEMA}"')
    if set(data) != _KEYS:
        raise BadReference(f"expected the keys {', '.join(sorted(_KEYS))}")
    python, files = data["python"], data["files"]
    if not isinstance(python, dict) or set(python) != set(_PYTHON):
        raise BadReference(f'"python" must have {", ".join(_PYTHON)}')
    for name in _PYTHON:
        if not isinstance(python[name], str) or not python[name] or len(python[name]) > 100:
            raise BadReference(f"python.{name} must be a text")
    if not _VERSION.fullmatch(python["version"]):
        raise BadReference("python.version must be a whole version, such as 3.12.4")
    if not isinstance(files, dict) or not files:
        raise BadReference('"files" must name files')
    if len(files) > _MOST:
        raise BadReference(f'"files" has more than {_MOST:,} rows')
    for name, digest in files.items():
        if not name or name.startswith("/") or posixpath.normpath(name) != name or name.split("/")[0] == "..":
            raise BadReference(f"files[{name!r}]: not a path below the prefix")
        if not isinstance(digest, str) or not _HEX.fullmatch(digest):
            raise BadReference(f"files[{name!r}]: not a sha256 in lower-case hex")
    rows = {name: bytes.fromhex(digest) for name, digest in files.items()}
    return Reference(path, python["version"], python["abi"], python["platform"], rows)


def load_reference(files: Files, path: str) -> Reference:
    """The reference in a file. Raises `UsageError` with one line."""
    try:
        data = files.read(path, files.limits.lock)
        return read_reference(data.decode("utf-8"), path)
    except Unreadable as error:
        raise UsageError(f"--reference {path}: {error.why}", "envcheck reference -o FILE writes one") from None
    except UnicodeDecodeError:
        raise UsageError(f"--reference {path}: not UTF-8", "envcheck reference -o FILE writes one") from None
    except BadReference as error:
        raise UsageError(f"--reference {path}: {error}", "envcheck reference -o FILE writes one") from None


def _no_twice(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadReference("a key stands twice in one object")
    return found


def write_reference(environment: Environment, files: dict[str, str]) -> str:
    """The text of a reference; ``files`` gives the sha256 (hex) of each path relative to the prefix."""
    python = environment.python
    facts = {"version": python.version, "abi": python.abi, "platform": python.platform}
    data = {"schema": SCHEMA, "python": facts, "files": dict(sorted(files.items()))}
    return json.dumps(data, indent=0, separators=(",", ":")) + "\n"
