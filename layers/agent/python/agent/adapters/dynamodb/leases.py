"""Leases in `agent_state`: one item a name, whose token only grows."""

from datetime import datetime, timedelta
from uuid import uuid4

from pynamodb.exceptions import UpdateError

from agent.adapters.dynamodb import keys
from agent.adapters.dynamodb.failures import is_condition_failed, store_answers
from agent.adapters.dynamodb.reads import get_item
from agent.adapters.dynamodb.tables import Tables
from agent.book.changes import Lease


def acquire_lease(tables: Tables, name: str, now: datetime, seconds: int) -> Lease | None:
    """Take a lease by one conditional update; None while another holder's has not expired."""
    item = tables.agent_state
    key = keys.lease_key(name)
    claim, until = uuid4().hex, now + timedelta(seconds=seconds)
    is_free = item.leased_until.does_not_exist() | (item.leased_until <= now)
    with store_answers():
        try:
            item(*key).update(
                [
                    item.version.set((item.version | 0) + 1),
                    item.claim.set(claim),
                    item.leased_until.set(until),
                ],
                condition=is_free,
            )
        except UpdateError as error:
            if not is_condition_failed(error):
                raise
    # An update whose answer was lost is sent again and then meets itself: the claim tells.
    stored = get_item(item, *key)
    if stored is None or stored.claim != claim or stored.version is None:
        return None
    return Lease(name, int(stored.version), until)


def release_lease(tables: Tables, lease: Lease) -> None:
    """Give a lease back; one that somebody else has taken since is left alone."""
    item = tables.agent_state
    with store_answers():
        try:
            item(*keys.lease_key(lease.name)).update(
                [item.leased_until.remove()], condition=item.version == lease.token
            )
        except UpdateError as error:
            if not is_condition_failed(error):
                raise
