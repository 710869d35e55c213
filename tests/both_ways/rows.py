# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls of proxmox_task_wait whose results must be the same in Ansible's own process and by module.

The play sets the connection in ``module_defaults``, the authority's file but for rows that name one in the environment,
where ``EXPORTED`` is as well.
``u`` has the UPIDs that ``world`` makes.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.proxkit.tasks.tests.mock_endpoint import (
    OTP_CODE,
    OTP_PASSWORD,
    OTP_USER,
    ROOT_PASSWORD,
    TOKEN_SECRET,
    Mock,
)

Json = dict[str, t.Any]

# A second in the past, so that both ways see the same times.
EPOCH = 1_700_000_000.2
# What JSON cannot say, put into the playbook in place of these.
VAULT, DATE = "<vault>", "<date>"
MISSING = "UPID:pve1:0000AAAA:00A21BA7:618C1D55:vzdump:100:root@pam:"
OF_BACKUP_SERVER = "UPID:pbs1:0000AAAA:00A21BA7:00000001:618C1D55:backup:store:root@pam:"

# Good for nothing: a token that is another's, and variables that are empty.
EXPORTED = {
    "PROXMOX_TOKEN_ID": "nobody@pve!exported",
    "PROXMOX_TOKEN_SECRET": "exported-secret",
    **dict.fromkeys(("PROXMOX_PORT", "PROXMOX_SERVICE", "PROXMOX_API_TIMEOUT", "PROXMOX_VALIDATE_CERTS"), ""),
}
BY_PASSWORD = {"upids": "{{ u.ok }}", "api_token_id": "", "api_token_secret": ""}
NO_TOKEN = {"module_defaults": {"group/proxkit.tasks.proxmox": {"api_host": "{{ host }}", "api_port": "{{ port }}"}}}


@dataclasses.dataclass(frozen=True)
class Row:
    """A call: the module's options, keywords of the task and of a block around it.

    ``here``: no module is started for it, unless something makes all go by module.
    """

    options: Json
    keywords: Json = dataclasses.field(default_factory=dict)
    here: bool = True
    block: Json = dataclasses.field(default_factory=dict)


def world(mock: Mock) -> dict[str, list[str]]:
    """The tasks that there are, by name, the same each time."""
    mock.reset()
    mock.clock(set=EPOCH)
    mock.settings(stop_seconds=0.1)

    def ended(exitstatus: t.Optional[str] = "OK", **more: t.Any) -> list[str]:
        given = {"type": "vzdump", "id": "100", "start": -90, "duration": 60, **more}
        return t.cast("list[str]", mock.tasks(exitstatus=exitstatus, **given)["upids"])

    def running(**more: t.Any) -> list[str]:
        log = [[-30, "INFO: starting"], [-20, "INFO:  34% (6.7 GiB of 19.8 GiB) in 21s, read: 324.0 MiB/s"]]
        return ended(start=-30, duration=None, log=log, node="pve2", **more)

    return {
        "ok": ended(log=["INFO: 1", "INFO: 2", "TASK OK"]),
        "warned": ended("WARNINGS: 2", id="101", log=["WARN: odd", "TASK WARNINGS: 2"]),
        "failed": ended("job errors", id="102", log=["ERROR: no space left", "TASK ERROR: job errors"]),
        "hostile": ended("{{ 7 * 7 }} \x1b[31mred", id="103"),
        "textless": ended("", id="104"),
        "killed": ended(None, id="105"),
        "running": running(),
        "to_stop": running(id="106"),
        "many": ended(type="qmstart", id=200, node=["pve1", "pve2", "pve3"], count=30),
        "ha": ended(type="hamigrate", id="111", node="pve3", duration=0.1),
        "moved": ended(type="qmigrate", id="111", node="pve3", user="root@pam", start=-88, duration=20),
    }


ROWS: dict[str, Row] = {
    # How tasks end
    "ended well": Row({"upids": "{{ u.ok }}"}),
    "ended with warnings": Row({"upids": "{{ u.warned }}"}),
    "failed": Row({"upids": "{{ u.failed }}"}),
    "hostile status": Row({"upids": "{{ u.hostile }}"}),
    "no text": Row({"upids": "{{ u.textless }}"}),
    "killed": Row({"upids": "{{ u.killed }}"}),
    "missing": Row({"upids": MISSING}),
    "no such node": Row({"upids": MISSING.replace("pve1", "pve9"), "timeout": 3}),
    "many": Row({"upids": "{{ u.many }}"}),
    "some failed": Row({"upids": "{{ u.many + u.failed + u.killed }}"}),
    "HA": Row({"upids": "{{ u.ha }}", "follow_ha": True}),
    # What is wanted of them
    "fail_on warning": Row({"upids": "{{ u.warned }}", "fail_on": "warning"}),
    "fail_on never": Row({"upids": "{{ u.failed + u.killed }}", "fail_on": "never"}),
    "fail_fast": Row({"upids": "{{ u.failed + u.running }}", "fail_fast": True}),
    "any": Row({"upids": "{{ u.running + u.ok }}", "wait_for": "any"}),
    "log always": Row({"upids": "{{ u.ok }}", "log": "always", "log_lines": 1}),
    "log never": Row({"upids": "{{ u.failed }}", "log": "never"}),
    "whole log": Row({"upids": "{{ u.failed }}", "log_lines": 0}),
    # Deadlines
    "one look": Row({"upids": "{{ u.running }}", "timeout": 0}),
    "timed out": Row({"upids": "{{ u.running + u.ok }}", "timeout": 0.2, "poll_interval": 0.1}),
    "on_timeout continue": Row({"upids": "{{ u.running }}", "timeout": 0, "on_timeout": "continue"}),
    "on_timeout stop": Row({"upids": "{{ u.to_stop }}", "timeout": 0, "on_timeout": "stop"}),
    "no progress": Row({"upids": "{{ u.running }}", "timeout": 0.2, "progress": "none"}),
    "progress from the log": Row({"upids": "{{ u.running }}", "timeout": 0.2, "progress": "log"}),
    # Odd input
    "no task": Row({"upids": [None, "", "OK"]}),
    "empty list": Row({"upids": []}),
    "twice": Row({"upids": ["  {{ u.ok[0] }} ", "{{ u.ok[0] }}"]}),
    "of a remote": Row({"upids": "pve:cluster!{{ u.ok[0] }}"}),
    "malformed": Row({"upids": "UPID:pve1"}),
    "a number": Row({"upids": 5}),
    "a boolean": Row({"upids": [True]}),
    "a date": Row({"upids": DATE}, here=False),
    "another product": Row({"upids": OF_BACKUP_SERVER}),
    "a comment": Row({"upids": f"{MISSING}hello"}),
    "a dictionary": Row({"upids": {"json": {"data": "{{ u.ok[0] }}"}}}),
    "several in one text": Row({"upids": "{{ u.many[0] }} {{ u.many[1] }}"}),
    "masked": Row({"upids": MISSING.replace("vzdump", "********")}),
    "a tuple": Row({"upids": "{{ (u.ok[0], u.warned[0]) }}"}),
    "an odd interval": Row({"upids": "{{ u.ok }}", "poll_interval": 0}),
    "no number of seconds": Row({"upids": "{{ u.ok }}", "timeout": "nan"}),
    "numbers as text": Row({"upids": "{{ u.failed }}", "timeout": "5", "log_lines": "1", "fail_fast": "yes"}),
    # What Ansible refuses
    "no upids": Row({}, here=False),
    "unknown option": Row({"upids": "{{ u.ok }}", "api_passwort": "hidden"}, here=False),
    "wrong type": Row({"upids": "{{ u.ok }}", "timeout": "soon"}, here=False),
    "wrong choice": Row({"upids": "{{ u.ok }}", "log": "sometimes"}, here=False),
    "undefined": Row({"upids": "{{ nowhere }}"}),
    # Who asks
    "password": Row({**BY_PASSWORD, "api_user": "root@pam", "api_password": ROOT_PASSWORD}),
    "second factor": Row({**BY_PASSWORD, "api_user": OTP_USER, "api_password": OTP_PASSWORD, "api_otp": OTP_CODE}),
    "password, token exported": Row(
        {"upids": "{{ u.ok }}", "api_user": "root@pam", "api_password": ROOT_PASSWORD}, block=NO_TOKEN
    ),
    "exported token": Row({"upids": "{{ u.ok }}"}, block=NO_TOKEN),
    "exported token, another user": Row({"upids": "{{ u.ok }}", "api_user": "root@pam"}, block=NO_TOKEN),
    "wrong password": Row({**BY_PASSWORD, "api_user": "root@pam", "api_password": "wrong"}),
    "wrong token": Row({"upids": "{{ u.ok }}", "api_token_secret": TOKEN_SECRET[::-1]}),
    "secret pasted": Row({"upids": "{{ u.ok }}", "api_token_id": f"root@pam!ci={TOKEN_SECRET}"}),
    "no credentials": Row(BY_PASSWORD),
    "no such realm": Row({**BY_PASSWORD, "api_user": "root", "api_password": ROOT_PASSWORD}),
    "nobody listens": Row({"upids": "{{ u.ok }}", "api_port": 1}),
    "address": Row({"upids": "{{ u.ok }}", "api_host": "https://{{ host }}:{{ port }}/"}),
    "password in address": Row({"upids": "{{ u.ok }}", "api_host": "https://root:Sesam1@{{ host }}/"}),
    "file beside the playbook": Row({"upids": "{{ u.ok }}", "ca_path": "files/ca.pem"}),
    "no such file": Row({"upids": "{{ u.ok }}", "ca_path": "files/nowhere.pem"}),
    "no certificates": Row({"upids": "{{ u.ok }}", "ca_path": "files/empty.pem"}),
    # Secrets
    "vault": Row({"upids": "{{ u.ok }}", "api_token_secret": VAULT}),
    "vault in a variable": Row({"upids": "{{ u.ok }}", "api_token_secret": "{{ from_vault }}"}),
    "wrong, from a vault": Row({**BY_PASSWORD, "api_user": "root@pam", "api_password": "{{ from_vault }}"}),
    "no_log": Row({"upids": "{{ u.failed }}"}, {"no_log": True}),
    "no_log of a block": Row({"upids": "{{ u.failed }}"}, block={"no_log": True}),
    "secret in an id": Row({"upids": "{{ u.ok + u.failed }}", "api_password": "vzdump"}),
    "secret in the log": Row({"upids": "{{ u.failed }}", "api_password": "no space"}),
    "secret in a number": Row({"upids": "{{ u.ok }}", "api_otp": "700000"}),
    # Keywords
    "omit": Row({"upids": "{{ u.ok }}", "timeout": "{{ omit }}", "log": "{{ omit }}"}),
    "alias": Row({"upid": "{{ u.ok }}"}),
    "alias and option": Row({"upid": "{{ u.failed }}", "upids": "{{ u.ok }}"}, here=False),
    "loop": Row({"upids": "{{ item }}"}, {"loop": "{{ u.ok + u.warned + u.failed }}"}),
    "delegated": Row({"upids": "{{ u.ok }}"}, {"delegate_to": "elsewhere"}),
    "check mode": Row({"upids": "{{ u.failed + u.running }}"}, {"check_mode": True}),
    "check mode, nothing stopped": Row({"upids": "{{ u.running }}", "on_timeout": "stop"}, {"check_mode": True}),
    "until": Row({"upids": "{{ u.warned }}"}, {"until": "false", "retries": 1, "delay": 0}),
    "failed_when": Row({"upids": "{{ u.failed }}"}, {"failed_when": False, "changed_when": True}),
    "environment": Row({"upids": "{{ u.ok }}"}, {"environment": {"LC_ALL": "C"}}, here=False),
    "environment that is empty": Row({"upids": "{{ u.ok }}"}, {"environment": {}}),
    "async": Row({"upids": "{{ u.failed }}"}, {"async": 30, "poll": 1}, here=False),
    "registered": Row({"upids": "{{ before | proxkit.tasks.upid_extract }}"}, {"vars": {"before": "{{ row_0.msg }}"}}),
}
