"""Calls into what they give and what they do: imports, look-ups, decoders, programs that start, code that runs."""

from __future__ import annotations

import _ast
import re

from envcheck.behavior import decoders, folding, shell
from envcheck.behavior.abilities import EXECUTORS, abilities, canonical, is_download
from envcheck.behavior.budget import Budget, TooLarge
from envcheck.behavior.decoders import Undecodable
from envcheck.behavior.expressions import Expressions
from envcheck.behavior.folding import Unfolded
from envcheck.behavior.names import TooDeep, computed, joined
from envcheck.behavior.recorder import Recorder
from envcheck.behavior.scopes import Scope
from envcheck.behavior.things import (
    CREDENTIALS,
    DECODED,
    DOWNLOADED,
    ENVIRONMENT,
    FILE,
    PIECED,
    Thing,
    known,
    mixed,
    parts_of,
    text_of,
    whole_source,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from envcheck.model.nouns import TypeAlias

    Special: TypeAlias = "Callable[[Calls, list[Thing], dict[str, Thing], _ast.expr], Thing | None]"
    from envcheck.behavior.things import Function

MAX_CALLS = 12
"""Functions of the code's own that are followed into one another."""
MAX_FOLLOWED = 200
"""Calls of one function that are followed."""
MAX_RECURSION = 2
MAX_NAME = 200
_FIELD = re.compile(r"\{([A-Za-z_0-9]*)((?:\.\w{1,60}|\[\w{1,60}\]){1,6})")
_WRITES = ("open().write", "open().writelines", "pathlib.Path().write_text", "pathlib.Path().write_bytes", "os.write")
_READS = frozenset(
    """
    open pathlib.Path().read_text pathlib.Path().read_bytes pkgutil.get_data linecache.getlines linecache.getline
    importlib.resources.read_text importlib.resources.read_binary os.read zipfile.ZipFile tarfile.open
    """.split()
)
_RUNS_FILES = frozenset(
    """
    runpy.run_path execfile importlib.util.spec_from_file_location importlib.machinery.SourceFileLoader
    importlib.machinery.SourcelessFileLoader importlib._bootstrap_external.SourceFileLoader imp.load_source
    imp.load_compiled zipimport.zipimporter
    """.split()
)
_STARTERS = {"threading.Thread": "target", "threading.Timer": "function", "multiprocessing.Process": "target"}
_HANDED = ("atexit.register", "threading.Thread", "_thread.start_new_thread", "concurrent.futures.ThreadPoolExecutor()")


class Calls(Expressions):
    """Applies things to things."""

    _calls = 0

    def __init__(self, recorder: Recorder, budget: Budget, scope: Scope) -> None:
        super().__init__(recorder, budget, scope)
        self._followed: dict[int, int] = {}
        """How often each function was followed."""
        self._active: dict[int, int] = {}

    def assigned_attribute(self, base: Thing, name: str | None, value: Thing, node: _ast.expr) -> None:
        """``base.name = value``."""
        raise NotImplementedError

    def execute(self, code: Thing, name: str, node: _ast.expr) -> Thing:
        """Code in a string, in bytes or marshalled, that is executed here."""
        raise NotImplementedError

    def take_out(self, data: str | bytes, how: tuple[str, ...], node: _ast.expr) -> None:
        """Code that another process executes."""
        raise NotImplementedError

    def run(self, body: list[_ast.stmt]) -> str | None:
        """Statements, one after another."""
        raise NotImplementedError

    def apply(
        self, function: Thing, arguments: list[Thing], named: dict[str, Thing], node: _ast.expr, plain: bool = True
    ) -> Thing:
        """What a call gives, of whatever the function may be."""
        self.budget.step()
        return joined([self._applied(one, arguments, named, node) for one in function.alternatives()])

    def _applied(self, function: Thing, arguments: list[Thing], named: dict[str, Thing], node: _ast.expr) -> Thing:
        if function.bound:
            arguments = [*function.bound, *arguments]
        if function.function is not None:
            return self.follow(function, function.function, arguments, named)
        if function.name is not None and not function.known:
            return self._by_name(function.name, function, arguments, named, node)
        if function.owner is not None:
            return self._method(function.owner, function.member, arguments, named, node)
        if function.attributes is not None:
            return self._made(function, arguments, named, node)
        return mixed([function, *arguments, *named.values()])

    def _made(self, kind: Thing, arguments: list[Thing], named: dict[str, Thing], node: _ast.expr) -> Thing:
        """An object of a class of the code's own."""
        made = mixed([*arguments, *named.values()])
        made.attributes = dict(kind.attributes or {})
        maker = made.attributes.get("__init__")
        if maker is not None and maker.function is not None:
            self.follow(maker, maker.function, [made, *arguments], named)
        return made

    # Functions of the code's own ----------------------------------------------------------------------------------

    def follow(self, thing: Thing, function: Function, arguments: list[Thing], named: dict[str, Thing]) -> Thing:
        """What a function gives for these arguments."""
        active = self._active.get(id(function), 0)
        count = self._followed.get(id(function), 0)
        told = [one for one in (*arguments, *named.values()) if _telling(one)]
        if (
            self._calls >= MAX_CALLS
            or active >= MAX_RECURSION
            or count >= (MAX_FOLLOWED if told else 1)
            or not self.budget.may_repeat
        ):
            return mixed([*arguments, *named.values()])
        self._active[id(function)] = active + 1
        self._followed[id(function)] = count + 1
        self._calls += 1
        outer, self.scope = self.scope, Scope(thing.scope)
        maybe, self.maybe = self.maybe, 0
        depth, self.depth = self.depth, self.depth + 2
        try:
            self._parameters(function.args, arguments, named)
            if isinstance(function, _ast.Lambda):
                return self.eval(function.body)
            self.run(function.body)
            return self.scope.result or Thing()
        except TooDeep:
            # It is read once more on its own, not as deep.
            return mixed([*arguments, *named.values()])
        finally:
            self.scope, self.maybe, self.depth = outer, maybe, depth
            self._calls -= 1
            self._active[id(function)] = active

    def _parameters(self, parameters: _ast.arguments, arguments: list[Thing], named: dict[str, Thing]) -> None:
        """Bind what a call hands over."""
        names = [*parameters.posonlyargs, *parameters.args]
        rest = dict(named)
        defaults = dict(zip([one.arg for one in names[::-1]], parameters.defaults[::-1], strict=False))
        defaults.update(
            (one.arg, value)
            for one, value in zip(parameters.kwonlyargs, parameters.kw_defaults, strict=True)
            if value is not None
        )
        for index, parameter in enumerate((*names, *parameters.kwonlyargs)):
            name = parameter.arg
            if index < len(names) and index < len(arguments):
                thing = arguments[index]
            elif name in rest:
                thing = rest.pop(name)
            elif name in defaults:
                thing = self.eval(defaults[name])
            else:
                thing = Thing()
            self.scope.bind(name, thing)
        if parameters.vararg is not None:
            self.scope.bind(parameters.vararg.arg, self.sequence(arguments[len(names) :], frozen=True))
        if parameters.kwarg is not None:
            made = mixed(rest.values())
            made.attributes = rest
            self.scope.bind(parameters.kwarg.arg, made)

    # Methods of values --------------------------------------------------------------------------------------------

    def _method(
        self, owner: Thing, name: str, arguments: list[Thing], named: dict[str, Thing], node: _ast.expr
    ) -> Thing:
        everything = [owner, *arguments, *named.values()]
        if name == "load_module" and arguments:
            return imported(self, arguments[0], True, node)
        if name == "format" and owner.known and isinstance(owner.value, str):
            self._formats(owner.value, arguments, named, node)
        if name in ("decode", "encode") and owner.known and arguments:
            step = decoders.step_of_codec(text_of(arguments[0]))
            if step is not None and name == "decode":
                return self.decoded(step, owner, node)
            if step == "rot13":
                return self.decoded(step, owner, node)
        if name == "join" and arguments and arguments[0].items is not None:
            return mixed([owner, *arguments[0].items])
        if name == "fromhex" and arguments:
            return self.decoded("hex", arguments[0], node)
        if owner.known and all(one.known for one in everything):
            try:
                value = folding.method(
                    owner.value, name, [one.value for one in arguments],
                    {key: one.value for key, one in named.items()}, self.budget,
                )  # fmt: skip
            except (Unfolded, TooLarge):
                return self._mutated(owner, mixed(everything))
            made = mixed(everything)
            made.known, made.value = True, value
            if isinstance(value, (str, bytes)) and name in ("join", "replace", "format", "translate", "removeprefix"):
                made.source |= PIECED
                if name == "translate" and len(value) > 8:
                    made.source |= DECODED
                    made.how = (*made.how, "translate")
            elif name == "to_bytes":
                made.source |= DECODED
                made.how = (*made.how, "a number's bytes")
            owner.source |= made.source if isinstance(owner.value, (list, dict)) else 0
            return made
        if name in ("append", "extend", "insert", "add", "update", "write", "appendleft"):
            self._grown(owner, name, arguments)
        return self._mutated(owner, mixed(everything))

    def _formats(self, pattern: str, arguments: list[Thing], named: dict[str, Thing], node: _ast.expr) -> None:
        """Attributes of what is formatted: ``"{0.environ}".format(os)`` reads all of it."""
        for number, (field, path) in enumerate(_FIELD.findall(pattern)[:100]):
            place = int(field) if field.isdigit() and len(field) < 4 else number
            thing = named.get(field) or (arguments[place] if place < len(arguments) else Thing())
            for part in path.split(".")[1:]:
                thing = self.attribute(thing, part.partition("[")[0], node)
            for capability in abilities(thing.name) if thing.name is not None else ():
                self.recorder.use(capability, node, str(thing.name))

    @staticmethod
    def _grown(owner: Thing, name: str, arguments: list[Thing]) -> None:
        """A list or other container takes something that is not known."""
        if name == "append" and arguments and owner.known and isinstance(owner.value, list):
            owner.items = [known(item, owner.source, owner.how) for item in owner.value[:1000]]
            owner.known = False
        if name == "append" and arguments and owner.items is not None and len(owner.items) < 1000:
            owner.items.append(arguments[0])
        elif owner.known and isinstance(owner.value, (list, dict)):
            owner.known = False
        for one in arguments:
            owner.source |= whole_source(one)

    @staticmethod
    def _mutated(owner: Thing, result: Thing) -> Thing:
        return result

    # Functions by name --------------------------------------------------------------------------------------------

    def _by_name(
        self, name: str, function: Thing, arguments: list[Thing], named: dict[str, Thing], node: _ast.expr
    ) -> Thing:
        special = SPECIAL.get(name)
        if special is not None:
            found = special(self, arguments, named, node)
            if found is not None:
                return found
        everything = [*arguments, *named.values()]
        place, _, last = name.rpartition(".")
        if arguments and last in ("get", "__getitem__", "pop") and place.endswith(".__dict__"):
            return self.looked_up(place, arguments[0], node)
        if last == "load_module" and arguments and place != "imp":
            return imported(self, arguments[0], True, node)
        if arguments and last in ("__getattribute__", "__getattr__") and place:
            return self._by_name("getattr", function, [Thing(place), *arguments], named, node)
        capabilities = abilities(name)
        for capability in capabilities:
            self.recorder.use(capability, node, name)
        if name in EXECUTORS:
            return self.execute(arguments[0] if arguments else Thing(), name, node)
        codec = text_of(arguments[1]) if name == "codecs.decode" and len(arguments) > 1 else None
        if name == "codecs.encode" and len(arguments) > 1 and text_of(arguments[1]) in ("rot13", "rot_13"):
            codec, name = "rot13", "codecs.decode"
        step = decoders.step_of(name, codec)
        if step is not None and arguments:
            return self.decoded(step, arguments[0], node)
        source = 0
        for one in everything:
            source |= whole_source(one)
        fetches = "process" in capabilities and self._starts(arguments, named, source, node)
        if name in _RUNS_FILES:
            self.recorder.flow("executes-file", node, f"{name} executes a file")
        if "network" in capabilities:
            self._sends(name, source, node)
        if name == "urllib.request.urlretrieve" or (name in _WRITES and source & DOWNLOADED):
            self.recorder.flow("writes-downloaded", node, f"{name} writes what came over the network")
        if name in folding.FOLDED and all(one.known for one in everything) and not named:
            made = self._folded(name, arguments)
            if made is not None:
                return made
        if name.startswith(("str.", "bytes.", "list.", "dict.", "int.")) and arguments and arguments[0].known:
            return self._method(arguments[0], name.partition(".")[2], arguments[1:], named, node)
        if name in _HANDED or name in _STARTERS:
            self._handed(name, arguments, named, node)
        result = Thing(f"{name}()" if len(name) < MAX_NAME else None, function.source | source)
        result.how = next((one.how for one in everything if one.how), ())
        if "decode" in capabilities and not {"dynamic-code"} & set(capabilities):
            result.source |= DECODED
            result.how = (*result.how, name)
        if is_download(name) or fetches:
            result.source |= DOWNLOADED
        if name in _READS:
            result.source |= FILE
        if name in ("list", "tuple", "iter", "set", "sorted", "reversed") and arguments:
            result.items = arguments[0].items
        if name in ("open", "pathlib.Path") and source & CREDENTIALS:
            result.source |= CREDENTIALS
        return result

    def _folded(self, name: str, arguments: list[Thing]) -> Thing | None:
        try:
            value = folding.builtin(name, [one.value for one in arguments], self.budget)
        except (Unfolded, TooLarge):
            return None
        made = mixed(arguments)
        made.known, made.value = True, value
        if name in folding.DECODERS:
            made.source |= DECODED
            made.how = (*made.how, name)
        elif name == "chr" or (
            name in ("bytes", "bytearray") and isinstance(arguments[0].value if arguments else 0, list)
        ):
            made.source |= DECODED
            made.how = made.how if "character codes" in made.how else (*made.how, "character codes")
        elif name == "reversed":
            made.source |= DECODED
            made.how = (*made.how, "reversed")
        return made

    def decoded(self, step: str, thing: Thing, node: _ast.expr) -> Thing:
        """What a decoder gives."""
        self.recorder.use("decode", node, step)
        if not thing.known or not isinstance(thing.value, (str, bytes)):
            made = mixed([thing, *(thing.items or ())])
            made.source |= DECODED
            made.how = (*made.how, step)
            return made
        try:
            value = decoders.decode(step, thing.value, self.budget)
        except (Undecodable, TooLarge):
            made = mixed([thing])
            made.source |= DECODED
            made.how = (*made.how, step)
            return made
        made = known(value, thing.source | DECODED, (*thing.how, step))
        text = value if isinstance(value, str) else value.decode("utf-8", "replace")
        self.recorder.text(text, node)
        return made

    # Programs, network, threads -----------------------------------------------------------------------------------

    def _starts(self, arguments: list[Thing], named: dict[str, Thing], source: int, node: _ast.expr) -> bool:
        """Another process: what its command line has in it; whether it uses the network."""
        if source & DECODED:
            self.recorder.flow("starts-decoded", node, "starts a program with something that was decoded")
        if source & DOWNLOADED:
            self.recorder.flow("starts-downloaded", node, "starts a program with something that came over the network")
        words: list[Thing] = []
        for one in (*arguments, *(named[key] for key in ("args", "cmd", "command") if key in named)):
            parts = None if one.known and isinstance(one.value, (str, bytes)) else parts_of(one)
            words += [one] if parts is None else parts[:1000]
        for index, word in enumerate(words):
            text = text_of(word)
            if text is None:
                continue
            before = text_of(words[index - 1]) if index else None
            if before == "-c" and index > 1 and _is_python(words[index - 2 :: -1]):
                self.take_out(text, (*word.how, "python -c"), node)
            elif index == 0 or before in ("-c", "/c", "-Command", "-e") or " " in text:
                self._commanded(text, node)
        command = " ".join(text_of(word) or "?" for word in words)[: shell.MAX_COMMAND]
        self._commanded(command, node)
        return "network" in {capability for capability, _ in shell.means(command)}

    def _commanded(self, command: str, node: _ast.expr) -> None:
        for capability, means in shell.means(command):
            self.recorder.use(capability, node, means)
        code = shell.python_code(command)
        if code:
            self.take_out(code, ("command line", "python -c"), node)
        encoded = shell.encoded_command(command)
        if encoded is not None:
            try:
                raw = decoders.decode("base64", encoded, self.budget)
            except (Undecodable, TooLarge):
                return
            self.recorder.flow("starts-decoded", node, "powershell decodes and runs a command")
            self._commanded(raw.decode("utf-16-le", "replace") if isinstance(raw, bytes) else raw, node)

    def _sends(self, name: str, source: int, node: _ast.expr) -> None:
        if source & CREDENTIALS:
            self.recorder.flow("sends-credentials", node, f"{name} gets credentials")
        if source & ENVIRONMENT:
            self.recorder.flow("sends-environment", node, f"{name} gets the whole environment")

    def _handed(self, name: str, arguments: list[Thing], named: dict[str, Thing], node: _ast.expr) -> None:
        """A function that something else will call."""
        target = named.get(_STARTERS.get(name, ""))
        given = named.get("args")
        if target is None and arguments:
            place = 1 if name in _STARTERS and len(arguments) > 1 else 0
            target, rest = arguments[place], arguments[place + 1 :]
            if given is None:
                given = self.sequence(rest) if name == "atexit.register" else (rest[0] if rest else None)
        if target is not None:
            self.apply(target, (parts_of(given) or []) if given is not None else [], {}, node)


def _telling(thing: Thing) -> bool:
    """Whether a function may do another thing for being given this one."""
    return bool(
        thing.known or thing.function or thing.source or thing.items or thing.attributes or thing.bound or thing.name
    )


def _is_python(before: list[Thing]) -> bool:
    """Whether a command line that begins so starts Python; what is not known may."""
    program = before[-1]
    text = text_of(program)
    return text is None or "python" in text.rsplit("/", 1)[-1].lower() or "pypy" in text


SPECIAL: dict[str, Special] = {}
"""Functions whose result is followed; filled by `envcheck.behavior.lookups`."""


def imported(reader: Calls, name: Thing, whole: bool, node: _ast.expr) -> Thing:
    """The module that ``__import__`` gives for a name."""
    text = text_of(name)
    if text is None:
        computed(reader, node, "imports a module of a computed name")
        return Thing(None, name.source)
    thing = Thing(canonical(text if whole else text.partition(".")[0]))
    reader.hidden(Thing(canonical(text)), name, node)
    return thing
