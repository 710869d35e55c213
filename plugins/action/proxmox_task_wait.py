# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits in Ansible's own process where it can, and shows what the tasks do meanwhile; else the module does the work.

Strategies load this file before they start workers, so that each of these inherits all that is imported here: with
requests, whose import takes 0.2 s, that is most of what a call would cost.
"""

from __future__ import annotations

import contextlib
import os
import sys
import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.proxkit.tasks.plugins.module_utils._model.clock import SystemClock
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import TasksError
from ansible_collections.proxkit.tasks.plugins.module_utils._module.credentials import secrets
from ansible_collections.proxkit.tasks.plugins.module_utils._module.plain import plain
from ansible_collections.proxkit.tasks.plugins.module_utils._module.show import Show
from ansible_collections.proxkit.tasks.plugins.module_utils._module.wait import SPEC, refused, run

try:
    from ansible_collections.proxkit.tasks.plugins.module_utils._client.https import check_libraries

    check_libraries()
except (Exception, SystemExit):  # whatever is wrong with the libraries, the module says it
    HAS_LIBRARIES = False
else:
    HAS_LIBRARIES = True

Json = dict[str, t.Any]


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible ships no types
    """The module's ``run()`` with somebody who watches, or the module."""

    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: Json | None = None) -> Json:
        """The result, which is the same in both ways."""
        variables = task_vars or {}
        result: Json = super().run(tmp, variables)
        params, hidden = self._arguments() if self._runs_here() else (None, set())
        if params is not None and params["api_host"] and not HAS_LIBRARIES:
            params = None
        if params is None:
            return {**result, **self._execute_module(task_vars=variables, wrap_async=self._task.async_val)}
        with _folder(self._loader.get_basedir()):
            return {**result, **self._wait(params, hidden, variables)}

    def _runs_here(self) -> bool:
        """Whether the module would run on this machine, as this user and with this environment."""
        return bool(
            sys.platform != "darwin"  # where a forked process dies when requests looks for proxies
            and self._connection.transport == "local"
            and not self._connection.become
            and not self._task.async_val
            and not any(self._task.environment or ())
        )

    def _arguments(self) -> tuple[Json | None, set[str]]:
        """The module's parameters and what is to be masked; no parameters where it is the module that must judge."""
        try:
            arguments = plain(self._task.args)
        except TypeError:
            return None, set()
        checked = ArgumentSpecValidator(SPEC.options).validate(arguments)
        if checked.error_messages or checked._warnings:
            return None, set()
        params = checked.validated_parameters
        return params, checked._no_log_values | secrets(params)

    def _wait(self, params: Json, hidden: set[str], variables: Json) -> Json:
        check_mode = self._task.check_mode
        silent = check_mode or self._task.no_log or params["progress"] == "none"
        try:
            result = run(params, check_mode, observer=None if silent else _show(params, hidden, variables))
        except TasksError as exc:
            result = refused(exc)
        # As modules end: what there is nothing of is left out, and what is true or false shows nothing of a secret.
        result = {name: value for name, value in result.items() if value or name not in ("failed", "warnings")}
        given: Json = {}
        self._update_module_args(self._task.action, given, variables)
        if given.get("_ansible_inject_invocation", True):  # ansible-core before 2.21 always does
            result["invocation"] = {"module_args": plain(params)}
        kept = {name: value for name, value in result.items() if value is None or isinstance(value, bool)}
        return {**remove_values(result, hidden), **kept}


def _show(params: Json, hidden: set[str], variables: Json) -> Show:
    """Who shows progress, on standard error: what callbacks print stays as it is."""

    def masked(text: str) -> str:
        return str(remove_values(text, hidden))

    several = len(variables.get("ansible_play_hosts_all", ())) > 1
    return Show(
        lambda line: Display().display(masked(line), stderr=True),
        SystemClock(),
        mode=params["progress"],
        lead=variables["inventory_hostname"] if several else "",
        mask=masked,
    )


@contextlib.contextmanager
def _folder(path: str) -> t.Iterator[None]:
    """Work in the folder of the playbook, as modules do on the controller: paths may be relative to it."""
    before = os.open(".", getattr(os, "O_PATH", os.O_RDONLY))
    try:
        os.chdir(path)
        yield
    finally:
        os.fchdir(before)
        os.close(before)
