"""The local cloud: the AWS side of the agent in one process.

moto's interpreter of state machines names one class of moto's Batch, and with Batch would come EC2,
whose lists of machines and zones take longer to read than all else that is imported here. As a
package without its `__init__`, Batch gives that class alone.
"""

import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

BATCH = "moto.batch"


def _without_its_init(name: str) -> None:
    parent, _, child = name.partition(".")
    spec = find_spec(parent)
    if name in sys.modules or spec is None or spec.submodule_search_locations is None:
        return
    package = ModuleType(name)
    package.__path__ = [str(Path(place) / child) for place in spec.submodule_search_locations]
    sys.modules[name] = package


_without_its_init(BATCH)
