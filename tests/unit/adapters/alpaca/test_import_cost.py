"""What a function pays for the broker when it starts."""

import subprocess
import sys

ADAPTERS = "agent.adapters.alpaca.connection"


def test_the_adapters_do_not_import_pandas() -> None:
    # A chain is numpy's, so numpy comes anyway; pandas would add its own third of a second.
    script = f"import sys, {ADAPTERS}; print(sorted({{'pandas', 'websockets'}} & set(sys.modules)))"
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert found.stdout.strip() == "[]"
