"""What an owner can set of each strategy, with its default and what it means."""

from decimal import Decimal
from typing import Self

from pydantic import Field, model_validator

from agent.config.section import Fraction, RollPolicy, Section, Symbol, require_order


class PremiumSettings(Section):
    """Hold what every strategy that sells premium has: when it enters, and what ends a trade."""

    dte_min: int = Field(30, ge=1, description="fewest calendar days to expiration at entry")
    dte_max: int = Field(45, ge=1, description="most calendar days to expiration at entry")
    credit_min: Decimal = Field(Decimal("0.30"), gt=0, description="least net credit, a share")
    profit_target: Fraction = Field(
        Decimal("0.50"), description="close at this fraction of max profit, on natural"
    )
    stop_loss: Decimal = Field(
        Decimal(2), gt=0, description="close when the loss is this multiple of the credit, on mid"
    )
    exit_below_dte: int = Field(
        7, ge=0, description="close when the next session's dte would be below this"
    )
    exit_on_breach: bool = Field(
        False, description="close when spot passes a short strike; for a vertical a roll signal"
    )
    roll_policy: RollPolicy = Field(
        "close",
        description="where a short strike is breached, or threatened below exit_below_dte: close "
        "never rolls, the other rules act; roll_or_close rolls for a net credit, and where it "
        "cannot the other rules act; roll waits for its roll, and no exit by days comes between",
    )
    roll_policy_by_symbol: dict[str, RollPolicy] = Field(
        default_factory=dict, description="the same for single symbols"
    )
    earnings_in_life: bool = Field(
        False, description="enter though an earnings report on record falls into the trade's life"
    )

    @model_validator(mode="after")
    def _days_are_ordered(self) -> Self:
        require_order("dte", self.dte_min, self.dte_max)
        return self


class CreditSpreadSettings(PremiumSettings):
    dte_min: int = Field(25, ge=1, description="fewest calendar days to expiration at entry")
    width_min: Decimal = Field(Decimal(5), gt=0, description="points between the strikes, least")
    width_max: Decimal = Field(Decimal(10), gt=0, description="points between the strikes, most")
    width_max_fraction_of_spot: Fraction = Field(
        Decimal("0.10"), description="width is also bounded as a share of the spot price"
    )
    roll_policy: RollPolicy = Field(
        "roll_or_close",
        description="the same for verticals, whose breach is a signal to roll or stop",
    )

    @model_validator(mode="after")
    def _widths_are_ordered(self) -> Self:
        require_order("width", self.width_min, self.width_max)
        return self


class BullPutSpreadSettings(CreditSpreadSettings):
    short_delta_min: float = Field(-0.30, ge=-1, le=0, description="short put delta, lower bound")
    short_delta_max: float = Field(-0.20, ge=-1, le=0, description="short put delta, upper bound")

    @model_validator(mode="after")
    def _deltas_are_ordered(self) -> Self:
        require_order("short_delta", self.short_delta_min, self.short_delta_max)
        return self


class CashSecuredPutSettings(PremiumSettings):
    credit_min: Decimal = Field(Decimal("0.50"), gt=0, description="least premium, a share")
    short_delta_min: float = Field(-0.30, ge=-1, le=0, description="short put delta, lower bound")
    short_delta_max: float = Field(-0.20, ge=-1, le=0, description="short put delta, upper bound")
    willing_to_own: tuple[Symbol, ...] = Field(
        (), description="symbols whose shares one would take; puts are sold on no other"
    )
    accept_assignment: tuple[Symbol, ...] = Field(
        (),
        description="of those, symbols whose puts may expire or be assigned: no exit by DTE, "
        "breach or expiration",
    )
    gap_fraction: Fraction = Field(
        Decimal("0.20"), description="fall of the stock overnight that the sizing loss bears"
    )

    @model_validator(mode="after")
    def _deltas_are_ordered(self) -> Self:
        require_order("short_delta", self.short_delta_min, self.short_delta_max)
        return self

    @model_validator(mode="after")
    def _assignment_is_of_shares_one_would_own(self) -> Self:
        strangers = sorted(set(self.accept_assignment) - set(self.willing_to_own))
        if strangers:
            raise ValueError(f"accept_assignment names {strangers[0]}, willing_to_own does not")
        return self


class IronCondorSettings(PremiumSettings):
    credit_min: Decimal = Field(
        Decimal("0.60"), gt=0, description="least net credit of both sides together, a share"
    )
    put_delta_min: float = Field(-0.20, ge=-1, le=0, description="short put delta, lower bound")
    put_delta_max: float = Field(-0.15, ge=-1, le=0, description="short put delta, upper bound")
    call_delta_min: float = Field(0.15, ge=0, le=1, description="short call delta, lower bound")
    call_delta_max: float = Field(0.20, ge=0, le=1, description="short call delta, upper bound")
    width: Decimal = Field(Decimal(5), gt=0, description="points between the strikes of each side")
    width_max_fraction_of_spot: Fraction = Field(
        Decimal("0.10"), description="width is also bounded as a share of the spot price"
    )
    exit_on_breach: bool = Field(True, description="close when spot passes either short strike")

    @model_validator(mode="after")
    def _deltas_are_ordered(self) -> Self:
        require_order("put_delta", self.put_delta_min, self.put_delta_max)
        require_order("call_delta", self.call_delta_min, self.call_delta_max)
        return self


class CoveredCallSettings(Section):
    """Hold how calls are written on assigned shares; `exits.cover_assigned_shares` says on which.

    There is no stop: the shares deliver whatever a call may come to owe.
    """

    dte_min: int = Field(25, ge=1, description="fewest calendar days to expiration of a call")
    dte_max: int = Field(45, ge=1, description="most calendar days to expiration of a call")
    short_delta_min: float = Field(0.20, ge=0, le=1, description="call delta, lower bound")
    short_delta_max: float = Field(0.35, ge=0, le=1, description="call delta, upper bound")
    credit_min: Decimal = Field(Decimal("0.30"), gt=0, description="least premium, a share")
    below_basis: tuple[str, ...] = Field(
        (),
        description="symbols whose calls may be struck below the management basis, which is the "
        "strike of the put: assignment then books a loss on the shares",
    )
    profit_target: Fraction = Field(
        Decimal("0.50"), description="buy the call back at this fraction of its premium, on natural"
    )
    exit_below_dte: int = Field(
        7, ge=0, description="buy the call back when the next session's dte would be below this"
    )
    accept_assignment: tuple[str, ...] = Field(
        (),
        description="symbols whose calls may expire or be assigned, which sells the shares at the "
        "strike: no exit by DTE or expiration. Others are bought back",
    )
    earnings_in_life: bool = Field(
        True,
        description="write a call over whose life a report falls, or is not ruled out: the shares "
        "bear it either way, and the premium pays for it",
    )

    @model_validator(mode="after")
    def _ranges_are_ordered(self) -> Self:
        require_order("dte", self.dte_min, self.dte_max)
        require_order("short_delta", self.short_delta_min, self.short_delta_max)
        return self
