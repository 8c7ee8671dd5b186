"""Answers are written by another hand than Python's `json`, and read as if by that."""

import json
from decimal import Decimal
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from simulator.exchange.app import JSON

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False)
)
bodies = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def read(written: str | bytes) -> Any:
    """Read an answer as the agent does: digit for digit."""
    return json.loads(written, parse_float=Decimal)


@given(bodies)
@example([0.0, -0.0, 1e-05, 1.5e-07, 5e-324, 1e16, 1.7976931348623157e308, 0.1])
@example({"é\u2028\x00": "</script>"})
def test_an_answer_reads_as_if_json_had_written_it(body: Any) -> None:
    assert repr(read(JSON.dump_json(body))) == repr(read(json.dumps(body)))
