"""Fetching what the lock names: only what has the lock's hash is kept, whatever servers and networks do."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from envcheck.anchors.sources import connection, find
from envcheck.anchors.sources.connection import Failed, Network
from envcheck.anchors.sources.credentials import Credentials, parse_netrc
from envcheck.anchors.sources.fetch import ATTEMPTS, PAUSE, REDIRECTIONS, Fetcher
from envcheck.anchors.sources.store import Store
from envcheck.anchors.sources.urls import parse
from envcheck.files.root import Files
from envcheck.model.anchor import Held, Wanted
from envcheck.model.errors import UsageError
from support.looking import User, by_hash, content, wanted_of
from support.servers import Answer, Authority, Server, moved
from support.wheels import Wheel, build_wheel


class Client:
    """A fetcher that does not sleep, and what it came to."""

    def __init__(self, store: Store, network: Network | None = None, **more: Any) -> None:
        self.slept: list[float] = []
        credentials = more.pop("credentials", Credentials())
        self.fetcher = Fetcher(network or Network(), credentials, store, sleep=self.slept.append, **more)

    def get(self, wanted: Wanted) -> Held:
        (held,), why = self.fetcher.fetch(wanted)
        assert why is None
        return held

    def why(self, wanted: Wanted) -> str:
        held, why = self.fetcher.fetch(wanted)
        assert held == []
        assert why is not None
        return why


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(str(tmp_path / "cache"), create=True) as opened:
        yield opened


@pytest.fixture
def client(store: Store) -> Client:
    return Client(store)


def kept(store: Store) -> list[str]:
    """Every file in the store, finished or not."""
    return sorted(os.listdir(store.path))


# What is fetched


def test_the_locks_own_url_is_fetched_and_kept_under_its_hash(
    server: Server, client: Client, store: Store, colours: Wheel
) -> None:
    server.serve([colours])
    held = client.get(wanted_of(colours, url=server.file_url(colours)))
    assert held == Held(f"{store.path}/sha256-{colours.sha256}.whl", origin="fetched")
    assert content(held) == colours.path.read_bytes()
    assert stat.S_IMODE(os.stat(held.path).st_mode) == 0o600
    assert kept(store) == [f"sha256-{colours.sha256}.whl"]


@pytest.mark.parametrize("algorithm", ["sha384", "sha512"])
def test_any_strong_hash_of_the_lock_will_do(server: Server, client: Client, colours: Wheel, algorithm: str) -> None:
    server.serve([colours])
    digest = hashlib.new(algorithm, colours.path.read_bytes()).hexdigest()
    hashes = (("md5", "0" * 32), (algorithm, digest))
    held = client.get(wanted_of(colours, url=server.file_url(colours), hashes=hashes))
    assert os.path.basename(held.path) == f"{algorithm}-{digest}.whl"


def test_what_came_with_another_hash_is_not_kept(server: Server, client: Client, store: Store, colours: Wheel) -> None:
    server.routes["/x.whl"] = Answer(colours.path.read_bytes() + b"more")
    assert "another hash" in client.why(wanted_of(colours, url=f"{server.url}/x.whl"))
    assert kept(store) == []
    assert len(server.asked) == 1


def test_what_is_larger_than_the_lock_says_is_not_read_on(
    server: Server, client: Client, store: Store, colours: Wheel
) -> None:
    server.routes["/told.whl"] = Answer(b"x" * 2000)
    assert "larger than the lock says (1,000 bytes)" in client.why(
        wanted_of(colours, url=f"{server.url}/told.whl", size=1000)
    )

    def endless(stream: BinaryIO) -> None:
        stream.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not server.end.is_set():
            stream.write(b"x" * 4096)

    server.routes["/untold.whl"] = Answer(write=endless)
    assert "larger than the lock says" in client.why(wanted_of(colours, url=f"{server.url}/untold.whl", size=1000))
    assert kept(store) == []


def test_an_archive_of_which_the_lock_gives_no_size_has_a_bound(
    server: Server, client: Client, colours: Wheel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("envcheck.anchors.sources.fetch.ARCHIVE", 1000)
    server.routes["/x.whl"] = Answer(b"x" * 2000)
    assert "larger than 1,000 bytes" in client.why(wanted_of(colours, url=f"{server.url}/x.whl"))
    assert len(server.asked) == 1


@pytest.mark.parametrize("encoding", ["gzip", "br"])
def test_a_compressed_answer_is_refused(server: Server, client: Client, colours: Wheel, encoding: str) -> None:
    server.routes["/x.whl"] = Answer(colours.path.read_bytes(), headers={"Content-Encoding": encoding})
    assert "compressed" in client.why(wanted_of(colours, url=f"{server.url}/x.whl"))
    assert server.asked[0].headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (None, "--index-url"),
        ("../dist/x.whl", "--wheels"),
        ("file:///etc/passwd", "--wheels"),
        ("ftp://index.example/x.whl", "--wheels"),
        ("http://", "names no host"),
        ("https://index.example:99999/x.whl", "cannot be read"),
        ("https://index.example/\r\nHost: x", "blanks or control characters"),
        ("https://index.example /x.whl", "blanks or control characters"),
        ("https://[::1/x.whl", "cannot be read"),
        ("https://a/" + "x" * 9000, "longer"),
    ],
)
def test_what_is_no_url_to_ask_is_said_and_nothing_is_opened(
    client: Client, colours: Wheel, url: str | None, why: str
) -> None:
    assert why in client.why(wanted_of(colours, url=url))
    assert client.slept == []


# Failures


@pytest.mark.parametrize(
    ("status", "word"), [(404, "not found"), (403, "forbidden"), (401, "credentials"), (410, "410")]
)
def test_a_refusal_is_told_and_not_asked_for_again(
    server: Server, client: Client, colours: Wheel, status: int, word: str
) -> None:
    server.routes["/x.whl"] = Answer(status=status)
    assert word in client.why(wanted_of(colours, url=f"{server.url}/x.whl"))
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_failure_that_may_pass_is_tried_again_after_a_pause(
    server: Server, client: Client, colours: Wheel, status: int
) -> None:
    server.routes["/x.whl"] = [Answer(status=status), Answer(status=status), Answer(colours.path.read_bytes())]
    client.get(wanted_of(colours, url=f"{server.url}/x.whl"))
    assert client.slept == [PAUSE, 2 * PAUSE]


def test_a_body_that_breaks_off_is_tried_again_and_never_kept(
    server: Server, client: Client, store: Store, colours: Wheel
) -> None:
    data = colours.path.read_bytes()
    server.routes["/x.whl"] = [Answer(data[:100], length=len(data)), Answer(data)]
    client.get(wanted_of(colours, url=f"{server.url}/x.whl"))
    server.routes["/x.whl"] = Answer(data[:100], length=len(data))
    other = wanted_of(colours, url=f"{server.url}/x.whl", hashes=(("sha256", "0" * 64),))
    assert "broke off" in client.why(other)
    assert kept(store) == [f"sha256-{colours.sha256}.whl"]


def test_what_is_no_http_is_told(server: Server, client: Client, colours: Wheel) -> None:
    server.routes["/x.whl"] = Answer(write=lambda stream: stream.write(b"SSH-2.0-server\r\n") and None)
    assert "cannot be read" in client.why(wanted_of(colours, url=f"{server.url}/x.whl"))
    server.routes["/y.whl"] = Answer(
        write=lambda stream: stream.write(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 500) and None
    )
    assert "cannot be read" in client.why(wanted_of(colours, url=f"{server.url}/y.whl"))


def test_a_host_that_cannot_be_reached_is_not_asked_for_each_archive(client: Client, archives: list[Wheel]) -> None:
    with Server() as gone:
        url = gone.url
    first = client.why(wanted_of(archives[0], url=f"{url}/x.whl"))
    assert "connection refused" in first
    assert len(client.slept) == ATTEMPTS - 1
    assert "not asked again" in client.why(wanted_of(archives[1], url=f"{url}/y.whl"))
    assert len(client.slept) == ATTEMPTS - 1


def test_a_server_that_drips_is_given_up(server: Server, store: Store, colours: Wheel) -> None:
    """Each byte comes in time; all of them never would."""

    def drip(stream: BinaryIO) -> None:
        stream.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not server.end.wait(0.01):
            stream.write(b"x")
            stream.flush()

    server.routes["/x.whl"] = Answer(write=drip)
    now = iter(range(0, 10**9, 5))
    client = Client(store, Network(clock=lambda: float(next(now))))
    assert "too slow" in client.why(wanted_of(colours, url=f"{server.url}/x.whl"))
    assert kept(store) == []


def test_headers_that_drip_are_given_up(server: Server, store: Store, colours: Wheel) -> None:
    def drip(stream: BinaryIO) -> None:
        stream.write(b"HTTP/1.1 200 OK\r\nX: ")
        while not server.end.wait(0.01):
            stream.write(b"x")
            stream.flush()

    server.routes["/x.whl"] = Answer(write=drip)
    now = iter(range(0, 10**9, 5))
    client = Client(store, Network(clock=lambda: float(next(now))))
    assert "too slow" in client.why(wanted_of(colours, url=f"{server.url}/x.whl"))


def test_a_server_that_says_nothing_is_given_up(
    server: Server, client: Client, colours: Wheel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "IDLE", 0.05)
    server.routes["/x.whl"] = Answer(write=lambda _: server.end.wait(60) and None)
    assert "does not answer" in client.why(wanted_of(colours, url=f"{server.url}/x.whl"))
    assert len(server.asked) == ATTEMPTS


def test_a_fast_server_is_given_the_time_that_a_large_archive_takes() -> None:
    """The limit grows with what has come."""
    assert connection.SLOWEST * 3600 > 50 << 20


# Redirections


def test_redirections_are_followed(server: Server, client: Client, colours: Wheel) -> None:
    with Server() as other:
        other.serve([colours])
        server.routes["/x.whl"] = moved("y.whl", 301)
        server.routes["/y.whl"] = moved("//127.0.0.1:" + f"{other.port}/files/{colours.path.name}", 307)
        client.get(wanted_of(colours, url=f"{server.url}/x.whl"))
    assert server.targets() == ["/x.whl", "/y.whl"]


def test_redirections_end(server: Server, client: Client, colours: Wheel) -> None:
    server.routes["/x.whl"] = moved("/x.whl")
    assert "redirected more than" in client.why(wanted_of(colours, url=f"{server.url}/x.whl"))
    assert len(server.asked) == REDIRECTIONS + 1


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/x", "http://[", "data:,x"]
)
def test_a_redirection_to_no_http_is_refused(server: Server, client: Client, colours: Wheel, target: str) -> None:
    server.routes["/x.whl"] = moved(target)
    why = client.why(wanted_of(colours, url=f"{server.url}/x.whl"))
    assert "not of http or https" in why or "cannot be read" in why
    assert server.targets() == ["/x.whl"]


def test_a_redirection_from_https_to_http_is_refused(
    secure: Server, server: Server, store: Store, authority: Authority, colours: Wheel
) -> None:
    server.serve([colours])
    secure.routes["/x.whl"] = moved(server.file_url(colours))
    client = Client(store, Network(certificates=authority.certificate.read_text()))
    assert "from https to http" in client.why(wanted_of(colours, url=f"{secure.url}/x.whl"))
    assert server.asked == []


def test_credentials_do_not_follow_a_redirection_to_another_host(server: Server, store: Store, colours: Wheel) -> None:
    with Server() as other:
        other.serve([colours])
        client = Client(store, credentials=Credentials(parse_netrc("machine 127.0.0.1 login ana password word")))
        server.routes["/x.whl"] = moved("/y.whl")
        server.routes["/y.whl"] = moved(other.file_url(colours))
        client.get(wanted_of(colours, url=f"{server.url}/x.whl"))
        assert all("Authorization" in asked.headers for asked in server.asked)
        assert all("Authorization" not in asked.headers for asked in other.asked)


# Credentials


def login(asked: Any) -> str | None:
    import base64

    value = asked.headers.get("Authorization")
    return None if value is None else base64.b64decode(value.removeprefix("Basic ")).decode()


def test_the_users_netrc_is_for_the_host_that_it_names(server: Server, user: User, colours: Wheel) -> None:
    server.serve([colours])
    (user.home / ".netrc").write_text("machine 127.0.0.1 login ana password word\n")
    find(Files(), [wanted_of(colours, url=server.file_url(colours))], user.places(fetch=True))
    assert [login(asked) for asked in server.asked] == ["ana:word"]


def test_another_netrc_may_be_named_by_the_user(server: Server, user: User, colours: Wheel) -> None:
    server.serve([colours])
    (user.home / "other").write_text("machine 127.0.0.1 login eva password other\n")
    (user.home / ".netrc").write_text("machine 127.0.0.1 login ana password word\n")
    user.environ["NETRC"] = str(user.home / "other")
    find(Files(), [wanted_of(colours, url=server.file_url(colours))], user.places(fetch=True))
    assert [login(asked) for asked in server.asked] == ["eva:other"]


def test_a_netrc_of_a_targets_is_not_used(server: Server, user: User, colours: Wheel) -> None:
    server.serve([colours])
    target = user.home / "project" / ".venv"
    target.mkdir(parents=True)
    (target / "netrc").write_text("machine 127.0.0.1 login ana password word\n")
    (user.home / "link").symlink_to(target / "netrc")
    user.environ["NETRC"] = str(user.home / "link")
    problems: Any = []
    places = user.places(fetch=True, forbidden=(str(target),))
    find(Files(), [wanted_of(colours, url=server.file_url(colours))], places, None, problems)
    assert [login(asked) for asked in server.asked] == [None]
    assert "lies in the scanned environment" in problems[0][1]


def test_the_entry_for_any_host_is_not_used(server: Server, user: User, colours: Wheel) -> None:
    """The lock names the host: it could be anybody's."""
    server.serve([colours])
    (user.home / ".netrc").write_text(
        "machine index.example login ana password word\ndefault login ana password word\n"
    )
    find(Files(), [wanted_of(colours, url=server.file_url(colours))], user.places(fetch=True))
    assert [login(asked) for asked in server.asked] == [None]


def test_credentials_in_a_url_are_sent_and_never_told(server: Server, client: Client, colours: Wheel) -> None:
    server.routes["/x.whl"] = Answer(status=403)
    url = f"{server.url}/x.whl?token=secret".replace("//", "//ana:w%40rd@")
    why = client.why(wanted_of(colours, url=url))
    assert login(server.asked[0]) == "ana:w@rd"
    assert not [word for word in ("ana", "rd@", "w@rd", "token", "secret") if word in why]


def test_credentials_are_not_sent_in_the_clear_to_another_machine() -> None:
    known = Credentials({"index.example": ("ana", "word")})
    assert known.header(parse("http://index.example/x")) is None
    assert known.header(parse("http://ana:word@index.example/x")) is None
    assert known.header(parse("https://index.example/x")) is not None
    assert known.header(parse("https://index.example:8443/x")) is not None
    assert known.header(parse("https://sub.index.example/x")) is None


def test_the_credentials_of_the_named_index_are_for_that_host_and_port_only() -> None:
    named = Credentials(named=parse("http://ana:word@index.example:8080/simple"))
    assert named.header(parse("http://index.example:8080/files/x.whl")) is not None
    for url in ("http://index.example/x", "https://index.example:8080/x", "http://other.example:8080/x"):
        assert named.header(parse(url)) is None


# A named index


def serve_json(server: Server, wheel: Wheel, **changes: Any) -> None:
    file = {"filename": wheel.path.name, "url": f"/files/{wheel.path.name}", "hashes": {"sha256": wheel.sha256}}
    page = json.dumps({"meta": {"api-version": "1.0"}, "name": wheel.name, "files": [{**file, **changes}]}).encode()
    kind = {"Content-Type": "application/vnd.pypi.simple.v1+json"}
    server.routes[f"/simple/{wheel.name}/"] = Answer(page, headers=kind)


@pytest.mark.parametrize("hashes", [True, False])
def test_the_index_is_asked_where_the_lock_gives_no_url(
    server: Server, store: Store, archives: list[Wheel], hashes: bool
) -> None:
    server.serve(archives, hashes)
    client = Client(store, index=server.index + "/")
    for wheel in archives:
        for wanted in (wanted_of(wheel), by_hash(wheel)):
            assert content(client.get(wanted)) == wheel.path.read_bytes()
    pages = [target for target in server.targets() if target.startswith("/simple/")]
    assert len(pages) == len(set(pages)), "a page is read once"


def test_the_index_may_answer_as_json(server: Server, store: Store, colours: Wheel) -> None:
    server.serve([colours])
    serve_json(server, colours)
    assert content(Client(store, index=server.index).get(wanted_of(colours))) == colours.path.read_bytes()
    assert "application/vnd.pypi.simple.v1+json" in server.asked[0].headers["Accept"]


def test_the_index_is_asked_where_the_locks_url_fails(server: Server, store: Store, colours: Wheel) -> None:
    server.serve([colours])
    client = Client(store, index=server.index)
    client.get(wanted_of(colours, url=f"{server.url}/gone.whl"))
    assert server.targets() == ["/gone.whl", "/simple/colours/", f"/files/{colours.path.name}"]


def test_a_link_with_another_hash_is_not_fetched(server: Server, store: Store, colours: Wheel) -> None:
    server.serve([colours])
    serve_json(server, colours, hashes={"sha256": "0" * 64})
    assert "no archive of it whose hash" in Client(store, index=server.index).why(wanted_of(colours))
    assert server.targets() == ["/simple/colours/"]


def test_a_link_that_lies_about_its_hash_is_not_kept(server: Server, store: Store, colours: Wheel) -> None:
    server.serve([colours])
    server.routes[f"/files/{colours.path.name}"] = Answer(b"another")
    assert "another hash than the lock" in Client(store, index=server.index).why(wanted_of(colours))
    assert kept(store) == []


def test_a_project_that_the_index_does_not_have_is_told(server: Server, store: Store, colours: Wheel) -> None:
    assert "not found" in Client(store, index=server.index).why(wanted_of(colours))


def test_a_page_that_is_too_large_is_refused(
    server: Server, store: Store, colours: Wheel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("envcheck.anchors.sources.fetch.PAGE", 1000)
    server.routes["/simple/colours/"] = Answer(b" " * 2000)
    assert "larger than 1,000 bytes" in Client(store, index=server.index).why(wanted_of(colours))


def test_links_of_a_remote_index_do_not_lead_to_files_of_this_machine(
    server: Server, store: Store, colours: Wheel
) -> None:
    serve_json(server, colours, url=colours.path.as_uri())
    assert "not of http or https" in Client(store, index=server.index).why(wanted_of(colours))


def test_without_names_a_few_of_the_locked_wheels_are_fetched(server: Server, store: Store, tmp_path: Path) -> None:
    """The lock of requirements with hashes has the wheels of every platform in one list."""
    tags = (
        "cp310-cp310-linux_x86_64",
        "cp311-cp311-linux_x86_64",
        *(f"cp3{n}-cp3{n}-win_amd64" for n in range(10, 20)),
    )
    wheels = [build_wheel(tmp_path / "all", "many", "1.0", {"many.py": tag}, tag=tag) for tag in tags]
    server.serve(wheels)
    hashes = tuple(("sha256", wheel.sha256) for wheel in wheels)
    held, _ = Client(store, index=server.index).fetcher.fetch(Wanted("many", "1.0", None, None, hashes))
    assert len(held) == 4


# With the user's own directories


def test_what_was_fetched_once_is_not_fetched_again(server: Server, user: User, colours: Wheel) -> None:
    server.serve([colours])
    wanted = wanted_of(colours, url=server.file_url(colours))
    first = find(Files(), [wanted], user.places(fetch=True))
    assert find(Files(), [wanted], user.places(fetch=True)) == first
    assert find(Files(), [wanted], user.places()) == first
    assert len(server.asked) == 1


def test_what_changed_in_the_cache_is_told_and_fetched_again(server: Server, user: User, colours: Wheel) -> None:
    server.serve([colours])
    wanted = wanted_of(colours, url=server.file_url(colours))
    ((held,),) = find(Files(), [wanted], user.places(fetch=True)).values()
    Path(held.path).write_bytes(b"changed")
    problems: Any = []
    assert find(Files(), [wanted], user.places(), None, problems) == {}
    assert problems[0][0] == wanted
    assert "has changed since" in problems[0][1]
    assert find(Files(), [wanted], user.places(fetch=True)) == {wanted: [held]}
    assert content(held) == colours.path.read_bytes()


def test_what_is_found_here_is_not_fetched(server: Server, user: User, colours: Wheel) -> None:
    places = user.places(fetch=True, wheels=(str(colours.path.parent),), index_url=server.index)
    find(Files(), [wanted_of(colours, url=server.file_url(colours))], places)
    assert server.asked == []


def test_nothing_is_asked_for_without_leave(server: Server, user: User, colours: Wheel) -> None:
    server.serve([colours])
    places = user.places(index_url=server.index)
    assert find(Files(), [wanted_of(colours, url=server.file_url(colours))], places) == {}
    assert server.asked == []
    assert not user.fetched.exists()


def test_progress_and_each_failure_are_told(server: Server, user: User, archives: list[Wheel]) -> None:
    server.serve(archives[:1])
    wanted = [wanted_of(wheel, url=server.file_url(wheel)) for wheel in archives]
    steps: list[tuple[str, int, int]] = []
    problems: Any = []
    found = find(Files(), wanted, user.places(fetch=True), lambda *step: steps.append(step), problems)
    assert list(found) == wanted[:1]
    assert [one for one, _ in problems] == wanted[1:]
    assert steps == [("wheels fetched:", number, 4) for number in range(4)]


@pytest.mark.parametrize("index", ["index.example/simple", "ftp://index.example/", "https://", "http://a b/"])
def test_an_index_that_is_no_url_is_a_mistake_of_the_users(user: User, colours: Wheel, index: str) -> None:
    with pytest.raises(UsageError, match="--index-url"):
        find(Files(), [wanted_of(colours)], user.places(fetch=True, index_url=index))


def test_without_a_place_to_keep_it_nothing_is_fetched(server: Server, user: User, colours: Wheel) -> None:
    server.serve([colours])
    wanted = wanted_of(colours, url=server.file_url(colours))
    problems: Any = []
    user.environ = {}
    assert find(Files(), [wanted], user.places(fetch=True), None, problems) == {}
    user.environ = {"XDG_CACHE_HOME": "/dev/null"}
    assert find(Files(), [wanted], user.places(fetch=True), None, problems) == {}
    assert [text[:18] for _, text in problems] == ["nothing is fetched"] * 2
    assert server.asked == []


def test_plain_http_to_another_machine_is_told(user: User, colours: Wheel, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Network, url: Any, headers: Any) -> Any:
        raise Failed("no such host is known", again=False)

    monkeypatch.setattr(Network, "get", refuse)
    problems: Any = []
    wanted = wanted_of(colours, url="http://index.example/x.whl")
    find(Files(), [wanted], user.places(fetch=True), None, problems)
    assert (None, problems[-1][1]) in problems
    assert "index.example was asked over http" in problems[-1][1]


# An index in a directory


@pytest.fixture
def local_index(tmp_path: Path, colours: Wheel) -> Path:
    page = tmp_path / "index" / "simple" / "colours" / "index.html"
    page.parent.mkdir(parents=True)
    files = tmp_path / "index" / "files"
    files.mkdir()
    (files / colours.path.name).write_bytes(colours.path.read_bytes())
    page.write_text(f'<a href="../../files/{colours.path.name}#sha256={colours.sha256}">x</a>')
    return page


def test_an_index_in_a_directory_is_read_where_it_lies(user: User, colours: Wheel, local_index: Path) -> None:
    places = user.places(fetch=True, index_url=local_index.parents[1].as_uri())
    ((held,),) = find(Files(), [by_hash(colours)], places).values()
    assert content(held) == colours.path.read_bytes()
    assert held.origin == "fetched"
    assert not user.fetched.exists()


def test_such_an_index_leads_to_nothing_but_what_has_the_hash(user: User, colours: Wheel, local_index: Path) -> None:
    places = user.places(fetch=True, index_url=local_index.parents[1].as_uri())
    name = colours.path.name
    os.mkfifo(local_index.with_name(name))
    (local_index.with_name("z" + name)).symlink_to("/dev/zero")
    (local_index.with_name("y" + name)).write_bytes(b"another")
    for target in (name, "z" + name, "y" + name, f"http://127.0.0.1:9/{name}", f"file://host/{name}", "../" * 99):
        local_index.write_text(f'<a href="{target}#sha256={colours.sha256}">x</a>')
        problems: Any = []
        assert find(Files(), [by_hash(colours)], places, None, problems) == {}
        assert len(problems) == 1
