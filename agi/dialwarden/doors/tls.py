"""TLS contexts, of what serves and of what connects.

Owns which versions are spoken, what is checked of a peer, and the sentence for each way in which a
certificate or a key can be wrong. Refuses to know sockets and settings.
"""

from __future__ import annotations

import os
import ssl
from pathlib import Path

from dialwarden.errors import DialwardenError


class TlsError(DialwardenError):
    """A certificate, a key or an authority's file cannot be used.

    Attributes:
        file: the file at fault.
    """

    def __init__(self, file: Path, what: str, do: str) -> None:
        self.file = file
        self.what = what
        self.do = do
        super().__init__(f"{file}: {what}; {do}")


class _Encrypted(Exception):
    pass


def server_context(cert: Path, key: Path) -> ssl.SSLContext:
    """What a server of ours shows its clients. TLS 1.2 or newer.

    Args:
        cert: PEM: its certificate, then those between it and the authority.
        key: PEM: the certificate's private key, without a passphrase.

    Raises:
        TlsError: one of the two cannot be read or used, or they are not a pair.
    """
    for file, what in ((cert, "certificate"), (key, "private key")):
        _check_readable(file, what)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2

    # Without a function for it, OpenSSL asks for the passphrase on the terminal, and waits.
    def no_passphrase() -> str:
        raise _Encrypted

    try:
        context.load_cert_chain(cert, key, password=no_passphrase)
    except _Encrypted:
        raise TlsError(
            key, "the private key is protected by a passphrase",
            "give one without (openssl pkey -in OLD -out NEW), readable by the bridge's user alone",
        ) from None  # fmt: skip
    except ssl.SSLError as error:
        raise _not_a_pair(cert, key, error) from None
    return context


def client_context(ca: Path | None) -> ssl.SSLContext:
    """What a server that we connect to is checked by: its chain and its name. TLS 1.2 or newer.

    The name to be checked is given with each connection (`server_hostname`).

    Args:
        ca: PEM: the authorities that are trusted, or the server's own self-signed certificate;
            None for those that the system trusts.

    Raises:
        TlsError: it cannot be read, or holds no certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks chain and name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        return context
    _check_readable(ca, "certificate authority")
    try:
        context.load_verify_locations(ca)
    except ssl.SSLError:
        raise _no_certificate(ca) from None
    return context


def _check_readable(file: Path, what: str) -> None:
    try:
        with file.open("rb"):
            return
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)
        raise TlsError(
            file, f"the {what} cannot be read ({why})",
            "name a PEM file that the bridge's user may read",
        ) from None  # fmt: skip


def _not_a_pair(cert: Path, key: Path, error: ssl.SSLError) -> TlsError:
    if error.reason == "KEY_VALUES_MISMATCH":
        return TlsError(
            key, f"the private key does not belong to the certificate {cert}",
            "give the key that the certificate was made from",
        )  # fmt: skip
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cert)
    except ssl.SSLError:
        return _no_certificate(cert)
    return TlsError(
        key, f"OpenSSL does not take it as the private key of {cert} ({error.reason or error})",
        "give a PEM file that begins with -----BEGIN PRIVATE KEY-----, and a certificate of today's"
        " strength",
    )  # fmt: skip


def _no_certificate(file: Path) -> TlsError:
    return TlsError(
        file, "it holds no certificate in PEM form",
        "give a file that begins with -----BEGIN CERTIFICATE-----"
        " (from DER: openssl x509 -inform der -in OLD -out NEW)",
    )  # fmt: skip
