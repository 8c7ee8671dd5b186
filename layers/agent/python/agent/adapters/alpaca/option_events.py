"""What became of option contracts that nobody traded, as Alpaca's account activities tell it."""

from collections.abc import Iterable

from agent.adapters.alpaca.answers import Answer
from agent.ports import OptionEvent, OptionEventKind

KINDS = {
    "OPEXP": OptionEventKind.EXPIRED,
    "OPASN": OptionEventKind.ASSIGNED,
    "OPEXC": OptionEventKind.EXERCISED,
    # One page of Alpaca's spells it so.
    "OPXRC": OptionEventKind.EXERCISED,
    "OPCA": OptionEventKind.ADJUSTED,
    "OPCSH": OptionEventKind.ADJUSTED,
}
ACTIVITY_TYPES = ",".join(KINDS)


def parse_option_events(rows: Iterable[Answer]) -> tuple[OptionEvent, ...]:
    """Read activity rows, oldest first; what was canceled never happened.

    Raises BrokerMisunderstood where a row does not say what happened to how many of what.
    """
    events = [
        OptionEvent(
            activity_id=row.text("id"),
            kind=KINDS[row.text("activity_type")],
            symbol=row.text("symbol"),
            contracts=abs(row.optional_whole("qty") or 0),
            session=row.day("date"),
        )
        for row in rows
        if row.optional_text("status") != "canceled" and row.text("activity_type") in KINDS
    ]
    return tuple(sorted(events, key=lambda event: (event.session, event.activity_id)))
