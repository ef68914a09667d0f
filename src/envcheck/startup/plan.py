"""An environment and an invocation in, the startup plan out: all code that runs before the user's first line.

The start is simulated once for each set of rules that the interpreter's version allows, and the results joined.
"""

from __future__ import annotations

import posixpath

from envcheck.files.root import Files
from envcheck.model.environment import Environment, Python
from envcheck.model.invocation import Invocation
from envcheck.model.startup import StartupPlan
from envcheck.startup.categories import Categories
from envcheck.startup.codecs import Codecs
from envcheck.startup.customize import Customize
from envcheck.startup.elsewhere import Elsewhere
from envcheck.startup.encoding import filesystem_codec, pth_codec
from envcheck.startup.importing import Importer
from envcheck.startup.interactive import Interactive
from envcheck.startup.joined import joined
from envcheck.startup.ledger import Ledger
from envcheck.startup.loaders import Loaders
from envcheck.startup.modules import Finders
from envcheck.startup.pth import is_pth
from envcheck.startup.rules import NEWEST, OLDEST, Rules, sides_for
from envcheck.startup.search import PathEntry, Search
from envcheck.startup.sites import Sites
from envcheck.startup.standard import StandardImports


def make_plan(files: Files, environment: Environment, invocation: Invocation) -> StartupPlan:
    """The startup plan of an environment, started in that way. Never raises for what the target holds."""
    python = environment.python
    why = None
    if python.implementation != "cpython":
        why = f"the start of {python.implementation} is not modelled"
    elif python.minor < OLDEST:
        why = f"Python before {OLDEST[0]}.{OLDEST[1]} is not modelled"
    if why is not None:
        return StartupPlan((), (), environment.initial_path, not_modelled=why)
    if python.minor > NEWEST:
        files.miss(
            environment.path,
            f"Python {python.version} is newer than the rules; those of {NEWEST[0]}.{NEWEST[1]} are taken",
        )
    sides = sides_for(python, (first for first, _ in environment.sides))
    if _frozen_modules_off(python, invocation):
        sides = tuple((patch, rules._replace(startup_frozen=False)) for patch, rules in sides)
    shared = Finders(files, environment)
    plans = []
    for patch, rules in sides:
        view = next((side for first, side in reversed(environment.sides) if first <= patch), environment)
        finders = Finders(files, view) if environment.sides else shared
        plans.append(_simulated(files, view, invocation, rules, finders))
    return plans[0] if len(plans) == 1 else joined(plans, [rules.when or "" for _, rules in sides])


def _frozen_modules_off(python: Python, invocation: Invocation) -> bool:
    """Whether ``site`` and its like come from files though they are frozen (the variable counts from 3.13 on)."""
    return invocation.frozen_modules_off and (python.minor >= (3, 13) or invocation.option("frozen_modules") == "off")


def _any_pth(environment: Environment, finders: Finders) -> bool:
    """Whether ``site`` opens any ``.pth``."""
    names = (name for site in environment.site_sequence for name in finders.listing(site.path) or ())
    return any(is_pth(name) for name in names)


def _without_library(files: Files, environment: Environment, search: Search, ledger: Ledger) -> None:
    """A prefix that holds no library, or a path without it (a ``._pth`` file), ends the start.

    Never for certain, as the scanned tree may be a part only.
    """
    place = environment.stdlib
    if (place is None and not environment.redirectors) or not files.is_dir(environment.python.base_prefix):
        return
    there = place is None or files.is_dir(place)
    on_path = place is not None and any(entry.path == posixpath.normpath(place) for entry in search.path)
    if (there and on_path) or search.find("encodings"):
        return
    why = "the standard library is not on sys.path" if there else f"there is no standard library ({place})"
    condition = "only if something on sys.path has encodings" if there else f"only if {place} is there"
    ledger.abort(place or environment.python.executable or environment.path, None, why, condition, certain=False)


def _simulated(
    files: Files, environment: Environment, invocation: Invocation, rules: Rules, finders: Finders
) -> StartupPlan:
    ledger = Ledger()
    cfg = environment.cfg
    if cfg is not None and cfg.fatal is not None:
        ledger.abort(cfg.path, None, cfg.fatal, "")
    elif environment.fatal is not None:
        ledger.abort(environment.python.executable or environment.path, None, environment.fatal, "")
    loaders = Loaders(files, environment, invocation, finders)
    search = Search(files, environment, finders)
    importer = Importer(files, environment, rules, search, loaders, ledger)
    # site.removeduppaths: absolute, each once by its text. The current directory stays "".
    initial = dict.fromkeys(
        posixpath.normpath(path) if path.startswith("/") else path for path in environment.initial_path
    )
    search.path += [PathEntry(path) for path in initial]
    _without_library(files, environment, search, ledger)
    imports = StandardImports(ledger, importer)
    before = Codecs(environment, rules, invocation, ledger, imports)
    if environment.stdlib is not None:
        before.run()
        if invocation.option("presite") or invocation.variable("PYTHON_PRESITE"):
            from envcheck.startup.presite import import_presite

            import_presite(environment.python, invocation, ledger, importer)
        Categories(rules, ledger, importer, imports).run(invocation)
    imported = environment.site_imported
    if not invocation.no_site if imported is None else imported:
        if environment.stdlib is not None:
            before.run_site(_any_pth(environment, finders))
        codec = pth_codec(rules, environment.python, invocation)
        names = filesystem_codec(environment.python, invocation)
        sites = Sites(files, environment, rules, codec, names, finders, ledger, importer)
        sites.process((site.path for site in environment.site_sequence), set(initial))
        customize = Customize(finders, loaders, ledger, importer)
        customize.run("sitecustomize")
        customize.run("usercustomize", None if environment.user_site_enabled else "the user site is disabled")
        Elsewhere(environment, rules, invocation, finders, ledger, sites.startup_files).run()
    if environment.stdlib is not None:
        Interactive(files, finders, rules, invocation, ledger, importer, imports).run()
    entries = sorted(ledger.records.values(), key=lambda record: record.first())
    return StartupPlan(
        tuple(record.entry() for record in entries),
        tuple(ledger.path_lines.values()),
        tuple(entry.path for entry in search.path),
        tuple(ledger.aborts),
        path_certain=search.doubt is None and all(entry.when is None for entry in search.path),
    )
