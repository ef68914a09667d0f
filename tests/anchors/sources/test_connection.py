"""How a host is reached: by TLS with trusted certificates, through the proxy that the user has, or not at all."""

from __future__ import annotations

import base64
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from envcheck.anchors.sources import find
from envcheck.anchors.sources.connection import Failed, Network, proxy_for
from envcheck.anchors.sources.urls import BadUrl, Url, joined, parse
from envcheck.files.root import Files
from support.looking import User, content, wanted_of
from support.servers import Answer, Authority, Server, make_authority
from support.wheels import Wheel


@pytest.fixture
def proxy() -> Iterator[Server]:
    with Server() as running:
        yield running


def look(user: User, wheel: Wheel, server: Server, **more: Any) -> tuple[bytes | None, str]:
    """Fetch a wheel; its bytes, and what was said."""
    problems: Any = []
    wanted = wanted_of(wheel, url=server.file_url(wheel))
    found = find(Files(), [wanted], user.places(fetch=True, **more), None, problems)
    return (content(found[wanted][0]) if found else None), " ".join(text for _, text in problems)


# TLS


def test_a_certificate_that_nobody_vouches_for_is_refused(secure: Server, user: User, colours: Wheel) -> None:
    secure.serve([colours])
    data, why = look(user, colours, secure)
    assert data is None
    assert "its certificate is not trusted (self" in why
    assert secure.asked == []


def test_the_user_may_name_more_authorities(secure: Server, user: User, authority: Authority, colours: Wheel) -> None:
    secure.serve([colours])
    user.environ["SSL_CERT_FILE"] = str(authority.certificate)
    assert look(user, colours, secure) == (colours.path.read_bytes(), "")


def test_a_certificate_for_another_host_is_refused(user: User, tmp_path: Path, colours: Wheel) -> None:
    other = make_authority(tmp_path, "127.0.0.2")
    user.environ["SSL_CERT_FILE"] = str(other.certificate)
    with Server(other.context) as server:
        data, why = look(user, colours, server)
    assert data is None
    assert "its certificate is not trusted (IP address mismatch" in why


def test_authorities_of_a_targets_are_not_trusted(
    secure: Server, user: User, authority: Authority, colours: Wheel
) -> None:
    secure.serve([colours])
    target = user.home / "target"
    target.mkdir()
    (target / "own.pem").write_bytes(authority.certificate.read_bytes())
    user.environ["SSL_CERT_FILE"] = str(target / "own.pem")
    data, why = look(user, colours, secure, forbidden=(str(target),))
    assert data is None
    assert "lies in the scanned environment" in why
    assert "its certificate is not trusted" in why


def test_authorities_that_are_none_are_told(secure: Server, user: User, colours: Wheel, tmp_path: Path) -> None:
    (tmp_path / "no.pem").write_text("no certificate")
    user.environ["SSL_CERT_FILE"] = str(tmp_path / "no.pem")
    data, why = look(user, colours, secure)
    assert data is None
    assert "SSL_CERT_FILE has no certificates" in why


# Proxies


def test_http_goes_through_the_users_proxy(server: Server, proxy: Server, user: User, colours: Wheel) -> None:
    server.serve([colours])
    proxy.routes[server.file_url(colours)] = Answer(colours.path.read_bytes())
    user.environ["http_proxy"] = proxy.url.replace("//", "//ana:word@")
    assert look(user, colours, server)[0] == colours.path.read_bytes()
    assert server.asked == []
    (asked,) = proxy.asked
    assert asked.target == server.file_url(colours)
    assert asked.headers["Host"] == f"127.0.0.1:{server.port}"
    assert asked.headers["Proxy-Authorization"] == "Basic " + base64.b64encode(b"ana:word").decode()


@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
def test_https_goes_through_a_tunnel_that_the_proxy_makes(
    secure: Server, proxy: Server, user: User, authority: Authority, colours: Wheel, variable: str
) -> None:
    secure.serve([colours])
    user.environ["SSL_CERT_FILE"] = str(authority.certificate)
    user.environ[variable] = f"ana:word@127.0.0.1:{proxy.port}"
    (user.home / ".netrc").write_text("machine 127.0.0.1 login eva password other\n")
    assert look(user, colours, secure) == (colours.path.read_bytes(), "")
    (connected,) = proxy.asked
    assert (connected.method, connected.target) == ("CONNECT", f"127.0.0.1:{secure.port}")
    assert connected.headers["Proxy-Authorization"] == "Basic " + base64.b64encode(b"ana:word").decode()
    assert "Authorization" not in connected.headers
    (asked,) = secure.asked
    assert "Proxy-Authorization" not in asked.headers
    assert asked.headers["Authorization"] == "Basic " + base64.b64encode(b"eva:other").decode()


def test_a_proxy_that_refuses_is_told_and_never_gone_round(
    secure: Server, proxy: Server, user: User, authority: Authority, colours: Wheel
) -> None:
    secure.serve([colours])
    user.environ |= {"SSL_CERT_FILE": str(authority.certificate), "https_proxy": proxy.url}
    proxy.routes[f"CONNECT 127.0.0.1:{secure.port}"] = Answer(status=407)
    data, why = look(user, colours, secure)
    assert data is None
    assert "the proxy refused to connect (status 407)" in why
    assert secure.asked == []


def test_a_proxy_that_answers_nonsense_is_told(
    secure: Server, proxy: Server, user: User, authority: Authority, colours: Wheel
) -> None:
    user.environ |= {"SSL_CERT_FILE": str(authority.certificate), "https_proxy": proxy.url}

    def nonsense(stream: Any) -> None:
        stream.write(b"x" * 100_000)

    proxy.routes[f"CONNECT 127.0.0.1:{secure.port}"] = Answer(status=0, write=nonsense)
    data, why = look(user, colours, secure)
    assert data is None
    assert "the proxy gave no answer that can be read" in why


@pytest.mark.parametrize("named", ["socks5://127.0.0.1:1080", "https://127.0.0.1:1", "http://", "http://a b"])
def test_a_proxy_of_another_kind_is_told_and_never_gone_round(
    server: Server, user: User, colours: Wheel, named: str
) -> None:
    server.serve([colours])
    user.environ["http_proxy"] = named
    data, why = look(user, colours, server)
    assert data is None
    assert "no other kind is known" in why
    assert server.asked == []


@pytest.mark.parametrize(
    ("listed", "direct"),
    [
        ("*", True),
        ("index.example", True),
        (".example", True),
        ("example", True),
        ("other, Index.Example ", True),
        ("index.example:8080", True),
        ("index.example:80", False),
        ("dex.example", False),
        ("x.index.example", False),
        ("", False),
        (",,", False),
    ],
)
def test_hosts_that_the_user_excepts_are_asked_directly(listed: str, direct: bool) -> None:
    proxies = {"http_proxy": "http://proxy.example:3128", "no_proxy": listed}
    found = proxy_for(parse("http://index.example:8080/x"), proxies)
    assert (found is None) == direct


def test_an_address_of_version_6_may_be_excepted() -> None:
    proxies = {"all_proxy": "http://proxy.example", "no_proxy": "[::1]"}
    assert proxy_for(parse("http://[::1]:8080/x"), proxies) is None
    assert proxy_for(parse("http://[::2]:8080/x"), proxies) is not None


def test_a_proxy_is_for_its_own_scheme() -> None:
    assert proxy_for(parse("https://index.example/"), {"http_proxy": "http://proxy.example"}) is None


# URLs


def test_a_url_has_the_parts_of_a_request() -> None:
    url = parse("HTTPS://ana:w%40rd@Index.Example:8443/a b".replace(" ", "%20") + "/é.whl?x=[1]#sha256=00")
    assert url == Url("https", "index.example", 8443, "/a%20b/%C3%A9.whl?x=[1]", "ana", "w@rd")
    assert url.authority == "index.example:8443"
    assert url.shown == "https://index.example:8443/a%20b/%C3%A9.whl"


def test_hosts_of_other_scripts_and_addresses_are_spelt_as_requests_spell_them() -> None:
    assert parse("http://bücher.example/").host == "xn--bcher-kva.example"
    assert parse("http://[::1]:80/").authority == "[::1]"
    assert parse("http://index.example").target == "/"


@pytest.mark.parametrize("text", ["http://a/\x00", "http://a\n/", "http://a/ b", "\thttp://a/", "http://a/\x7f"])
def test_control_characters_never_reach_a_request(text: str) -> None:
    with pytest.raises(BadUrl):
        parse(text)


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("localhost", True),
        ("[::1]", True),
        ("127.0.0.1.index.example", False),
        ("127.index.of.example", False),
        ("127.0.0.example", False),
        ("localhost.example", False),
    ],
)
def test_only_this_machine_is_here(host: str, here: bool) -> None:
    assert parse(f"http://{host}/").here == here


def test_a_reference_that_is_none_is_an_error_of_ours() -> None:
    with pytest.raises(BadUrl):
        joined("http://index.example/", "http://[")


def test_a_host_that_nobody_knows_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(Failed, match="no such host is known"):
        Network().get(parse("http://nobody.invalid/"), {})
