"""Make ``src/envcheck/catalogue/data/stdlib.bin``: digests of the standard library as CPython's releases have it.

    python tests/tools/make_stdlib_catalogue.py SOURCE… [--variants NAME=FOLDER …]

A SOURCE is one of
    a git repository with a tag ``upstream/X.Y.Z`` or ``vX.Y.Z`` for each release, with the source at its top;
    a source archive ``….tar.gz`` or ``….tar.xz`` of one release, as upstream publishes it and Debian keeps it;
    an installed prefix ``PREFIX`` whose ``lib/pythonX.Y`` is used for its release only where no other source has it,
    and of which only paths are taken that another release, or candidate, of the same X.Y has: what else is there is
    the machine's.
Where two sources have one release they must agree in every path that both have. Only final releases are taken.

A FOLDER of variants has ``X.Y.Z/PATH``: files that a well-known build changes, as it installs them.

The format is described in ``envcheck.catalogue.releases``.
"""

from __future__ import annotations

import argparse
import hashlib
import posixpath
import re
import subprocess
import sys
import tarfile
import zlib
from pathlib import Path

DATA = Path(__file__).parents[2] / "src/envcheck/catalogue/data/stdlib.bin"
MAGIC = b"envcheck stdlib 1\n"
RELEASE = re.compile(r"3\.\d+\.\d+")
CANDIDATE = re.compile(r"3\.\d+\.\d+_?rc\d+")
"""A release candidate: only its paths are of interest."""

Tree = dict[str, bytes]
"""Path below ``Lib``, to the raw sha256 of its bytes."""


def from_git(repository: Path) -> dict[str, Tree]:
    """Every final release that a repository has a tag for."""
    names = git(repository, "tag").decode().split()
    found: dict[str, Tree] = {}
    known: dict[str, bytes] = {}
    for name in names:
        release = re.sub(r"^(?:upstream/|v)", "", name)
        if not RELEASE.fullmatch(release) and not CANDIDATE.fullmatch(release):
            continue
        links: dict[str, str] = {}
        blobs: dict[str, str] = {}
        for row in git(repository, "ls-tree", "-r", "-z", name, "Lib/").split(b"\0"):
            if row:
                facts, _, path = row.partition(b"\t")
                mode, _, blob = facts.decode().split()
                (links if mode == "120000" else blobs)[path.decode()[4:]] = blob
        digest_blobs(repository, {*blobs.values(), *links.values()}, known)
        tree = {path: known[blob] for path, blob in blobs.items()}
        for path, blob in links.items():
            target = posixpath.normpath(posixpath.join(posixpath.dirname(path), git_text(repository, blob)))
            if target in tree:
                tree[path] = tree[target]
        found[release] = tree
    return found


def git(repository: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", "-C", str(repository), *arguments], check=True, stdout=subprocess.PIPE).stdout


def git_text(repository: Path, blob: str) -> str:
    return git(repository, "cat-file", "blob", blob).decode()


def digest_blobs(repository: Path, wanted: set[str], known: dict[str, bytes]) -> None:
    """Add the sha256 of blobs that are not known yet; git gives them in one stream."""
    new = sorted(wanted - known.keys())
    command = ["git", "-C", str(repository), "cat-file", "--batch"]
    done = subprocess.run(command, input="\n".join(new).encode(), check=True, stdout=subprocess.PIPE).stdout
    at = 0
    for blob in new:
        end = done.index(b"\n", at)
        name, kind, size = done[at:end].decode().split()
        assert (name, kind) == (blob, "blob"), done[at:end]
        at = end + 1 + int(size)
        known[blob] = hashlib.sha256(done[end + 1 : at]).digest()
        at += 1


def from_archive(path: Path) -> dict[str, Tree]:
    """The release of one source archive."""
    tree: Tree = {}
    release = None
    with tarfile.open(path) as archive:
        for member in archive:
            name = member.name.partition("/")[2]
            if name == "Include/patchlevel.h":
                text = content(archive, member).decode()
                release = re.search(r'#define PY_VERSION\s+"([^"]+)"', text)
            elif name.startswith("Lib/") and (member.isfile() or member.issym() or member.islnk()):
                try:
                    tree[name[4:]] = hashlib.sha256(content(archive, member)).digest()
                except KeyError:
                    continue  # a link that leads nowhere
    assert release is not None, path
    return {release[1]: tree}


def content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    stream = archive.extractfile(member)
    assert stream is not None, member.name
    return stream.read()


def from_prefix(prefix: Path) -> dict[str, Tree]:
    """The release that is installed in a prefix, bytecode and site-packages left out."""
    found: dict[str, Tree] = {}
    for stdlib in sorted(prefix.glob("lib/python3.*/os.py")):
        library = stdlib.parent
        header = prefix / "include" / library.name / "patchlevel.h"
        release = re.search(r'#define PY_VERSION\s+"([^"]+)"', header.read_text())
        assert release is not None, header
        found[release[1]] = {
            path.relative_to(library).as_posix(): hashlib.sha256(path.read_bytes()).digest()
            for path in library.rglob("*")
            if path.is_file() and not {"__pycache__", "site-packages", "lib-dynload"}.intersection(path.parts)
        }
    return found


def gather(sources: list[Path]) -> dict[str, Tree]:
    """Release to tree, over all sources."""
    found: dict[str, Tree] = {}
    installed: list[dict[str, Tree]] = []
    for source in sources:
        if source.is_file():
            more = from_archive(source)
        elif (source / "lib").is_dir():
            installed.append(from_prefix(source))
            continue
        else:
            more = from_git(source)
        for release, tree in more.items():
            agree(release, found.setdefault(release, tree), tree, str(source))
    for prefix in installed:
        for release, tree in prefix.items():
            if release in found:
                agree(release, found[release], tree, "an installed prefix")
                continue
            minor = release.rpartition(".")[0] + "."
            paths = {path for other, known in found.items() if other.startswith(minor) for path in known}
            print(f"{release}: only an installed prefix has it", file=sys.stderr)
            found[release] = {path: raw for path, raw in tree.items() if path in paths}
    return found


def agree(release: str, one: Tree, other: Tree, source: str) -> None:
    differing = [path for path in one.keys() & other.keys() if one[path] != other[path]]
    assert not differing, (release, source, differing[:10])


def order(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split("."))


def spans(numbers: list[int]) -> str:
    """``0-4,7`` of ascending numbers."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def encode(releases: dict[str, Tree], variants: dict[str, dict[str, Tree]]) -> bytes:
    """The whole file."""
    names = sorted(filter(RELEASE.fullmatch, releases), key=order)
    rows: dict[str, dict[bytes, list[int]]] = {}
    for number, name in enumerate(names):
        for path, raw in releases[name].items():
            if not path.startswith("site-packages/") and not path.endswith((".pyc", ".pyo")):
                rows.setdefault(path, {}).setdefault(raw, []).append(number)
    lines = [" ".join(names)]
    digests = []
    for path in sorted(rows):
        lines.append(f"{path}\t" + ";".join(spans(numbers) for numbers in rows[path].values()))
        digests.extend(rows[path])
    for build in sorted(variants):
        lines.append(f"\t{build}")
        changed: dict[str, dict[bytes, list[int]]] = {}
        for name, tree in variants[build].items():
            if name in releases:
                for path, raw in tree.items():
                    changed.setdefault(path, {}).setdefault(raw, []).append(names.index(name))
        for path in sorted(changed):
            lines.append(f"{path}\t" + ";".join(spans(sorted(numbers)) for numbers in changed[path].values()))
            digests.extend(changed[path])
    index = zlib.compress("\n".join(lines).encode(), 9)
    return MAGIC + len(index).to_bytes(4, "big") + index + b"".join(digests)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="+", type=Path)
    parser.add_argument("--variants", action="append", default=[], metavar="NAME=FOLDER")
    arguments = parser.parse_args()
    variants: dict[str, dict[str, Tree]] = {}
    for given in arguments.variants:
        name, _, folder = given.partition("=")
        for release in sorted(path for path in Path(folder).iterdir() if path.is_dir()):
            variants.setdefault(name, {})[release.name] = {
                path.relative_to(release).as_posix(): hashlib.sha256(path.read_bytes()).digest()
                for path in release.rglob("*")
                if path.is_file()
            }
    releases = gather(arguments.sources)
    data = encode(releases, variants)
    DATA.write_bytes(data)
    names = sorted(filter(RELEASE.fullmatch, releases), key=order)
    print(f"{len(names)} releases, {len(data):,} bytes: {' '.join(names)}")


if __name__ == "__main__":
    main()
