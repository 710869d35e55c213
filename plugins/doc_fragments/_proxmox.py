# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options that the modules share; mirrors module_utils/_module/access.py. Private to the collection."""

from __future__ import annotations


class ModuleDocFragment:
    """One fragment for each concern."""

    CONNECTION = r"""
options:
  api_host:
    description:
      - Host name or address of the API, or several of one cluster. With several, another one takes over when one stops
        answering, also in the middle of a wait.
      - A comma separated string is fine as well. A port behind a name (C(pve1:443), C([fd00::1]:443)) wins over
        O(api_port).
      - The URL of the web interface is taken too (C(https://pve1:8006/)). One with C(http://), a path or a user in it is
        refused.
      - E(PROXMOX_HOST) is used where it is not set.
      - Without any, the command C(pvesh) is asked on the machine where the task runs, which is to be a node of the cluster;
        C(become) or a login as root is needed, and neither credentials nor a Python library. Credentials that the task
        has without a host are refused; those of the environment are left alone.
      - Each question starts C(pvesh) anew there, which takes most of a second of processor time, so less is asked and the
        pauses are longer. Other nodes are asked through C(ssh), as C(pvesh) does it.
    type: list
    elements: str
  api_port:
    description:
      - Port of the API. The default is the service's own, V(8006), and V(8007) where O(service) is V(pbs).
      - E(PROXMOX_PORT) is used where it is not set.
    type: int
  api_user:
    description:
      - User with realm, for example V(root@pam). White space around it is dropped, as it is from the other credentials;
        of O(api_password) only line breaks at its end are.
      - Needed with O(api_password), and with an O(api_token_id) that is a name only.
      - E(PROXMOX_USER) is used where it is not set.
    type: str
  api_password:
    description:
      - Password of O(api_user). A ticket is fetched with it, renewed after an hour and fetched anew when it expired.
      - Where the task gives it, a token from the environment is left alone.
      - E(PROXMOX_PASSWORD) is used where it is not set.
    type: str
  api_otp:
    description:
      - Second factor (TOTP) of O(api_user), 6 to 8 digits. Put them in quotes, a leading zero gets lost without them.
      - It is good for one login, so for long waits an API token is the better way.
      - E(PROXMOX_OTP) is used where it is not set.
    type: str
  api_token_id:
    description:
      - Name of an API token, or the whole C(user@realm!name) that the web interface shows. Not the secret behind an
        equals sign, that is O(api_token_secret). Mail Gateway has no tokens.
      - Needs O(api_token_secret). A token wins over O(api_password) where the task gives both, or the environment does.
        Where the task gives a token alone, user and password from the environment are left alone, but for a user that a
        name only needs.
      - E(PROXMOX_TOKEN_ID) is used where it is not set.
    type: str
  api_token_secret:
    description:
      - Secret of the API token.
      - E(PROXMOX_TOKEN_SECRET) is used where it is not set.
    type: str
  validate_certs:
    description:
      - Whether the certificate of the API is verified. Rather than V(false), set O(ca_path).
      - E(PROXMOX_VALIDATE_CERTS) is used where it is not set.
    type: bool
    default: true
  ca_path:
    description:
      - File or folder with the authorities to trust, in PEM form. The one that Proxmox VE makes for itself is
        C(/etc/pve/pve-root-ca.pem) on any of its nodes; it works on Python 3.13 too.
      - A relative path is relative to the folder of the playbook where the connection is C(local), elsewhere to the folder
        where the login begins.
      - The default is what the C(requests) library trusts.
      - E(PROXMOX_CA_PATH) is used where it is not set.
    type: path
  api_timeout:
    description:
      - Seconds that one request may take. The first one with credentials is given at least 5, because Proxmox VE holds the
        refusal of a login back for 3.
      - E(PROXMOX_API_TIMEOUT) is used where it is not set.
    type: float
    default: 15
  service:
    description:
      - Which product answers. V(pve) is Proxmox VE, V(pbs) Proxmox Backup Server, V(pmg) Proxmox Mail Gateway.
      - An option that a service cannot serve is refused before any request is sent.
      - E(PROXMOX_SERVICE) is used where it is not set.
    type: str
    choices: [pve, pbs, pmg]
    default: pve
requirements:
  - proxmoxer >= 2.0.1 where O(api_host) is set
  - requests >= 2.25 where O(api_host) is set
"""

    UPIDS = r"""
options:
  upids:
    description:
      - A UPID or a list of them. A string is one UPID, blanks around it are dropped.
      - V(null), empty strings and the word V(OK), which Proxmox VE answers instead of a UPID where there was nothing to
        do, name no task.
      - An id of a Datacenter Manager (C(pve:remote!UPID:...)) is taken for the task it names on its own cluster.
      - A malformed UPID fails before any request is sent. So do a UPID of another O(service), text that holds anything beside
        one UPID, and a dictionary. To take UPIDs out of registered results or text, use the filter
        P(proxkit.tasks.upid_extract#filter).
      - An id with V(********) in it is one in which Ansible masked a secret. It is lost there, and refused. A warning
        tells where a password, a token's secret or a one-time code of the connection occurs in an id that is returned.
    type: raw
    aliases: [upid]
"""

    LOG = r"""
options:
  log_lines:
    description:
      - How many of the last lines of a log are returned, a million at the most. V(0) is the whole log.
    type: int
    default: 50
"""

    ATTRIBUTES = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
  idempotent:
    description: When run twice in a row outside check mode, with the same arguments, the second invocation indicates no change.
"""

    ACTIONGROUP_PROXMOX = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/proxkit.tasks.proxmox) in C(module_defaults) to set the connection options once.
    support: full
    membership:
      - proxkit.tasks.proxmox
"""
