"""The whole verification: every row of every RECORD, and every file that none claims."""

from __future__ import annotations

from envcheck.files.root import Files
from envcheck.installed.activation import Activations
from envcheck.installed.distributions import Installation
from envcheck.installed.editable_entry_points import undeclared
from envcheck.installed.interpreter import verify_base
from envcheck.installed.metadata import contradicts
from envcheck.installed.modes import Modes
from envcheck.installed.owners import Owners
from envcheck.installed.places import place
from envcheck.installed.prefix import verify_prefix
from envcheck.installed.scripts import Scripts
from envcheck.installed.sites import SiteVerification
from envcheck.installed.tally import Tally
from envcheck.installed.writable import Writable
from envcheck.model.anchor import Anchoring
from envcheck.model.environment import Environment
from envcheck.model.inventory import Inventory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envcheck.installed.anchoring import Lookup
    from envcheck.model.report import Progress


class Verification:
    """An environment's own site directories, its scripts directory and its prefix, being verified.

    Begun when made: the files that RECORDs claim are hashed while the caller goes on with other work. To be stopped,
    whatever happens.
    """

    def __init__(
        self, files: Files, environment: Environment, owners: Owners, workers: int = 0, progress: Progress | None = None
    ) -> None:
        before = files.bytes_read
        self._files = files
        self._environment = environment
        self._owners = owners
        self._workers = workers
        self._tally = tally = Tally(files)
        modes = Modes(files, environment)
        self._activations = Activations(files, environment, tally, modes)
        self._scripts = Scripts(files, environment, owners, tally, self._activations)
        self._writable = Writable(files, environment, tally, modes)
        self._sites: list[SiteVerification] = []
        elsewhere = frozenset(site.path for site in environment.own_site_dirs) | {environment.scripts_dir or ""}
        files.on_directory = self._writable.meet
        try:
            for site_dir in environment.own_site_dirs:
                site = owners.site(place(environment, site_dir))
                for installation in site.installations:
                    tally.share(installation)
                _check_metadata(owners, tally, site.installations)
                verification = SiteVerification(
                    files, environment, owners, site, tally, self._writable, workers, progress
                )
                self._sites.append(verification)
                verification.start(elsewhere - {site_dir.path})
        except BaseException:
            self.stop()
            raise
        finally:
            files.on_directory = None
        self._bytes = files.bytes_read - before

    def finish(self, lookup: Lookup | None = None, lock_name: str = "") -> Inventory:
        """Wait for the digests, and judge; to be called once. ``lookup`` tells what a lock has for a distribution."""
        files, environment, tally, scripts = self._files, self._environment, self._tally, self._scripts
        before = files.bytes_read
        projects: set[str] = set()
        files.on_directory = self._writable.meet
        for verification in self._sites:
            verification.finish(scripts)
            installations = verification.site.installations
            scripts.declare(installations)
            _check_entry_points(files, tally, installations)
            projects.update(found.project for found in installations if found.editable and found.project)
        scripts.verify()
        if environment.kind == "venv":
            self._activations.verify()
            _tell_moved(environment, tally, self._activations, scripts)
        verify_prefix(files, environment, tally, scripts.claimed, projects)
        proof = verify_base(files, environment, self._owners, tally, self._writable, self._workers)
        files.on_directory = None
        self._writable.verify()
        anchoring = None if lookup is None else self._anchor(lookup, lock_name)
        read = self._bytes + files.bytes_read - before
        return Inventory(tally.distributions(), tally.sorted_deviations(), tally.counts(read), proof, anchoring)

    def _anchor(self, lookup: Lookup, lock_name: str) -> Anchoring:
        """Hold every distribution against what a lock has."""
        from envcheck.installed.anchoring import Anchored

        anchored = Anchored(self._files, self._environment, self._tally, lookup, lock_name)
        for verification in self._sites:
            installations = verification.site.installations
            anchored.compare(installations, verification.actual(self._scripts), verification.shared)
        anchored.settle()
        self._owners.take_anchors(anchored.outliers)
        return Anchoring(
            source=anchored.source,
            distributions=anchored.distributions,
            files=anchored.files,
            unanchored=tuple(sorted(anchored.unanchored)),
        )

    def stop(self) -> None:
        """End what is being hashed."""
        for verification in self._sites:
            verification.stop()


def _check_entry_points(files: Files, tally: Tally, installations: list[Installation]) -> None:
    """Entry points of an editable install that its project does not declare."""
    for installation in installations:
        for entry in undeclared(files, installation):
            detail = f"{entry.group} {entry.name} = {entry.value}: the project's pyproject.toml has no such entry point"
            path = f"{installation.metadata_dir}/entry_points.txt"
            tally.add("entry-point-undeclared", path, installation, detail=detail)


def _tell_moved(environment: Environment, tally: Tally, activations: Activations, scripts: Scripts) -> None:
    """One note for all that names the place where the environment was made."""
    former = activations.former
    if former is not None:
        commands = f", and {scripts.moved} of its commands start an interpreter there" if scripts.moved else ""
        detail = f"pyvenv.cfg and the activate scripts name {former}, where nothing is{commands}"
        tally.add("venv-moved", environment.path, detail=detail)


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
