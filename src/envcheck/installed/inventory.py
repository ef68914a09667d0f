"""The way in: an environment's site directories into distributions, single claims and the full inventory."""

from __future__ import annotations

from envcheck.files.root import Files
from envcheck.installed.owners import Owners
from envcheck.installed.places import place
from envcheck.model.environment import Environment
from envcheck.model.inventory import Distribution, Inventory
from envcheck.model.ownership import Claim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcheck.installed.anchoring import Lookup
    from envcheck.installed.references import Reference
    from envcheck.installed.verify import Verification
    from envcheck.model.report import Progress


class Installed:
    """What is installed in one environment. Making one reads nothing.

    Used in a ``with`` statement: whatever ends that, an interrupt too, ends a verification that has begun.
    """

    def __init__(
        self,
        files: Files,
        environment: Environment,
        workers: int = 0,
        progress: Progress | None = None,
        references: Sequence[Reference] = (),
    ) -> None:
        self._files = files
        self._environment = environment
        self._workers = workers
        self._progress = progress
        self._owners = Owners(files, environment, references)
        self._verification: Verification | None = None

    def __enter__(self) -> Installed:
        return self

    def __exit__(self, *_: object) -> None:
        if self._verification is not None:
            self._verification.stop()

    def distributions(self) -> tuple[Distribution, ...]:
        """Every distribution of the environment's own site directories, from its metadata alone."""
        return tuple(
            installation.distribution()
            for site in self._environment.own_site_dirs
            for installation in self._owners.site(place(self._environment, site)).installations
        )

    def claim(self, path: str) -> Claim:
        """Who put one file there, and whether its bytes are proven. ``path`` is absolute and in normal form.

        Code that is asked about this way runs at startup: a second owner excuses nothing, and a self-made RECORD
        vouches for no startup file of unknown content.
        """
        return self._owners.claim(path)

    def candidates(self, path: str) -> tuple[str, tuple[tuple[str, str, str], ...]]:
        """A file as a user names it, absolute, and whose it may be: normalised name, version, location in a manifest.

        Those whose RECORD lists it come first, then those that list others below the same top-level directory.
        """
        from envcheck.installed.actual import Locations

        sites = [self._owners.site(place(self._environment, site)) for site in self._environment.own_site_dirs]
        tops = [*(site.place.site_dir for site in sites), self._environment.path, self._environment.scripts_dir or "/"]
        named = [path] if path.startswith("/") else [f"{top.rstrip('/')}/{path}" for top in tops]
        listing = [one for one in named if any(site.claims(site.place.key_of(one)) for site in sites)]
        there = [one for one in named if self._files.lstat(one) is not None]
        chosen = (there or listing or named)[0]
        found = []
        for site in sites:
            key = site.place.key_of(chosen)
            location = Locations(site.place).of(key)
            claimants = [claimant for claimant, _ in site.claims(key)]
            for one in dict.fromkeys((*claimants, *site.mentioning("".join(key.partition("/")[:2])))):
                found.append((one.key, one.version, location))
        return chosen, tuple(found)

    def known(self, path: str) -> str | None:
        """A clause that says which known tool writes a file of this name with exactly these bytes."""
        return self._owners.known(path)

    def begin(self) -> None:
        """Begin to verify every file, while other questions are answered."""
        from envcheck.installed.verify import Verification

        self._verification = Verification(self._files, self._environment, self._owners, self._workers, self._progress)

    def inventory(self, lookup: Lookup | None = None, lock_name: str = "") -> Inventory:
        """Every distribution with its files verified, and every deviation in the site and scripts directories.

        Claims that are asked for afterwards are judged by the anchors that ``lookup`` gives.
        """
        if self._verification is None:
            self.begin()
        assert self._verification is not None
        return self._verification.finish(lookup, lock_name)
