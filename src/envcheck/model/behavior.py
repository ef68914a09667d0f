"""What a piece of code would do if it ran: an account of it, told from its text or bytes alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from envcheck.model.nouns import Literal, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

Capability = Literal[
    "process", "network", "credentials", "environment", "writes-files", "decode", "dynamic-code", "native-code",
    "import-machinery", "monkeypatch", "persistence", "threads", "anti-analysis",
]  # fmt: skip
CAPABILITIES: tuple[Capability, ...] = (
    "process", "network", "credentials", "environment", "writes-files", "decode", "dynamic-code", "native-code",
    "import-machinery", "monkeypatch", "persistence", "threads", "anti-analysis",
)  # fmt: skip
"""In the order in which reports list them."""

FlowKind = Literal[
    "executes-decoded", "executes-downloaded", "starts-decoded", "starts-downloaded", "sends-credentials",
    "sends-environment", "writes-downloaded", "loads-hidden", "executes-file", "executes-computed", "loads-computed",
]  # fmt: skip
"""What reaches what: more than two capabilities side by side.

``executes-`` stands for code that this process runs, ``starts-`` for a program that another one does;
``loads-hidden`` for a built-in function or module whose name the code puts together to hide it; ``executes-computed``
for code, and ``loads-computed`` for a name, that is only there at run time.
"""

IndicatorKind = Literal["url", "domain", "address", "path", "unit"]


class Use(NamedTuple):
    """One place that has a capability."""

    capability: Capability
    line: int | None
    """1-based in the text that the account is about; ``None`` where there are no lines."""
    expression: str
    """The source text of it; of a very long one the beginning, with how much follows."""
    means: str
    """What it comes to, by its full name (``os.system``), or a clause."""


class Flow(NamedTuple):
    """Something that reaches something else."""

    kind: FlowKind
    line: int | None
    expression: str
    means: str


class Indicator(NamedTuple):
    """A name by which a responder finds the same attack elsewhere, as it stands in the code."""

    kind: IndicatorKind
    value: str
    line: int | None


class Layer(NamedTuple):
    """What a piece of code has inside of it in another form, taken out."""

    how: tuple[str, ...]
    """The steps that lead to it, outermost first: ``base64``, ``zlib``, ``python -c``."""
    line: int | None
    """Where the code that takes it out stands."""
    sha256: str
    size: int
    """Bytes."""
    text: str | None
    """The whole text, where it is text."""
    account: Account | None
    """What it would do; ``None`` where it is no code that could be read."""


class Account(NamedTuple):
    """What one piece of code would do. Lines are those of its own text."""

    form: Literal["source", "bytecode", "native", "unknown"]
    understood: bool = True
    why: str | None = None
    """Why it is not understood, or not all of it."""
    uses: tuple[Use, ...] = ()
    flows: tuple[Flow, ...] = ()
    layers: tuple[Layer, ...] = ()
    indicators: tuple[Indicator, ...] = ()
    tricks: tuple[str, ...] = ()
    """How the text is written so that a reader does not see what it says (``bidi``, ``encoding``)."""

    def within(self) -> Iterator[Account]:
        """This account and those of all layers in it, outermost first."""
        pending: list[Account] = [self]
        while pending:
            account = pending.pop()
            yield account
            pending.extend(layer.account for layer in reversed(account.layers) if layer.account is not None)

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        """All of them, with those of its layers."""
        return capabilities_of([self])


def capabilities_of(accounts: Iterable[Account]) -> tuple[Capability, ...]:
    """All capabilities in some accounts and their layers, in the order of `CAPABILITIES`."""
    found = {use.capability for one in accounts for account in one.within() for use in account.uses}
    return tuple(capability for capability in CAPABILITIES if capability in found)


def account_of_values(values: Sequence[Any]) -> Account:
    """An account whose tuples became lists, as JSON has them."""
    form, understood, why, uses, flows, layers, indicators, tricks = values
    return Account(
        form,
        understood,
        why,
        tuple(Use(*use) for use in uses),
        tuple(Flow(*flow) for flow in flows),
        tuple(
            Layer(tuple(how), line, digest, size, text, None if inner is None else account_of_values(inner))
            for how, line, digest, size, text, inner in layers
        ),
        tuple(Indicator(*indicator) for indicator in indicators),
        tuple(tricks),
    )
