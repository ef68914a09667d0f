"""An environment that ``uv run --with`` laid over others, into what is installed in those."""

from __future__ import annotations

import re

from envcheck.files.root import Files, Unreadable
from envcheck.installed.owners import Owners, Site
from envcheck.installed.places import Place
from envcheck.model.environment import Environment

_OVERLAY = "_uv_ephemeral_overlay.pth"
_LIBRARY = re.compile(r"/lib(?:64)?/(?:python|pypy)[0-9.]+t?/site-packages/?$")


def overlaid_sites(files: Files, environment: Environment, owners: Owners) -> list[Site]:
    """The site directories of the environments that ``uv run --with`` lays a temporary one over.

    uv copies their scripts into its own scripts directory, and names them in a ``.pth`` file of its own.
    """
    from envcheck.catalogue.known import identify

    keys = dict(environment.cfg.keys) if environment.cfg else {}
    if environment.kind != "venv" or "uv" not in keys or "extends-environment" not in keys:
        return []
    found: list[Site] = []
    for site in environment.own_site_dirs:
        try:
            known = identify(_OVERLAY, files.read(f"{site.path}/{_OVERLAY}"))
        except Unreadable:
            continue
        for path in (*known.paths, *known.site_dirs) if known is not None else ():
            root = _LIBRARY.sub("", path)
            if root != path and files.is_file(f"{root}/pyvenv.cfg"):
                found.append(owners.site(Place(path, root)))
    return found
