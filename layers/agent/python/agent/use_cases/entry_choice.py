"""Choose what to enter: of each chain and strategy the best that the account can bear."""

from collections import Counter
from collections.abc import Mapping, Sequence

from agent.book.intents import Signal
from agent.strategies.strategy import MarketView, Strategy
from agent.use_cases.entry_risk import EntryBudget

ALREADY_HELD = "already_held"
TOO_LARGE = "too_large_for_account"
NOT_BEST_OF_CHAIN = "not_the_best_of_its_chain"
NOT_AMONG_BEST = "not_among_the_best"
LEG_CHOSEN = "leg_already_chosen"
POSITIONS_FULL = "symbol_positions_full"


def best_of_chain(
    strategies: Sequence[Strategy],
    view: MarketView,
    *,
    held: frozenset[str],
    budget: EntryBudget,
    symbol_capital_cents: int,
    rejections: Counter[str],
) -> tuple[int, list[Signal]]:
    """Give how many candidates the strategies saw, and the best signal of each.

    The best is the first that touches no contract of `held` (OCC symbols) and that sizing gives a
    contract. Two trades in one contract would be one position at the broker.
    """
    candidates = 0
    best: list[Signal] = []
    for strategy in strategies:
        outcome = strategy.generate_signals(view)
        candidates += outcome.candidates
        rejections.update(outcome.rejections)
        found: Signal | None = None
        for signal in outcome.signals:
            if not held.isdisjoint(signal.structure.symbols):
                rejections[ALREADY_HELD] += 1
            elif found is not None:
                rejections[NOT_BEST_OF_CHAIN] += 1
            elif budget.size(signal, symbol_capital_cents).contracts:
                found = signal
            else:
                rejections[TOO_LARGE] += 1
        best += [found] if found is not None else []
    return candidates, best


def rank_signals(signals: Sequence[Signal]) -> list[Signal]:
    """Order signals best first; equals are ordered by what they name, never by chance."""
    return sorted(signals, key=lambda signal: (-signal.score, signal.symbol, signal.strategy))


def choose_entries(
    signals: Sequence[Signal],
    *,
    entries_left: int,
    positions_left: Mapping[str, int],
    rejections: Counter[str],
) -> list[Signal]:
    """Take the best signals of a scan, as many as its pace and each symbol's positions allow.

    `positions_left` is by symbol. No two of them share a contract.
    """
    chosen: list[Signal] = []
    contracts: set[str] = set()
    taken: Counter[str] = Counter()
    for signal in rank_signals(signals):
        if len(chosen) >= entries_left:
            rejections[NOT_AMONG_BEST] += 1
        elif taken[signal.symbol] >= positions_left.get(signal.symbol, 0):
            rejections[POSITIONS_FULL] += 1
        elif not contracts.isdisjoint(signal.structure.symbols):
            rejections[LEG_CHOSEN] += 1
        else:
            chosen.append(signal)
            contracts.update(signal.structure.symbols)
            taken[signal.symbol] += 1
    return chosen
