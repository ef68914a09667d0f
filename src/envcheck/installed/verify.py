"""The whole verification: every row of every RECORD, and every file that none claims."""

from __future__ import annotations

from envcheck.files.root import Files
from envcheck.installed.distributions import Installation
from envcheck.installed.metadata import contradicts
from envcheck.installed.owners import Owners
from envcheck.installed.places import place
from envcheck.installed.prefix import verify_prefix
from envcheck.installed.scripts import Scripts
from envcheck.installed.sites import SiteVerification
from envcheck.installed.tally import Tally
from envcheck.model.environment import Environment
from envcheck.model.inventory import Inventory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envcheck.model.report import Progress


def verify(
    files: Files, environment: Environment, owners: Owners, workers: int = 2, progress: Progress | None = None
) -> Inventory:
    """Verify an environment's own site directories, its scripts directory and its prefix."""
    before = files.bytes_read
    tally = Tally(files)
    scripts = Scripts(files, environment, tally)
    elsewhere = frozenset(site.path for site in environment.own_site_dirs) | {environment.scripts_dir or ""}
    for site_dir in environment.own_site_dirs:
        site = owners.site(place(environment, site_dir))
        for installation in site.installations:
            tally.share(installation)
        _check_metadata(owners, tally, site.installations)
        verification = SiteVerification(files, environment, owners, site, tally, workers, progress)
        verification.run(elsewhere - {site_dir.path}, scripts)
        scripts.declare(site.installations)
    scripts.verify()
    verify_prefix(files, environment, tally)
    return Inventory(tally.distributions(), tally.sorted_deviations(), tally.counts(files.bytes_read - before))


def _check_metadata(owners: Owners, tally: Tally, installations: list[Installation]) -> None:
    """Metadata that is missing, contradicts its directory's name, or is there twice for one name."""
    by_name: dict[str, list[Installation]] = {}
    for installation in installations:
        headers = installation.headers
        if headers is None and installation.layout != "egg-link":
            tally.add("metadata-inconsistent", installation.path, installation, detail="there is no METADATA")
        elif headers is not None and installation.layout != "egg-link":
            why = contradicts(installation.directory_name, headers)
            if why is not None:
                tally.add("metadata-inconsistent", installation.path, installation, detail=why)
        by_name.setdefault(installation.key, []).append(installation)
    for same in by_name.values():
        for other in same[1:]:
            if all(any(map(owners.dpkg_lists, one.metadata_paths)) for one in (same[0], other)):
                # Debian ships an .egg-info beside some .dist-info.
                continue
            detail = f"beside {same[0].directory_name}"
            tally.add("distribution-duplicate", other.path, other, detail=detail)
