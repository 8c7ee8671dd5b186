"""How easily a contract can be traded, as one number."""

from math import log, log1p

from agent.market.quotes import OptionQuote

WEIGHT_WIDTH = 50.0
WEIGHT_OPEN_INTEREST = 30.0
WEIGHT_VOLUME = 20.0

WIDTH_FRACTION_BEST = 0.01
WIDTH_FRACTION_WORST = 0.25
OPEN_INTEREST_BEST = 10_000
VOLUME_BEST = 2_000


def liquidity_score(quote: OptionQuote) -> float | None:
    """Score a contract from 0 (cannot be traded) to 100; None where its width is unknown.

    score = 50 * log(0.25 / width) / log(0.25 / 0.01)
          + 30 * log(1 + open_interest) / log(1 + 10,000)
          + 20 * log(1 + volume) / log(1 + 2,000)

    Each part is clipped to 0..its weight. Logarithms, because a width of 2 % against 4 % matters
    as much as 10 % against 20 %, and 1,000 contracts against 100 as much as 10,000 against 1,000.
    An unknown open interest or volume earns nothing. A crossed quote has no width to speak of:
    None.
    """
    width = quote.quote_width_fraction
    if width is None or width < 0:
        return None
    tightness = log(WIDTH_FRACTION_WORST / max(float(width), WIDTH_FRACTION_BEST)) / log(
        WIDTH_FRACTION_WORST / WIDTH_FRACTION_BEST
    )
    return (
        WEIGHT_WIDTH * max(tightness, 0.0)
        + WEIGHT_OPEN_INTEREST * _depth(quote.open_interest, OPEN_INTEREST_BEST)
        + WEIGHT_VOLUME * _depth(quote.volume, VOLUME_BEST)
    )


def _depth(count: int | None, best: int) -> float:
    if count is None or count <= 0:
        return 0.0
    return min(log1p(count) / log1p(best), 1.0)
