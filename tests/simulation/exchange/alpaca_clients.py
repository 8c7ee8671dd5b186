"""alpaca-py's own typed clients, pointed at a served exchange."""

from dataclasses import dataclass

from alpaca.data.historical.option import OptionHistoricalDataClient
from alpaca.data.historical.stock import StockHistoricalDataClient
from alpaca.trading.client import TradingClient

from simulator.exchange import Exchange, ExchangeServer


@dataclass
class Clients:
    """alpaca-py's typed clients, all at one server."""

    exchange: Exchange
    server: ExchangeServer
    trading: TradingClient
    options: OptionHistoricalDataClient
    stocks: StockHistoricalDataClient


def clients_of(server: ExchangeServer) -> Clients:
    exchange = server.exchange
    keys = (exchange.key_id, exchange.secret_key)
    clients = Clients(
        exchange=exchange,
        server=server,
        trading=TradingClient(*keys, url_override=server.url),
        options=OptionHistoricalDataClient(*keys, url_override=server.url),
        stocks=StockHistoricalDataClient(*keys, url_override=server.url),
    )
    for client in (clients.trading, clients.options, clients.stocks):
        client._session.trust_env = False
    return clients


def close_clients(clients: Clients) -> None:
    for client in (clients.trading, clients.options, clients.stocks):
        client._session.close()
