# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How to reach a cluster: what options mean, and what is refused before anything is sent."""

from __future__ import annotations

import dataclasses
import pathlib
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.proxkit.tasks.plugins.module_utils._client.service import SERVICES
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import OptionError
from ansible_collections.proxkit.tasks.plugins.module_utils._module.access import CONNECTION, connection, with_sources


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for options in CONNECTION.values():
        for name in options["fallback"][1]:
            monkeypatch.delenv(name, raising=False)


def params(**options: t.Any) -> dict[str, t.Any]:
    result = ArgumentSpecValidator(CONNECTION).validate(options)
    assert not result.error_messages
    return t.cast("dict[str, t.Any]", result.validated_parameters)


@pytest.mark.parametrize(
    ("api_host", "port", "hosts"),
    [
        ("pve1", None, ("pve1:8006",)),
        ("pve1.example.com", 443, ("pve1.example.com:443",)),
        ("pve1, pve2:8443 ,pve1", None, ("pve1:8006", "pve2:8443")),
        (["pve1", "pve2,pve3"], None, ("pve1:8006", "pve2:8006", "pve3:8006")),
        ("192.0.2.7", None, ("192.0.2.7:8006",)),
        ("fd00::1", None, ("[fd00::1]:8006",)),
        ("::1", 1234, ("[::1]:1234",)),
        ("[::1]", None, ("[::1]:8006",)),
        ("[fd00::1]:443", None, ("[fd00::1]:443",)),
        ("my_host", None, ("my_host:8006",)),
        ("https://pve1:8443/", None, ("pve1:8443",)),
        (" https://pve1 , HTTPS://pve2/,pve3/", None, ("pve1:8006", "pve2:8006", "pve3:8006")),
        ("https://[fd00::1]:443/", None, ("[fd00::1]:443",)),
        ("https://fd00::1", 1234, ("[fd00::1]:1234",)),
    ],
)
def test_hosts(api_host: t.Any, port: int | None, hosts: tuple[str, ...]) -> None:
    assert connection(params(api_host=api_host, api_port=port, api_user="root@pam", api_password="x")).hosts == hosts


@pytest.mark.parametrize(
    ("service", "options", "words_of_it"),
    [
        ("pve", {"store": ["tank"]}, "^store: only Backup Server has datastores; take .* [(]service is pve[)].$"),
        ("pbs", {"vmid": ["100"]}, "^vmid: Backup Server's list knows no guests; take type, store or user"),
        ("pbs", {"follow_ha": True}, "^follow_ha: only Proxmox VE has an HA manager; leave follow_ha out"),
        ("pmg", {"follow_ha": True}, "^follow_ha"),
        ("pmg", {"vmid": ["100"]}, "^vmid: Mail Gateway has no guests"),
        ("pmg", {"store": ["tank"]}, "^store: only Backup Server has datastores"),
        ("pmg", {"source": "active"}, "^source: Mail Gateway lists only what has ended; name running tasks by upids"),
        ("pmg", {"outcome": ["ok, running"]}, "^outcome: Mail Gateway lists only what has ended"),
        (
            "pmg",
            {"api_token_id": "ci"},
            "^api_token_id: Mail Gateway has no API tokens; give api_user and",
        ),
    ],
)
def test_what_a_service_cannot_serve_is_refused(service: str, options: dict[str, t.Any], words_of_it: str) -> None:
    given = params(api_host="pve1", service=service, api_user="root@pam", api_password="x")
    with pytest.raises(OptionError, match=words_of_it):
        connection({**given, **options})


@pytest.mark.parametrize("service", ["pve", "pbs", "pmg"])
def test_blank_is_not_given(service: str) -> None:
    given = params(api_host="pve1", service=service, api_user="root@pam", api_password="x")
    blank = {"store": [], "vmid": [" "], "follow_ha": False, "source": "all", "outcome": [""], "api_token_id": ""}
    assert connection({**given, **blank}).service.name == service


@pytest.mark.parametrize(("service", "port"), [("pve", 8006), ("pbs", 8007), ("pmg", 8006)])
def test_the_port_is_the_services_own(service: str, port: int) -> None:
    given = params(api_host="pve1", service=service, api_user="root@pam", api_password="x")
    assert connection(given).hosts == (f"pve1:{port}",)


@pytest.mark.parametrize(
    ("host", "words_of_it"),
    [
        ("http://pve1", "'http://pve1' is not https"),
        ("ftp://pve1/", "'ftp://pve1/' is not https"),
        ("https://pve1:8006/api2/json", "has a path"),
        ("https://pve1:8006/#v1:0:18", "has a path"),
        ("pve1/api2", "has a path"),
        ("pve1?", "has a path"),
        ("https://", "no host name"),
        ("https:///", "has a path"),
        ("a b", "no host name"),
        ("[::1", "no host name"),
        ("pve1:port", "no host name"),
        ("pve1:0", "0 in 'pve1:0' is no port number"),
        ("pve1:70000", "70000 in 'pve1:70000' is no port number"),
    ],
)
def test_what_is_no_host(host: str, words_of_it: str) -> None:
    with pytest.raises(OptionError, match=f"^api_host: .*{words_of_it}"):
        connection(params(api_host=[host], api_user="root@pam", api_password="x"))


@pytest.mark.parametrize(
    "host",
    ["user@pve1", "https://root:hush@pve1", "root:hush@pve1:8006", "http://root:hu,hush@pve1/", ["pve2", "a:hush@b"]],
)
def test_an_address_with_a_user_is_refused_without_showing_it(host: t.Any) -> None:
    with pytest.raises(OptionError, match=r"^api_host: an address with a user in it is not taken") as caught:
        connection(params(api_host=host, api_user="root@pam", api_password="x"))
    assert "hush" not in caught.value.message


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"api_timeout": 0}, "api_timeout: 0.0 is not"),
        ({"api_timeout": "nan"}, "api_timeout"),
        ({"api_port": 70000}, "api_port: 70000 is no"),
        ({"ca_path": "/no/such/file.pem"}, "ca_path: /no/such/file.pem cannot be read"),
    ],
)
def test_values_that_cannot_work(options: dict[str, t.Any], text: str) -> None:
    with pytest.raises(OptionError, match=text):
        connection(params(api_host="pve1", api_user="root@pam", api_password="x", **options))


@pytest.mark.parametrize(
    ("option", "value", "text"),
    [
        ("HOST", "pve1,http://pve2", "api_host (from PROXMOX_HOST): 'http://pve2' is not https"),
        ("PORT", "70000", "api_port (from PROXMOX_PORT): 70000 is no port"),
        ("USER", "root", "api_user (from PROXMOX_USER): root has no realm"),
        ("PASSWORD", "hush\tup", "api_password (from PROXMOX_PASSWORD) holds a control character"),
        ("OTP", "12345", "api_otp (from PROXMOX_OTP) is not 6 to 8 digits"),
        ("TOKEN_ID", "root@pam!ci=hush", "api_token_id (from PROXMOX_TOKEN_ID) holds an equals sign"),
        ("TOKEN_SECRET", "hush", "api_token_secret (from PROXMOX_TOKEN_SECRET) needs it"),
        ("CA_PATH", "/no/ca.pem", "ca_path (from PROXMOX_CA_PATH): /no/ca.pem cannot be read"),
        ("CA_PATH", "~/no/ca.pem", "ca_path (from PROXMOX_CA_PATH): "),
        ("API_TIMEOUT", "-1", "api_timeout (from PROXMOX_API_TIMEOUT): -1.0 is not"),
    ],
)
def test_a_value_from_the_environment_is_blamed_on_its_variable(
    monkeypatch: pytest.MonkeyPatch, option: str, value: str, text: str
) -> None:
    given = {"HOST": "pve1", "USER": "root@pam", "PASSWORD": "x", option: value}
    for name, content in given.items():
        monkeypatch.setenv(f"PROXMOX_{name}", content)
    with pytest.raises(OptionError) as caught:
        connection(params())
    assert text in caught.value.message
    assert "hush" not in caught.value.message
    # The same value as an option is the option's own fault.
    monkeypatch.delenv(f"PROXMOX_{option}")
    with pytest.raises(OptionError) as caught:
        connection(params(**{"ca_path" if option == "CA_PATH" else f"api_{option.lower().replace('api_', '')}": value}))
    assert f"PROXMOX_{option}" not in caught.value.message


def test_sources_are_named_once_and_for_whole_words_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROXMOX_SERVICE", "pdm")
    monkeypatch.setenv("PROXMOX_PORT", "soon")
    # What Ansible refuses stays as it was given.
    values = ArgumentSpecValidator(CONNECTION).validate({}).validated_parameters
    text = "microservice, service-a: value of service must be one of: pve, got: pdm; service; api_port"
    named = with_sources(text, values)
    assert named == (
        "microservice, service-a: value of service (from PROXMOX_SERVICE) must be one of: pve, got: pdm; service; "
        "api_port (from PROXMOX_PORT)"
    )
    assert with_sources("service", {"service": "pve"}) == "service"


def test_the_environment_fills_in(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.touch()
    values = {
        "HOST": "pve1,pve2",
        "PORT": "443",
        "TOKEN_ID": "root@pam!ci",
        "TOKEN_SECRET": "s",
        "VALIDATE_CERTS": "false",
        "CA_PATH": str(authority),
        "API_TIMEOUT": "3.5",
        "SERVICE": "pve",
    }
    for name, value in values.items():
        monkeypatch.setenv(f"PROXMOX_{name}", value)
    who = connection(params())
    assert who.hosts == ("pve1:443", "pve2:443")
    assert (who.user, who.token_name, who.token_secret) == ("root@pam", "ci", "s")
    assert (who.validate_certs, who.ca_path, who.timeout) == (False, str(authority), 3.5)
    assert who.ca_option == "ca_path (from PROXMOX_CA_PATH)"


def test_a_variable_that_is_empty_is_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    without = params()
    for options in CONNECTION.values():
        monkeypatch.setenv(options["fallback"][1][0], "")
    assert params() == without
    assert with_sources(" ".join(CONNECTION), without) == " ".join(CONNECTION)


# One way to log in from the task, another one exported

PASSWORD = {"api_user": "otp@pve", "api_password": "hush"}
TOKEN = {"api_token_id": "ops@pve!ci", "api_token_secret": "hush"}
EXPORTED_TOKEN = {"TOKEN_ID": "root@pam!env", "TOKEN_SECRET": "exported"}
EXPORTED_PASSWORD = {"USER": "root@pam", "PASSWORD": "exported", "OTP": "123456"}


def export(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"PROXMOX_{name}", value)


@pytest.mark.parametrize("service", ["pve", "pbs", "pmg"])
@pytest.mark.parametrize("exported", [EXPORTED_TOKEN, {**EXPORTED_TOKEN, **EXPORTED_PASSWORD}, {"TOKEN_SECRET": "x"}])
def test_a_tasks_password_wins(monkeypatch: pytest.MonkeyPatch, exported: dict[str, str], service: str) -> None:
    export(monkeypatch, exported)
    who = connection(params(api_host="pve1", service=service, **PASSWORD))
    assert (who.authid, who.password, who.token_secret) == ("otp@pve", "hush", None)
    assert who.otp == exported.get("OTP")


def test_a_tasks_password_has_an_exported_user(monkeypatch: pytest.MonkeyPatch) -> None:
    export(monkeypatch, {**EXPORTED_TOKEN, "USER": "ops@pve"})
    assert connection(params(api_host="pve1", api_password="hush")).authid == "ops@pve"


@pytest.mark.parametrize(
    ("options", "exported", "authid", "secret"),
    [
        (TOKEN, EXPORTED_PASSWORD, "ops@pve!ci", "hush"),
        (TOKEN, {**EXPORTED_PASSWORD, **EXPORTED_TOKEN}, "ops@pve!ci", "hush"),
        (TOKEN, {"PASSWORD": "hush\tup", "OTP": "12"}, "ops@pve!ci", "hush"),
        # What the task leaves out of its way is filled in.
        ({**TOKEN, "api_token_id": "ci"}, EXPORTED_PASSWORD, "root@pam!ci", "hush"),
        ({"api_token_id": "ops@pve!ci"}, {**EXPORTED_PASSWORD, "TOKEN_SECRET": "exported"}, "ops@pve!ci", "exported"),
        ({"api_token_secret": "hush"}, {**EXPORTED_PASSWORD, "TOKEN_ID": "root@pam!env"}, "root@pam!env", "hush"),
        # Given twice by the task, or by nobody but the environment: the token.
        ({**TOKEN, "api_password": "hush"}, EXPORTED_PASSWORD, "ops@pve!ci", "hush"),
        ({"api_user": "root@pam"}, {**EXPORTED_PASSWORD, **EXPORTED_TOKEN}, "root@pam!env", "exported"),
        ({}, {**EXPORTED_PASSWORD, **EXPORTED_TOKEN}, "root@pam!env", "exported"),
    ],
)
def test_a_tasks_token_wins(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, str], exported: dict[str, str], authid: str, secret: str
) -> None:
    export(monkeypatch, exported)
    who = connection(params(api_host="pve1", **options))
    assert (who.authid, who.token_secret, who.password) == (authid, secret, None)


@pytest.mark.parametrize(
    ("options", "exported", "text"),
    [
        ({**PASSWORD, **TOKEN}, {}, "api_token_id belongs to ops@pve, but api_user is otp@pve: leave api_user out."),
        (
            {"api_user": "otp@pve"},
            EXPORTED_TOKEN,
            "api_token_id (from PROXMOX_TOKEN_ID) belongs to root@pam, but api_user is otp@pve: leave api_user out.",
        ),
        (
            {"api_token_id": "ops@pve!ci"},
            EXPORTED_PASSWORD,
            "api_token_secret is missing or empty: api_token_id needs it.",
        ),
        (
            {"api_password": "hush"},
            EXPORTED_TOKEN,
            "api_user is missing: api_password needs it, and an api_token_id that is a name only.",
        ),
    ],
)
def test_what_does_not_fit_is_refused_still(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, str], exported: dict[str, str], text: str
) -> None:
    export(monkeypatch, exported)
    with pytest.raises(OptionError) as caught:
        connection(params(api_host="pve1", **options))
    assert caught.value.message == text


def test_a_value_that_is_the_environments_too_is_the_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    export(monkeypatch, {**EXPORTED_PASSWORD, **EXPORTED_TOKEN})
    who = connection(params(api_host="pve1", api_user="root@pam", api_password="exported"))
    assert (who.authid, who.password) == ("root@pam", "exported")


def test_an_exported_token_is_no_matter_to_a_service_that_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    export(monkeypatch, {**EXPORTED_TOKEN, **EXPORTED_PASSWORD, "SERVICE": "pmg"})
    assert connection(params(api_host="pmg1")).authid == "root@pam"
    with pytest.raises(OptionError, match=r"^api_token_id: Mail Gateway has no API tokens"):
        connection(params(api_host="pmg1", **PASSWORD, **TOKEN))
    # With nothing else to log in with, it says why.
    monkeypatch.delenv("PROXMOX_PASSWORD")
    with pytest.raises(OptionError, match=r"^api_token_id [(]from PROXMOX_TOKEN_ID[)]: Mail Gateway has no API tokens"):
        connection(params(api_host="pmg1"))


def test_secrets_do_not_show() -> None:
    who = connection(params(api_host="pve1", api_user="root@pam", api_password="hush", api_otp="123456"))
    assert "hush" not in repr(who)
    assert "123456" not in repr(who)


# No host: the machine where the module runs


@pytest.mark.parametrize("api_host", [None, [], "", [" , "]])
def test_without_a_host_this_machine_is_asked(api_host: t.Any) -> None:
    made = connection(params(api_host=api_host, api_port=1, api_timeout=7))
    assert (made.hosts, made.user, made.timeout, made.password) == ((), "root@pam", 7, None)
    assert made.cost > 0
    assert connection(params(api_host="pve1", api_user="root@pam", api_password="x")).cost == 0


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"api_user": "root@pam", "api_password": "hush"}, "api_user and api_password are given"),
        ({"api_token_id": "root@pam!ci"}, "api_token_id is given"),
        ({"api_otp": "123456"}, "api_otp is given"),
    ],
)
def test_credentials_for_a_host_that_is_not_named(given: dict[str, str], named: str) -> None:
    with pytest.raises(OptionError, match=rf"^api_host is missing, but {named}: set api_host. Without") as caught:
        connection(params(**given))
    assert "hush" not in caught.value.message


@pytest.mark.parametrize("service", ["pve", "pmg"])
@pytest.mark.parametrize("exported", [EXPORTED_TOKEN, EXPORTED_PASSWORD, {"PASSWORD": "hush\tup", "TOKEN_ID": "a=b"}])
def test_an_environment_may_hold_credentials_for_others(
    monkeypatch: pytest.MonkeyPatch, exported: dict[str, str], service: str
) -> None:
    export(monkeypatch, exported)
    assert connection(params(service=service)).hosts == ()
    with pytest.raises(OptionError, match=r"^api_host is missing, but api_user is given"):
        connection(params(service=service, api_user="root@pam"))


def test_a_service_that_cannot_be_asked_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SERVICES, "pve", dataclasses.replace(SERVICES["pve"], name="pbs", command=()))
    with pytest.raises(OptionError, match=r"^api_host is missing: service pbs cannot be asked without it"):
        connection(params())


def test_the_time_of_a_question_is_checked_without_a_host_too() -> None:
    with pytest.raises(OptionError, match=r"^api_timeout: 0"):
        connection(params(api_timeout=0))
