"""Where sabotages break what follows an assignment, a roll or a closer look at risk."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from agent.book import lifecycle, winding_up
from agent.book.changes import LedgerField, LedgerMove
from agent.risk import checks, reservation
from agent.use_cases import book_lifecycle, marking, monitor_positions, size_position, wind_up
from simulator.storm.patches import Patch


def forget_the_assignment() -> Sequence[Patch]:
    nothing = book_lifecycle.Befallen()
    return [(monitor_positions, "book_lifecycle", lambda *_: nothing)]


def believe_only_reports() -> Sequence[Patch]:
    return [(book_lifecycle, "_infer", lambda *_: None)]


def forget_the_shares() -> Sequence[Patch]:
    return [(lifecycle, "_delivered", lambda trade, *_: trade)]


def leave_the_short_stock() -> Sequence[Patch]:
    right = winding_up.next_to_go

    def wrong(trade: Any, *, keeps_shares: bool) -> Any:
        return None if trade.shares_held < 0 else right(trade, keeps_shares=keeps_shares)

    return [(wind_up, "next_to_go", wrong)]


def keep_unwanted_shares() -> Sequence[Patch]:
    return [(wind_up, "keeps_shares", lambda *_: True)]


def ignore_the_residue() -> Sequence[Patch]:
    return [(monitor_positions, "_close_residue", lambda *_: None)]


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


def ignore_the_caps() -> Sequence[Patch]:
    right = checks._exposure_findings  # noqa: SLF001 - the place to break

    def wrong(context: Any) -> Any:
        return tuple(replace(finding, passed=True) for finding in right(context))

    return [(checks, "_exposure_findings", wrong)]


def reserve_any_heat() -> Sequence[Patch]:
    """Take the bound of heat from what is reserved; what is checked before stays as it is."""
    right, heat = reservation.reserve_moves, LedgerField.HEAT_CENTS

    def wrong(*given: Any, **named: Any) -> tuple[LedgerMove, ...]:
        return tuple(
            replace(
                move, bounds={field: most for field, most in move.bounds.items() if field != heat}
            )
            for move in right(*given, **named)
        )

    return [(size_position, "reserve_moves", wrong)]
