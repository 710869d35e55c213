# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures: one mocked endpoint for all tests, set back before each, and modules called as Ansible calls them."""

from __future__ import annotations

import time
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.proxkit.tasks.plugins.module_utils._module import info, stop, wait
from ansible_collections.proxkit.tasks.plugins.module_utils._module.spec import Spec
from ansible_collections.proxkit.tasks.tests.mock_endpoint import TOKEN_ID, TOKEN_SECRET, Mock, serve

Result = dict[str, t.Any]


@pytest.fixture(scope="session")
def _endpoint() -> t.Iterator[Mock]:
    with serve(hosts=("127.0.0.1", "127.0.0.2")) as mock:
        yield mock


@pytest.fixture
def mock(_endpoint: Mock) -> Mock:
    """The endpoint as it is in the beginning."""
    _endpoint.reset()
    return _endpoint


class Call:
    """Calls what each module calls, with options that went through its argument specification."""

    def __init__(self, mock: Mock) -> None:
        self.connection: dict[str, t.Any] = {
            "api_host": mock.host,
            "api_port": mock.port,
            "api_token_id": TOKEN_ID,
            "api_token_secret": TOKEN_SECRET,
            "ca_path": mock.ca_path,
        }
        self.seconds = 0.0

    def wait(self, upids: t.Any, check_mode: bool = False, **options: t.Any) -> Result:
        """proxmox_task_wait."""
        params = self.params(wait.SPEC, upids=upids, **options)
        return self._timed(lambda: wait.run(params, check_mode))

    def stop(self, upids: t.Any, check_mode: bool = False, **options: t.Any) -> Result:
        """proxmox_task_stop."""
        params = self.params(stop.SPEC, upids=upids, **options)
        return self._timed(lambda: stop.run(params, check_mode))

    def info(self, **options: t.Any) -> Result:
        """proxmox_task_info."""
        params = self.params(info.SPEC, **options)
        return self._timed(lambda: info.run(params))

    def params(self, spec: Spec, **options: t.Any) -> dict[str, t.Any]:
        """Validated options; one given as ``...`` is left out of the connection."""
        given = {name: value for name, value in {**self.connection, **options}.items() if value is not ...}
        result = ArgumentSpecValidator(spec.options).validate(given)
        assert not result.error_messages
        return t.cast("dict[str, t.Any]", result.validated_parameters)

    def _timed(self, run: t.Callable[[], Result]) -> Result:
        begun = time.monotonic()
        try:
            return run()
        finally:
            self.seconds = time.monotonic() - begun


@pytest.fixture
def call(mock: Mock) -> Call:
    """Calls of the modules as root's token."""
    return Call(mock)
