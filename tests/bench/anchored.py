"""Times anchored verification beside a bare loop over the same bytes, in one run.

(a) from a wheelhouse, over a loop that reads and hashes the wheels of what is installed and every file that a RECORD
hashes; (b) from an anchors file made from those wheels, over the loop over the installed files; the memory of both.

Run by ``make bench``; it judges nothing, and exits with 0 unless something does not work.
"""

from __future__ import annotations

import argparse
import glob
import itertools
import json
import os
import re
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from full import read_and_hash, recorded_files
from measure import Row, alternate, peak_memory, run, show


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("venv", help="the environment to look at")
    parser.add_argument("--tool", required=True, metavar="VENV", help="the environment that envcheck is installed in")
    parser.add_argument("--lock", required=True, metavar="FILE", help="the lock of the environment")
    parser.add_argument("--wheels", required=True, metavar="DIR", help="the wheels that were installed")
    parser.add_argument("--repeats", type=int, default=5, metavar="N")
    options = parser.parse_args()
    venv, command = os.path.abspath(options.venv), [os.path.join(options.tool, "bin", "envcheck")]
    files = recorded_files(venv)
    wheels = installed_wheels(venv, os.path.abspath(options.wheels))
    with tempfile.TemporaryDirectory(prefix="envcheck-bench-") as scratch:
        # Alone, and with an anchors file beside it.
        alone, beside = (os.path.join(scratch, name, "requirements.txt") for name in ("alone", "beside"))
        for path in (alone, beside):
            os.mkdir(os.path.dirname(path))
            shutil.copyfile(options.lock, path)
        # Wheels of the lock for other platforms may be missing (1): what matters here is anchored, or counted below.
        run([*command, "anchor", "--lock", beside, "--wheels", options.wheels])
        scan = [*command, "scan", "--format", "json", "--fail-on", "never"]
        by_wheels = [*scan, "--lock", alone, "--wheels", os.path.abspath(options.wheels), venv]
        by_file = [*scan, "--lock", beside, venv]
        for each in (by_wheels, by_file):
            (environment,) = json.loads(run(each))["environments"]
            anchored = environment["lock"]["anchored"]
            print(
                f"from {environment['lock']['anchors']}: {anchored['distributions']} distributions, "
                f"{anchored['files']:,} files anchored, {len(anchored['unanchored'])} distributions not"
            )
        print(
            f"{len(wheels)} wheels were installed; the anchors file of all has "
            f"{os.path.getsize(beside.replace('requirements.txt', 'envcheck.anchors')):,} bytes"
        )
        wheelhouse, both, from_file, installed = alternate(
            options.repeats,
            lambda: run(by_wheels),
            lambda: read_and_hash([*wheels, *files]),
            lambda: run(by_file),
            lambda: read_and_hash(files),
        )
        show(
            [
                Row("anchored by wheels", wheelhouse, "wheels and files", both, 1.35),
                Row("anchored by the file", from_file, "files", installed, 1.25),
            ]
        )
        for name, each in (("wheels", by_wheels), ("the file", by_file)):
            print(f"peak memory, by {name}: {peak_memory(each) >> 20} MiB over all its processes (aim: 80)")


def installed_wheels(venv: str, folder: str) -> list[str]:
    """The wheels of a folder that were installed: those of that name, version and tags, as installed metadata says."""
    tags = {}
    for path in glob.glob(os.path.join(glob.escape(venv), "lib", "python3*", "site-packages", "*.dist-info", "WHEEL")):
        name = os.path.basename(os.path.dirname(path)).removesuffix(".dist-info")
        with open(path, encoding="utf-8") as lines:
            tags[plain(name)] = {line.split(":", 1)[1].strip() for line in lines if line.startswith("Tag:")}
    found = {}
    for wheel in sorted(glob.glob(os.path.join(glob.escape(folder), "*.whl"))):
        name, version, *_, python, abi, platform = os.path.basename(wheel).removesuffix(".whl").split("-")
        named = {"-".join(one) for one in itertools.product(*(part.split(".") for part in (python, abi, platform)))}
        key = plain(f"{name}-{version}")
        if named & tags.get(key, set()):
            found[key] = wheel
    missing = sorted(tags.keys() - found.keys())
    if missing:
        print(f"no wheel in {os.path.basename(folder)} of {len(missing)} distributions: {', '.join(missing)}")
    return sorted(found.values())


def plain(name: str) -> str:
    """A name and version as they are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main()
