from datetime import UTC, date, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from agent.market.liquidity import liquidity_score
from agent.market.quotes import OptionQuote, quote_structure
from agent.options.contracts import OptionContract, OptionType
from agent.options.structures import Leg, LegSide, Structure

AS_OF = datetime(2026, 6, 9, 19, 45, tzinfo=UTC)
counts = st.none() | st.integers(0, 10**6)


@st.composite
def quotes(draw: st.DrawFn) -> OptionQuote:
    """Quote some contract, never crossed; a side is now and then absent or zero."""
    bid = draw(st.none() | st.integers(0, 5000).map(lambda cents: Decimal(cents) / 100))
    width = draw(st.none() | st.integers(0, 500).map(lambda cents: Decimal(cents) / 100))
    return OptionQuote(
        contract=OptionContract(
            "AAPL",
            date(2026, 7, 17),
            draw(st.sampled_from(OptionType)),
            Decimal(draw(st.integers(1, 60)) * 5),
        ),
        quoted_at=AS_OF,
        bid=bid,
        ask=None if width is None else (bid or Decimal(0)) + width,
        volume=draw(counts),
        open_interest=draw(counts),
    )


@st.composite
def quoted_structures(draw: st.DrawFn) -> tuple[Structure, dict[str, OptionQuote]]:
    drawn = draw(st.lists(quotes(), min_size=1, max_size=4, unique_by=lambda q: q.contract))
    legs = [
        Leg(quote.contract, draw(st.sampled_from(LegSide)), draw(st.integers(1, 2)))
        for quote in drawn
    ]
    return Structure(tuple(legs)), {quote.contract.symbol: quote for quote in drawn}


@given(quoted_structures())
def test_mid_lies_between_what_opening_gives_and_closing_takes(
    quoted: tuple[Structure, dict[str, OptionQuote]],
) -> None:
    found = quote_structure(*quoted)
    assert found is not None
    assert found.credit_mid == found.debit_mid
    if found.credit_mid is not None and found.credit_natural is not None:
        assert found.credit_natural <= found.credit_mid
    if found.debit_mid is not None and found.debit_natural is not None:
        assert found.debit_mid <= found.debit_natural


@given(quoted_structures())
def test_opening_a_structure_is_closing_its_mirror_image(
    quoted: tuple[Structure, dict[str, OptionQuote]],
) -> None:
    structure, by_symbol = quoted
    mirrored = Structure(
        tuple(
            Leg(
                leg.contract,
                LegSide.LONG if leg.side is LegSide.SHORT else LegSide.SHORT,
                leg.ratio,
            )
            for leg in structure.legs
        )
    )
    one, other = quote_structure(structure, by_symbol), quote_structure(mirrored, by_symbol)
    assert one is not None
    assert other is not None
    if one.credit_natural is not None:
        assert other.debit_natural == -one.credit_natural


@given(quotes())
def test_a_score_stays_between_0_and_100_and_needs_a_width(quote: OptionQuote) -> None:
    score = liquidity_score(quote)
    assert (score is None) == (quote.quote_width_fraction is None)
    assert score is None or 0.0 <= score <= 100.0 + 1e-9
