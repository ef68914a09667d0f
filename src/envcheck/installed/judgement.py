"""The claims about one file, and its bytes, into one judgement: proven, changed, contradictory or unproven.

A second owner cannot excuse a mismatch with a first. One case is let off as a conflict: an ``__init__.py`` or inert
file that two wheels ship, with the bytes of one of them (namespace packages of old, and licences at top level).
"""

from collections.abc import Callable, Sequence

from envcheck.formats.record import Hash
from envcheck.installed.distributions import Installation
from envcheck.installed.kinds import is_code, is_derived
from envcheck.model.nouns import Literal, NamedTuple

Verdict = Literal["recorded", "modified", "conflict", "unhashed"]
DigestOf = Callable[[str], bytes]
"""A hash algorithm's name to the file's raw digest."""


class Judgement(NamedTuple):
    """``claimant`` is whose claim decides; ``detail`` one clause that says why, where that is not obvious."""

    verdict: Verdict
    claimant: Installation
    expected: str | None = None
    detail: str | None = None


def judge(
    key: str, claims: Sequence[tuple[Installation, Hash]], digest_of: DigestOf, strict: bool = False
) -> Judgement:
    """The judgement over at least one claim. ``strict`` (code that runs at startup) lets no conflict off."""
    by_claimant: dict[int, tuple[Installation, list[Hash]]] = {}
    for claimant, found in claims:
        by_claimant.setdefault(id(claimant), (claimant, []))[1].append(found)
    matching: list[Installation] = []
    differing: list[tuple[Installation, Hash]] = []
    doubled: list[Installation] = []
    for claimant, hashes in by_claimant.values():
        strong = list(dict.fromkeys(found for found in hashes if found.kind == "strong"))
        if not strong:
            continue
        if is_derived(key) and len(strong) < len(hashes):
            # Installers overwrite an INSTALLER or direct_url.json that a wheel ships, and leave its stale row.
            matching.append(claimant)
            continue
        equal = [found for found in strong if digest_of(found.algorithm) == found.digest]
        if not equal:
            differing.append((claimant, strong[0]))
        elif len(equal) < len(strong) and not is_derived(key):
            doubled.append(claimant)
        else:
            matching.append(claimant)
    if differing:
        return _differing(key, differing, matching, strict)
    if doubled:
        return Judgement("conflict", doubled[0], None, f"{doubled[0].name}'s RECORD gives two hashes for it")
    if matching:
        return Judgement("recorded", next((found for found in matching if not found.self_made), matching[0]))
    claimant, found = claims[0]
    return Judgement("unhashed", claimant, None, _unhashed(found))


def _differing(
    key: str, differing: list[tuple[Installation, Hash]], matching: list[Installation], strict: bool
) -> Judgement:
    claimant, claimed = differing[0]
    expected = f"{claimed.algorithm}:{claimed.digest.hex()}"
    other = next((found for found in matching if not found.self_made), None)
    if other is None:
        return Judgement("modified", claimant, expected)
    inert = not is_code(key) or key.rpartition("/")[2] == "__init__.py"
    if inert and not strict:
        return Judgement("conflict", claimant, expected, f"{other.name} lists it too, and the bytes are its")
    return Judgement("modified", claimant, expected, f"{other.name} lists it too, with the hash of what is there")


def _unhashed(found: Hash) -> str:
    if found.kind == "weak":
        return f"the hash is a weak one: {found.algorithm}"
    if found.kind == "invalid":
        return "the hash cannot be understood"
    return "the row has no hash"
