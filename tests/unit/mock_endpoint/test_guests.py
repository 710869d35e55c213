# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tasks make of guests and nodes, and files that are uploaded."""

from __future__ import annotations

import hashlib
import typing as t

import pytest
from ansible_collections.proxkit.tasks.tests.mock_endpoint import TOKEN_ID, Mock, Upid
from ansible_collections.proxkit.tasks.tests.unit.mock_endpoint.asking import HEADERS, Got, ask, data, log, send, status

ISO = "\x01CD001\x01\r\n--x\n"


def guest(mock: Mock, vmid: int) -> t.Any:
    """What the cluster says of a guest; None where there is none."""
    rows = data(mock, "cluster/resources?type=vm")
    return next((row for row in rows if row["vmid"] == vmid), None)


# --- guests -----------------------------------------------------------------------------------------------------


def test_a_guest_moves_when_its_migration_has_ended(mock: Mock) -> None:
    data(mock, "nodes/pve1/qemu/100/migrate", "POST", target="pve2", online="1")
    assert (guest(mock, 100)["node"], guest(mock, 100)["lock"]) == ("pve1", "migrate")
    again = ask(mock, "nodes/pve1/qemu/100/migrate", "POST", target="pve2", online="1")
    assert again[:2] == (500, "VM is locked (migrate)")
    mock.clock(advance=60)
    assert guest(mock, 100)["node"] == "pve2"
    assert "lock" not in guest(mock, 100)


@pytest.mark.parametrize("path", ["qemu/100", "lxc/200"])
def test_a_guest_whose_migration_fails_stays(mock: Mock, path: str) -> None:
    mock.scripts(type="qmigrate", exitstatus="migration aborted")
    mock.scripts(type="vzmigrate", exitstatus="migration aborted")
    data(mock, f"nodes/pve1/{path}/migrate", "POST", target="pve2", online="1", restart="1")
    mock.clock(advance=60)
    assert guest(mock, int(path[-3:]))["node"] == "pve1"


def test_a_guest_of_the_ha_manager_is_locked_when_its_manager_begins(mock: Mock) -> None:
    mock.settings(ha_delay=15)
    data(mock, "nodes/pve2/qemu/111/migrate", "POST", target="pve3", online="1")
    mock.clock(advance=1)
    assert "lock" not in guest(mock, 111)
    mock.clock(advance=15)
    assert guest(mock, 111)["lock"] == "migrate"
    mock.clock(advance=60)
    assert (guest(mock, 111)["node"], guest(mock, 111)["hastate"]) == ("pve3", "started")


def test_a_clone_is_locked_until_it_is_whole(mock: Mock) -> None:
    mock.guest(vmid=100, template=True, running=False)
    assert data(mock, "cluster/nextid") == "104"
    upid = data(mock, "nodes/pve1/qemu/100/clone", "POST", newid="104", name="web")
    assert ask(mock, "nodes/pve1/qemu/104/config", "POST", cores="2")[:2] == (500, "VM is locked (clone)")
    early = data(mock, "nodes/pve1/qemu/104/status/start", "POST")
    mock.clock(advance=30)
    assert (status(mock, upid), status(mock, early)) == ("OK", "VM is locked (clone)")
    assert (guest(mock, 104)["name"], guest(mock, 104)["status"]) == ("web", "stopped")
    data(mock, "nodes/pve1/qemu/104/status/start", "POST")
    mock.clock(advance=30)
    assert guest(mock, 104)["status"] == "running"


def test_nothing_is_left_of_a_clone_that_fails(mock: Mock) -> None:
    mock.scripts(type="qmclone", exitstatus="clone failed: no space left on device")
    data(mock, "nodes/pve1/qemu/100/clone", "POST", newid="900")
    assert guest(mock, 900)["lock"] == "clone"
    mock.clock(advance=30)
    assert guest(mock, 900) is None


def test_a_lock_that_tests_set_lasts(mock: Mock) -> None:
    mock.guest(vmid=100, lock="backup")
    assert ask(mock, "nodes/pve1/qemu/100/clone", "POST", newid="900")[:2] == (500, "VM is locked (backup)")


def test_what_the_cluster_consists_of(mock: Mock) -> None:
    mock.node(name="pve3", online=False)
    rows = data(mock, "cluster/resources")
    assert [row["id"] for row in rows if row["type"] == "node"] == ["node/pve1", "node/pve2", "node/pve3"]
    assert [row["status"] for row in rows if row["type"] == "node"] == ["online", "online", "offline"]
    assert {row["type"] for row in rows} == {"qemu", "lxc", "node", "storage"}
    assert data(mock, "cluster/nextid?vmid=900") == "900"
    assert ask(mock, "cluster/nextid?vmid=100")[2]["errors"] == {"vmid": "VM 100 already exists"}


@pytest.mark.parametrize(("path", "ha"), [("nodes/pve1/qemu/100", 0), ("nodes/pve2/lxc/211", 1)])
def test_how_a_guest_fares(mock: Mock, path: str, ha: int) -> None:
    fares = data(mock, f"{path}/status/current")
    assert (fares["vmid"], fares["status"], fares["ha"]) == (int(path[-3:]), "running", {"managed": ha})
    data(mock, f"{path}/status/stop", "POST")
    mock.clock(advance=60)
    assert data(mock, f"{path}/status/current")["status"] == "stopped"


def test_what_one_may_do(mock: Mock) -> None:
    acl = {"/vms/100": ["VM.Backup"], "/storage": ["Datastore.AllocateSpace"]}
    mock.user(name="some@pve", acl=acl, tokens={"t": {"secret": "s", "separated": True, "acl": {"/": ["VM.Backup"]}}})
    held = {"/vms/100": {"VM.Backup": 1}}
    assert ask(mock, "access/permissions", token=("some@pve!t", "s"))[2]["data"] == held
    of_user = {**held, "/storage": {"Datastore.AllocateSpace": 1}}
    assert data(mock, "access/permissions?userid=some@pve") == of_user
    assert data(mock, "access/permissions?userid=nobody@pve") == {}
    assert data(mock, "access/permissions?userid=some@pve&path=/storage/local") == {
        "/storage/local": {"Datastore.AllocateSpace": 1}
    }
    assert data(mock, "access/permissions")["/"]["Sys.Audit"] == 1
    status, reason, _body = ask(mock, "access/permissions?userid=root@pam", token=("some@pve!t", "s"))
    assert (status, reason) == (403, "Permission check failed (/access, Sys.Audit)")


def test_storages(mock: Mock) -> None:
    assert [(row["storage"], row["type"]) for row in data(mock, "storage")] == [("local", "dir"), ("backup", "dir")]
    assert data(mock, "storage?type=nfs") == []
    mock.user(name="some@pve", acl={}, tokens={"t": {"secret": "s"}})
    assert ask(mock, "storage", token=("some@pve!t", "s"))[2]["data"] == []


# --- nodes ------------------------------------------------------------------------------------------------------


def test_a_node_that_is_rebooted_is_away_for_a_while(mock: Mock) -> None:
    mock.settings(boot_seconds=30)
    before = data(mock, "nodes/pve2/status")["uptime"]
    assert data(mock, "nodes/pve2/status", "POST", command="reboot") is None
    assert data(mock, "nodes/pve2/status")["uptime"] == before
    mock.clock(advance=3)
    assert ask(mock, "nodes/pve2/status")[0] == 595
    assert [row["status"] for row in data(mock, "nodes")] == ["online", "offline", "online"]
    mock.clock(advance=30)
    assert data(mock, "nodes/pve2/status")["uptime"] < 30
    assert [(row["type"], row["user"]) for row in data(mock, "nodes/pve2/tasks?source=active")] == [
        ("startall", "root@pam")
    ]


def test_a_node_that_is_shut_down_stays_away(mock: Mock) -> None:
    data(mock, "nodes/pve2/status", "POST", command="shutdown")
    mock.clock(advance=86400)
    assert ask(mock, "nodes/pve2/status")[0] == 595


# --- files ------------------------------------------------------------------------------------------------------


def part(headers: str, content: str) -> str:
    return f"--x\r\n{headers}\r\n\r\n{content}\r\n"


FIELD = 'Content-Disposition: form-data; name="content"'
FILE = 'Content-Disposition: form-data; name="filename"; filename="debian 13.iso"'


def upload(mock: Mock, node: str, *parts: str) -> Got:
    headers = {**HEADERS, "Content-Type": "multipart/form-data; boundary=x"}
    target = f"/api2/json/nodes/{node}/storage/local/upload"
    return send(mock, target, "POST", headers, "".join(parts) + "--x--\r\n")


def test_a_file_is_imported_on_the_node_that_was_asked(mock: Mock) -> None:
    headers = f"{FILE}\r\nContent-Type: application/octet-stream"
    algorithm = part('Content-Disposition: form-data; name="checksum-algorithm"', "sha256")
    checksum = part('Content-Disposition: form-data; name="checksum"', hashlib.sha256(ISO.encode()).hexdigest())
    upid = Upid.parse(upload(mock, "pve2", part(FIELD, "iso"), algorithm, checksum, part(headers, ISO)).body["data"])
    assert upid is not None
    assert (upid.node, upid.type, upid.id, upid.user) == ("pve1", "imgcopy", "", TOKEN_ID)
    mock.clock(advance=60)
    assert "target node: pve2" in log(mock, upid.text)
    assert "target file: /var/lib/vz/template/iso/debian_13.iso" in log(mock, upid.text)
    assert f"file size is: {len(ISO)}" in log(mock, upid.text)


@pytest.mark.parametrize(
    ("parts", "code", "detail"),
    [
        # As Ansible's module uri writes them: the disposition comes last.
        ([part(FIELD, "iso"), part(f"Content-Type: text/plain\r\n{FILE}", ISO)], 500, "upload failed"),
        ([part(FILE, ISO)], 400, "Parameter verification failed."),
        ([part(FIELD, "iso")], 500, "upload failed"),
        (
            [part(FIELD, "iso"), part(FILE.replace("filename", "file", 1), ISO)],
            500,
            "wrong field name 'file' for file upload, expected 'filename'",
        ),
        ([part(FIELD, "vztmpl"), part(FILE, ISO)], 400, "Parameter verification failed."),
    ],
)
def test_uploads_that_are_refused(mock: Mock, parts: list[str], code: int, detail: str) -> None:
    got = upload(mock, "pve1", *parts)
    assert (got.status, got.reason) == (code, detail)


def test_an_upload_is_a_form_of_several_parts(mock: Mock) -> None:
    got = ask(mock, "nodes/pve1/storage/local/upload", "POST", content="iso", filename="a.iso")
    assert got[:2] == (500, "upload 'Content-Type 'application/x-www-form-urlencoded' not implemented")


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("nodes/pve9/storage/local", "hostname lookup 'pve9' failed"),
        ("nodes/pve1/storage/nas", "storage 'nas' does not exist"),
    ],
)
@pytest.mark.parametrize("way", ["upload", "download-url"])
def test_files_need_a_node_and_a_storage(mock: Mock, path: str, detail: str, way: str) -> None:
    headers, body = {**HEADERS}, "content=iso&filename=a.iso&url=https://example.com/a.iso"
    if way == "upload":
        headers["Content-Type"] = "multipart/form-data; boundary=x"
        body = f"{part(FIELD, 'iso')}{part(FILE, ISO)}--x--"
    got = send(mock, f"/api2/json/{path}/{way}", "POST", headers, body)
    assert got.status == 500
    assert got.reason.startswith(detail)
