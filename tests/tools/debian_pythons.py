"""Fetch CPython 3.14, 3.15 and a newer 3.13 from Debian's unstable packages into a folder, without installing them.

    python tests/tools/debian_pythons.py FOLDER [--patchelf PATH] [--seconds 300] [--optional] [3.14 3.15 …]

apt gets a configuration, lists and a cache of its own; the archive's address is taken from the machine's own apt
sources. Packages are unpacked, never installed. ``patchelf`` points each interpreter at the unpacked loader and
libraries, so that it starts on an older Debian. What is there and starts is left alone and not mentioned. Prints a
line for each version that was fetched, and a line of why for those that could not be.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import time
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
        "APT::Update::Error-Mode": "any",  # else an archive that cannot be reached is a warning
        "Acquire::Retries": "0",
        "Acquire::http::Timeout": "20",
        "Acquire::https::Timeout": "20",
    }
    command = ["apt-get", "-qq"]
    for name, value in options.items():
        command += ["-o", f"{name}={value}"]
    return command


class Commands:
    """Runs commands until the time is up."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def run(self, command: list[str], cwd: Path | None = None) -> None:
        """Run, or raise `Unavailable` with the last line of what it said."""
        name, left = Path(command[0]).name, max(0.1, self._end - time.monotonic())
        try:
            done = subprocess.run(
                command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=left, check=False
            )
        except subprocess.TimeoutExpired:
            raise Unavailable(f"{name}: the time is up") from None
        except OSError as error:
            raise Unavailable(f"{name}: {error.strerror}") from None
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
            raise Unavailable(f"{name}: {said[-1]}")


def interpreter_of(version: str, folder: Path) -> Path:
    """Where the interpreter of a version lies, or will lie."""
    return folder / version / "usr" / "bin" / f"python{version}"


def usable(version: str, folder: Path) -> bool:
    """Whether it is completely there and starts: one that was moved finds neither loader nor libraries."""
    if not (folder / version / "complete").exists():
        return False
    try:
        start(Commands(20), interpreter_of(version, folder))
    except Unavailable:
        return False
    return True


def start(commands: Commands, interpreter: Path) -> None:
    """Start it without any site directory."""
    commands.run([str(interpreter), "-I", "-S", "-c", "import encodings, hashlib, zlib"])


def unpack(commands: Commands, version: str, folder: Path, work: Path, patchelf: str) -> Path:
    """Download, unpack and patch one interpreter; its path."""
    root = folder / version
    shutil.rmtree(root, ignore_errors=True)
    debs = work / f"debs-{version}"
    debs.mkdir(parents=True, exist_ok=True)
    command = apt(work)
    commands.run([*command, "download", *(package.format(v=version) for package in PACKAGES)], cwd=debs)
    for library in LIBRARIES:
        try:
            commands.run([*command, "download", library], cwd=debs)
        except Unavailable:
            continue  # a library of another name in this suite: the start below tells if it was needed
    for deb in sorted(debs.glob("*.deb")):
        commands.run(["dpkg", "-x", str(deb), str(root)])
    loaders = sorted(root.glob("usr/lib*/**/ld-linux*.so*")) + sorted(root.glob("lib*/**/ld-linux*.so*"))
    if not loaders:
        raise Unavailable("no dynamic loader among the unpacked packages")
    libraries = sorted({str(path.parent) for path in root.glob("usr/lib/*/libc.so.6")})
    interpreter = interpreter_of(version, folder)
    commands.run([patchelf, "--set-interpreter", str(loaders[0]), "--set-rpath", ":".join(libraries), str(interpreter)])
    for extension in root.glob(f"usr/lib/python{version}/lib-dynload/*.so"):
        commands.run([patchelf, "--set-rpath", ":".join(libraries), str(extension)])
    start(commands, interpreter)
    (root / "complete").touch()
    return interpreter


def fetch(versions: list[str], folder: Path, patchelf: str, seconds: float) -> int:
    """Fetch these; how many could not be had."""
    work, commands, failed = folder / "apt", Commands(seconds), 0
    try:
        for program in ("apt-get", "dpkg", patchelf):
            if shutil.which(program) is None:
                raise Unavailable(f"there is no {Path(program).name} here")
        commands.run([*apt(work), "update"])
    except Unavailable as error:
        print(f"NO CPython {', '.join(versions)} FROM DEBIAN, their tests are skipped: {error}", flush=True)
        return len(versions)
    for version in versions:
        try:
            print(f"CPython {version}: {unpack(commands, version, folder, work, patchelf)}", flush=True)
        except Unavailable as error:
            print(f"NO CPython {version} FROM DEBIAN, its tests are skipped: {error}", flush=True)
            failed += 1
    shutil.rmtree(work, ignore_errors=True)
    return failed


def main() -> int:
    """Fetch what is missing; exit 1 where something could not be had, unless it is optional."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("versions", nargs="*", default=VERSIONS)
    parser.add_argument("--patchelf", default=str(Path(sys.executable).with_name("patchelf")))
    parser.add_argument("--seconds", type=float, default=300, help="give up after this time")
    parser.add_argument("--optional", action="store_true", help="exit 0 whatever is missing")
    given = parser.parse_args()
    folder = given.folder.resolve()
    missing = [version for version in given.versions if not usable(version, folder)]
    failed = fetch(missing, folder, given.patchelf, given.seconds) if missing else 0
    return 1 if failed and not given.optional else 0


if __name__ == "__main__":
    sys.exit(main())
