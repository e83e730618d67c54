"""TLS: contexts from files right and wrong, and the gateway with it on both sides."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from tests.doors.both_loops import on_both_loops
from tests.doors.certificates import Pair, openssl, self_signed
from tests.doors.fake_ami import ami_peer, eventually, fake_ami
from tests.doors.gateway import ALLOWED, OPPOSED, REFUSED, serving

from dialwarden.doors.ami_gateway import Upstream
from dialwarden.doors.tls import TlsError, client_context, server_context
from dialwarden.errors import DialwardenError


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def pair(directory: Path) -> Pair:
    return self_signed(directory)


@pytest.fixture(scope="module")
def other(directory: Path) -> Pair:
    return self_signed(directory, "elsewhere.test", "other")


def test_contexts_speak_tls_1_2_or_newer_and_check_the_server(pair: Pair) -> None:
    server, client = server_context(pair.cert, pair.key), client_context(pair.cert)
    for context in (server, client, client_context(None)):
        assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert client.check_hostname
    assert client.verify_mode == ssl.CERT_REQUIRED


@pytest.mark.parametrize(
    ("cert", "key", "at_fault", "says"),
    [
        ("none.pem", "server.key", "none.pem", "certificate cannot be read (No such file"),
        ("server.pem", "none.key", "none.key", "private key cannot be read (No such file"),
        (".", "server.key", ".", "certificate cannot be read (Is a directory"),
        ("server.pem", "other.key", "other.key", "does not belong to the certificate"),
        ("server.pem", "locked.key", "locked.key", "protected by a passphrase"),
        ("server.der", "server.key", "server.der", "holds no certificate in PEM form"),
        ("server.key", "server.key", "server.key", "holds no certificate in PEM form"),
        ("server.pem", "server.pem", "server.pem", "OpenSSL does not take it as the private key"),
    ],
)
def test_what_is_wrong_with_a_pair_is_said(
    directory: Path, pair: Pair, other: Pair, cert: str, key: str, at_fault: str, says: str
) -> None:
    openssl("pkey", "-in", str(pair.key), "-aes256", "-passout", "pass:x",
            "-out", str(directory / "locked.key"))  # fmt: skip
    openssl("x509", "-in", str(pair.cert), "-outform", "der",
            "-out", str(directory / "server.der"))  # fmt: skip
    with pytest.raises(TlsError) as raised:
        server_context(directory / cert, directory / key)
    assert raised.value.file == directory / at_fault
    assert says in str(raised.value)
    assert isinstance(raised.value, DialwardenError)


@pytest.mark.parametrize(
    ("ca", "says"),
    [
        ("none.pem", "certificate authority cannot be read (No such file"),
        ("server.key", "holds no certificate in PEM form"),
    ],
)
def test_what_is_wrong_with_an_authority_is_said(
    directory: Path, pair: Pair, ca: str, says: str
) -> None:
    with pytest.raises(TlsError) as raised:
        client_context(directory / ca)
    assert str(directory / ca) in str(raised.value)
    assert says in str(raised.value)


@on_both_loops
async def test_the_gateway_relays_over_tls_on_both_sides(pair: Pair) -> None:
    secure, trusting = server_context(pair.cert, pair.key), client_context(pair.cert)
    async with fake_ami(secure) as ami:
        upstream = Upstream("127.0.0.1", ami.port, trusting, "asterisk.test")
        async with (
            serving(ami, upstream=upstream, ssl=secure) as gate,
            ami_peer(gate.port, trusting, "asterisk.test") as client,
        ):
            await client.login()
            client.ask(Action="Originate", Channel=OPPOSED, ActionID="1")
            assert (await client.message())["message"] == REFUSED
            client.ask(Action="Originate", Channel=ALLOWED, ActionID="2")
            assert (await client.message())["response"] == "Success"
            session = await ami.session()
            output = b"Event: Huge\r\nX: " + b"x" * 3_000_000 + b"\r\n\r\n"
            session.send(output)
            assert await client.block() == output
            client.ask(Action="Logoff")
            assert (await client.message())["response"] == "Goodbye"
            assert await client.rest() == b""


@on_both_loops
async def test_the_name_is_the_address_unless_another_is_given(pair: Pair) -> None:
    secure, trusting = server_context(pair.cert, pair.key), client_context(pair.cert)
    async with fake_ami(secure) as ami:
        upstream = Upstream("127.0.0.1", ami.port, trusting)  # the certificate names it too
        async with serving(ami, upstream=upstream) as gate, gate.client() as client:
            await client.pong()


@pytest.mark.parametrize("fault", ["name", "authority", "plain"])
@on_both_loops
async def test_an_asterisk_that_is_not_the_right_one_gets_nothing(
    pair: Pair, other: Pair, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    name = "elsewhere.test" if fault == "name" else "asterisk.test"
    trusting = client_context(other.cert if fault == "authority" else pair.cert)
    secure = None if fault == "plain" else server_context(pair.cert, pair.key)
    async with fake_ami(secure) as ami:
        upstream = Upstream("127.0.0.1", ami.port, trusting, name)
        async with serving(ami, upstream=upstream) as gate, ami_peer(gate.port) as client:
            client.ask(Action="Login", Username="dialer", Secret="secret")
            assert await client.rest() == b""
            assert gate.gateway.counters.refused_upstream == 1
        assert not any(session.requests for session in ami.sessions)
    assert "Asterisk's AMI on 127.0.0.1" in caplog.text


@on_both_loops
async def test_a_client_without_tls_gets_nothing_and_harms_nobody(pair: Pair) -> None:
    secure, trusting = server_context(pair.cert, pair.key), client_context(pair.cert)
    async with fake_ami() as ami, serving(ami, ssl=secure) as gate:
        async with ami_peer(gate.port) as plain:
            plain.ask(Action="Login", Username="dialer", Secret="secret")
            assert b"Asterisk" not in await plain.rest()
        async with ami_peer(gate.port, trusting, "asterisk.test") as client:
            await client.login()
            await client.pong()
            client.reset()
        await eventually(lambda: gate.gateway.clients == 0)
        assert len(ami.sessions) == 1
