# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schedule of looks."""

from __future__ import annotations

import threading

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.polling import (
    UNKNOWN,
    Forecast,
    Outlook,
    pause,
    pause_for,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._model.clock import SystemClock
from hypothesis import given
from hypothesis import strategies as st

SECONDS = st.floats(min_value=0, max_value=1e6, allow_nan=False)
DRAW = st.floats(min_value=0, max_value=1)


def looks(duration: float, share: float) -> tuple[int, float]:
    """Looks at a task of ``duration`` seconds and how late its end is seen, where chance draws ``share``."""
    now, count = 0.0, 1
    while now < duration:
        now += pause(now, 0.5, 5, lambda low, high: low + share * (high - low))
        count += 1
    return count, now - duration


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(("duration", "most"), [(0.3, 2), (1, 4), (10, 16), (60, 32), (1800, 400)])
def test_looks_are_few(duration: float, most: int, share: float) -> None:
    assert looks(duration, share)[0] <= most


@given(duration=st.floats(min_value=0.01, max_value=4000), share=DRAW)
def test_an_end_is_seen_soon(duration: float, share: float) -> None:
    assert looks(duration, share)[1] <= min(5, max(0.6, 0.15 * duration))


@given(waited=SECONDS, interval=st.floats(min_value=0.01, max_value=100), more=SECONDS, share=DRAW)
def test_the_bounds_hold(waited: float, interval: float, more: float, share: float) -> None:
    longest = interval + more
    assert interval <= pause(waited, interval, longest, lambda low, high: low + share * (high - low)) <= longest


@given(waited=SECONDS)
def test_equal_bounds_are_a_fixed_interval(waited: float) -> None:
    assert pause(waited, 2, 2) == 2


def test_many_waits_do_not_beat_in_step() -> None:
    assert len({pause(20, 0.5, 5) for _number in range(50)}) > 40
    assert len({pause(1000, 0.5, 5) for _number in range(50)}) > 40


def test_the_machines_clock() -> None:
    clock = SystemClock()
    event = threading.Event()
    before = clock.monotonic()
    assert clock.wait(event, -1) is False
    event.set()
    assert clock.wait(event, 60) is True
    clock.sleep(0)
    assert clock.monotonic() - before < 30
    assert clock.time() > 1_700_000_000


# Where it is known how far a task is


def middle(low: float, high: float) -> float:
    return (low + high) / 2


@pytest.mark.parametrize(
    ("waited", "remains", "step", "seconds"),
    [
        (100, 100, 36, 5),  # far from the end: the longest pause
        (1, 100, 36, 5),  # ... at once
        (100, 4, 3, 2),  # half of what remains at the least
        (100, 1, 3, 0.53),  # never shorter than the shortest
        (100, 0, 3, 0.53),
        (100, 0, 20, 2.81),  # a figure in coarse steps: 15 % of what one takes
        (10, 0, 20, 1.4),  # ... or of the time waited
        (100, 7, 20, 3.5),
    ],
)
def test_half_of_what_remains(waited: float, remains: float, step: float, seconds: float) -> None:
    assert pause(waited, 0.5, 5.1, middle, remains=remains, step=step) == pytest.approx(seconds, abs=0.02)


@pytest.mark.parametrize(
    ("outlook", "now", "seconds"),
    [
        (UNKNOWN, 110, 1.4),  # 14 % of the time waited
        (Outlook(anew=90), 110, 1.4),
        (Outlook(anew=105), 110, 0.7),  # ... since nothing is known
        (Outlook(earliest=117, step=20), 110, 3.5),
        (Outlook(earliest=110.5, step=5), 110, 0.7),  # about to end: 14 % of a step
        (Outlook(earliest=109, step=5), 110, 0.7),
        (Outlook(earliest=110.5, step=0), 110, 0.53),
    ],
)
def test_the_next_look_is_paced_by_the_outlook(outlook: Outlook, now: float, seconds: float) -> None:
    assert pause_for(outlook, now, 100, 0.5, 5.1, middle) == pytest.approx(seconds, abs=0.01)


FIGURES = st.floats(min_value=0, max_value=1e9)


@given(waited=SECONDS, interval=st.floats(min_value=0.01, max_value=100), more=SECONDS, remains=FIGURES, step=FIGURES)
def test_the_bounds_hold_whatever_is_foretold(
    waited: float, interval: float, more: float, remains: float, step: float
) -> None:
    longest = interval + more
    assert interval <= pause(waited, interval, longest, middle, remains=remains, step=step) <= longest
    assert pause(waited, 2, 2, middle, remains=remains, step=step) == 2


def outlook_after(*figures: tuple[float, float | None]) -> Outlook:
    forecast = Forecast()
    return [forecast.note(at, percent) for at, percent in figures][-1]


@pytest.mark.parametrize(
    ("figures", "outlook"),
    [
        ([(10, None)], UNKNOWN),
        ([(10, 0)], UNKNOWN),  # one point says nothing of a rate
        ([(10, 5), (12, 5)], UNKNOWN),
        ([(0, 10), (10, 20)], Outlook(80, 10)),  # steps of 10: 70 more at 1 a second, from the next step on
        ([(0, 10), (10, 20), (15, 21)], Outlook(93, 1)),  # steps of 1; the rate is measured over 10 s
        ([(0, 10), (10, 20), (30, 24)], Outlook(104, 10)),  # the fastest rate, the last time of a step
        ([(0, 10), (10, 20), (12, 20)], Outlook(82, 10)),  # still 20: the end is not before that
        ([(0, 10), (10, 10.5)], Outlook(10 + 89 / 0.05, 10)),
        ([(0, 90), (10, 95), (20, 99), (30, 99.5)], Outlook(30, 10)),
        ([(0, 10), (10, 20), (30, 20)], Outlook(100, 20)),  # a step that takes long
        ([(0, 90), (10, 95), (20, 100)], Outlook(anew=20)),
        ([(0, 90), (10, 95), (20, 100), (30, 100)], Outlook(anew=20)),
        ([(0, 90), (10, 95), (20, None), (30, None)], Outlook(anew=20)),
        ([(0, None), (10, 5)], UNKNOWN),
        ([(0, 90), (10, 95), (20, 3)], Outlook(anew=20)),
        ([(0, 90), (10, 95), (20, 3), (30, 13)], Outlook(107, 10, 20)),
        ([(0, 90), (10, 95), (20, None), (30, 2), (40, 4)], Outlook(40 + 94 / 0.2, 10, 20)),
        ([(5, 1), (5, 2)], UNKNOWN),
        ([(0, 0), (10, 5)], Outlook(190, 10)),  # none of it was done at first
        ([(0, 10), (0.5, 11)], Outlook(44.5, 0.5)),  # two figures within a second
    ],
)
def test_the_outlook(figures: list[tuple[float, float | None]], outlook: Outlook) -> None:
    told = outlook_after(*figures)
    assert told.anew == outlook.anew
    assert told.earliest == (None if outlook.earliest is None else pytest.approx(outlook.earliest))
    if outlook.earliest is not None:
        assert told.step == pytest.approx(outlook.step)


@given(figures=st.lists(st.tuples(st.floats(0, 100), st.none() | st.floats(0, 100)), max_size=20))
def test_no_figures_break_it(figures: list[tuple[float, float | None]]) -> None:
    forecast, now = Forecast(), 0.0
    for seconds, percent in figures:
        now += seconds
        outlook = forecast.note(now, percent)
        assert outlook.earliest is None or outlook.earliest >= now
        assert outlook.anew <= now
        assert 0.5 <= pause_for(outlook, now, 0, 0.5, 5) <= 5


def foreseen(duration: float, longest: float, step: float, share: float) -> tuple[int, float]:
    """Looks at a task that is seen to advance evenly, and how late its end is seen."""
    now, count, forecast, outlook = 0.0, 1, Forecast(), UNKNOWN
    while now < duration:
        now += pause_for(outlook, now, 0, 0.5, longest, lambda low, high: low + share * (high - low))
        count += 1
        outlook = forecast.note(now, round(100 * now / duration // step * step, 2)) if now < duration else outlook
    return count, now - duration


@pytest.mark.parametrize(
    ("duration", "longest", "step", "most", "late"),
    [
        (30, 5, 1, 16, 0.4),
        (300, 5, 1, 80, 0.4),
        (300, 30, 1, 30, 0.4),
        (3600, 30, 1, 165, 2.8),
        (3600, 30, 0.1, 150, 0.4),
    ],
)
def test_an_end_that_is_foreseen_costs_little(
    duration: float, longest: float, step: float, most: int, late: float
) -> None:
    seen = [foreseen(duration + number / 7, longest, step, number / 20) for number in range(21)]
    assert sum(count for count, _late in seen) / 21 <= most
    assert sum(seconds for _count, seconds in seen) / 21 <= late


@given(duration=st.floats(1, 4000), step=st.sampled_from([0.1, 1.0, 5.0]), share=DRAW)
def test_an_end_that_is_foreseen_is_seen_no_later_than_without(duration: float, step: float, share: float) -> None:
    late = foreseen(duration, 5, step, share)[1]
    assert late <= min(5, max(0.6, 0.15 * duration, 0.15 * duration * step / 100 + 0.6))
