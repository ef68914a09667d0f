"""A text of Python into the account of what it would do, and of the layers of code that it has inside."""

from __future__ import annotations

import _ast

from envcheck.behavior import decoders
from envcheck.behavior.budget import MAX_LAYER_DEPTH, Budget, Spent, TooLarge
from envcheck.behavior.decoders import Undecodable
from envcheck.behavior.names import TooDeep, joined
from envcheck.behavior.recorder import Recorder, Source
from envcheck.behavior.scopes import Scope
from envcheck.behavior.shallow import shallow
from envcheck.behavior.statements import Reader
from envcheck.behavior.things import DECODED, DOWNLOADED, FILE, Thing, mixed
from envcheck.behavior.tokens import too_many
from envcheck.formats.source import decode as decode_source
from envcheck.formats.syntax import Problem, parse
from envcheck.model.behavior import Account, Layer
from envcheck.model.sha256 import sha256

MAX_SOURCE = 1 << 20
"""Characters of code that are parsed; what stands in strings counts, and need not be read for the rest."""
_GUESS = 64
"""Characters; shorter strings are no code in another form."""


def parsed(text: str) -> list[_ast.stmt] | Problem:
    """The statements of a text, where parsing it is harmless."""
    if len(text) > 4 * MAX_SOURCE or too_many(text):
        return Problem("it is too long to be read", refused=False)
    return parse(text)


def account_of_text(text: str, first_line: int = 1, budget: Budget | None = None, depth: int = 0) -> Account:
    """What a module of this text, or a line of a ``.pth``, would do. Never raises."""
    tree = parsed(text)
    if isinstance(tree, Problem):
        return unparsed(text, tree.why, first_line)
    reader = Layers(Recorder(Source(text, first_line)), budget or Budget(), Scope(), depth)
    return reader.account(tree)


def unparsed(text: str, why: str, first_line: int = 1) -> Account:
    """What can be told of text that is no Python: the strings in it."""
    recorder = Recorder(Source(text, first_line))
    nowhere = _ast.Pass()
    recorder.text(text, nowhere)
    return recorder.account(why)


class Layers(Reader):
    """Reads code, and the code inside of it."""

    def __init__(self, recorder: Recorder, budget: Budget, scope: Scope, layer: int = 0) -> None:
        super().__init__(recorder, budget, scope)
        self._layer = layer
        self._dead = set()
        self._constants: list[tuple[str | bytes, _ast.expr]] = []

    def account(self, tree: list[_ast.stmt]) -> Account:
        """What the statements would do."""
        why = None
        try:
            self.read(tree)
            self._guess()
        except Spent:
            why = self.budget.short
        except (TooDeep, RecursionError, MemoryError):
            why = "nested too deeply"
        if why is not None:
            shallow(tree, self.recorder)
        return self.recorder.account(why or self.budget.short)

    def met(self, value: str | bytes, node: _ast.expr) -> None:
        """A string that is written out: a long one may be code in another form."""
        if len(value) >= _GUESS:
            self._constants.append((value, node))

    # Code in other forms ------------------------------------------------------------------------------------------

    def execute(self, code: Thing, name: str, node: _ast.expr) -> Thing:
        """``exec``, ``eval``, ``compile``, ``marshal.loads`` and their like."""
        results = []
        for one in code.alternatives():
            if one.source & DECODED and name != "compile":
                self.recorder.use("decode", node, " and ".join(dict.fromkeys(one.how)) or "decodes")
                self.recorder.flow("executes-decoded", node, _told(one))
            if one.source & DOWNLOADED and name != "compile":
                self.recorder.flow("executes-downloaded", node, "executes what came over the network")
            if one.known and isinstance(one.value, (str, bytes)):
                results.append(self._inside(one, name, node))
            else:
                if name in ("exec", "eval") and one.function is None:
                    self.recorder.use("dynamic-code", node, f"{name} of something computed")
                    self._computed(one, name, node)
                # What is read from a file and unmarshalled is what every cache of bytecode does.
                results.append(mixed([one]))
        return joined(results)

    def _computed(self, code: Thing, name: str, node: _ast.expr) -> None:
        """Code that is not known, and that is told as neither decoded nor downloaded."""
        if code.source & FILE:
            self.recorder.flow("executes-file", node, f"{name} of what a file has")
        elif not code.source & (DECODED | DOWNLOADED):
            self.recorder.flow("executes-computed", node, f"{name} of what is only there at run time")

    def _inside(self, code: Thing, name: str, node: _ast.expr) -> Thing:
        assert isinstance(code.value, (str, bytes))
        if name == "compile":
            return code
        if name.endswith(".loads"):
            how = (*code.how, name.partition(".")[0])
            data = code.value.encode("utf-8", "replace") if isinstance(code.value, str) else code.value
            account = self._marshalled(data) if name == "marshal.loads" else None
            self._keep(data, how, node, None, account)
            made = Thing(None, code.source | DECODED)
            made.how = how
            return made
        text = self._text(code.value)
        if text is None:
            self._keep(code.value, (*code.how, name), node, None, None)
            return Thing()
        if name == "eval":
            text = text.lstrip(" \t")
        data = text.encode("utf-8", "surrogatepass")
        if self.recorder.has_layer(sha256(data).hexdigest()):
            return Thing()
        tree = self._tree(text)
        if isinstance(tree, Problem):
            self._keep(data, (*code.how, name), node, text, unparsed(text, tree.why))
            return Thing()
        inner = Layers(Recorder(Source(text)), self.budget, self.scope, self._layer + 1)
        inner.maybe = self.maybe
        account = inner.account(tree)
        self._keep(data, (*code.how, name), node, text, account)
        if name == "eval" and len(tree) == 1 and isinstance(tree[0], _ast.Expr):
            quiet = Layers(Recorder(Source(text)), self.budget, self.scope, self._layer + 1)
            try:
                return quiet.eval(tree[0].value)
            except TooDeep:
                return Thing()
        return Thing()

    def take_out(self, data: str | bytes, how: tuple[str, ...], node: _ast.expr) -> None:
        """Code that another process executes: nothing that is bound here is bound there."""
        text = self._text(data)
        raw = data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass")
        account = None
        if text is not None and not self.recorder.has_layer(sha256(raw).hexdigest()):
            account = self._account_of(text)
        self._keep(raw, how, node, text, account)

    def _account_of(self, text: str) -> Account:
        tree = self._tree(text)
        if isinstance(tree, Problem):
            return unparsed(text, tree.why)
        return Layers(Recorder(Source(text)), self.budget, Scope(), self._layer + 1).account(tree)

    def _tree(self, text: str) -> list[_ast.stmt] | Problem:
        if self._layer >= MAX_LAYER_DEPTH:
            self.budget.cut(f"more than {MAX_LAYER_DEPTH} layers of code in one another")
            return Problem(f"more than {MAX_LAYER_DEPTH} layers deep", refused=False)
        self.budget.step(1 + len(text) // 100)
        return parsed(text)

    @staticmethod
    def _text(data: str | bytes) -> str | None:
        if isinstance(data, str):
            return data
        try:
            return decode_source(data)
        except (ValueError, LookupError):
            return None

    def _marshalled(self, data: bytes) -> Account:
        from envcheck.behavior.bytecode import account_of_marshal

        return account_of_marshal(data)

    def _keep(
        self, data: str | bytes, how: tuple[str, ...], node: _ast.AST, text: str | None, account: Account | None
    ) -> None:
        if self.budget.layers <= 0:
            self.budget.cut("it has more layers of code than are listed")
            return
        self.budget.layers -= 1
        raw = data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass")
        if text is None:
            try:
                text = raw.decode("utf-8")
            except UnicodeDecodeError:
                text = None
        digest = sha256(raw).hexdigest()
        self.recorder.layer(Layer(how, self.recorder.source.line(node), digest, len(raw), text, account))

    # Strings that look like code in another form ------------------------------------------------------------------

    def _guess(self) -> None:
        """Long strings that nothing was seen to decode: they are decoded here, as whatever they look like."""
        for value, node in self._constants[:200]:
            data: str | bytes = value
            how: tuple[str, ...] = ()
            try:
                while len(how) < MAX_LAYER_DEPTH:
                    step = decoders.looks_like(data)
                    if step is None:
                        break
                    data = decoders.decode(step, data, self.budget)
                    how = (*how, step)
            except (Undecodable, TooLarge):
                pass
            if how:
                self._guessed(data, how, node)
            elif isinstance(value, bytes) and value[:1] == b"\xe3":
                self._guessed(value, ("as it is",), node)

    def _guessed(self, data: str | bytes, how: tuple[str, ...], node: _ast.expr) -> None:
        raw = data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass")
        if self.recorder.has_layer(sha256(raw).hexdigest()):
            return
        if raw[:1] == b"\xe3":
            account = self._marshalled(raw)
            if account.understood:
                self._keep(raw, (*how, "marshal"), node, None, account)
            return
        text = self._text(data)
        if text is None or not _looks_like_code(text):
            return
        account = self._account_of(text)
        if account.understood and account.capabilities:
            self._keep(raw, (*how, "looks like code"), node, text, account)


def _looks_like_code(text: str) -> bool:
    return any(word in text for word in ("import ", "exec(", "eval(", "__import__", "import\t", "def ", "lambda"))


def _told(thing: Thing) -> str:
    how = " and ".join(dict.fromkeys(thing.how)) or "a decoder"
    return f"executes what {how} gives"
