"""What orders ask for on the way from mid to natural, and what no order may ask for."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from agent.book.intents import Urgency
from agent.config.settings import Settings
from agent.market.quotes import OptionQuote, StructureQuote, quote_structure
from agent.options.contracts import OptionType
from agent.options.structures import Leg, LegSide, Structure
from agent.risk.order_prices import (
    CollarBreach,
    NoOrder,
    PricedOrder,
    collar_breach,
    moved_since,
    price_alone,
    price_entry,
    price_exit,
    worth_max,
)
from tests.builders import AS_OF, a_contract, a_put_spread

SETTINGS = Settings()
SPREAD = a_put_spread()
USUAL = (("2.35", "2.45"), ("1.15", "1.25"))
"""Quotes of the short and the long put: 1.20 at mid, 1.10 natural to sell, 1.30 to buy back."""
DEEP = (("29.50", "31.50"), ("24.50", "26.50"))
"""Deep in the money: 5.00 at mid, 7.00 to buy back as a marketable order, 5 points wide."""
Sides = tuple[str | None, str | None]


def a_quote(
    short: Sides, long: Sides, structure: Structure = SPREAD, age_seconds: float = 0
) -> StructureQuote:
    quoted = quote_structure(
        structure,
        {
            leg.contract.symbol: OptionQuote(
                contract=leg.contract,
                quoted_at=AS_OF - timedelta(seconds=age_seconds),
                bid=None if sides[0] is None else Decimal(sides[0]),
                ask=None if sides[1] is None else Decimal(sides[1]),
                volume=100,
                open_interest=500,
            )
            for leg, sides in zip(structure.legs, (short, long), strict=False)
        },
    )
    assert quoted is not None
    return quoted


def an_entry(quote: StructureQuote, rung: int = 0, credit_min: str = "1.00") -> PricedOrder:
    priced = price_entry(quote, rung, Decimal(credit_min), SETTINGS, AS_OF)
    assert isinstance(priced, PricedOrder)
    return priced


def an_exit(quote: StructureQuote, rung: int, urgency: Urgency = Urgency.URGENT) -> PricedOrder:
    priced = price_exit(quote, rung, urgency, SETTINGS, AS_OF)
    assert isinstance(priced, PricedOrder)
    return priced


@pytest.mark.parametrize(("rung", "limit"), [(0, "1.20"), (1, "1.17"), (2, "1.13")])
def test_an_entry_walks_from_mid_towards_natural(rung: int, limit: str) -> None:
    assert an_entry(a_quote(*USUAL), rung).limit_cash == Decimal(limit)


def test_an_entry_never_goes_below_its_least_credit() -> None:
    assert an_entry(a_quote(*USUAL), 2, "1.18").limit_cash == Decimal("1.18")


def test_an_entry_whose_mid_is_below_its_least_credit_is_not_sent() -> None:
    priced = price_entry(a_quote(*USUAL), 0, Decimal("1.21"), SETTINGS, AS_OF)
    assert priced == NoOrder("the credit at mid, 1.20, is below the least of 1.21")


def test_an_entry_needs_quotes_of_now() -> None:
    old = a_quote(*USUAL, age_seconds=121)
    assert isinstance(price_entry(old, 0, Decimal(1), SETTINGS, AS_OF), NoOrder)


@pytest.mark.parametrize(("rung", "limit"), [(0, "-1.22"), (1, "-1.25"), (2, "-1.30")])
def test_a_patient_exit_ends_at_natural(rung: int, limit: str) -> None:
    assert an_exit(a_quote(*USUAL), rung, Urgency.PATIENT).limit_cash == Decimal(limit)


@pytest.mark.parametrize(("rung", "limit"), [(0, "-1.25"), (1, "-1.30"), (2, "-1.33")])
def test_an_urgent_exit_ends_past_natural(rung: int, limit: str) -> None:
    assert an_exit(a_quote(*USUAL), rung).limit_cash == Decimal(limit)


def test_a_patient_exit_never_pays_more_than_a_spread_can_be_worth() -> None:
    priced = an_exit(a_quote(*DEEP), 2, Urgency.PATIENT)
    assert priced.limit_cash == Decimal("-5.00")
    assert priced.is_capped


def test_an_urgent_exit_offers_the_width_first_and_then_what_the_market_asks() -> None:
    quote = a_quote(*DEEP)
    limits = [an_exit(quote, rung).limit_cash for rung in range(3)]
    assert limits == [Decimal("-5.00"), Decimal("-7.00"), Decimal("-7.50")]
    # 105 % of 31.50 less 95 % of 24.50
    assert an_exit(quote, 2).cap_cash == Decimal("-9.80")
    assert not an_exit(quote, 2).is_capped


def test_the_collar_of_the_legs_caps_how_far_an_urgent_exit_goes_past_natural() -> None:
    eager = SETTINGS.model_copy(
        update={
            "execution": SETTINGS.execution.model_copy(
                update={
                    "urgent_ladder": (Decimal(0), Decimal(2)),
                    "exit_leg_collar_fraction": Decimal(0),
                }
            )
        }
    )
    priced = price_exit(a_quote(*USUAL), 1, Urgency.URGENT, eager, AS_OF)
    assert isinstance(priced, PricedOrder)
    assert priced.limit_cash == Decimal("-1.30")


@pytest.mark.parametrize(
    "quote",
    [
        a_quote(("0.50", "20.00"), ("0.10", "0.20")),  # a market maker who has gone home
        a_quote(*DEEP, age_seconds=121),
        a_quote(("31.50", "29.50"), ("24.50", "26.50")),  # crossed
    ],
)
def test_no_exit_pays_more_than_the_width_on_a_quote_that_is_no_good(
    quote: StructureQuote,
) -> None:
    assert an_exit(quote, 2).limit_cash >= Decimal("-5.00")


def test_an_exit_without_a_mid_starts_at_natural() -> None:
    assert an_exit(a_quote((None, "2.45"), ("1.15", "1.25")), 0).limit_cash == Decimal("-1.30")


def test_an_exit_whose_short_leg_nobody_offers_is_not_sent() -> None:
    quote = a_quote(("2.35", None), ("1.15", "1.25"))
    assert isinstance(price_exit(quote, 0, Urgency.URGENT, SETTINGS, AS_OF), NoOrder)


def test_an_exit_that_costs_nothing_still_bids_a_cent() -> None:
    assert an_exit(a_quote(("0.01", "0.02"), ("0.02", "0.04")), 0).limit_cash == Decimal("-0.01")


def test_what_closing_can_be_worth_is_the_width_the_strike_or_unknown() -> None:
    put = Structure((Leg(a_contract(), LegSide.SHORT),))
    call = Structure((Leg(a_contract(option_type=OptionType.CALL), LegSide.SHORT),))
    assert worth_max(SPREAD) == Decimal(5)
    assert worth_max(put) == Decimal(190)
    assert worth_max(call) is None
    assert worth_max(Structure((Leg(a_contract(), LegSide.LONG),))) is None


def test_an_exit_of_unbounded_worth_has_no_other_cap_than_its_own_limit() -> None:
    call = Structure((Leg(a_contract(option_type=OptionType.CALL), LegSide.SHORT),))
    quote = a_quote(("2.35", "2.45"), (None, None), structure=call)
    priced = an_exit(quote, 0, Urgency.PATIENT)
    assert priced.cap_cash == priced.limit_cash == Decimal("-2.45")


PUT = Structure((Leg(a_contract(), LegSide.SHORT),))


@pytest.mark.parametrize(
    ("rung", "sides", "limit"),
    [
        (0, ("1.20", "1.25"), "1.25"),  # in nickels: rounded up first
        (1, ("1.20", "1.25"), "1.20"),  # and down where that is still natural
        (0, ("1.21", "1.26"), "1.24"),  # in pennies
        (0, ("4.21", "4.26"), "4.25"),  # pennies below three dollars only
        (0, ("4.20", "4.40"), "4.30"),
    ],
)
def test_one_contract_alone_is_priced_in_its_own_ticks(
    rung: int, sides: tuple[str, str], limit: str
) -> None:
    quote = a_quote(sides, (None, None), structure=PUT)
    assert an_entry(quote, rung).limit_cash == Decimal(limit)


def test_options_of_a_few_funds_trade_in_pennies_at_any_price() -> None:
    put = Structure((Leg(a_contract(symbol="SPY"), LegSide.SHORT),))
    quote = a_quote(("4.20", "4.25"), (None, None), structure=put)
    assert an_entry(quote).limit_cash == Decimal("4.23")


class TestTheCollar:
    def breach(self, priced: PricedOrder, *, opens: bool = True) -> CollarBreach | None:
        found = collar_breach(priced, SETTINGS, structure=SPREAD if opens else None)
        return None if found is None else found[0]

    @pytest.mark.parametrize("rung", range(3))
    def test_it_lets_every_rung_of_every_ladder_pass(self, rung: int) -> None:
        assert self.breach(an_entry(a_quote(*USUAL), rung)) is None
        for urgency in Urgency:
            for quoted in (USUAL, DEEP):
                assert self.breach(an_exit(a_quote(*quoted), rung, urgency), opens=False) is None

    def test_it_refuses_the_wrong_sign(self) -> None:
        entry = an_entry(a_quote(*USUAL))
        assert self.breach(replace(entry, limit_cash=-entry.limit_cash)) is CollarBreach.WRONG_SIGN
        leave = an_exit(a_quote(*USUAL), 0)
        wrong = replace(leave, limit_cash=-leave.limit_cash)
        assert self.breach(wrong, opens=False) is CollarBreach.WRONG_SIGN

    def test_it_refuses_what_gives_up_too_much(self) -> None:
        fat = replace(an_entry(a_quote(*USUAL)), limit_cash=Decimal("0.12"))
        assert self.breach(fat) is CollarBreach.PAST_CAP
        dear = replace(an_exit(a_quote(*USUAL), 2), limit_cash=Decimal("-13.00"))
        assert self.breach(dear, opens=False) is CollarBreach.PAST_CAP

    def test_it_refuses_what_no_market_near_mid_would_give(self) -> None:
        fat = replace(an_entry(a_quote(*USUAL)), limit_cash=Decimal("1.27"))
        assert self.breach(fat) is CollarBreach.BEYOND_MID

    def test_it_refuses_a_credit_that_no_such_structure_can_be_worth(self) -> None:
        priced = an_entry(a_quote(("9.35", "9.45"), ("1.15", "1.25")))
        assert self.breach(priced) is CollarBreach.BEYOND_WORTH

    @pytest.mark.parametrize(("mid", "refused"), [("1.80", False), ("1.81", True), ("0.59", True)])
    def test_it_refuses_a_mid_far_from_that_of_the_decision(
        self, mid: str, *, refused: bool
    ) -> None:
        sentence = moved_since(Decimal("1.20"), Decimal(mid), SETTINGS)
        assert (sentence is not None) is refused
        assert sentence is None or sentence.startswith("collar_market_moved")


def alone(bid: str | None, ask: str | None, rung: int, *, buys: bool) -> PricedOrder | NoOrder:
    sides = [None if side is None else Decimal(side) for side in (bid, ask)]
    return price_alone(sides[0], sides[1], rung, buys=buys, settings=SETTINGS)


def test_one_contract_alone_walks_from_mid_past_natural_within_its_collar() -> None:
    rungs = range(len(SETTINGS.execution.urgent_ladder))
    sales = [alone("1.00", "1.20", rung, buys=False) for rung in rungs]
    covers = [alone("1.00", "1.20", rung, buys=True) for rung in rungs]
    for sale, cover in zip(sales, covers, strict=True):
        assert isinstance(sale, PricedOrder)
        assert isinstance(cover, PricedOrder)
        assert Decimal("0.95") <= sale.limit_cash <= Decimal("1.10")
        assert Decimal("-1.26") <= cover.limit_cash <= Decimal("-1.10")
        assert sale.mid_cash == -cover.mid_cash == Decimal("1.10")
        assert (sale.natural_cash, cover.natural_cash) == (Decimal("1.00"), Decimal("-1.20"))
        assert collar_breach(sale, SETTINGS) is None
        assert collar_breach(cover, SETTINGS) is None
    assert isinstance(sales[-1], PricedOrder)
    assert sales[-1].limit_cash <= Decimal("1.00")


def test_without_a_mid_one_contract_alone_starts_at_natural() -> None:
    bought = alone(None, "0.05", 0, buys=True)
    assert isinstance(bought, PricedOrder)
    assert bought.limit_cash == Decimal("-0.05")


@pytest.mark.parametrize(("bid", "buys"), [("0", False), (None, False), ("0.05", True)])
def test_what_nobody_wants_has_no_price(bid: str | None, *, buys: bool) -> None:
    priced = alone(bid, None, 0, buys=buys)
    assert isinstance(priced, NoOrder)
    assert priced.reason.startswith("nobody")


@pytest.mark.parametrize("buys", [True, False])
@pytest.mark.parametrize("rung", [0, 1, 2])
def test_a_crossed_quote_of_a_leg_alone_is_read_with_its_sides_exchanged(
    buys: bool, rung: int
) -> None:
    bid, ask = Decimal("0.44"), Decimal("0.47")
    straight = price_alone(bid, ask, rung, buys=buys, settings=SETTINGS)
    assert price_alone(ask, bid, rung, buys=buys, settings=SETTINGS) == straight
