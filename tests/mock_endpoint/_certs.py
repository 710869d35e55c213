# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A certificate authority of the form that the products make for themselves, and server certificates from it."""

from __future__ import annotations

import datetime
import ipaddress
import pathlib
import ssl
import tempfile
import typing as t

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)
NAMES = ("localhost", "127.0.0.1", "127.0.0.2", "127.0.0.3", "::1")
OTHER_NAMES = ("other.example.com",)
SIGNS_CERTIFICATES = x509.KeyUsage(
    key_cert_sign=True,
    crl_sign=True,
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)


class Authority:
    """A new certificate authority.

    Like those that the products make it has basic constraints and key identifiers but no key usage extension, which
    OpenSSL's strict mode, the default of Python 3.13, refuses. ``key_usage`` adds one, as other authorities have it:
    for clients that cannot do without, such as Ansible's ``uri`` on that Python.

    :param organization: whose servers they are
    :param name: of the authority
    """

    def __init__(
        self, key_usage: bool = False, organization: str = "Example", name: str = "Example Cluster Manager CA"
    ) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._organization = organization
        self._name = _name((NameOID.COMMON_NAME, organization), (NameOID.ORGANIZATION_NAME, name))
        builder = (
            _builder(self._name, self._name, self._key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(self._key_identifier(), critical=False)
        )
        if key_usage:
            builder = builder.add_extension(SIGNS_CERTIFICATES, critical=True)
        self._certificate = builder.sign(self._key, hashes.SHA256())
        self.pem = self._certificate.public_bytes(serialization.Encoding.PEM)

    def server_context(self, names: t.Sequence[str] = NAMES) -> ssl.SSLContext:
        """A server's TLS context with a certificate for host names and addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name((NameOID.ORGANIZATION_NAME, self._organization), (NameOID.COMMON_NAME, names[0]))
        certificate = (
            _builder(subject, self._name, key)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
            .add_extension(self._key_identifier(), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as folder:
            # The ssl module loads certificates from files only.
            chain = pathlib.Path(folder, "server.pem")
            chain.touch(mode=0o600)
            chain.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM) + self.pem)
            context.load_cert_chain(chain)
        return context

    def _key_identifier(self) -> x509.AuthorityKeyIdentifier:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + 30 * DAY)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(*parts: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(kind, text) for kind, text in parts])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
