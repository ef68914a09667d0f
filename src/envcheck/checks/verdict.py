"""The verdict on one startup entry: who vouches for its bytes first, then what it loads, then what it would do.

One table, in `docs/verdicts.md` too, so that a reader can predict every verdict. `verdict` is the worst over the entry
and every file that it loads; `decisive` says what of the behaviour made it worse.
"""

from __future__ import annotations

from envcheck.model.bytecode import Proof
from envcheck.model.nouns import Literal
from envcheck.model.ownership import Assurance
from envcheck.model.startup import ClosureFile, StartupEntry, Verdict

TYPE_CHECKING = False  # a light scan of a clean environment has no account
if TYPE_CHECKING:
    from envcheck.model.behavior import Account, Capability

Conduct = Literal["calm", "not-understood", "suspicious"]

TABLE: dict[tuple[Assurance, Conduct], Verdict] = {
    ("anchored", "calm"): "expected",
    ("anchored", "not-understood"): "expected",
    ("anchored", "suspicious"): "expected",
    ("known", "calm"): "expected",
    ("known", "not-understood"): "expected",
    ("known", "suspicious"): "expected",
    ("recorded", "calm"): "expected",
    ("recorded", "not-understood"): "unproven",
    ("recorded", "suspicious"): "unexpected",
    ("unrecorded", "calm"): "unexpected",
    ("unrecorded", "not-understood"): "unexpected",
    ("unrecorded", "suspicious"): "hostile",
    ("modified", "calm"): "hostile",
    ("modified", "not-understood"): "hostile",
    ("modified", "suspicious"): "hostile",
}
"""Provenance and conduct of one file to verdict. ``recorded`` and known by the catalogue counts as ``known``."""

_ORDER: tuple[Verdict, ...] = ("expected", "unproven", "unexpected", "hostile")

FLOWS = {
    "executes-decoded": "it executes what it decodes",
    "executes-downloaded": "it executes what it downloads",
    "starts-decoded": "it starts a program with what it decodes",
    "starts-downloaded": "it starts a program with what it downloads",
    "sends-credentials": "it sends credentials away",
    "sends-environment": "it sends the whole environment away",
    "writes-downloaded": "it writes what it downloads into a file",
}
"""What no startup code of a package does: decisive whoever lists the file."""
RUNS = ("executes-decoded", "executes-downloaded", "starts-decoded", "starts-downloaded")
"""Decisive in a package's own modules too; many of those download files or log in somewhere, in functions of theirs."""
UNLISTED = {
    "executes-file": "it executes what it reads from a file",
    "executes-computed": "it executes code that does not stand in it",
}
"""Decisive only where nobody lists the file: packages have loaders of their own."""
_HIDES = "it puts names together so that they do not stand in the text"

COMBINATIONS: tuple[tuple[frozenset[Capability], str], ...] = (
    (frozenset({"decode", "dynamic-code", "process"}), "it decodes and executes code, and starts a process"),
    (frozenset({"decode", "dynamic-code", "network"}), "it decodes and executes code, and uses the network"),
    (frozenset({"decode", "dynamic-code", "credentials"}), "it decodes and executes code, and reads credentials"),
    (frozenset({"network", "credentials"}), "it reads credentials and uses the network"),
    (frozenset({"network", "process"}), "it uses the network and starts a process"),
    (frozenset({"network", "dynamic-code"}), "it uses the network and executes code that it makes up"),
    (frozenset({"persistence", "process"}), "it makes itself permanent and starts a process"),
    (frozenset({"persistence", "writes-files"}), "it makes itself permanent"),
    (frozenset({"anti-analysis", "process"}), "it looks whether it is watched, and starts a process"),
    (frozenset({"anti-analysis", "network"}), "it looks whether it is watched, and uses the network"),
)
"""Side by side in one piece of code: decisive only where nothing vouches for it. A package may have its reasons."""


def verdict(entry: StartupEntry) -> Verdict:
    """The worst of the entry's own file and of every file that it loads; a file that nobody looked up is ``unproven``.

    So is bytecode that runs in place of its source, unless compiling the source again proved that it comes from there.

    An import that no file answers loads nothing: it is listed, and weighs nothing where all else is accounted for.
    """
    found = [TABLE[provenance(entry) or "unrecorded", conduct(entry)]]
    if entry.line is None and entry.loads is not None and entry.loads != entry.path and not _is_proven(entry.proof):
        found.append("unproven")
    for file in entry.closure:
        own = provenance(file)
        found.append("unproven" if own is None else TABLE[own, conduct(file)])
        if file.loads is not None and not _is_proven(file.proof):
            found.append("unproven")
    worst = max(found, key=_ORDER.index)
    # PYTHONSTARTUP names a file of the user's own, which no package accounts for.
    return "unproven" if entry.kind == "pythonstartup" and worst == "unexpected" else worst


def provenance(item: StartupEntry | ClosureFile) -> Assurance | None:
    """How strongly the bytes are proven, where a known tool's content counts as known whoever lists it."""
    return "known" if item.assurance == "recorded" and item.known is not None else item.assurance


def conduct(item: StartupEntry | ClosureFile) -> Conduct:
    """What its behaviour says; without an account, which only what is proven lacks, nothing."""
    account = item.account
    if account is None:
        return "calm"
    if decisive(item) is not None:
        return "suspicious"
    return "calm" if unclear(item) is None else "not-understood"


def unclear(item: StartupEntry | ClosureFile) -> str | None:
    """Why it is not told what a file does, or not all of it; of a listed one only where it could not be read."""
    account = item.account
    if account is None or not account.understood:
        return None if account is None else account.why or "it could not be read"
    if item.assurance not in ("unrecorded", "modified"):
        return None
    flows = (flow for inner in account.within() for flow in inner.flows)
    return next((f"it {flow.means}" for flow in flows if flow.kind == "loads-computed"), None)


def decisive(item: StartupEntry | ClosureFile) -> str | None:
    """What of the behaviour decides, as a clause; ``None`` where nothing does."""
    account = item.account
    if account is None:
        return None
    is_line = isinstance(item, StartupEntry)
    own = item.assurance == "recorded" and not is_line
    for inner in account.within():
        for flow in inner.flows:
            if flow.kind in RUNS or (flow.kind in FLOWS and not own):
                return FLOWS[flow.kind]
    if own:
        # A package's own modules may do all that follows, for good reasons.
        return None
    if _hides(account):
        return _HIDES
    starts = any("-c" in step for inner in account.within() for layer in inner.layers for step in layer.how)
    if is_line and starts:
        return "it hands code to another Python"
    if item.assurance == "recorded":
        return None
    for inner in account.within():
        for flow in inner.flows:
            if flow.kind in UNLISTED:
                return UNLISTED[flow.kind]
    capabilities = frozenset(account.capabilities)
    for wanted, clause in COMBINATIONS:
        if wanted <= capabilities:
            return clause
    return None


def _hides(account: Account) -> bool:
    return any(flow.kind == "loads-hidden" for inner in account.within() for flow in inner.flows)


def _is_proven(proof: Proof | None) -> bool:
    return proof is not None and proof.result == "proven"
