"""Whatever the chain looks like, signals keep the rules and every drop is counted."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from agent.config.strategy_settings import BullPutSpreadSettings
from agent.market.quotes import OptionQuote
from agent.strategies.bull_put_spread import BullPutSpread
from tests.builders import AS_OF
from tests.unit.strategies.market import NEAR, a_quote, a_view, put

SPREAD = BullPutSpread(BullPutSpreadSettings())
STRIKES = [170, 175, 180, 185, 190, 195, 200]


@st.composite
def quotes(draw: st.DrawFn) -> list[OptionQuote]:
    """Quote a few puts, each possibly missing a side, crossed, stale, wide or thin."""
    found: list[OptionQuote] = []
    for strike in draw(st.lists(st.sampled_from(STRIKES), unique=True, min_size=1)):
        quote = a_quote(put(strike, NEAR))
        assert quote.bid is not None
        assert quote.ask is not None
        shift = draw(st.sampled_from([Decimal("-0.20"), Decimal(0), Decimal("0.20")]))
        half = draw(st.sampled_from([Decimal("-0.01"), Decimal("0.01"), Decimal("0.30")]))
        mid = max((quote.bid + quote.ask) / 2 + shift, Decimal("0.05"))
        found.append(
            replace(
                quote,
                bid=draw(st.sampled_from([mid - half, mid - half, None])),
                ask=draw(st.sampled_from([mid + half, mid + half, None])),
                quoted_at=AS_OF - timedelta(seconds=draw(st.sampled_from([0, 0, 0, 500]))),
                volume=draw(st.sampled_from([None, 10, 500, 500, 500])),
                open_interest=draw(st.sampled_from([None, 10, 900, 900, 900])),
            )
        )
    return found


@given(shown=quotes())
def test_every_candidate_is_counted_and_every_signal_keeps_the_rules(
    shown: list[OptionQuote],
) -> None:
    outcome = SPREAD.generate_signals(a_view(shown))
    shorts = {signal.structure.legs[0].contract for signal in outcome.signals}
    assert outcome.rejections.total() >= len(shown) - len(shorts)
    for signal in outcome.signals:
        assert signal.structure.width in {Decimal(5), Decimal(10)}
        assert -0.30 <= signal.leg_deltas[0] <= -0.20
        assert signal.credit_mid >= signal.credit_min >= Decimal("0.30")
        assert signal.credit_min >= signal.credit_natural
        assert signal.max_loss > 0


@given(shown=quotes(), data=st.data())
def test_the_order_of_a_chain_changes_nothing(
    shown: list[OptionQuote], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(shown))
    first = SPREAD.generate_signals(a_view(shown))
    second = SPREAD.generate_signals(a_view(shuffled))
    assert first == second
