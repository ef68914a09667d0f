"""Times reading and selecting from a uv.lock of 335 packages, 5,360 wheels and 2 MB beside parsing it, in CPU time.

Both with tomli as it is installed (compiled, where its wheel is) and with its Python code. Run by ``make bench`` with
the interpreter of the environment that envcheck is installed in; it judges nothing.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
import time
from collections.abc import Callable
from statistics import median
from types import ModuleType

PACKAGES = 335
WHEELS = 16
AIM = 0.120


def made() -> str:
    """A lock of the usual shape: each package depends on some of those after it, and has wheels for many platforms."""
    rows = ["version = 1\nrevision = 3\nrequires-python = '>=3.10'\n"]
    platforms = ("manylinux_2_17_x86_64.manylinux2014_x86_64", "musllinux_1_2_x86_64", "macosx_11_0_arm64", "win_amd64")
    for number in range(PACKAGES):
        name = f"package-{number:03}"
        edges = "".join(
            f"    {{ name = 'package-{other:03}', marker = \"python_full_version < '3.{10 + other % 5}'\" }},\n"
            if other % 3
            else f"    {{ name = 'package-{other:03}' }},\n"
            for other in range(number + 1, min(number + 6, PACKAGES))
        )
        wheels = "".join(
            f"    {{ url = 'https://files.index.example/packages/{n:02x}/{number:02x}/{'0' * 60}/"
            f"package_{number:03}-1.{number}-cp3{10 + n % 5}-cp3{10 + n % 5}-{platforms[n % 4]}.whl', "
            f"hash = 'sha256:{number:032x}{n:032x}', "
            f"size = {1000 + n}, upload-time = '2026-01-{n + 1:02}T10:00:00.123Z' }},\n"
            for n in range(WHEELS)
        )
        rows.append(
            f"[[package]]\nname = '{name}'\nversion = '1.{number}'\n"
            "source = { registry = 'https://index.example/simple' }\n"
            f"dependencies = [\n{edges}]\n"
            f"sdist = {{ url = 'https://files.index.example/package_{number:03}-1.{number}.tar.gz', "
            f"hash = 'sha256:{number:064x}', size = 9 }}\nwheels = [\n{wheels}]\n"
        )
    rows.append(
        "[[package]]\nname = 'shop'\nversion = '1'\nsource = { editable = '.' }\n"
        "dependencies = [{ name = 'package-000' }]\n"
    )
    return "\n".join(rows)


def cpu(subject: Callable[[], object], repeats: int = 9) -> float:
    """The median CPU seconds; a first run is not counted."""
    times = []
    for number in range(repeats + 1):
        started = time.process_time()
        subject()
        if number:
            times.append(time.process_time() - started)
    return median(times)


def interpreted(tomli: ModuleType) -> Callable[[str], dict[str, object]]:
    """tomli's parser from its Python source, beside a compiled one."""
    directory = os.path.dirname(str(tomli.__file__))
    spec = importlib.util.spec_from_file_location(
        "plain", os.path.join(directory, "__init__.py"), submodule_search_locations=[directory]
    )
    assert spec is not None
    plain = importlib.util.module_from_spec(spec)
    sys.modules["plain"] = plain
    for name in ("_types", "_re", "_parser"):
        part = importlib.util.spec_from_file_location(f"plain.{name}", os.path.join(directory, f"{name}.py"))
        assert part is not None and part.loader is not None
        module = sys.modules[f"plain.{name}"] = importlib.util.module_from_spec(part)
        part.loader.exec_module(module)
    loads: Callable[[str], dict[str, object]] = sys.modules["plain._parser"].loads
    return loads


def main() -> None:
    import tomli

    from envcheck.files.root import Files
    from envcheck.locks.markers import for_python
    from envcheck.locks.read import read_lock
    from envcheck.locks.select import chosen, default_members, index, select
    from envcheck.model.environment import Python

    python = Python("3.12.1", "binary", "cpython", "cp312", "linux-x86_64-glibc2.36", None, "")
    text = made()
    loads = tomli.loads
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "uv.lock")
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(text)

        def whole() -> int:
            lock = read_lock(Files(), path)
            packages = index(lock)
            markers = for_python(python)
            assert markers is not None
            return len(select(lock, markers, chosen(lock, default_members(lock, packages)), packages).packages)

        print(f"\na uv.lock of {PACKAGES} packages, {len(text) / 1e6:.1f} MB, {whole()} selected; CPU time")
        rows = [
            ("compiled" if type(loads).__name__ != "function" else "no compiled", cpu(whole), cpu(lambda: loads(text)))
        ]
        tomli.loads = interpreted(tomli)
        rows.append(("Python", cpu(whole, 3), cpu(lambda: tomli.loads(text), 3)))
    for name, seconds, alone in rows:
        aim = ("  ok" if seconds <= AIM else "  over") if name == "compiled" else ""
        print(
            f"read and select, {name + ' tomli':<19}{seconds * 1000:>7.1f} ms   tomli alone {alone * 1000:>7.1f} ms"
            f"{f'   ≤ {AIM * 1000:.0f} ms{aim}' if aim else ''}"
        )


if __name__ == "__main__":
    main()
