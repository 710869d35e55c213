# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters: what they mean, and which can never match."""

from __future__ import annotations

import time
import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.plan import Filters
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import OptionError
from ansible_collections.proxkit.tasks.plugins.module_utils._model.task import Task
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import parse
from ansible_collections.proxkit.tasks.plugins.module_utils._module.filters import (
    datastores,
    filters_of,
    guests,
    instant,
    node_names,
    outcomes,
    owner,
    period,
    simple_iso,
    worker_types,
)

NOW = 1800000000.0


@pytest.mark.parametrize(
    ("value", "epoch"),
    [
        (None, None),
        ("1700000000", 1700000000),
        ("2023-11-14T22:13:20", 1700000000),
        ("2023-11-14T22:13:20Z", 1700000000),
        ("2023-11-14 23:13:20+01:00", 1700000000),
        ("2023-11-14", 1699920000),
        ("1700000000.75", 1700000000),
        ("1700000000.", 1700000000),
        ("2023-11-14T22:13:20.5Z", 1700000000),
        ("2023-11-14T23:13:20.123456789+0100", 1700000000),
        ("", None),
        (" ", None),
        ("90s", 1800000000 - 90),
        ("30m", 1800000000 - 1800),
        (" 24h ", 1800000000 - 86400),
        ("7d", 1800000000 - 604800),
        ("2w", 1800000000 - 1209600),
        ("0s", 1800000000),
    ],
)
def test_instants(value: str | None, epoch: int | None) -> None:
    assert instant("since", value, NOW) == epoch


@pytest.fixture
def far_east(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[None]:
    """A machine whose own time is not UTC."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "EAST-9")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("far_east")
def test_times_without_an_offset_are_utc_wherever_the_machine_is() -> None:
    assert instant("since", TIME, NOW) == instant("since", f"{TIME}Z", NOW) == 1700000000


TIME = "2023-11-14T22:13:20"


@pytest.mark.parametrize(
    ("text", "simple"),
    [
        *((f"{TIME}{zone}", f"{TIME}+00:00") for zone in "Zz"),
        *((f"{TIME}{fraction}", TIME) for fraction in (".5", ",123456789")),
        *((f"{TIME}.5{zone}", f"{TIME}+00:00") for zone in "Zz"),
        *((f"{TIME}.5{sign}0130", f"{TIME}{sign}01:30") for sign in "+-"),
        *((text, text) for text in ("2023-11-14", TIME, f"{TIME}+01:30", f"{TIME}.", f"{TIME}.5 x", f"{TIME}.Z-1")),
        *((text, text) for text in ("Z1", "20231114", "1.5x0100", "1:0130", "a+01301")),
    ],
)
def test_times_as_old_pythons_read_them(text: str, simple: str) -> None:
    assert simple_iso(text) == simple


@pytest.mark.parametrize(
    "value",
    [
        ".5",
        *("yesterday", "-5", "2023-13-01", "1e9", "24 hours", "24H", "h", "-24h", "1.5h", "1h30m", "٣h"),
        # what no task can have
        *("99999999999", "9" * 400, "1969-12-31", "0001-01-01T00:00:00+23:00", "9999-12-31", "9999w", "9" * 400 + "s"),
    ],
)
def test_what_is_no_instant(value: str) -> None:
    with pytest.raises(OptionError, match=r"^since: "):
        instant("since", value, NOW)


def test_a_period_has_time_in_it() -> None:
    assert period("2h", "1h", NOW) == (NOW - 7200, NOW - 3600)
    assert period("", None, NOW) == (None, None)
    assert period("1h", "1h", NOW) == (NOW - 3600, NOW - 3600)
    with pytest.raises(OptionError, match="since: '1h' is later than until"):
        period("1h", "2h", NOW)


def test_filters_take_lists_as_text() -> None:
    assert node_names(["pve1", " pve-2", ""]) == ["pve1", "pve-2"]
    assert worker_types(["vzdump, qmstart"]) == ("vzdump", "qmstart")
    assert guests([100, " 101", "100,102"]) == (100, 101, 102)
    assert datastores(["tank, nas_1"]) == ("tank", "nas_1")
    assert outcomes(["ok, error"]) == ("ok", "error")
    assert (owner(" root@pam!ci "), owner(" "), owner(None)) == ("root@pam!ci", None, None)
    for made in (node_names, worker_types, guests, datastores, outcomes):
        assert not made([""])
        assert not made(None)


@pytest.mark.parametrize(
    ("made", "value", "text"),
    [
        *(
            (guests, [value], f"^vmid: '{value}' is no id")
            for value in ("99", "1000000000", "-100", "1e3", "0100", "a")
        ),
        *(
            (datastores, [value], f"^store: '{value}' is no name")
            for value in ("ab", "a" * 33, "-tank", "a/b", "tank:x")
        ),
        (outcomes, ["ok, failed"], "^outcome: 'failed' is none of ok, warning, error, unknown, running"),
        (worker_types, ["vz dump"], "^type: 'vz dump' is no type"),
        (worker_types, ["a/b"], "^type: "),
        *(
            (owner, value, "^user: .* no task can match")
            for value in ("root", "@pam", "root@pam!", "a b@pam", "a:b@pam")
        ),
    ],
)
def test_a_filter_that_can_never_match_is_refused_by_name(made: t.Any, value: t.Any, text: str) -> None:
    with pytest.raises(OptionError, match=text):
        made(value)


def test_whom_backup_server_knows() -> None:
    assert owner("ops@1realm!2nd", "pbs") == "ops@1realm!2nd"
    with pytest.raises(OptionError):
        owner("ops@1realm")


GIVEN: dict[str, t.Any] = {
    "source": "archive",
    "type": ["vzdump"],
    "vmid": ["100"],
    "store": ["tank"],
    "user": "root@pam",
    "outcome": ["ok"],
    "since": "2h",
    "until": "1h",
    "limit": 0,
}


def test_filters_are_made_of_all_that_is_given() -> None:
    assert filters_of(GIVEN, NOW) == Filters(
        source="archive",
        types=("vzdump",),
        vmids=(100,),
        stores=("tank",),
        user="root@pam",
        outcomes=("ok",),
        since=1799992800,
        until=1799996400,
        limit=0,
    )
    assert filters_of({**GIVEN, "user": "ops@1realm"}, NOW, "pbs").user == "ops@1realm"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"limit": -1}, "limit: -1 is no number of tasks (0 means all)."),
        (
            {"outcome": ["running"]},
            "outcome: what is running is in no archive, so that no task can match source=archive.",
        ),
        ({"user": "ops@1realm"}, "user: 'ops@1realm' is neither user@realm nor user@realm!token, so that no task can"),
        (
            {"since": "soon"},
            "since: 'soon' is no time: give epoch seconds, ISO 8601, or a time ago such as 30m, 24h or 7d.",
        ),
        ({"until": "-1"}, "until: '-1' is no time: "),
        ({"until": "4294967296"}, "until: '4294967296' is no time that a task can have (1970 to 2106)."),
        ({"since": "1h", "until": "2h"}, "since: '1h' is later than until ('2h'), so that no task can match."),
        ({"type": ["a b"]}, "type: 'a b' is no type of a task (no blanks, colons and slashes), see vzdump."),
        ({"vmid": ["99"]}, "vmid: '99' is no id of a guest (100 to 999999999)."),
        ({"store": ["ab"]}, "store: 'ab' is no name of a datastore (letters, digits and . _ -, 3 to 32)."),
        ({"outcome": ["good"]}, "outcome: 'good' is none of ok, warning, error, unknown, running."),
    ],
)
def test_what_is_wrong_is_said(options: dict[str, t.Any], text: str) -> None:
    with pytest.raises(OptionError) as caught:
        filters_of({**GIVEN, **options}, NOW)
    assert str(caught.value).startswith(text)


@pytest.mark.parametrize(
    "options",
    [
        {"outcome": ["running"], "source": "all"},
        {"outcome": ["running", "ok"]},
        {"until": "4294967295"},
        {"since": "0"},
        {"vmid": ["100", "999999999"]},
        {"store": ["abc", "a" * 32, "_.-", "Z09"]},
    ],
)
def test_what_is_right_at_its_edge_is_taken(options: dict[str, t.Any]) -> None:
    assert filters_of({**GIVEN, **options}, NOW).limit == 0


def test_a_server_that_is_asked_by_another_name_is_known_by_its_tasks() -> None:
    task = Task(parse("UPID:elsa:00004F37:0039E469:00000000:5CA78B83:garbage_collection:tank:root@pam:"), "running")
    assert Filters(nodes=("elsa",)).fit(task)
    assert not Filters(nodes=("other",)).fit(task)
    assert Filters(stores=("a", "b"), types=("sync",)).queries() == [
        {"source": "all", "type": "sync", "store": "a"},
        {"source": "all", "type": "sync", "store": "b"},
    ]


def test_node_names() -> None:
    assert node_names(["pve1", "pve-2", "pve1"]) == ["pve1", "pve-2"]
    for name in ("../x", "pve/1", "-pve", "pve.1"):
        with pytest.raises(OptionError) as caught:
            node_names([name])
        assert str(caught.value) == f"node: '{name}' is no node name (letters, digits and inner hyphens)."
