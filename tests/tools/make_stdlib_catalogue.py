"""Make ``src/envcheck/catalogue/data/stdlib.bin``: digests of the standard library as CPython's releases have it.

    python tests/tools/make_stdlib_catalogue.py [SOURCE…] [--variants NAME=FOLDER …] [--built NAME=FOLDER …]

What the catalogue has already stays in it. A SOURCE is one of
    a git repository with a tag ``upstream/X.Y.Z`` or ``vX.Y.Z`` for each release, with the source at its top;
    a source archive ``….tar.gz`` or ``….tar.xz`` of one release, as upstream publishes it and Debian keeps it;
    an installed prefix ``PREFIX`` whose ``lib/pythonX.Y`` is used for its release only where no other source has it,
    and of which only paths are taken that another release, or candidate, of the same X.Y has: what else is there is
    the machine's.
Where two sources have one release they must agree in every path that both have. Only final releases are taken.

A FOLDER of variants has ``X.Y.Z/PATH``: files that a well-known build changes, as it installs them.

A FOLDER of ``--built`` has ``X.Y.Z/PATH`` too: the whole standard library of a distributor that patches a few files,
for releases that no source has. Files that it is known to patch (in any release that has both), or that speak of it,
become its variants; the rest is the release's, which is marked as known in part. What a distributor leaves out
(ensurepip's wheels) may be put there by hand.

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
from collections.abc import Iterable
from pathlib import Path

from envcheck.catalogue import releases as catalogue

DATA = Path(__file__).parents[2] / "src/envcheck/catalogue/data/stdlib.bin"
PRODUCTS = re.compile(
    "|".join([catalogue.PRODUCTS.pattern, *(form.pattern for form, _ in catalogue.LITERALS)])
    + "|lib-dynload/|(?:site|dist)-packages/"
)
"""What a build makes: none of it is the release's."""
SPEAKS = re.compile(rb"dist-packages|deb_system|[Dd]ebian|/usr/bin/python|/usr/share/doc/")
"""What a file that a distributor patched is likely to contain; one too many only proves less."""
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


def gather(sources: list[Path], found: dict[str, Tree]) -> None:
    """Add the releases of all sources."""
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


def from_build(folder: Path, patched: Iterable[str]) -> tuple[Tree, Tree]:
    """The files of a distributor's build that are the release's, and those that it may have patched."""
    own: Tree = {}
    changed: Tree = {}
    for path in sorted(folder.rglob("*")):
        key = path.relative_to(folder).as_posix()
        if path.is_file() and "__pycache__" not in path.parts and not PRODUCTS.match(key):
            data = path.read_bytes()
            into = changed if key in patched or SPEAKS.search(data) else own
            into[key] = hashlib.sha256(data).digest()
    return own, changed


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


def encode(releases: dict[str, Tree], partial: set[str], variants: dict[str, dict[str, Tree]]) -> bytes:
    """The whole file."""
    names = sorted(filter(RELEASE.fullmatch, releases), key=order)
    rows: dict[str, dict[bytes, list[int]]] = {}
    for number, name in enumerate(names):
        for path, raw in releases[name].items():
            if not path.startswith("site-packages/") and not path.endswith((".pyc", ".pyo")):
                rows.setdefault(path, {}).setdefault(raw, []).append(number)
    lines = []
    digests: list[bytes] = []
    site = [(catalogue.UPSTREAM, rows["site.py"])]
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
        site.append((build, changed.get("site.py", {})))
    head = [" ".join(name + (catalogue.IN_PART if name in partial else "") for name in names)]
    head += [
        f"{raw.hex()}\t{build}\t{spans(sorted(numbers))}" for build, known in site for raw, numbers in known.items()
    ]
    index = zlib.compress("\n".join(lines).encode(), 9)
    return catalogue.MAGIC + sized("\n".join(head).encode()) + sized(index) + b"".join(digests)


def sized(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def trees(given: list[str]) -> list[tuple[str, str, Path]]:
    """``NAME=FOLDER`` into the name, the release and the folder of each release in it."""
    return [
        (name, release.name, release)
        for name, _, folder in (one.partition("=") for one in given)
        for release in sorted(path for path in Path(folder).iterdir() if path.is_dir())
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="*", type=Path)
    parser.add_argument("--variants", action="append", default=[], metavar="NAME=FOLDER")
    parser.add_argument("--built", action="append", default=[], metavar="NAME=FOLDER")
    arguments = parser.parse_args()
    releases: dict[str, Tree] = {}
    partial: set[str] = set()
    variants: dict[str, dict[str, Tree]] = {}
    for known in filter(None, map(catalogue.release, catalogue.versions())):
        # A source of the whole release takes the place of what was known in part.
        if not known.in_part:
            releases[known.version] = known.files
        for name, tree in known.builds.items():
            variants.setdefault(name, {})[known.version] = tree
    gather(arguments.sources, releases)
    for known in filter(None, map(catalogue.release, catalogue.versions())):
        if known.in_part and known.version not in releases:
            releases[known.version] = known.files
            partial.add(known.version)
    for name, release, folder in trees(arguments.variants):
        variants.setdefault(name, {}).setdefault(release, {}).update(
            (path.relative_to(folder).as_posix(), hashlib.sha256(path.read_bytes()).digest())
            for path in folder.rglob("*")
            if path.is_file()
        )
    patched = {path for build in variants.values() for tree in build.values() for path in tree}
    for name, release, folder in trees(arguments.built):
        own, changed = from_build(folder, patched)
        if release not in releases or release in partial:
            releases[release] = own
            partial.add(release)
        variants.setdefault(name, {})[release] = changed
    data = encode(releases, partial, variants)
    DATA.write_bytes(data)
    names = sorted(filter(RELEASE.fullmatch, releases), key=order)
    print(f"{len(names)} releases, {len(partial)} of them in part, {len(data):,} bytes: {' '.join(names)}")


if __name__ == "__main__":
    main()
