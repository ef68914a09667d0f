"""Real packages into the digest tables under ``src/envcheck/catalogue/data``.

    python tests/tools/make_catalogue.py WHEELHOUSE --python python3.9 [--download]

WHEELHOUSE holds wheels; ``--download`` fetches every version named below into it first, with pip and whatever index
pip is configured for. What a package writes at build or install time is taken from its source text where that can be
read (templates as literals), and else by letting it install a package made here: pip from its own wheel, uv from its
wheel's binary. ``--python`` is an interpreter old enough for uv to write ``_virtualenv.py`` (3.9 or older).
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import textwrap
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from envcheck.catalogue.editables import digest, finder_template
from envcheck.catalogue.namespaces import read_line
from envcheck.catalogue.scripts import legacy_template, read_shebang, script_template
from envcheck.catalogue.startup_files import STARTUP_FILES

DATA = Path(__file__).parents[2] / "src" / "envcheck" / "catalogue" / "data"

VERSIONS = {
    "virtualenv": """
        20.0.1 20.0.5 20.0.7 20.0.8 20.0.9 20.0.10 20.0.11 20.0.12 20.0.13 20.0.14 20.0.15 20.0.18 20.0.20
        20.0.21 20.0.23 20.0.25 20.0.26 20.0.27 20.0.28 20.0.31 20.0.35 20.1.0 20.2.2 20.4.0 20.4.7 20.6.0 20.8.1
        20.10.0 20.13.0 20.13.4 20.14.0 20.14.1 20.16.2 20.16.3 20.16.5 20.16.6 20.16.7 20.17.0 20.17.1 20.19.0
        20.21.0 20.21.1 20.22.0 20.23.0 20.23.1 20.24.0 20.24.2 20.24.5 20.24.7 20.25.0 20.25.1 20.25.2 20.25.3
        20.26.0 20.26.2 20.26.4 20.26.6 20.27.1 20.28.1 20.29.3 20.30.0 20.31.2 20.32.0 20.33.1 20.34.0 20.35.3
        20.35.4 20.36.0 20.36.1 20.38.0 20.39.0 20.39.1 21.0.0 21.1.0 21.2.0 21.3.0 21.3.1 21.3.3 21.4.0 21.5.0
        21.6.0 21.6.1 21.7.0 21.8.1 21.10.0 21.12.0 21.14.0 21.15.0 21.15.1 21.15.3 21.15.5 21.15.6 21.15.7
    """,
    "setuptools": """
        20.1 25.0.0 28.0.0 30.0.0 31.0.0 33.1.1 36.0.1 39.0.0 40.0.0 41.0.0 44.0.0 45.0.0 50.0.0 50.3.2 51.0.0
        54.0.0 56.0.0 57.0.0 58.0.0 58.5.3 59.0.1 59.8.0 60.0.0 60.5.0 60.10.0 61.0.0 62.0.0 63.0.0 63.4.3 64.0.0
        64.0.1 64.0.2 64.0.3 65.0.0 65.1.0 65.2.0 65.3.0 65.4.0 65.5.0 65.6.0 65.7.0 66.0.0 66.1.0 67.0.0 67.4.0
        67.8.0 68.0.0 68.1.0 68.2.2 69.0.0 69.1.0 69.2.0 69.5.1 70.0.0 71.0.0 72.0.0 73.0.0 74.0.0 75.0.0 75.4.0
        76.0.0 77.0.1 78.1.0 79.0.0 80.0.0 80.9.0 80.10.1 81.0.0 82.0.0 83.0.0 84.0.0 84.2.1
    """,
    "pip": """
        18.1 19.0.3 19.3.1 20.0.2 20.1 20.2 20.3.4 21.0.1 21.2 21.3.1 22.0.4 22.1 22.2 22.3 22.3.1 23.0.1 23.1
        23.2 23.3.2 24.0 24.1 24.2 24.3.1 25.0.1 25.1 25.2 25.3 26.0 26.1 26.2 26.3
    """,
    "uv": """
        0.1.0 0.1.5 0.1.15 0.1.25 0.1.35 0.1.45 0.2.5 0.2.20 0.2.37 0.3.0 0.3.5 0.4.0 0.4.10 0.4.20 0.4.30 0.5.0
        0.5.8 0.5.20 0.5.31 0.6.17 0.7.22 0.8.24 0.9.30 0.10.12 0.11.8 0.11.20 0.12.0 0.13.8
    """,
    "distlib": "0.3.1 0.3.4 0.3.6 0.3.7 0.3.8 0.3.9 0.4.0 0.4.1 0.4.2 0.4.3 0.4.4",
    "installer": "0.2.0 0.3.0 0.4.0 0.5.1 0.6.0 0.7.0 1.0.0 1.1.0",
    "meson-python": """
        0.12.0 0.13.0 0.13.2 0.14.0 0.15.0 0.16.0 0.17.0 0.17.1 0.18.0 0.19.0 0.20.0 0.21.0 0.22.0 0.22.1
    """,
    "scikit-build-core": """
        0.4.0 0.4.8 0.5.0 0.5.1 0.6.0 0.7.0 0.8.0 0.8.2 0.9.0 0.10.0 0.10.7 0.11.0 0.11.6 0.12.0 0.12.2 1.0.0
        1.1.0 1.1.2
    """,
    "coverage": "7.13.0 7.14.0 7.15.0 7.16.0 7.17.0 7.17.3",
    "pytest-cov": "2.12.1 3.0.0 4.0.0 4.1.0 5.0.0 6.0.0 6.3.0",
    "hunter": "3.7.0 3.8.0 3.9.0",
    "manhole": "1.8.0 1.8.1",
    "coloredlogs": "14.0 15.0 15.0.1",
    "better-exceptions": "0.2.2 0.3.3",
    "future-fstrings": "1.0.0 1.1.0 1.2.0",
    "autowrapt": "2.0.0",
    "pip-system-certs": "4.0 5.0 5.1 5.2 5.3",
    "python-certifi-win32": "1.6 1.6.1",
}
WINDOWS_VERSIONS = {"pywin32": "300 303 304 305 306 307 308 309 310 311 312"}

SHIPPED = {
    "setuptools": ("distutils-precedence.pth", "_distutils_hack/__init__.py", "_distutils_hack/override.py"),
    "coverage": ("a1_coverage.pth",),
    "pytest-cov": ("pytest-cov.pth",),
    "pywin32": ("pywin32.pth",),
    "pip-system-certs": ("pip_system_certs.pth",),
    "python-certifi-win32": ("python-certifi-win32-init.pth",),
    "hunter": ("hunter.pth",),
    "manhole": ("manhole.pth",),
    "coloredlogs": ("coloredlogs.pth",),
    "better-exceptions": ("better_exceptions_hook.pth",),
    "future-fstrings": ("aaaaa_future_fstrings.pth",),
    "autowrapt": ("autowrapt-init.pth", "autowrapt-init.start"),
}

# Debian's hook, /etc/python3.X/sitecustomize.py of libpython3.X-minimal: the same bytes from 3.5 (Debian 9) to 3.13.
DEBIAN_SITECUSTOMIZE = """\
# install the apport exception handler if available
try:
    import apport_python_hook
except ImportError:
    pass
else:
    apport_python_hook.install()
"""

Rows = dict[str, list[tuple[str, str]]]
"""Digest to (tool, version) pairs."""


# Wheels -------------------------------------------------------------------------------------------------------------


class Wheel:
    """One wheel in the wheelhouse."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name, self.version = path.name.split("-")[:2]
        self.name = self.name.replace("_", "-").lower()
        self.archive = zipfile.ZipFile(path)

    def read(self, member: str) -> bytes | None:
        """A member where it lands in a site directory, data schemes included."""
        for name in self.archive.namelist():
            bare = re.sub(r"^[^/]+\.data/(?:purelib|platlib|data/[Ll]ib/site-packages)/", "", name)
            if bare == member:
                return self.archive.read(name)
        return None


def version_key(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))


def wheels(house: Path, name: str) -> Iterator[Wheel]:
    """The wheels of one project, oldest first, each version once."""
    seen: dict[str, Wheel] = {}
    for path in sorted(house.rglob("*.whl")):
        if path.name.split("-")[0].replace("_", "-").lower() == name:
            wheel = Wheel(path)
            seen.setdefault(wheel.version, wheel)
    yield from sorted(seen.values(), key=lambda wheel: version_key(wheel.version))


def download(house: Path) -> None:
    for table, extra in ((VERSIONS, ()), (WINDOWS_VERSIONS, ("--platform=win_amd64", "--python-version=3.11"))):
        for name, versions in table.items():
            have = {wheel.version for wheel in wheels(house, name)}
            for version in versions.split():
                if version not in have:
                    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:"]
                    options = ["--ignore-requires-python", *extra, "-d", str(house), f"{name}=={version}"]
                    if subprocess.run([*command, *options], check=False).returncode:
                        print(f"no wheel of {name} {version}", file=sys.stderr)


# Startup files with fixed content -------------------------------------------------------------------------------------


def startup_files(house: Path, python: str) -> dict[str, Rows]:
    found: dict[str, Rows] = {name: defaultdict(list) for name in STARTUP_FILES}
    for project, members in SHIPPED.items():
        for wheel in wheels(house, project):
            for member in members:
                content = wheel.read(member)
                if content is not None:
                    found[member][sha256(content)].append((project, wheel.version))
    for wheel in wheels(house, "virtualenv"):
        content = wheel.read("virtualenv/create/via_global_ref/_virtualenv.py")
        if content is not None:
            found["_virtualenv.py"][sha256(content)].append(("virtualenv", wheel.version))
    for version, site in uv_sites(house, python):
        found["_virtualenv.py"][sha256((site / "_virtualenv.py").read_bytes())].append(("uv", version))
    found["_virtualenv.pth"][sha256(b"import _virtualenv")] = [("virtualenv", "")]
    found["sitecustomize.py"][sha256(DEBIAN_SITECUSTOMIZE.encode())] = [("Debian", "")]
    return found


def uv_binaries(house: Path, into: Path) -> Iterator[tuple[str, str]]:
    for wheel in wheels(house, "uv"):
        member = next(name for name in wheel.archive.namelist() if name.endswith(".data/scripts/uv"))
        binary = into / f"uv-{wheel.version}"
        binary.write_bytes(wheel.archive.read(member))
        binary.chmod(0o755)
        yield wheel.version, str(binary)


def uv_sites(house: Path, python: str) -> Iterator[tuple[str, Path]]:
    """A new environment of every uv, for an interpreter that uv still patches; its site directory."""
    with tempfile.TemporaryDirectory() as folder:
        for version, uv in uv_binaries(house, Path(folder)):
            prefix = Path(folder) / f"venv-{version}"
            run([uv, "venv", "-q", "--python", python, str(prefix)])
            yield version, next(prefix.glob("lib/python*/site-packages"))


# Namespace templates --------------------------------------------------------------------------------------------------


def namespaces(house: Path) -> Rows:
    found: Rows = defaultdict(list)
    for wheel in wheels(house, "setuptools"):
        for module in ("setuptools/namespaces.py", "setuptools/command/install_egg_info.py"):
            source = wheel.read(module)
            if source is None or b"_nspkg_tmpl" not in source:
                continue
            literals = {
                target.id: ast.literal_eval(node.value)
                for node in ast.walk(ast.parse(source))
                if isinstance(node, ast.Assign)
                for target in node.targets
                if isinstance(target, ast.Name) and target.id in ("_nspkg_tmpl", "_nspkg_tmpl_multi")
            }
            for lines in (literals["_nspkg_tmpl"], (*literals["_nspkg_tmpl"], *literals["_nspkg_tmpl_multi"])):
                names = {"root": "sys._getframe(1).f_locals['sitedir']", "parent": "one", "child": "two"}
                nested = lines is not literals["_nspkg_tmpl"]
                package = "one.two" if nested else "one"
                read = read_line(";".join(lines) % {**names, "pkg": package, "pth": tuple(package.split("."))})
                assert read is not None, (wheel.path, lines)
                if ("setuptools", wheel.version) not in found[read.template]:
                    found[read.template].append(("setuptools", wheel.version))
    return found


# Editable loaders ---------------------------------------------------------------------------------------------------


def setuptools_finders(house: Path) -> dict[str, tuple[list[tuple[str, str]], bool]]:
    found: dict[str, tuple[list[tuple[str, str]], bool]] = {}
    for wheel in wheels(house, "setuptools"):
        source = wheel.read("setuptools/command/editable_wheel.py")
        if source is None:
            continue
        text = assigned(source, "_FINDER_TEMPLATE").format(name="n", mapping={}, namespaces={})
        template, _ = finder_template(text)
        found.setdefault(digest(template), ([], "startswith(" in text))[0].append(("setuptools", wheel.version))
    return found


def bodies_of(house: Path, project: str, member: str) -> Rows:
    """Digests of a file that a backend puts before its settings."""
    found: Rows = defaultdict(list)
    for wheel in wheels(house, project):
        content = wheel.read(member)
        if content:
            found[sha256(content)].append((project, wheel.version))
    return found


def assigned(source: bytes, name: str) -> str:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets):
            value: str = ast.literal_eval(node.value)
            return value
    raise KeyError(name)


# Entry-point scripts ------------------------------------------------------------------------------------------------


def demo_wheel(folder: Path) -> Path:
    """A wheel of one module with one entry point."""
    path = folder / "demo-0.1-py3-none-any.whl"
    files = {
        "demo.py": "def main(): pass\n",
        "demo-0.1.dist-info/METADATA": "Metadata-Version: 2.1\nName: demo\nVersion: 0.1\n",
        "demo-0.1.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: make\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "demo-0.1.dist-info/entry_points.txt": "[console_scripts]\ndemo = demo:main\n",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
        rows = [f"{name},,\n" for name in (*files, "demo-0.1.dist-info/RECORD")]
        archive.writestr("demo-0.1.dist-info/RECORD", "".join(rows))
    return path


def scripts(house: Path, python: str) -> Rows:
    found: Rows = defaultdict(list)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        demo = demo_wheel(folder)
        for wheel in wheels(house, "pip"):
            # pip 25.3 no longer runs on the Python that uv still patches.
            modern = version_key(wheel.version) >= (25, 3)
            script = pip_script(wheel, sys.executable if modern else python, demo, folder)
            add_script(found, script, "pip", wheel.version)
        for wheel in wheels(house, "installer"):
            source = wheel.read("installer/scripts.py")
            if source is None:
                continue
            template = assigned(source, "_SCRIPT_TEMPLATE")
            body = template.format(module="demo", import_name="main", func_path="main")
            add_script(found, b"#!/python\n" + body.encode(), "installer", wheel.version)
        for wheel in wheels(house, "distlib"):
            # virtualenv writes its seeds' commands with it.
            template = assigned(wheel.read("distlib/scripts.py"), "SCRIPT_TEMPLATE")
            body = template % {"module": "demo", "import_name": "main", "func": "main"}
            add_script(found, b"#!/python\n" + body.encode(), "distlib", wheel.version)
        for version, uv in uv_binaries(house, folder):
            add_script(found, uv_script(uv, python, demo, folder / f"venv-{version}"), "uv", version)
    return found


def pip_script(wheel: Wheel, python: str, demo: Path, folder: Path) -> bytes:
    target = folder / f"pip-{wheel.version}"
    start = (
        "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); sys.argv[0] = 'pip'; "
        "runpy.run_module('pip', run_name='__main__')"
    )
    options = ["install", "-qq", "--no-index", "--no-deps", "--no-warn-script-location", "--disable-pip-version-check"]
    run([python, "-I", "-S", "-c", start, str(wheel.path), *options, "--prefix", str(target), str(demo)])
    return (target / "bin" / "demo").read_bytes()


def uv_script(uv: str, python: str, demo: Path, prefix: Path) -> bytes | None:
    run([uv, "venv", "-q", "--python", python, str(prefix)])
    install = [uv, "pip", "install", "-q", "--no-deps", "--no-index", str(demo)]
    environ = {**os.environ, "VIRTUAL_ENV": str(prefix), "UV_NO_CONFIG": "1"}
    if subprocess.run(install, env=environ, check=False, capture_output=True).returncode:
        return None
    return (prefix / "bin" / "demo").read_bytes()


def add_script(found: Rows, data: bytes | None, tool: str, version: str) -> None:
    if data is None:
        print(f"{tool} {version} did not install", file=sys.stderr)
        return
    shebang = read_shebang(data)
    taken = script_template(shebang.body) if shebang else None
    assert taken is not None, (tool, version, data)
    found[sha256(taken[0])].append((tool, version))


def legacy_scripts(house: Path) -> Rows:
    """The wrappers of setuptools' ``develop`` and ``easy_install``, rendered from its template."""
    found: Rows = defaultdict(list)
    for wheel in wheels(house, "setuptools"):
        source = wheel.read("setuptools/command/easy_install.py") or b""
        if wheel.read("setuptools/_scripts.py"):
            source = wheel.read("setuptools/_scripts.py") or b""
        for text in legacy_texts(source):
            for spec in ("demo", "demo==0.1"):
                names = {"spec": spec, "group": "console_scripts", "type_": "console_scripts", "name": "demo"}
                taken = legacy_template((text % names).encode())
                if taken is not None and ("setuptools", wheel.version) not in found[sha256(taken[0])]:
                    found[sha256(taken[0])].append(("setuptools", wheel.version))
    return found


def legacy_texts(source: bytes) -> Iterator[str]:
    """The text after ``template = textwrap.dedent(...)`` in ``ScriptWriter``, in its forms (also ``.lstrip()``)."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "EASY-INSTALL-ENTRY-SCRIPT" in node.value:
            yield textwrap.dedent(node.value).lstrip()


# Writing ------------------------------------------------------------------------------------------------------------


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def run(command: list[str]) -> None:
    environ = {**os.environ, "UV_NO_CONFIG": "1", "UV_OFFLINE": "1"}
    subprocess.run(command, check=True, env={**environ, "PIP_ROOT_USER_ACTION": "ignore"}, stdout=subprocess.DEVNULL)


def spans(versions: list[str], known: list[str]) -> str:
    """``64.0.0 to 67.8.0``: runs of versions that stand beside each other among those looked at."""
    order = {version: index for index, version in enumerate(sorted(known, key=version_key))}
    runs: list[list[str]] = []
    for version in sorted(versions, key=version_key):
        if runs and order[version] == order[runs[-1][-1]] + 1:
            runs[-1].append(version)
        else:
            runs.append([version])
    return ", ".join(run[0] if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs)


def named(pairs: list[tuple[str, str]], known: Callable[[str], list[str]]) -> tuple[str, str | None]:
    """The first tool that wrote it, and its versions."""
    tool = pairs[0][0]
    versions = [version for name, version in pairs if name == tool and version]
    return tool, spans(versions, known(tool)) if versions else None


def all_named(pairs: list[tuple[str, str]], known: Callable[[str], list[str]]) -> tuple[str, str]:
    """The first tool that wrote it, and every tool with its versions."""
    tools = dict.fromkeys(tool for tool, _ in pairs)
    told = [f"{tool} {named([pair for pair in pairs if pair[0] == tool], known)[1]}" for tool in tools]
    return pairs[0][0], "; ".join(told)


def write(module: str, doc: str, *tables: str) -> None:
    note = "# Generated by tests/tools/make_catalogue.py; do not edit."
    head = f'"""{doc}"""\n\n{note}\n\nfrom __future__ import annotations\n'
    (DATA / f"{module}.py").write_text(head + "".join("\n" + text for text in tables), encoding="utf-8")


def table(name: str, annotation: str, rows: Mapping[str, object]) -> str:
    return f"{name}: {annotation} = {written(rows)}\n"


def written(value: object, indent: str = "") -> str:
    """A literal as ruff formats it: a row of a dict a line, double quotes, what is too long for one a line each."""
    if isinstance(value, Mapping):
        inner = indent + "    "
        return f"{{\n{''.join(written_row(key, item, inner) for key, item in value.items())}{indent}}}"
    if isinstance(value, tuple):
        return "(" + ", ".join(written(item) for item in value) + ")"
    return f'"{value}"' if isinstance(value, str) else repr(value)


def written_row(key: object, value: object, indent: str) -> str:
    row = f"{indent}{written(key)}: {written(value, indent)},\n"
    if isinstance(value, tuple) and len(row) > 121:
        items = "".join(f"{indent}    {written(item)},\n" for item in value)
        row = f"{indent}{written(key)}: (\n{items}{indent}),\n"
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheelhouse", type=Path)
    parser.add_argument("--python", required=True)
    parser.add_argument("--download", action="store_true")
    arguments = parser.parse_args()
    house: Path = arguments.wheelhouse
    if arguments.download:
        house.mkdir(parents=True, exist_ok=True)
        download(house)

    def known(tool: str) -> list[str]:
        return [wheel.version for wheel in wheels(house, tool)]

    def versions(rows: Rows) -> dict[str, str | None]:
        return {key: named(pairs, known)[1] for key, pairs in rows.items()}

    files = {
        name: {key: named(pairs, known) for key, pairs in rows.items()}
        for name, rows in startup_files(house, arguments.python).items()
    }
    write(
        "startup_files",
        "sha256 of startup files with fixed content: by name, then digest to (tool, versions seen).",
        table("DIGESTS", "dict[str, dict[str, tuple[str, str | None]]]", files),
    )
    write(
        "namespaces",
        "sha256 of setuptools' namespace line templates (names taken out) to the setuptools versions seen.",
        table("TEMPLATES", "dict[str, str]", versions(namespaces(house))),
    )
    finders = {
        key: (named(pairs, known)[1], by_prefix) for key, (pairs, by_prefix) in setuptools_finders(house).items()
    }
    meson = bodies_of(house, "meson-python", "mesonpy/_editable.py")
    scikit = bodies_of(house, "scikit-build-core", "scikit_build_core/resources/_editable_redirect.py")
    write(
        "editables",
        "sha256 of build backends' editable loaders without their settings, to the versions seen.\n\n"
        "For setuptools also whether the finder answers for every name that begins with a mapped one.\n",
        table("SETUPTOOLS_FINDERS", "dict[str, tuple[str, bool]]", finders),
        table("MESON_PYTHON_LOADERS", "dict[str, str]", versions(meson)),
        table("SCIKIT_BUILD_LOADERS", "dict[str, str]", versions(scikit)),
    )
    bodies = {key: all_named(pairs, known) for key, pairs in scripts(house, arguments.python).items()}
    write(
        "scripts",
        "sha256 of entry-point script bodies (module and callable taken out) to (installer, versions seen).",
        table("BODIES", "dict[str, tuple[str, str]]", bodies),
        table("LEGACY_BODIES", "dict[str, str]", versions(legacy_scripts(house))),
    )


if __name__ == "__main__":
    main()
