"""`options-agent doctor`: what a configuration needs, and what it may not mean."""

from decimal import Decimal
from pathlib import Path

import pytest

from agent.config.settings import RiskSettings, Settings
from cli.doctor import needs, remarks
from cli.main import run


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["doctor", *arguments]) == 0
    return capsys.readouterr().out


def test_it_fits_80_columns_and_names_every_strategy_that_enters(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = said(capsys, "--equity", "50000")
    assert max(map(len, text.splitlines())) <= 80
    for name in ("bull put spread", "cash secured put", "iron condor"):
        assert name in text
    assert "…" not in text


def test_a_spread_5_points_wide_needs_about_40000_dollars() -> None:
    (narrow,) = (
        need
        for need in needs(Settings())
        if need.strategy == "bull_put_spread" and need.structure == "5 wide"
    )
    assert narrow.account is not None
    assert Decimal(40_000) < narrow.account < Decimal(41_000)
    assert narrow.exposure.capital == Decimal(400)


def test_a_put_on_a_dearer_stock_needs_a_larger_account() -> None:
    accounts = [need.account for need in needs(Settings()) if need.strategy == "cash_secured_put"]
    known = [account for account in accounts if account is not None]
    assert len(known) == len(accounts) == 3
    assert known == sorted(known)


def test_it_says_of_each_structure_whether_the_account_can(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = [line.split() for line in said(capsys, "--equity", "50000").splitlines()]
    answers = {" ".join(row[:-5]): row[-1] for row in rows if row and row[-1] in {"yes", "no"}}
    assert answers["bull put spread 5 wide"] == "yes"
    assert answers["bull put spread 10 wide"] == "no"


def test_limits_of_nothing_let_no_account_trade(capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(risk=RiskSettings(trade_risk_fraction=Decimal(0)))
    assert {need.account for need in needs(settings)} == {None}
    assert "none" in said(capsys, "--set", "risk.trade_risk_fraction=0")


def test_an_added_strategy_is_measured_as_the_spread_it_is() -> None:
    settings = Settings(strategies=("bear_call_spread",), added_strategies={"bear_call_spread": {}})
    assert [need.structure for need in needs(settings)] == ["5 wide", "10 wide"]


def test_what_a_valid_configuration_may_not_mean_is_named() -> None:
    plain = " ".join(remarks(Settings()))
    for sentence in ("sells no puts alone", "report dates", "Every beta", "out of reach"):
        assert sentence in plain
    risky = Settings(live_trading=True, risk=RiskSettings(losing_streak_max=0, betas={"AAPL": 1.2}))
    found = " ".join(remarks(risky))
    assert "real money" in found
    assert "It enters nothing: real money takes market.stock_feed sip" in found
    assert "No losing streak" in found
    assert "Every beta" not in found


def test_a_configuration_that_is_none_is_a_problem(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "config.yaml"
    wrong.write_text("risk:\n  heat_maximum: 1\n", encoding="utf-8")
    assert run(["doctor", "--config", str(wrong)]) == 2
    assert "heat_maximum" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("strategies=[wheel]", "no strategy 'wheel'"),
        ("added_strategies.bear_call_spread.delta=1", "added_strategies.bear_call_spread.delta"),
    ],
)
def test_a_strategy_that_is_not_what_there_is_ends_in_one_sentence(
    capsys: pytest.CaptureFixture[str], setting: str, sentence: str
) -> None:
    assert run(["doctor", "--set", setting]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("error: ")
    assert told.err.count("\n") == 1
    assert sentence in told.err


def test_it_says_where_settings_for_assigned_shares_contradict_or_loosen_one_another() -> None:
    settings = Settings.model_validate(
        {
            "cash_secured_put": {"willing_to_own": ["AAPL", "MSFT"]},
            "exits": {
                "cover_assigned_shares": ["AAPL", "MSFT", "NVDA"],
                "sell_assigned_shares": ["MSFT"],
            },
            "covered_call": {"below_basis": ["AAPL"]},
        }
    )
    told = " ".join(remarks(settings))
    assert "No call is written for NVDA" in told
    assert "Shares of MSFT are sold, no call is written" in told
    assert "Calls on AAPL may be struck below the put's strike" in told
    assert "below the put's strike" not in " ".join(remarks(Settings()))
