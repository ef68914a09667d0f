"""conda's records vouch for a prefix whose interpreter they own, and for nothing anywhere else."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

import envcheck
from envcheck.catalogue.releases import release
from envcheck.model.finding import Severity
from envcheck.model.report import EnvironmentReport, Options
from support.pythons import interpreter_where
from support.venvs import Venv, copy_base, make_venv
from support.wheels import record_row

PLACEHOLDER = "/opt/placehold_placehold_placehold"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Prefix:
    """A conda-style prefix: packages' files, and their records."""

    def __init__(self, venv: Venv) -> None:
        self.venv = venv
        self.path = venv.path
        self.lib = f"lib/{venv.interpreter.name}"
        self.site = f"{self.lib}/site-packages"
        self.rows: dict[str, list[dict[str, Any]]] = {}

    def own(self, package: str, name: str, **more: Any) -> None:
        """A row for a file that is there; ``None`` takes a field away."""
        row = {"_path": name, "path_type": "hardlink", "sha256": sha256((self.path / name).read_bytes()), **more}
        self.rows.setdefault(package, []).append({key: value for key, value in row.items() if value is not None})

    def put(self, package: str, name: str, data: bytes, **more: Any) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        self.own(package, name, **more)
        return path

    def register(self) -> None:
        (self.path / "conda-meta").mkdir(exist_ok=True)
        (self.path / "conda-meta/history").write_text("==> 2026-01-01 00:00:00 <==\n")
        for package, rows in self.rows.items():
            record = {
                "name": package,
                "version": "1.0",
                "build": "0",
                "files": [row["_path"] for row in rows],
                "paths_data": {"paths_version": 1, "paths": rows},
            }
            (self.path / f"conda-meta/{package}-1.0-0.json").write_text(json.dumps(record))

    def scan(self, target: Path | None = None) -> EnvironmentReport:
        return envcheck.scan(str(target or self.path), Options(workers=1)).environments[0]

    def found(self, target: Path | None = None) -> set[tuple[str, str]]:
        report = self.scan(target)
        assert not report.not_seen, report.not_seen
        return {
            (finding.rule, os.path.relpath(str(finding.path), self.path))
            for finding in report.findings
            if finding.severity >= Severity.MEDIUM
        }


def package_with_record(
    prefix: Prefix, name: str, files: dict[str, bytes], built: dict[str, bytes] | None = None
) -> None:
    """A package that pip installed where it was built: its RECORD, and conda's rows for the same files.

    ``built`` has what pip wrote there, where conda changed it afterwards.
    """
    info = f"{name}-1.0.dist-info"
    files = {**files, f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode()}
    there = {**files, **(built or {}), f"{info}/INSTALLER": b"pip\n"}
    rows = "".join(record_row(key, data) + "\n" for key, data in there.items()) + f"{info}/RECORD,,\n"
    for key, data in {**files, f"{info}/RECORD": rows.encode(), f"{info}/INSTALLER": b"conda\n"}.items():
        more: dict[str, Any] = {}
        if key in (built or {}):
            more = {"sha256": sha256((built or {})[key]), "sha256_in_prefix": sha256(data)}
            more |= {"prefix_placeholder": PLACEHOLDER, "file_mode": "binary" if data[:1] == b"\x7f" else "text"}
        prefix.put(name, os.path.normpath(f"{prefix.site}/{key}"), data, **more)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Venv:
    found = interpreter_where(
        "a release of the catalogue",
        lambda one: not one.path.startswith("/usr/bin/") and not getattr(release(one.text), "in_part", True),
    )
    return copy_base(tmp_path_factory.mktemp("kept") / "base", found)


@pytest.fixture
def prefix(kept: Venv, tmp_path: Path) -> Prefix:
    """What conda's own builds have: patched modules, packages with and without RECORD, a prefix in a text."""
    shutil.copytree(kept.path, tmp_path / "conda", symlinks=True)
    made = Prefix(Venv(tmp_path / "conda", kept.interpreter))
    patched = made.path / made.lib / "sysconfig.py"
    patched = patched if patched.exists() else made.path / made.lib / "sysconfig/__init__.py"
    patched.write_bytes(patched.read_bytes() + b"# conda's build\n")
    for path in sorted((made.path / made.lib).rglob("*")):
        if path.is_file():
            made.own("python", path.relative_to(made.path).as_posix())
    made.own("python", f"bin/{made.venv.interpreter.name}")
    package_with_record(made, "colours", {"colours/__init__.py": b"NAMES = ()\n"})
    made.put("olden", f"{made.site}/olden.py", b"X = 1\n")
    made.put("olden", f"{made.site}/olden-1.0-py3.11.egg-info/PKG-INFO", b"Name: olden\nVersion: 1.0\n")
    text = f"HOME = {str(made.path)!r}\n".encode()
    there = text.replace(str(made.path).encode(), PLACEHOLDER.encode())
    for name, more in (
        ("placed.py", {"sha256": sha256(there), "sha256_in_prefix": sha256(text)}),
        ("replaced.py", {"sha256": sha256(there), "prefix_placeholder": PLACEHOLDER, "file_mode": "text"}),
    ):
        made.put("placed", f"{made.site}/{name}", text, **more)
    made.put("placed", f"{made.site}/data.txt", b"inert", sha256=None)
    made.register()
    return made


def test_a_conda_prefix_is_clean(prefix: Prefix) -> None:
    assert prefix.found() == set()
    report = prefix.scan()
    assert report.environment.kind == "conda"
    assert report.inventory is not None
    assert {(d.name, d.assurance) for d in report.inventory.distributions} == {
        ("colours", "recorded"),
        ("olden", "recorded"),
    }
    proof = report.inventory.standard_library
    assert proof is not None
    text = prefix.venv.interpreter.text
    assert proof.compared_with == f"conda's records (1 file differs from CPython {text} as it was released)"
    assert proof.verified > 500


class Changed:
    """A package that conda changed after pip had written its RECORD, and a command that conda itself made."""

    def __init__(self, prefix: Prefix) -> None:
        self.prefix = prefix
        home = f"#!{prefix.path}/bin/python\n".encode()
        body = "import sys\nfrom tool import main\nif __name__ == '__main__':\n    sys.exit(main())\n"
        conda = (
            "# -*- coding: utf-8 -*-\nimport re\nimport sys\n\nfrom tool import main\n\nif __name__ == '__main__':\n"
            "    sys.argv[0] = re.sub(r'(-script\\.pyw?|\\.exe)?$', '', sys.argv[0])\n    sys.exit(main())\n"
        )
        pip = body.replace("    sys.exit", "    sys.argv[0] = sys.argv[0].removesuffix('.exe')\n    sys.exit")
        here = {
            "tool/place.py": f"HOME = {str(prefix.path)!r}\n".encode(),
            "tool/fast.so": b"\x7fELF $ORIGIN/../..",
            "../../../bin/tool": home + pip.encode(),
        }
        built = {key: data.replace(str(prefix.path).encode(), PLACEHOLDER.encode()) for key, data in here.items()}
        built["tool/fast.so"] = b"\x7fELF /opt/build/lib"
        points = b"[console_scripts]\ntool = tool:main\ntool-two = tool:main\n"
        files = {"tool/__init__.py": b"def main():\n    pass\n", "tool-1.0.dist-info/entry_points.txt": points}
        package_with_record(prefix, "tool", {**files, **here}, built)
        record = prefix.path / prefix.site / "tool-1.0.dist-info/RECORD"
        record.write_text(record.read_text() + record_row("../../../bin/tool-two", b"what pip wrote") + "\n")
        prefix.put("tool", "bin/tool-two", home + conda.encode(), sha256=None, path_type="unix_python_entry_point")
        for row in prefix.rows["tool"]:
            if row["_path"].endswith("/RECORD"):
                row["sha256"] = sha256(record.read_bytes())
        prefix.register()

    def rewrite(self, name: str, data: bytes) -> None:
        """Change a file, and what conda recorded of it, not what RECORD has."""
        path = os.path.normpath(f"{self.prefix.site}/{name}")
        (self.prefix.path / path).write_bytes(data)
        for row in self.prefix.rows["tool"]:
            if row["_path"] == path:
                row.pop("sha256_in_prefix", None)
                row["sha256"] = sha256(data)
        self.prefix.register()


def test_what_conda_changed_after_pip_wrote_record_is_clean(prefix: Prefix) -> None:
    Changed(prefix)
    report = prefix.scan()
    assert [finding for finding in report.findings if finding.severity >= Severity.LOW] == []
    assert report.inventory is not None
    assert {d.name: d.assurance for d in report.inventory.distributions}["tool"] == "recorded"


@pytest.mark.parametrize("name", ["tool/__init__.py", "tool/place.py"])
def test_condas_records_do_not_excuse_code_that_is_not_as_record_has_it(prefix: Prefix, name: str) -> None:
    changed = Changed(prefix)
    changed.rewrite(name, (prefix.path / prefix.site / name).read_bytes() + b"MARK = 1\n")
    assert prefix.found() == {("file-modified", f"{prefix.site}/{name}")}


@pytest.mark.parametrize("name", ["tool", "tool-two"])
def test_condas_records_do_not_excuse_another_script(prefix: Prefix, name: str) -> None:
    changed = Changed(prefix)
    changed.rewrite(f"../../../bin/{name}", (prefix.path / "bin" / name).read_bytes() + b"MARK = 1\n")
    assert prefix.found() == {("script-modified", f"bin/{name}")}


def test_a_changed_binary_must_be_as_conda_recorded_it(prefix: Prefix) -> None:
    Changed(prefix)
    with open(prefix.path / prefix.site / "tool/fast.so", "ab") as file:
        file.write(b"\0")
    assert prefix.found() == {("file-modified", f"{prefix.site}/tool/fast.so")}


def test_a_conda_prefix_that_was_used_is_clean(prefix: Prefix) -> None:
    done = prefix.venv.start("import colours, olden, placed, json, sysconfig")
    assert done.returncode == 0, done.stderr
    assert list((prefix.path / prefix.site).rglob("*.pyc"))
    assert prefix.found() == set()


@pytest.mark.parametrize(
    "name", ["LIB/json/decoder.py", "SITE/olden.py", "SITE/placed.py", "SITE/replaced.py", "SITE/colours/__init__.py"]
)
def test_a_changed_file_is_found(prefix: Prefix, name: str) -> None:
    name = name.replace("LIB", prefix.lib).replace("SITE", prefix.site)
    with open(prefix.path / name, "ab") as file:
        file.write(b"MARK = 1\n")
    assert prefix.found() == {("file-modified", name)}


def test_an_extension_module_and_the_interpreter_are_compared(prefix: Prefix) -> None:
    (module,) = (prefix.path / prefix.lib / "lib-dynload").glob("_json.*")
    module.write_bytes(module.read_bytes() + b"\0")
    assert prefix.found() == {("file-modified", module.relative_to(prefix.path).as_posix())}


def test_added_and_lost_files_are_found(prefix: Prefix) -> None:
    (prefix.path / prefix.lib / "helper.py").write_text("MARK = 1\n")
    (prefix.path / prefix.site / "planted.py").write_text("MARK = 1\n")
    (prefix.path / prefix.lib / "json/scanner.py").unlink()
    assert prefix.found() == {
        ("file-unowned", f"{prefix.lib}/helper.py"),
        ("file-unowned", f"{prefix.site}/planted.py"),
        ("file-missing", f"{prefix.lib}/json/scanner.py"),
    }


def test_a_row_without_a_hash_vouches_for_no_code(prefix: Prefix) -> None:
    prefix.put("placed", f"{prefix.site}/planted.py", b"MARK = 1\n", sha256=None)
    prefix.put("placed", f"{prefix.site}/weak.py", b"MARK = 1\n", sha256="0" * 32)
    prefix.register()
    assert prefix.found() == {
        ("file-unowned", f"{prefix.site}/planted.py"),
        ("file-unowned", f"{prefix.site}/weak.py"),
    }


def test_a_second_owner_excuses_no_change(prefix: Prefix) -> None:
    """conda's row for what RECORD, or another package of conda's, has another hash of."""
    prefix.put("second", f"{prefix.site}/colours/__init__.py", b"MARK = 1\n")
    prefix.put("second", f"{prefix.site}/olden.py", b"MARK = 1\n")
    prefix.put("second", f"{prefix.lib}/json/decoder.py", b"MARK = 1\n")
    prefix.register()
    assert prefix.found() == {
        ("file-modified", f"{prefix.site}/colours/__init__.py"),
        ("file-modified", f"{prefix.site}/olden.py"),
        ("file-modified", f"{prefix.lib}/json/decoder.py"),
    }


def test_a_changed_interpreter_ends_the_belief_in_all_records(prefix: Prefix) -> None:
    program = prefix.path / "bin" / prefix.venv.interpreter.name
    program.write_bytes(program.read_bytes() + b"\0")
    found = prefix.found()
    assert ("file-modified", f"bin/{program.name}") in found
    assert ("file-unowned", f"{prefix.site}/olden.py") in found
    proof = prefix.scan().inventory.standard_library  # type: ignore[union-attr]
    assert proof is not None and "conda" not in str(proof.compared_with)


def test_records_in_an_environment_vouch_for_nothing(prefix: Prefix, tmp_path: Path) -> None:
    interpreter = prefix.venv.interpreter._replace(path=str(prefix.venv.python))
    planted = Prefix(make_venv(tmp_path / "env", interpreter, "--without-pip", "--copies"))
    planted.put("python", f"{planted.site}/planted.py", b"MARK = 1\n")
    planted.put("python", f"{planted.site}/planted.pth", b"import os\n")
    for name in ("python", "python3", planted.venv.interpreter.name):
        planted.own("python", f"bin/{name}")
    planted.register()
    found = planted.found()
    assert ("file-unowned", f"{planted.site}/planted.py") in found
    assert ("startup-code-unowned", f"{planted.site}/planted.pth") in found


def test_records_that_do_not_own_the_interpreter_vouch_for_nothing(kept: Venv, tmp_path: Path) -> None:
    shutil.copytree(kept.path, tmp_path / "base", symlinks=True)
    planted = Prefix(Venv(tmp_path / "base", kept.interpreter))
    planted.put("helper", f"{planted.site}/planted.py", b"MARK = 1\n")
    planted.put("helper", f"{planted.lib}/json/decoder.py", b"MARK = 1\n")
    planted.register()
    assert planted.found() == {
        ("file-unowned", f"{planted.site}/planted.py"),
        ("file-modified", f"{planted.lib}/json/decoder.py"),
    }


HOSTILE = {
    "no JSON": b"{",
    "deep": b"[" * 100_000,
    "a list": b"[]",
    "no name": b'{"files": []}',
    "no text": b"\xff\xfe",
    "a large number": b'{"name": "x", "version": "1", "n": ' + b"9" * 10_000 + b"}",
    "a row that leaves": b'{"name": "x", "version": "1", "paths_data": {"paths": [{"_path": "../../etc/passwd"}]}}',
    "a row that is absolute": b'{"name": "x", "version": "1", "files": ["/etc/passwd"]}',
    "a row that is a number": b'{"name": "x", "version": "1", "paths_data": {"paths": [1, {"_path": 2}]}}',
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_record_that_cannot_be_understood_is_not_silent(prefix: Prefix, what: str) -> None:
    (prefix.path / "conda-meta/x.json").write_bytes(HOSTILE[what])
    missed = [one.path for one in prefix.scan().not_seen]
    assert missed == [str(prefix.path / "conda-meta/x.json")]


def test_a_record_that_is_no_file_is_not_opened(prefix: Prefix) -> None:
    os.mkfifo(prefix.path / "conda-meta/x.json")
    assert [one.path for one in prefix.scan().not_seen] == [str(prefix.path / "conda-meta/x.json")]


def test_a_placeholder_that_is_no_text_excuses_nothing(prefix: Prefix) -> None:
    odd = {"sha256": "0" * 64, "prefix_placeholder": "\ud800", "file_mode": "text"}
    prefix.put("placed", f"{prefix.site}/odd.py", b"X = 1\n", **odd)
    prefix.register()
    assert prefix.found() == {("file-modified", f"{prefix.site}/odd.py")}
