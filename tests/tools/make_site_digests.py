"""Interpreters' own ``site.py`` into ``src/envcheck/environments/sitedigests.py``.

    python tests/tools/make_site_digests.py [PYTHON | X.Y.Z=FILE]…

Each PYTHON is a base interpreter that is trusted to be as its builder made it, each FILE the ``Lib/site.py`` of that
release's source. A ``site.py`` that speaks of dist-packages is Debian's; any other counts as python.org's, so give no
interpreter of a distributor that patches it. What the table knows already stays in it.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import textwrap
from pathlib import Path

from envcheck.environments.sitedigests import TABLE

DATA = Path(__file__).parents[2] / "src" / "envcheck" / "environments" / "sitedigests.py"
HEAD = '''"""The sha256 of ``site.py`` by release, and who ships it so. Made by ``tests/tools/make_site_digests.py``."""

TABLE = """
'''
TAIL = '''"""
"""``DIGEST BUILDER RELEASE…;`` for each."""


def digests_of(release: str) -> dict[str, str]:
    """Digest to builder, for one release; empty for one that nobody here knows."""
    rows = (row.split() for row in TABLE.split(";"))
    return {digest: builder for digest, builder, *releases in filter(None, rows) if release in releases}
'''
ASK = "import os, platform; print(platform.python_version(), os.path.dirname(os.__file__), sep='\\n')"


def main() -> None:
    """Ask each interpreter for its release and library, and write the table."""
    table: dict[str, dict[str, str]] = {}
    for digest, builder, *releases in filter(None, (row.split() for row in TABLE.split(";"))):
        for release in releases:
            table.setdefault(release, {})[digest] = builder
    for source in sys.argv[1:]:
        release, _, file = source.partition("=")
        if not file:
            release, library = subprocess.check_output([source, "-I", "-S", "-c", ASK], text=True).splitlines()
            file = f"{library}/site.py"
        data = Path(file).read_bytes().replace(b"\r\n", b"\n")
        builder = "Debian" if b"dist-packages" in data else "python.org"
        table.setdefault(release, {})[hashlib.sha256(data).hexdigest()] = builder
    write(table)


def write(table: dict[str, dict[str, str]]) -> None:
    """By digest, because many releases of a branch share one."""
    rows: dict[tuple[str, str], list[str]] = {}
    for release in sorted(table, key=lambda text: [int(part) for part in text.split(".")]):
        for digest, builder in table[release].items():
            rows.setdefault((digest, builder), []).append(release)
    texts = [" ".join([digest, builder, *releases]) + ";" for (digest, builder), releases in rows.items()]
    DATA.write_text(HEAD + "".join(f"{textwrap.fill(text, 116)}\n" for text in texts) + TAIL)


if __name__ == "__main__":
    main()
