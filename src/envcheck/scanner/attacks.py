"""What was learned of an environment into what of it is known from attacks."""

from __future__ import annotations

from envcheck.catalogue import indicators
from envcheck.files.root import Files, Unreadable
from envcheck.model.errors import UsageError
from envcheck.model.facts import Hit
from envcheck.model.inventory import Inventory
from envcheck.model.report import Options
from envcheck.model.startup import ClosureFile, StartupEntry, StartupPlan


def recognised(files: Files, plan: StartupPlan, inventory: Inventory | None, options: Options) -> tuple[Hit, ...]:
    """What of an environment is known from attacks. Raises `UsageError` for a file of indicators that is none."""
    starting: list[StartupEntry | ClosureFile] = list(plan.entries)
    starting += [file for entry in plan.entries for file in entry.closure]
    accounted = [item for item in starting if item.known is None or options.indicators]
    wanted = indicators.shipped()
    for path in options.indicators:
        try:
            data = Files().read(path, indicators.MAX_FILE)
        except Unreadable as error:
            raise UsageError(f"--indicators {path}: {error.why}", "name a file of digests, paths and globs") from None
        wanted = indicators.joined(wanted, indicators.read_indicators(path, data))
    hits: dict[tuple[str, str], Hit] = {}
    for item in accounted:
        line = item.line if isinstance(item, StartupEntry) else None
        owner = item.owner.name if item.owner else None
        texts = (
            [] if item.account is None else [layer.text or "" for one in item.account.within() for layer in one.layers]
        )
        texts += (
            [] if item.account is None else [found.value for one in item.account.within() for found in one.indicators]
        )
        if isinstance(item, StartupEntry):
            texts.append(item.code or "")
        for how, what in (
            ("content", wanted.of_digest(item.sha256)),
            ("text", next((what for what in map(wanted.of_text, texts) if what is not None), None)),
            ("path", wanted.of_path(item.path)),
        ):
            if what is not None:
                hits.setdefault((item.path, what), Hit(item.path, line, what, how, item.sha256, owner))
    for one in inventory.deviations if inventory else ():
        for how, what in (("content", wanted.of_digest(one.actual)), ("path", wanted.of_path(one.path))):
            if what is not None:
                owner = one.owner.name if one.owner else None
                hits.setdefault((one.path, what), Hit(one.path, one.line, what, how, one.actual, owner))
    for package in inventory.distributions if inventory else ():
        what = wanted.of_release(package.key, package.version)
        if what is not None:
            hits.setdefault((package.path, what), Hit(package.path, None, what, "release", None, package.name))
    for path, what in wanted.paths:
        place = path.replace("*/", f"{options.invocation.environ.get('HOME') or '/nowhere'}/", 1)
        if place.startswith("/") and not {"*", "?", "["} & set(place) and files.is_file(place):
            hits.setdefault((place, what), Hit(place, None, what, "path"))
    return tuple(hits.values())
