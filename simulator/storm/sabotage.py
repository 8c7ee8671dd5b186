"""Sabotages: one rule of the agent broken at one place, which a storm must notice."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from simulator.storm import patches, patches_lifecycle
from simulator.storm.climate import Climate
from simulator.storm.faults import FaultKind, Profile

DAYS_MAX = 10
"""A sabotage is noticed within so many days of its window."""
FIRST_DAYS: Mapping[str, int] = {
    "book-the-limit-as-the-fill": 2,
    "drop-the-stop-on-a-bad-quote": 35,
    "enter-on-any-quote": 8,
    "forget-the-assignment": 2,
    "forget-the-expiration": 13,
    "forget-the-orphan": 2,
    "forget-the-shares": 2,
    "ignore-the-caps": 4,
    "ignore-the-daily-loss": 9,
    "ignore-the-residue": 3,
    "keep-it-quiet": 2,
    "last-writer-wins": 7,
    "learn-from-frozen-quotes": 35,
    "leave-the-short-stock": 2,
    "refused-again-is-refused": 2,
    "settle-without-waiting": 2,
    "target-on-mid": 10,
    "trust-an-index": 5,
}
"""Where the windows begin of the sabotages that day 1 does not show, or not soon; the others' at 1.
A window that begins with days on which nothing shows costs whole days each time it is opened."""
WEATHER: Mapping[str, Mapping[FaultKind, float]] = {
    "refused-again-is-refused": {
        FaultKind.LATE_LANDING: 0.10,
        FaultKind.CLOSE_REFUSED: 0.05,
        FaultKind.ORDER_REFUSED: 0.10,
    },
    "last-writer-wins": {FaultKind.INVOCATION_DOUBLED: 0.10},
    "act-on-stale-slots": {FaultKind.SLOT_TOGETHER: 0.40},
    "never-redrive": {FaultKind.DIE_BEFORE: 0.01},
    "mark-before-telling": {FaultKind.ALERT_LOST_BEFORE: 0.10},
}
"""Faults that are made likelier while a sabotage is looked for that only they bring to light."""
FICKLE = frozenset({"forget-the-partial", "book-the-limit-as-the-fill", "ignore-the-residue"})
"""Sabotages that show where orders are filled in part and then left."""
VERTICALS, CONDORS, PUTS = ("bull_put_spread",), ("iron_condor",), ("cash_secured_put",)
CLIMATES: Mapping[str, Climate] = {
    "believe-only-reports": Climate(assignments=1.0, early_assignments=1.0, assigned_in_full=0.3),
    "leave-the-short-stock": Climate(
        old_days=1.0,
        expiration_days=0.0,
        assignments=1.0,
        early_assignments=1.0,
        pins=1.0,
        pins_at_calls=1.0,
        strategies=CONDORS,
    ),
    "keep-unwanted-shares": Climate(
        assignments=1.0, early_assignments=1.0, strategies=PUTS, sells_shares=True
    ),
    "ignore-the-residue": Climate(
        old_days=1.0,
        expiration_days=0.0,
        assignments=0.0,
        pins=1.0,
        pin_deviations=(-0.6, 0.2),
        strategies=VERTICALS,
    ),
    "ignore-the-caps": Climate(tight_limits=1.0),
    "reserve-any-heat": Climate(tight_limits=1.0),
}
"""Days in which a sabotage is looked for that matters on few of the usual ones."""


@dataclass(frozen=True)
class Sabotage:
    """A broken rule; `patches` makes what stands in the place of the right thing."""

    name: str
    says: str
    patches: Callable[[], Sequence[patches.Patch]]
    seeds: range = range(1, 11)
    """The days on which it must be noticed, unless others are asked for."""

    def weather(self, profile: Profile) -> Profile:
        """Make the faults likelier that bring this one to light."""
        worse = replace(
            profile,
            probabilities={**profile.probabilities, **WEATHER.get(self.name, {})},
            climate=CLIMATES.get(self.name, profile.climate),
        )
        if self.name not in FICKLE:
            return worse
        return replace(worse, partial_fills=0.9, fickleness=0.85)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Break the rule for a while."""
        made = self.patches()
        before = [(owner, name, getattr(owner, name)) for owner, name, _ in made]
        for owner, name, replacement in made:
            setattr(owner, name, replacement)
        try:
            yield
        finally:
            for owner, name, original in before:
                setattr(owner, name, original)


_ROWS: Mapping[str, tuple[str, Callable[[], Sequence[patches.Patch]]]] = {
    "drop-the-intent-id": ("orders bear a name of chance", patches.drop_the_intent_id),
    "skip-the-poll-after-cancel": (
        "an order counts as cancelled once a cancel was asked for",
        patches.skip_the_poll_after_cancel,
    ),
    "check-instead-of-reserve": ("the ledger does not move", patches.check_instead_of_reserve),
    "forget-the-sign": ("a credit is sent as a debit", patches.forget_the_sign),
    "release-twice": ("risk is given back twice over", patches.release_twice),
    "never-release": ("risk is never given back", patches.never_release),
    "unknown-is-rejected": ("an order not seen at once is dead", patches.unknown_is_rejected),
    "refused-again-is-refused": (
        "a second sending's refusal ends what the first may have begun",
        patches.refused_again_is_refused,
    ),
    "drop-the-stop-on-a-bad-quote": (
        "without a good quote there is no mark",
        patches.drop_the_stop_on_a_bad_quote,
    ),
    "trust-an-index": ("decisions read a list that lags", patches.trust_an_index),
    "forget-the-partial": ("a new rung asks for everything again", patches.forget_the_partial),
    "open-instead-of-close": ("exits are sent as entries", patches.open_instead_of_close),
    "never-redrive": ("what went astray is left alone", patches.never_redrive),
    "mark-before-telling": ("an alert is ticked off first", patches.mark_before_telling),
    "tell-for-ever": ("an alert is never ticked off", patches.tell_for_ever),
    "send-before-writing": ("orders are sent unwritten", patches.send_before_writing),
    "leak-the-keys": ("messages keep the keys in them", patches.leak_the_keys),
    "cancel-everything": (
        "a cancel takes all of the account's orders",
        patches.cancel_everything,
    ),
    "book-the-limit-as-the-fill": (
        "fills are booked at their limits",
        patches.book_the_limit_as_the_fill,
    ),
    "flatter-the-fills": ("fills are booked a cent better", patches.flatter_the_fills),
    "leave-out-the-cover": ("shorts are sold alone", patches.leave_out_the_cover),
    "last-writer-wins": ("no write looks at versions", patches.last_writer_wins),
    "ignore-the-owner": ("the trading state is not asked", patches.ignore_the_owner),
    "target-on-mid": ("profit targets trigger on mid", patches.target_on_mid),
    "forget-the-target": ("profit targets never trigger", patches.forget_the_target),
    "stop-too-early": ("the stop lies at half its level", patches.stop_too_early),
    "forget-the-expiration": (
        "nothing leaves before expiration",
        patches.forget_the_expiration,
    ),
    "sell-below-natural": (
        "entries concede more than the market asks",
        patches.sell_below_natural,
    ),
    "double-the-size": ("twice what the sizing allowed is reserved", patches.double_the_size),
    "enter-on-any-quote": ("entries are priced on any quote", patches.enter_on_any_quote),
    "settle-without-waiting": ("working orders are settled", patches.settle_without_waiting),
    "give-up-reconciling": (
        "what cannot be reconciled is called done",
        patches.give_up_on_a_refusal,
    ),
    "double-the-fees": ("every fill pays its fees twice", patches.double_the_fees),
    "act-on-stale-slots": ("no slot is too old", patches.act_on_stale_slots),
    "exit-while-halted": ("a halt stops no exit", patches.exit_while_halted),
    "forget-the-assignment": (
        "nothing that befalls a leg is booked",
        patches_lifecycle.forget_the_assignment,
    ),
    "believe-only-reports": (
        "shares that are there say nothing of an assignment",
        patches_lifecycle.believe_only_reports,
    ),
    "forget-the-shares": (
        "what an assignment delivers is not booked",
        patches_lifecycle.forget_the_shares,
    ),
    "leave-the-short-stock": (
        "short stock of an assignment stays",
        patches_lifecycle.leave_the_short_stock,
    ),
    "keep-unwanted-shares": (
        "shares stay that the owner wants sold",
        patches_lifecycle.keep_unwanted_shares,
    ),
    "ignore-the-residue": (
        "what a roll could not close stays",
        patches_lifecycle.ignore_the_residue,
    ),
    "forget-the-orphan": ("a leg left alone stays", patches_lifecycle.forget_the_orphan),
    "keep-it-quiet": ("nobody is told what befell a leg", patches_lifecycle.keep_it_quiet),
    "learn-from-frozen-quotes": (
        "volatilities are taken from quotes that stand still",
        patches_lifecycle.learn_from_frozen_quotes,
    ),
    "ignore-the-caps": (
        "neither delta nor vega stops an entry",
        patches_lifecycle.ignore_the_caps,
    ),
    "reserve-any-heat": (
        "heat is checked and not bounded where it is reserved",
        patches_lifecycle.reserve_any_heat,
    ),
    "ignore-the-daily-loss": (
        "no loss of the day stops entries",
        patches.ignore_the_daily_loss,
    ),
}


def _sabotages() -> Iterator[Sabotage]:
    for name, (says, make) in _ROWS.items():
        first = FIRST_DAYS.get(name, 1)
        yield Sabotage(name, says, make, range(first, first + DAYS_MAX))


SABOTAGES: Mapping[str, Sabotage] = {sabotage.name: sabotage for sabotage in _sabotages()}
