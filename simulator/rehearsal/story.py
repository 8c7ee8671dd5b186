"""What the desk did and why, as a list that a person reads from the first day to the last."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from agent.book.intents import Intent, IntentKind, Signal
from agent.book.records import JournalEvent, Trade
from agent.book.states import TradeStatus
from agent.book.transitions import describe
from agent.market.calendar import NEW_YORK
from agent.options.contracts import parse_occ_symbol
from simulator.exchange.records import Activity
from simulator.rehearsal.tally import Failure

ROLL_EVENTS = frozenset({"roll_begun", "roll_settled", "roll_refused", "residue_settled"})
COVER_EVENTS = frozenset({"cover_begun", "cover_settled", "cover_refused"})
EXERCISES = {"OPASN": "assigned", "OPEXC": "exercised", "OPEXP": "expired"}

OWNERS_WORDS = {
    "manual_exit_requested": "asked to close",
    "automation_suspended": "suspended",
    "automation_resumed": "resumed",
    "stop_moved": "stop moved",
    "note_attached": "noted",
}


class StoryEvent(BaseModel):
    """Tell one thing that happened; `at` is New York time to the minute.

    `times` counts how often it happened to one trade on one day; `at` and `why` are the first's.
    """

    model_config = ConfigDict(frozen=True)

    at: str
    symbol: str
    event: str
    why: str
    times: int = 1


@dataclass(frozen=True)
class Sources:
    """Gather what a story is told from."""

    trades: Sequence[Trade]
    intents: Sequence[Intent]
    journal: Sequence[JournalEvent]
    failures: Sequence[Failure]
    activities: Sequence[Activity]


@dataclass(frozen=True)
class _Told:
    """Hold an event, the time to order it by, and what it happened to."""

    at: datetime
    subject: str
    event: StoryEvent


def tell_story(sources: Sources) -> tuple[StoryEvent, ...]:
    """Tell everything in the order of time; what happened again on a day is counted."""
    told = [
        *_of_journal(sources),
        *_of_failures(sources.failures),
        *_of_activities(sources.activities),
    ]
    first_of: dict[tuple[date, str, str], StoryEvent] = {}
    for each in sorted(told, key=lambda each: each.at):
        key = (each.at.astimezone(NEW_YORK).date(), each.subject, each.event.event)
        before = first_of.get(key)
        first_of[key] = (
            each.event if before is None else before.model_copy(update={"times": before.times + 1})
        )
    return tuple(first_of.values())


def _of_journal(sources: Sources) -> Iterator[_Told]:
    intents = {intent.intent_id: intent for intent in sources.intents}
    trades = {trade.trade_id: trade for trade in sources.trades}
    entries = {
        intent.trade_id: intent.signal
        for intent in sources.intents
        if intent.signal is not None and intent.kind is IntentKind.ENTRY
    }
    for event in sources.journal:
        if event.trade_id is None:
            continue  # What happened to the account alone is no part of a trade's story.
        intent = intents.get(event.event_id.removesuffix(f"-{event.kind}"))
        trade = trades.get(event.trade_id)
        signal = entries.get(event.trade_id)
        said = _say(event, intent, trade, signal)
        if said is not None:
            symbol = trade.symbol if trade else signal.symbol if signal else "?"
            yield _told(event.at, event.trade_id, symbol, *said)


def _say(
    event: JournalEvent, intent: Intent | None, trade: Trade | None, signal: Signal | None
) -> tuple[str, str] | None:
    """Say in two parts what a journal event was and why; None for what others tell better."""
    details = event.details
    told: tuple[str, str] | None = None
    if event.kind == "entry_refused":
        names = str(details.get("reason", "")).split(",")
        told = "refused", " ".join(str(details.get(name, _words(name))) for name in names)
    elif event.kind in {"entry_rejected", "entry_cancelled"}:
        told = "gave up entry", str(details.get("reason", "")).split(": ", 1)[-1]
    elif event.kind == "close_begun":
        told = f"closing: {_words(str(details['reason']))}", str(details["why"])
    elif event.kind.startswith(("leg_", "shares_")):
        told = f"booked: {_words(event.kind)}", str(details["what"])
    elif event.kind in ROLL_EVENTS | COVER_EVENTS:
        told = _rolling(event) if event.kind in ROLL_EVENTS else _covering(event, intent)
    elif event.kind in OWNERS_WORDS:
        told = OWNERS_WORDS[event.kind], _owners_word(event)
    elif event.kind == "trade_opened" and trade is not None:
        told = "opened", _opening(trade, signal)
    elif event.kind == "close_settled" and trade is not None and intent is not None:
        told = _closing(trade, intent)
    elif event.kind == "trade_analysed" and trade is not None and trade.reason_tags:
        told = "explained", ", ".join(map(_words, trade.reason_tags))
    return told


def _owners_word(event: JournalEvent) -> str:
    if event.kind == "note_attached":
        return f"its owner: {event.details['note']}"
    if event.kind == "stop_moved":
        debit = event.details["stop_debit"]
        where = "where the rules have it" if debit is None else f"a debit of {debit}"
        return f"its owner said so: to {where}"
    return "its owner said so"


def _rolling(event: JournalEvent) -> tuple[str, str]:
    details = event.details
    if event.kind == "roll_begun":
        return "rolling", str(details["why"])
    if event.kind == "roll_refused":
        return "no roll", str(details["reason"])
    if event.kind == "residue_settled":
        return "closed what a roll left", f"{details['contracts']} contracts"
    return str(details["outcome"]), f"{details['closed']} closed, {details['opened']} opened"


def _covering(event: JournalEvent, intent: Intent | None) -> tuple[str, str]:
    details = event.details
    if event.kind == "cover_begun":
        return "writing calls", str(details["why"])
    if event.kind == "cover_refused":
        return "no call", str(details["reason"])
    if intent is None or intent.signal is None or details["outcome"] != "covered":
        return "no call", "nobody bought it within the ladder"
    contract = intent.signal.structure.legs[0].contract
    return "wrote calls", (
        f"{details['opened']} x -{contract.strike.normalize():f}C {contract.expiration:%Y-%m-%d}"
    )


def _opening(trade: Trade, signal: Signal | None) -> str:
    if trade.campaign.parts:
        # What it was opened with is the first thing that it rolled out of.
        first = trade.campaign.parts[0]
        execution = trade.execution.model_copy(
            update={"contracts": first.contracts, "credit": first.credit}
        )
        trade = trade.model_copy(update={"structure": first.structure, "execution": execution})
    credit = trade.execution.credit or Decimal(0)
    sold = f"{trade.execution.contracts} x {_legs(trade)} for {credit:.2f}"
    if signal is None:
        return sold
    rank = "unknown" if signal.iv_rank is None else f"{signal.iv_rank:.0f}"
    return f"{sold}: IV rank {rank}, spot {signal.underlying_price:.2f}"


def _closing(trade: Trade, intent: Intent) -> tuple[str, str]:
    if intent.outcome != "closed" or intent.kind is not IntentKind.CLOSE:
        return "not closed", _unfilled(intent)
    if trade.status is not TradeStatus.CLOSED or trade.pnl is None:
        return "closed", _legs(trade)
    paid = trade.execution.exit_debit
    price = "" if paid is None else f" for {paid:.2f}"
    return "closed", f"{_legs(trade)}{price}: P&L {trade.pnl:+,.2f} USD"


def _unfilled(intent: Intent) -> str:
    said = [order.message for order in intent.orders if order.message]
    if said:
        # Without the address: the port is another in every run.
        return f"the broker refused: {said[-1].rsplit(' answered ', 1)[-1]}"
    return f"{intent.outcome}: {len(intent.orders)} orders, the trade stays open"


def _legs(trade: Trade) -> str:
    return describe(trade).removeprefix(f"{trade.symbol} ")


def _of_failures(failures: Iterable[Failure]) -> Iterator[_Told]:
    for failure in failures:
        why = f"{failure.error_type}: the broker was out of reach"
        yield _told(failure.at, failure.function, "-", f"{failure.function} failed", why)


def _of_activities(activities: Sequence[Activity]) -> Iterator[_Told]:
    """Tell what the broker did to positions by itself."""
    deliveries = {
        str(row.body["group_id"]): row for row in activities if row.activity_type == "OPTRD"
    }
    for row in activities:
        if row.activity_type not in EXERCISES:
            continue
        contract = str(row.body["symbol"])
        why = f"the broker: {str(row.body['qty']).removeprefix('-')} x {contract}"
        delivery = deliveries.get(str(row.body["group_id"]))
        if delivery is not None:
            why += f", {delivery.body['qty']} shares at {delivery.body['price']}"
        symbol = parse_occ_symbol(contract).underlying
        yield _told(row.at, contract, symbol, EXERCISES[row.activity_type], why)


def _told(at: datetime, subject: str, symbol: str, event: str, why: str) -> _Told:
    local = at.astimezone(NEW_YORK)
    told = StoryEvent(at=f"{local:%Y-%m-%d %H:%M}", symbol=symbol, event=event, why=why)
    return _Told(at, subject, told)


def _words(name: str) -> str:
    return name.replace("_", " ")
