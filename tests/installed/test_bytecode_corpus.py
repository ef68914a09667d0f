"""Honest bytecode of real sources, compiled by every interpreter, is never called anything but proven.

A slice of each interpreter's own standard library by default; ``make bytecode CORPUS=DIR`` takes whole directories of
installed packages.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from envcheck.files.root import Files
from envcheck.installed.deep import Search
from envcheck.installed.proofs import Prover
from envcheck.model.bytecode import TrustedPython
from envcheck.model.environment import Environment, Python, SiteDir
from envcheck.model.invocation import Invocation
from support.pythons import Interpreter, every_version
from support.venvs import quiet_environ

SLICE = ("json", "collections", "typing.py", "enum.py", "dataclasses.py", "ast.py", "tarfile.py")
LEVELS = [int(level) for level in os.environ.get("ENVCHECK_CORPUS_LEVELS", "0 1 2").split()]
CORPUS = os.environ.get("ENVCHECK_CORPUS")


def environment(site: Path, interpreter: Interpreter) -> Environment:
    python = Python(interpreter.text, "binary", "cpython", "cp3", "linux-x86_64", None, "/nowhere")
    return Environment(
        str(site), "target-directory", python, (SiteDir(str(site), "target"),), (), None, None, None, None
    )


def compile_all(site: Path, interpreter: Interpreter) -> None:
    """By compileall of that interpreter, at each level, in a path that is not the one that is scanned later."""
    for level in LEVELS:
        options = ["-O"] * level
        command = [interpreter.path, "-I", "-S", *options, "-W", "ignore", "-m", "compileall", "-q", "-f", str(site)]
        subprocess.run(command, env=quiet_environ(), capture_output=True, check=False)


@pytest.fixture
def sources(tmp_path: Path) -> Callable[[Interpreter], Path]:
    def copy(interpreter: Interpreter) -> Path:
        site = tmp_path / "site"
        if CORPUS:
            shutil.copytree(CORPUS, site, ignore=shutil.ignore_patterns("__pycache__"))
            return site
        ask = "import os; print(os.path.dirname(os.__file__))"
        stdlib = subprocess.run([interpreter.path, "-I", "-S", "-c", ask], capture_output=True, text=True).stdout
        site.mkdir()
        for name in SLICE:
            source = Path(stdlib.strip(), name)
            if source.is_dir():
                shutil.copytree(source, site / name, ignore=shutil.ignore_patterns("__pycache__"))
            elif source.exists():
                shutil.copy2(source, site / name)
        return site

    return copy


@pytest.mark.parametrize("interpreter", every_version())
def test_honest_bytecode_is_proven(
    interpreter: Interpreter, sources: Callable[[Interpreter], Path], record_property: Callable[[str, object], None]
) -> None:
    site = sources(interpreter)
    compile_all(site, interpreter)
    files = Files()
    found = environment(site, interpreter)
    prover = Prover(files, found, [TrustedPython(interpreter.path, interpreter.minor)])
    try:
        proofs = prover.prove(Search(files, found, Invocation()).cached())
    finally:
        prover.close()
    results = Counter(proof.result for proof in proofs.values())
    unlike = [(proof.path, proof.why) for proof in proofs.values() if proof.result != "proven"]
    compiled = sum(1 for _ in site.rglob("*.pyc"))
    print(interpreter.text, dict(results), "of", compiled)
    assert compiled > 10 * len(LEVELS)
    assert not unlike
    assert not files.not_seen
    assert results["proven"] == compiled
