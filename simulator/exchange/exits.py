"""Where the exits of a bracket, OCO or OTO order may be: beyond the price they start from."""

from decimal import Decimal

from simulator.exchange.errors import unprocessable
from simulator.exchange.fees import CENT
from simulator.exchange.order_requests import OrderRequest
from simulator.exchange.records import OrderClass, Side


def check_exits(request: OrderRequest, mark: Decimal | None) -> None:
    """Refuse exits on the wrong side of the entry's limit, or of `mark` where it has none.

    Raises RefusalError.
    """
    takes_profit = [each.limit_price for each in request.attached if each.stop_price is None]
    stops_loss = [each.stop_price for each in request.attached]
    base, exits_by = request.limit_price or mark, request.legs[0].side.opposite
    if request.order_class is OrderClass.ONE_CANCELS_OTHER:
        # There is no entry: the order itself takes the profit of what is held.
        takes_profit, base, exits_by = [request.limit_price], mark, request.legs[0].side
    above, below = ("take_profit.limit_price", takes_profit), ("stop_loss.stop_price", stops_loss)
    if exits_by is Side.BUY:
        above, below = below, above
    if base is None:
        return
    for price in above[1]:
        if price is not None and price < base + CENT:
            raise unprocessable(f"{above[0]} must be >= base_price + 0.01")
    for price in below[1]:
        if price is not None and price > base - CENT:
            raise unprocessable(f"{below[0]} must be <= base_price - 0.01")
