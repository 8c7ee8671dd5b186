"""What Alpaca's refusals of orders end: one table, from its error catalogue.

Alpaca says that its messages may change and that status and code stay; but one code, 40310000,
stands for everything from "in a moment" to "never". So messages decide, and what none of them
names ends the attempt alone: the mildest class that does not send the same again and again.
"""

from agent.book.intents import RefusalKind

REFUSALS: tuple[tuple[str, RefusalKind], ...] = (
    # Held for an order of ours that is still being cancelled, or for somebody else's.
    ("insufficient qty available", RefusalKind.RETRYABLE),
    # An order on the other side of the same contract works: ours, soon cancelled, or another's.
    ("potential wash trade", RefusalKind.RETRYABLE),
    ("rate limit", RefusalKind.RETRYABLE),
    # The broker knows legs, not structures.
    ("mleg uncovered short contracts not allowed", RefusalKind.LEGS),
    ("submit mleg order is disabled", RefusalKind.LEGS),
    ("rolling contracts ambiguity", RefusalKind.LEGS),
    ("complex orders not supported", RefusalKind.LEGS),
    ("mleg orders must have", RefusalKind.LEGS),
    # Money comes back with exits, and is counted anew overnight.
    ("insufficient options buying power", RefusalKind.DAY),
    ("insufficient buying power", RefusalKind.DAY),
    ("insufficient cash available", RefusalKind.DAY),
    ("exceeded account limit for contracts expiring today", RefusalKind.DAY),
    # Only the owner, or Alpaca, changes these.
    ("account not authorized to trade options", RefusalKind.ACCOUNT),
    ("account not eligible to trade long option contracts", RefusalKind.ACCOUNT),
    ("account not eligible to trade spreads", RefusalKind.ACCOUNT),
    ("account not eligible for level", RefusalKind.ACCOUNT),
    ("rejected by user request", RefusalKind.ACCOUNT),
    ("trading is suspended", RefusalKind.ACCOUNT),
    ("account is blocked", RefusalKind.ACCOUNT),
    ("account is restricted", RefusalKind.ACCOUNT),
    ("trading is blocked", RefusalKind.ACCOUNT),
)
"""What a message contains, in lower case, and what it ends. The first that fits decides.

Of the attempt alone speak, among others: a contract that is unknown, expired, expiring soon or not
tradable, an intent that does not fit what is held, an uncovered short, a malformed order.
"""


def refusal_kind(message: str) -> RefusalKind:
    """Classify a refusal by its message."""
    told = message.lower()
    return next((kind for part, kind in REFUSALS if part in told), RefusalKind.SIGNAL)
