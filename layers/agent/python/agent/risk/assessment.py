"""The whole verdict on an entry: its size, its checks, and what it would reserve."""

from dataclasses import dataclass
from decimal import Decimal

from agent.book.records import TradeRisk
from agent.risk.checks import Finding, RiskContext, check_entry, is_approved, refusal
from agent.risk.limits import AccountLimits
from agent.risk.sizing import (
    ContractExposure,
    Sizing,
    kelly_risk_cents,
    size_entry,
    trade_risk,
)


@dataclass(frozen=True)
class Assessment:
    """Keep the verdict with all that led to it; `reason` is None where the entry is approved."""

    findings: tuple[Finding, ...]
    sizing: Sizing | None
    """None where the account's equity is unknown."""
    limits: AccountLimits | None
    risk: TradeRisk
    """What the entry would reserve; of one contract where none fits."""
    approved: bool
    reason: str | None


def assess_entry(
    context: RiskContext, exposure: ContractExposure, *, kelly: Decimal | None = None
) -> Assessment:
    """Size an entry, then evaluate every check at that size.

    Where no contract fits, the checks see one contract, so that the findings say what it would
    take. `kelly` is the share of the account that Kelly would risk; None leaves fixed risk alone.
    """
    limits = context.limits
    sizing: Sizing | None = None
    if limits is not None and context.equity is not None:
        sizing = size_entry(
            exposure,
            limits,
            symbol_capital_cents=context.symbol_entry.capital_cents,
            contracts_max=context.settings.contracts_max,
            kelly_risk_cents=kelly_risk_cents(kelly, context.equity),
        )
    contracts = 0 if sizing is None else sizing.contracts
    risk = trade_risk(exposure, max(contracts, 1))
    findings = check_entry(context, risk)
    reasons = [refusal(findings)]
    if sizing is not None and not contracts:
        reasons.append(sizing.sentence)
    return Assessment(
        findings=findings,
        sizing=sizing,
        limits=limits,
        risk=risk,
        approved=contracts > 0 and is_approved(findings),
        reason=" ".join(reason for reason in reasons if reason) or None,
    )
