# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures: one mocked endpoint for all tests, set back before each, and modules called as Ansible calls them."""

from __future__ import annotations

import time
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.proxkit.tasks.plugins.module_utils._client.https import Wire
from ansible_collections.proxkit.tasks.plugins.module_utils._model.clock import Clock, SystemClock
from ansible_collections.proxkit.tasks.plugins.module_utils._module import info, stop, wait
from ansible_collections.proxkit.tasks.plugins.module_utils._module.spec import Spec
from ansible_collections.proxkit.tasks.tests.mock_endpoint import TOKEN_ID, TOKEN_SECRET, Mock, serve
from ansible_collections.proxkit.tasks.tests.unit.pacing import PacedClock, paced_exchange
from hypothesis import HealthCheck, Phase, settings

Result = dict[str, t.Any]

# The same examples in every run, and no verdict that depends on how busy the machine is.
settings.register_profile(
    "proxkit", derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
# For tests/mutation: what fails need not be made small.
settings.register_profile(
    "mutation", settings.get_profile("proxkit"), max_examples=30, phases=(Phase.explicit, Phase.generate)
)
settings.load_profile("proxkit")


def pytest_configure(config: pytest.Config) -> None:
    """Tests may say how fast time passes in them."""
    config.addinivalue_line("markers", "pace(times): time passes that many times as fast, at both ends")


@pytest.fixture
def pace(request: pytest.FixtureRequest) -> float:
    """How many seconds of endpoint and module pass in a real one."""
    marker = request.node.get_closest_marker("pace")
    return float(marker.args[0]) if marker else 1.0


@pytest.fixture(scope="session")
def _endpoint() -> t.Iterator[Mock]:
    with serve(hosts=("127.0.0.1", "127.0.0.2")) as mock:
        yield mock


@pytest.fixture
def mock(_endpoint: Mock, pace: float) -> Mock:
    """The endpoint as it is in the beginning."""
    _endpoint.reset()
    _endpoint.clock(pace=pace, set=time.time())
    return _endpoint


class Call:
    """Calls what each module calls, with options that went through its argument specification."""

    def __init__(self, mock: Mock, clock: t.Optional[Clock] = None) -> None:
        self.clock = clock or SystemClock()
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
        return self._timed(lambda: wait.run(params, check_mode, clock=self.clock))

    def stop(self, upids: t.Any, check_mode: bool = False, **options: t.Any) -> Result:
        """proxmox_task_stop."""
        params = self.params(stop.SPEC, upids=upids, **options)
        return self._timed(lambda: stop.run(params, check_mode, clock=self.clock))

    def info(self, **options: t.Any) -> Result:
        """proxmox_task_info."""
        params = self.params(info.SPEC, **options)
        return self._timed(lambda: info.run(params, clock=self.clock))

    def params(self, spec: Spec, **options: t.Any) -> dict[str, t.Any]:
        """Validated options; one given as ``...`` is left out of the connection."""
        given = {name: value for name, value in {**self.connection, **options}.items() if value is not ...}
        result = ArgumentSpecValidator(spec.options).validate(given)
        assert not result.error_messages
        return t.cast("dict[str, t.Any]", result.validated_parameters)

    def _timed(self, run: t.Callable[[], Result]) -> Result:
        begun = self.clock.monotonic()
        try:
            return run()
        finally:
            self.seconds = self.clock.monotonic() - begun


@pytest.fixture
def call(mock: Mock, pace: float, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Calls of the modules as root's token."""
    if pace != 1:
        monkeypatch.setattr(Wire, "exchange", paced_exchange(pace))
    return Call(mock, PacedClock(mock, pace))
