"""Where sabotages break what follows an assignment, a roll or a closer look at risk."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from agent.book import lifecycle, winding_up
from agent.use_cases import book_lifecycle, marking, monitor_positions, wind_up
from simulator.storm.patches import Patch


def forget_the_assignment() -> Sequence[Patch]:
    nothing = book_lifecycle.Befallen()
    return [(monitor_positions, "book_lifecycle", lambda *_: nothing)]


def forget_the_shares() -> Sequence[Patch]:
    return [(lifecycle, "_delivered", lambda trade, *_: trade)]


def forget_the_orphan() -> Sequence[Patch]:
    right = winding_up.next_to_go

    def wrong(trade: Any, *, keeps_shares: bool) -> Any:
        is_orphan = trade.holdings.legs_gone and not trade.shares_held
        return None if is_orphan else right(trade, keeps_shares=keeps_shares)

    return [(wind_up, "next_to_go", wrong)]


def keep_it_quiet() -> Sequence[Patch]:
    right = lifecycle.book_leg_event

    def wrong(*given: Any, **named: Any) -> Any:
        return replace(right(*given, **named), alerts=())

    return [(book_lifecycle, "book_leg_event", wrong)]


def learn_from_frozen_quotes() -> Sequence[Patch]:
    return [(marking, "_is_good", lambda *_: True)]
