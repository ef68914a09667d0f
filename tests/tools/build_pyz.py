"""The sources and an environment that holds what they import into one file to carry: ``envcheck.pyz``.

    python tests/tools/build_pyz.py SITE_PACKAGES OUTPUT

The file is the same bit for bit whoever builds it: its members are sorted, stored without compression (what zlib makes
of the same bytes differs by release), and have no times, owners or modes of their own. It holds sources only: native
speed-ups are left out, and every library in it works without.
"""

from __future__ import annotations

import hashlib
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

SOURCES = Path(__file__).resolve().parents[2] / "src"
LIBRARIES = ("jinja2", "markupsafe", "packaging", "platformdirs", "rich", "tomli", "typing_extensions.py")
"""What envcheck imports; rich's own Markdown and highlighting, which envcheck does not use, need more."""
_LICENCES = ("LICENSE", "LICENCE", "COPYING", "NOTICE", "AUTHORS")
_MAIN = b'''"""envcheck in one file: start it as  env -i /path/to/python3 -I -S envcheck.pyz scan TARGET"""

import sys

sys.dont_write_bytecode = True

from envcheck.__main__ import main

main()
'''


def members(site_packages: Path) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of everything that goes into the file."""
    yield "__main__.py", _MAIN
    yield from _tree(SOURCES, "envcheck")
    for name in LIBRARIES:
        if not (site_packages / name).exists():
            raise SystemExit(f"{site_packages / name}: not there; make pyz installs it first")
        yield from _tree(site_packages, name)
    for metadata in sorted(site_packages.glob("*.dist-info")):
        if metadata.name.partition("-")[0].lower() not in {name.removesuffix(".py") for name in LIBRARIES}:
            continue
        for path in sorted(metadata.rglob("*")):
            if path.is_file() and path.name.upper().startswith(_LICENCES):
                yield f"licenses/{metadata.name.partition('-')[0]}/{path.name}", path.read_bytes()


def _tree(top: Path, name: str) -> Iterator[tuple[str, bytes]]:
    if name.endswith(".py"):
        yield name, (top / name).read_bytes()
        return
    for path in sorted((top / name).rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and path.suffix not in (".so", ".pyd", ".pyi", ".c"):
            yield path.relative_to(top).as_posix(), path.read_bytes()


def build(site_packages: Path, output: Path) -> str:
    """Write the file; its sha256."""
    output.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(output, "w") as archive:
        for name, data in sorted(members(site_packages)):
            member = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            # The same on every system: made on Unix, readable by all.
            member.create_system = 3
            member.external_attr = 0o100644 << 16
            archive.writestr(member, data)
    return hashlib.sha256(output.read_bytes()).hexdigest()


if __name__ == "__main__":
    target = Path(sys.argv[2])
    print(f"{build(Path(sys.argv[1]), target)}  {target}")
