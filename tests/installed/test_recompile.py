"""The helper that compiles again: how it is started, what it may cost, and that one bad file costs only itself."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from envcheck.files.root import Files
from envcheck.formats.marshal import MarshalError, read_code
from envcheck.installed.deep import Search
from envcheck.installed.proofs import Cached, Prover
from envcheck.installed.recompile import BOUNDS, Bounds, Helper, HelperError
from envcheck.model.bytecode import Proof, TrustedPython
from envcheck.model.environment import Environment, Python, SiteDir
from envcheck.model.invocation import Invocation
from support.pythons import Interpreter, every_version, interpreters, own
from support.venvs import quiet_environ

PLAIN = Invocation()


class Place:
    """A directory of sources with bytecode, and its proofs."""

    def __init__(self, directory: Path, interpreter: Interpreter) -> None:
        self.site = directory / "site"
        self.site.mkdir()
        self.interpreter = interpreter
        self.files = Files()

    def write(self, name: str, source: str | bytes) -> Path:
        path = self.site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(source.encode() if isinstance(source, str) else source)
        return path

    def compile(self, *options: str, by: Interpreter | None = None) -> None:
        command = [(by or self.interpreter).path, "-I", "-S", *options, "-m", "compileall", "-q", "-f", str(self.site)]
        subprocess.run(command, env=quiet_environ(), capture_output=True, check=True)

    def cache(self, stem: str) -> Path:
        return self.site / "__pycache__" / "{}.cpython-{}{}.pyc".format(stem, *self.interpreter.minor)

    def prove(
        self,
        *trusted: Interpreter | str,
        bounds: Bounds = BOUNDS,
        invocation: Invocation = PLAIN,
    ) -> dict[str, Proof]:
        self.files = Files()
        python = Python(self.interpreter.text, "binary", "cpython", "cp3", "linux-x86_64", None, "/nowhere")
        site = (SiteDir(str(self.site), "target"),)
        environment = Environment(str(self.site), "target-directory", python, site, (), None, None, None, None)
        paths = [one if isinstance(one, str) else one.path for one in trusted]
        prover = Prover(
            self.files, environment, [TrustedPython(path, self.interpreter.minor) for path in paths], bounds
        )
        try:
            proofs = prover.prove(Search(self.files, environment, invocation).cached())
        finally:
            prover.close()
        return {os.path.basename(proof.source): proof for proof in proofs.values()}

    def results(self, *trusted: Interpreter | str, **options: object) -> dict[str, str]:
        return {name: proof.result for name, proof in self.prove(*trusted, **options).items()}  # type: ignore[arg-type]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, own())


FAKE = """#!{python} -IS
import json, os, signal, sys, time
with open({log!r}, "a") as log:
    print(json.dumps([sys.argv[1:], sorted(os.environ), os.getcwd()]), file=log)
{before}
MARSHAL = __import__("marshal")
from _frozen_importlib_external import MAGIC_NUMBER
def answer(kind, body):
    sys.stdout.buffer.write(kind + len(body).to_bytes(4, "little") + body)
    sys.stdout.buffer.flush()
answer(b"H", MAGIC_NUMBER + b"{version}")
while True:
    head = sys.stdin.buffer.read(5)
    if len(head) < 5:
        break
    source = sys.stdin.buffer.read(int.from_bytes(head[1:], "little"))
    if b"BAD" in source:
        {bad}
    answer(b"C", MARSHAL.dumps(compile(source, "x", "exec", dont_inherit=True, optimize=head[0])))
"""


def fake(directory: Path, bad: str = "pass", before: str = "") -> str:
    """A program that answers as a helper does, except to a source with a word in it."""
    path = directory / "fake"
    version = own().text
    text = FAKE.format(python=own().path, log=str(directory / "log"), before=before, version=version, bad=bad)
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


BAD = {
    "a crash": "os.abort()",
    "an end": "os._exit(0)",
    "a hang": "time.sleep(1000)",
    "half an answer": "sys.stdout.buffer.write(b'C\\x09\\0\\0\\0x'); sys.stdout.flush(); os._exit(0)",
    "a boundless answer": "sys.stdout.buffer.write(b'C' + b'\\xff' * 4); sys.stdout.flush(); time.sleep(1000)",
    "a failure": "answer(b'F', b'MemoryError: '); continue",
    "code that is none": "answer(b'C', b'N'); continue",
}


@pytest.mark.parametrize("case", BAD)
def test_a_file_that_cannot_be_compiled_again_is_unproven_and_the_others_are_proven(case: str, place: Place) -> None:
    for name in ("a", "c", "d"):
        place.write(f"{name}.py", f"{name} = 1\n")
    place.write("b.py", "b = 'BAD'\n")
    place.compile()
    results = place.results(fake(place.site.parent, BAD[case]), bounds=Bounds(wait=2))
    assert results == {"a.py": "proven", "b.py": "unproven", "c.py": "proven", "d.py": "proven"}
    (missed,) = place.files.not_seen
    assert missed.path == str(place.cache("b"))
    assert "could not be compiled again" in missed.why


def test_many_deaths_end_the_attempt(place: Place) -> None:
    for number in range(30):
        place.write(f"m{number}.py", f"x = 'BAD', {number}\n")
    place.compile()
    proofs = place.prove(fake(place.site.parent, "os._exit(1)")).values()
    assert {proof.result for proof in proofs} == {"unproven"}
    assert sum("too many sources" in (proof.why or "") for proof in proofs) == 22
    assert len((place.site.parent / "log").read_text().splitlines()) == 8


@pytest.mark.parametrize(
    "before",
    ["os._exit(0)", "sys.stdout.buffer.write(b'hello world'); sys.stdout.flush(); os._exit(0)", "time.sleep(99)"],
)
def test_a_program_that_is_no_python_proves_nothing_and_is_named(before: str, place: Place) -> None:
    place.write("a.py", "a = 1\n")
    place.compile()
    program = fake(place.site.parent, before=before)
    assert place.results(program, bounds=Bounds(wait=1)) == {"a.py": "unproven"}
    (missed,) = place.files.not_seen
    assert missed.path == program


def test_it_is_started_isolated_without_variables(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(place.site))
    place.write("a.py", "a = 1\n")
    place.compile()
    place.results(fake(place.site.parent))
    ((arguments, environ, _),) = map(eval, (place.site.parent / "log").read_text().splitlines())
    assert arguments[:2] == ["-I", "-S"]
    assert set(environ) <= {"LC_CTYPE"}  # which CPython itself sets (PEP 538)
    assert not [argument for argument in arguments if str(place.site) in argument]


@pytest.mark.parametrize("interpreter", every_version())
def test_a_real_helper_says_what_became_of_each_source(interpreter: Interpreter) -> None:
    judge_helper(Helper(interpreter.path), interpreter)


def test_a_copy_of_this_process_is_a_helper_too() -> None:
    helper = Helper(own().path, copied=True)
    assert helper.copied
    assert helper.magic == Helper(own().path).magic
    judge_helper(helper, own())


def test_a_warning_of_the_compiler_is_no_error_in_a_copy() -> None:
    """The process that is copied may have made errors of warnings, as these tests do."""
    helper = Helper(sys.executable, copied=True)
    try:
        assert helper.copied
        helper.send(b"assert (1, 'always true')\n", 0)
        assert helper.receive().code is not None
    finally:
        helper.close()


def test_a_copy_has_nothing_of_ours_open_and_ends_with_us(tmp_path: Path) -> None:
    with open(tmp_path / "held", "wb") as held:
        helper = Helper(own().path, copied=True)
        links = [os.readlink(f"/proc/{helper._process}/fd/{fd}") for fd in os.listdir(f"/proc/{helper._process}/fd")]
        assert len(links) == 2
        assert held.name not in links
    process = helper._process
    helper.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_a_process_with_threads_is_not_copied() -> None:
    end = threading.Event()
    other = threading.Thread(target=end.wait)
    other.start()
    try:
        helper = Helper(own().path, copied=True)
        assert not helper.copied
        judge_helper(helper, own())
    finally:
        end.set()
        other.join()


def judge_helper(helper: Helper, interpreter: Interpreter) -> None:
    """What any helper must say of these sources; it is ended."""
    try:
        assert helper.version == interpreter.text
        helper.send("# coding: latin-1\nx = 'é'\n".encode("latin-1"), 0)
        code = helper.receive().code
        assert code is not None
        assert "é" in read_code(code, interpreter.minor).consts
        for source in (b"x = (\n", b"x = 1\0"):
            helper.send(source, 0)
            assert helper.receive().refused
        helper.send(b"# coding: nobody-knows\nx = 1\n", 0)
        assert "encoding" in (helper.receive().failed or "")
        helper.send(b"'doc'\nassert x\n", 2)
        code = helper.receive().code
        assert code is not None
        assert "doc" not in read_code(code, interpreter.minor).consts
        helper.send(b"import os; os.mkdir('/nowhere'); raise SystemExit", 0)
        assert helper.receive().code, "it is compiled, not run"
    finally:
        helper.close()


@pytest.mark.parametrize("interpreter", every_version())
def test_sources_that_break_compilers_cost_only_themselves(interpreter: Interpreter, tmp_path: Path) -> None:
    place = Place(tmp_path, interpreter)
    names = ["a", "deep", "c"]
    for name in names:
        place.write(f"{name}.py", "x = 1\n")
    place.compile()
    data = place.cache("deep").read_bytes()
    source = place.write("deep.py", "x = " + "-" * 100_000 + "1\n")
    found = source.stat()
    stamp = int(found.st_mtime).to_bytes(4, "little") + found.st_size.to_bytes(4, "little")
    place.cache("deep").write_bytes(data[:8] + stamp + data[16:])
    assert place.results(interpreter) == {"a.py": "proven", "deep.py": "unproven", "c.py": "proven"}


@pytest.mark.parametrize("copied", [False, True])
def test_processor_time_is_bounded(copied: bool) -> None:
    if sys.platform != "linux":
        pytest.skip("the bound is Linux's")
    helper = Helper(own().path, bounds=Bounds(cpu=0), copied=copied)

    def compile_often() -> None:
        # A fast machine compiles it once or twice within the second that a bound of nothing leaves.
        for _ in range(20):
            helper.send(b"x = f(1)\n" * 600_000, 0)
            helper.receive()

    with pytest.raises(HelperError, match="processor time"):
        compile_often()
    helper.close()


def test_memory_is_bounded() -> None:
    if sys.platform != "linux":
        pytest.skip("the bound is Linux's")
    helper = Helper(own().path, bounds=Bounds(memory=96 << 20))
    try:
        helper.send(b"x = [" + b"(y, z)," * 1_000_000 + b"]\n", 0)
        assert "MemoryError" in (helper.receive().failed or "")
        helper.send(b"x = 1\n", 0)
        assert helper.receive().code
    finally:
        helper.close()


@pytest.mark.parametrize("interpreter", every_version())
def test_bytecode_compiled_without_columns_is_honest(interpreter: Interpreter, tmp_path: Path) -> None:
    if interpreter.minor < (3, 11):
        pytest.skip("its tables have no columns")
    place = Place(tmp_path, interpreter)
    place.write("a.py", "def f(a,\n  b):\n  return g(a)(\n b)\n")
    place.compile("-X", "no_debug_ranges")
    with_columns = place.cache("a").read_bytes()
    assert place.results(interpreter) == {"a.py": "proven"}
    place.compile()
    assert place.cache("a").read_bytes() != with_columns


def test_what_python_would_not_run_is_not_looked_at(place: Place) -> None:
    source = place.write("a.py", "a = 1\n")
    place.compile()
    cache = place.cache("a")
    other = cache.with_name("a.cpython-27.pyc")
    other.write_bytes(cache.read_bytes())
    cache.with_name("a.cpython-{}{}.opt-x.pyc".format(*place.interpreter.minor)).write_bytes(cache.read_bytes())
    cache.with_name("gone.cpython-{}{}.pyc".format(*place.interpreter.minor)).write_bytes(cache.read_bytes())
    assert place.results(own()) == {"a.py": "proven"}
    source.write_text("a = 22\n")
    assert place.results(own()) == {}


def test_checked_bytecode_with_another_hash_runs_only_where_nothing_is_checked(place: Place) -> None:
    place.write("a.py", "a = 1\n")
    command = [own().path, "-I", "-S", "-m", "compileall", "-q", "--invalidation-mode", "checked-hash", str(place.site)]
    subprocess.run(command, env=quiet_environ(), check=True)
    assert place.results(own()) == {"a.py": "proven"}
    place.write("a.py", "a = 2\n")
    assert place.results(own()) == {}
    never = Invocation(("--check-hash-based-pycs=never",))
    assert place.results(own(), invocation=never) == {"a.py": "mismatch"}


def test_a_source_that_does_not_compile_is_no_source_of_anything(place: Place) -> None:
    place.write("a.py", "a = 1\n")
    place.compile()
    data = bytearray(place.cache("a").read_bytes())
    data[4] = 1  # unchecked: runs whatever the source is
    place.cache("a").write_bytes(data)
    place.write("a.py", "a = (\n")
    (proof,) = place.prove(own()).values()
    assert proof.result == "mismatch"
    assert "does not compile" in (proof.why or "")


@pytest.mark.parametrize("end", [b"", b"N", b"\0" * 100])
def test_what_follows_the_code_or_is_cut_off(end: bytes, place: Place) -> None:
    place.write("a.py", "a = 1\n")
    place.compile()
    data = place.cache("a").read_bytes()
    place.cache("a").write_bytes(data + end if end else data[:-1])
    with pytest.raises(MarshalError):
        read_code(place.cache("a").read_bytes(), place.interpreter.minor, 16)
    assert place.results(own()) == {"a.py": "mismatch"}


# Patch releases of one version, with the same magic number


def pairs() -> Sequence[tuple[Interpreter, Interpreter]]:
    return [(one, other) for one, other in itertools.permutations(interpreters(), 2) if one.minor == other.minor]


def differing(place: Place, compiler: Interpreter, other: Interpreter) -> str:
    """A module of the standard library that two patch releases compile differently."""
    ask = "import os; print(os.path.dirname(os.__file__))"
    stdlib = subprocess.run([compiler.path, "-I", "-S", "-c", ask], capture_output=True, text=True).stdout.strip()
    for name in ("ast", "typing", "inspect", "dis", "tarfile", "pickletools", "argparse"):
        place.write(f"{name}.py", Path(stdlib, f"{name}.py").read_bytes())
    place.compile(by=compiler)
    for name, result in place.results(other).items():
        if result != "proven":
            return name
    pytest.skip(f"{compiler.text} and {other.text} compile all of it alike")


@pytest.mark.parametrize(("compiler", "other"), pairs(), ids=lambda found: found.text)
def test_another_patch_release_proves_nothing_by_instructions_alone(
    compiler: Interpreter, other: Interpreter, tmp_path: Path
) -> None:
    place = Place(tmp_path, compiler)
    name = differing(place, compiler, other)
    proof = place.prove(other)[name]
    assert (proof.result, proof.why) == ("unproven", "only instructions differ, as between patch releases")
    assert place.prove(other, compiler)[name].result == "proven"
    assert place.prove(compiler, other)[name].result == "proven"
    cache = place.cache(name[:-3])
    cache.write_bytes(cache.read_bytes().replace(b"__name__", b"__evil__", 1))
    for trusted in ((other,), (other, compiler), (compiler, other)):
        assert place.prove(*trusted)[name].result == "mismatch"


def test_one_pair_can_be_proven_alone(place: Place) -> None:
    source = place.write("a.py", "a = 1\n")
    place.compile()
    one = Cached(str(source), str(place.cache("a")))
    files = Files()
    python = Python(own().text, "binary", "cpython", "cp3", "linux-x86_64", None, "/nowhere")
    environment = Environment(str(place.site), "target-directory", python, (), (), None, None, None, None)
    prover = Prover(files, environment, [TrustedPython(own().path, own().minor)])
    assert prover.prove([one, one])[one.path].result == "proven"
    prover.close()
    assert prover.prove([one])[one.path].result == "proven"
    assert prover.coverage("startup")[0].files == 1
