# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a task may still take: figures and times to estimates, or to none."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._model.progress import Progress
from ansible_collections.proxkit.tasks.plugins.module_utils._module.trend import Trend, left_by_past
from hypothesis import given
from hypothesis import strategies as st


def trend(figures: t.Iterable[tuple[float, float | None]], phase: int = 0, into: Trend | None = None) -> Trend:
    """What times and percentages make."""
    result = into or Trend()
    for at, percent in figures:
        result.note(at, Progress(percent, "", phase=phase))
    return result


@pytest.mark.parametrize(
    ("figures", "now", "left"),
    [
        pytest.param([], 0, None, id="nothing"),
        pytest.param([(0, 10)], 5, None, id="one point"),
        pytest.param([(0, 10), (10, 10)], 20, None, id="one figure, twice"),
        pytest.param([(0, 10), (10, 20)], 10, 80, id="two"),
        pytest.param([(0, 10), (10, 20)], 15, 75, id="time has passed since"),
        pytest.param([(0, 10), (10, 20), (20, 20), (30, 20)], 40, 50, id="as long as three steps"),
        pytest.param([(0, 10), (10, 20)], 41, None, id="it stands still"),
        pytest.param([(0, 10), (1, 11)], 16, 74, id="one that is swift may stand still for a while"),
        pytest.param([(0, 10), (1, 11)], 17, None, id="not for longer"),
        pytest.param([(0, 10), (10, 20), (41, 20), (50, 30)], 50, 175, id="it moves again"),
        pytest.param([(0, 90), (10, 100)], 10, None, id="all is done"),
        pytest.param([(0, 98), (10, 99)], 25, None, id="it should be over"),
        pytest.param([(0, 10), (10, 20), (12, None)], 12, None, id="a phase without a figure"),
        pytest.param([(0, 10), (10, 20), (12, None), (20, 30)], 20, 70, id="a sign of life in between"),
        pytest.param([(0, 80), (10, 20)], 10, None, id="it went back"),
        pytest.param(
            [*((at, at / 100) for at in range(0, 1000, 10)), *((1000 + at, 10 + at / 10) for at in range(0, 200, 10))],
            1190,
            710,
            id="the last minutes count",
        ),
        pytest.param(
            [(600 * step, step) for step in range(4)], 1800, 97 * 600, id="what rises seldom is followed for long"
        ),
        pytest.param([(0, 0), (600, 1), (1200, 2), (1800, 6)], 1800, 94 * 300, id="and from its first figure on"),
        pytest.param([(0, 0), (50, 1), (100, 2), (150, 3), (180, 40)], 180, 270, id="three minutes"),
        pytest.param([(0, 0), (200, 10), (210, 20), (220, 30), (230, 40)], 230, 60, id="what is older does not count"),
        pytest.param([(0, 10), (10, 20), (20, 30)], 51, None, id="it stands still for three of its steps"),
        pytest.param([(100, 10), (110, 20)], 141, None, id="it stands still, later"),
        pytest.param([(0, 98), (10, 99)], 19.5, 0.5, id="hardly any"),
        pytest.param([(0, 98), (10, 99)], 20, None, id="none"),
    ],
)
def test_time_left(figures: list[tuple[float, float | None]], now: float, left: float | None) -> None:
    told = trend(figures).left(now)
    assert told == (None if left is None else pytest.approx(left))


def test_a_new_phase_begins_anew() -> None:
    first = trend([(0, 10), (10, 20)])
    assert trend([(20, 30)], phase=1, into=first).left(20) is None
    assert trend([(30, 50)], phase=1, into=first).left(30) == 25


def by_bytes(*figures: tuple[float, float, float | None], percent: float = 1.0) -> Trend:
    result = Trend()
    for at, done, total in figures:
        result.note(at, Progress(percent, "", done, total))
    return result


@pytest.mark.parametrize(
    ("figures", "rate", "left"),
    [
        pytest.param([(0, 100, 1000), (10, 150, 1000)], 5, 170, id="finer than the percentage"),
        pytest.param([(0, 100, None), (10, 150, None)], 5, None, id="no total, no step of the percentage"),
        pytest.param([(0, 900, 1000), (10, 1150, 1000)], 25, None, id="more than all"),
        pytest.param([(0, 0, 0), (10, 0, 0)], None, None, id="of nothing"),
    ],
)
def test_rate_by_bytes(
    figures: list[tuple[float, float, float | None]], rate: float | None, left: float | None
) -> None:
    told = by_bytes(*figures)
    assert (told.rate(10), told.left(10)) == (rate, left)
    assert told.rate(100) is None


def test_the_rate_is_that_of_all_figures() -> None:
    assert by_bytes((0, 100, 1000), (10, 150, 1000), (20, 300, 1000)).rate(20) == 10


def test_what_comes_at_once_has_no_rate() -> None:
    assert by_bytes((10, 100, 1000), (10, 150, 1000)).rate(10) is None


def test_bytes_that_stay_the_same_have_no_rate() -> None:
    told = Trend()
    for at, percent in ((0.0, 10.0), (10.0, 20.0)):
        told.note(at, Progress(percent, "", 100, None))
    assert (told.rate(10), told.left(10)) == (None, 80)


def test_bytes_that_become_less_have_no_rate() -> None:
    assert by_bytes((0, 50, 1000), (10, 40, 1000), percent=60).rate(10) is None


@given(
    st.lists(
        st.tuples(
            st.floats(0, 100),
            st.one_of(st.none(), st.floats(0, 100)),
            st.one_of(st.none(), st.floats(0, 1e18)),
            st.one_of(st.none(), st.floats(0, 1e18)),
            st.integers(0, 1),
        ),
        max_size=8,
    ),
    st.floats(0, 1000),
)
def test_whatever_is_told_an_estimate_is_positive(figures: list[tuple[t.Any, ...]], later: float) -> None:
    told, now = Trend(), 0.0
    for seconds, percent, done, total, phase in figures:
        now += seconds
        told.note(now, Progress(percent, "", done, total, "", phase))
    left, rate = told.left(now + later), told.rate(now + later)
    assert left is None or left > 0
    assert rate is None or rate > 0


@pytest.mark.parametrize(
    ("durations", "age", "left"),
    [
        ([], 10, None),
        ([100], 10, None),
        ([100, 120], 10, 100),
        ([100, 120, 110], 10, 100),
        ([100, 120], 110, None),
        ([100, 300], 10, None),
        ([100, 120, 300], 10, None),
        ([100, 200], 10, 140),
        ([100, 120], 109.5, 0.5),
        ([0, 0], 0, None),
    ],
)
def test_time_left_by_past_runs(durations: list[float], age: float, left: float | None) -> None:
    assert left_by_past(durations, age) == left
