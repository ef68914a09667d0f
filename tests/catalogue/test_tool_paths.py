"""The ``.pth`` files that tools write outside any RECORD hold directories, and nothing else."""

from __future__ import annotations

import pytest

from envcheck.catalogue.known import identify, lookalike

FIRST = "import sys; sys.__plen = len(sys.path)\n"
LAST = (
    "import sys; new=sys.path[sys.__plen:]; del sys.path[sys.__plen:]; p=getattr(sys,'__egginsert',0); "
    "sys.path[p:p]=new; sys.__egginsert = p+len(new)\n"
)


@pytest.mark.parametrize(
    "text", ["/home/me/shop\n", "./shop-1.0-py3.8.egg\n/home/me/shop\n", FIRST + "./shop-1.0-py3.8.egg\n" + LAST]
)
def test_easy_install_lists_eggs_and_develop_installs(text: str) -> None:
    known = identify("easy-install.pth", text.encode())
    assert known is not None
    assert known.written_by_tool
    assert all(path.startswith(("/home", "./shop")) for path in known.paths)
    assert not known.loads


@pytest.mark.parametrize(
    "text",
    [
        "",
        "import evil\n",
        "/home/me/shop\nimport evil\n",
        "./../evil\n",
        "./..\n",
        "../evil\n",
        "evil\n",
        FIRST + "/home/me/shop\n",
        "/home/me/shop\n" + LAST,
        FIRST + "/home/me/shop\n" + LAST + "/tmp/evil\n",
        FIRST,
        FIRST + "/home/me/shop\n" + LAST.rstrip() + "; import evil\n",
    ],
)
def test_anything_else_in_easy_install_is_a_lookalike(text: str) -> None:
    assert identify("easy-install.pth", text.encode()) is None
    assert lookalike("easy-install.pth", text.encode()) is not None


@pytest.mark.parametrize(
    "text",
    [
        'import site; site.addsitedir("/base/lib/python3.12/site-packages")',
        'import site; site.addsitedir("/one"); site.addsitedir("/two")',
        'import site; site.addsitedir(__import__("os").fsdecode(b"/one")); '
        'site.addsitedir(__import__("os").fsdecode(b"/two"))',
    ],
)
def test_uv_run_with_links_to_the_environment_below(text: str) -> None:
    known = identify("_uv_ephemeral_overlay.pth", text.encode())
    assert known is not None
    assert known.tool == "uv"
    assert all(path in ("/base/lib/python3.12/site-packages", "/one", "/two") for path in known.site_dirs)


@pytest.mark.parametrize(
    "text",
    [
        'import site; site.addsitedir("/one"); import evil',
        'import site; site.addsitedir("/one"); site.addsitedir(evil())',
        'import site; site.addsitedir("/one")\nimport evil',
        'import site; site.addsitedir("relative")',
        'import site; site.addsitedir("\\x2ftmp")',
        "import site; ",
        "import site",
    ],
)
def test_anything_else_in_uvs_overlay_is_a_lookalike(text: str) -> None:
    assert identify("_uv_ephemeral_overlay.pth", text.encode()) is None
    assert lookalike("_uv_ephemeral_overlay.pth", text.encode()) is not None


def test_homebrew_and_pipx() -> None:
    line = b"import site; site.addsitedir('/opt/homebrew/opt/six/lib/python3.12/site-packages')\n"
    known = identify("homebrew_deps.pth", line * 2)
    assert known is not None
    assert len(known.site_dirs) == 2
    assert identify("homebrew_deps.pth", line + b"import evil\n") is None
    assert identify("homebrew_deps.pth", b"") is None
    shared = identify("pipx_shared.pth", b"/home/me/.local/share/pipx/shared/lib/python3.12/site-packages\n")
    assert shared is not None
    assert shared.written_by_tool
    assert identify("pipx_shared.pth", b"import evil\n") is None
