"""Fetch CPython 3.14, 3.15 and a newer 3.13 from Debian's unstable packages into a folder, without installing them.

    python tests/tools/debian_pythons.py FOLDER [--patchelf PATH] [3.14 3.15 …]

apt gets a configuration, lists and a cache of its own; the archive's address is taken from the machine's own apt
sources. Packages are unpacked, never installed. ``patchelf`` points each interpreter at the unpacked loader and
libraries, so that it starts on an older Debian. Prints a line for each version: its interpreter, or why there is none.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

SUITE = "sid"
PACKAGES = ("python{v}", "python{v}-minimal", "libpython{v}-minimal", "libpython{v}-stdlib")
LIBRARIES = (
    *("libc6", "libexpat1", "zlib1g", "libssl3t64", "libffi8", "libbz2-1.0", "liblzma5", "libsqlite3-0", "libuuid1"),
    *("libreadline8t64", "libncursesw6", "libtinfo6", "libdb5.3t64", "libzstd1", "libmpdec4", "libcrypt1"),
)
VERSIONS = ("3.13", "3.14", "3.15")


class Unavailable(Exception):
    """Why an interpreter cannot be had here, in one line."""


def archive_address() -> tuple[str, str | None]:
    """The archive's URI in this machine's apt sources, and the keyring that signs it."""
    folder = Path("/etc/apt")
    for source in sorted(folder.glob("sources.list.d/*.sources")):
        for stanza in re.split(r"\n\s*\n", source.read_text()):
            uri = re.search(r"(?m)^URIs:\s*(\S+/debian/?)\s*$", stanza)
            if uri:
                key = re.search(r"(?m)^Signed-By:\s*(/\S+)", stanza)
                return uri[1], key[1] if key else None
    for source in [folder / "sources.list", *sorted(folder.glob("sources.list.d/*.list"))]:
        if source.is_file():
            line = re.search(r"(?m)^deb\s+(?:\[[^]]*\]\s+)?(\S+/debian/?)\s", source.read_text())
            if line:
                return line[1], None
    raise Unavailable("no Debian archive in this machine's apt sources")


def apt(work: Path) -> list[str]:
    """An apt-get command with lists, cache and sources of its own under ``work``."""
    uri, key = archive_address()
    for name in ("lists/partial", "cache/archives/partial", "state"):
        (work / name).mkdir(parents=True, exist_ok=True)
    signed = f" [signed-by={key}]" if key else ""
    (work / "sources.list").write_text(f"deb{signed} {uri} {SUITE} main\n")
    options = {
        "Dir::Etc::sourcelist": work / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::Etc::preferencesparts": "-",
        "Dir::State": work / "state",
        "Dir::State::lists": work / "lists",
        "Dir::Cache": work / "cache",
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
    }
    command = ["apt-get", "-qq"]
    for name, value in options.items():
        command += ["-o", f"{name}={value}"]
    return command


def run(command: list[str], cwd: Path | None = None) -> str:
    """Run, or raise `Unavailable` with the last line of what it said."""
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{command[0]}: {error}") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
        raise Unavailable(f"{Path(command[0]).name}: {said[-1]}")
    return done.stdout


def unpack(version: str, folder: Path, work: Path, patchelf: str) -> Path:
    """Download, unpack and patch one interpreter; its path."""
    root = folder / version
    interpreter = root / "usr" / "bin" / f"python{version}"
    if (root / "complete").exists():
        return interpreter
    shutil.rmtree(root, ignore_errors=True)
    debs = work / f"debs-{version}"
    debs.mkdir(parents=True, exist_ok=True)
    command = apt(work)
    run([*command, "download", *(package.format(v=version) for package in PACKAGES)], cwd=debs)
    for library in LIBRARIES:
        try:
            run([*command, "download", library], cwd=debs)
        except Unavailable:
            continue  # a library of another name in this suite: the start below tells if it was needed
    for deb in sorted(debs.glob("*.deb")):
        run(["dpkg", "-x", str(deb), str(root)])
    loaders = sorted(root.glob("usr/lib*/**/ld-linux*.so*")) + sorted(root.glob("lib*/**/ld-linux*.so*"))
    if not loaders:
        raise Unavailable("no dynamic loader among the unpacked packages")
    libraries = sorted({str(path.parent) for path in root.glob("usr/lib/*/libc.so.6")})
    run([patchelf, "--set-interpreter", str(loaders[0]), "--set-rpath", ":".join(libraries), str(interpreter)])
    for extension in root.glob(f"usr/lib/python{version}/lib-dynload/*.so"):
        run([patchelf, "--set-rpath", ":".join(libraries), str(extension)])
    run([str(interpreter), "-I", "-S", "-c", "import encodings, hashlib, zlib"])
    (root / "complete").touch()
    return interpreter


def main() -> int:
    """Fetch what was asked for; exit 1 where something could not be had."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("versions", nargs="*", default=VERSIONS)
    parser.add_argument("--patchelf", default=str(Path(sys.executable).with_name("patchelf")))
    given = parser.parse_args()
    folder = given.folder.resolve()
    work = folder / "apt"
    missing = [version for version in given.versions if not (folder / version / "complete").exists()]
    failed = 0
    try:
        if missing:
            run([*apt(work), "update"])
    except Unavailable as error:
        print(f"no interpreters from Debian: {error}")
        return 1
    for version in given.versions:
        try:
            print(f"{version}: {unpack(version, folder, work, given.patchelf)}")
        except Unavailable as error:
            print(f"{version}: not available: {error}")
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
