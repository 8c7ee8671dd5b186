"""The two layers of every function: the agent as it stands, and what it depends on."""

import sys
from pathlib import Path

import aws_cdk as cdk
import jsii
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.dependencies import (
    LOCK,
    ROOT,
    Platform,
    build,
    bytes_of,
    check_size,
    compile_for_lambda,
)

AGENT_LAYER = ROOT / "layers" / "agent"
RUNTIME = lambda_.Runtime.PYTHON_3_13
ARCHITECTURE = lambda_.Architecture.ARM_64
NOT_SOURCE = ["**/__pycache__", "**/*.pyc"]
MOUNTED_AT = "/opt"


@jsii.implements(cdk.ILocalBundling)
class DependenciesBundling:
    """Build the dependencies layer when the CDK asks for it; Docker is never tried."""

    def __init__(self, functions_directory: Path) -> None:
        self._functions_directory = functions_directory

    def try_bundle(self, output_dir: str, *_: object, **__: object) -> bool:
        """Build into `output_dir`; raise LayerNotBuilt rather than say that it was not possible."""
        output = Path(output_dir)
        build(output / "python", Platform.of_lambda())
        if not compile_for_lambda(output, MOUNTED_AT):
            sys.stderr.write("no Python 3.13 at hand: cold starts will compile the layer\n")
        functions = [path for path in self._functions_directory.iterdir() if path.is_dir()]
        check_size(
            {
                "the dependencies layer": bytes_of(output),
                "the agent layer": bytes_of(AGENT_LAYER),
                "the largest function": max(map(bytes_of, functions), default=0),
            }
        )
        return True


class Layers(Construct):
    """Hold the layers in the order in which functions take them."""

    def __init__(self, scope: Construct, *, bundle: bool, functions_directory: Path) -> None:
        super().__init__(scope, "Layers")
        self.all: list[lambda_.ILayerVersion] = [
            self._layer(
                "Dependencies",
                _bundled(functions_directory) if bundle else _stand_in(),
                "What the agent depends on" + ("" if bundle else ", NOT BUILT: do not deploy"),
            ),
            self._layer(
                "Agent",
                lambda_.Code.from_asset(str(AGENT_LAYER), exclude=NOT_SOURCE),
                "The agent",
            ),
        ]
        if not bundle:
            self._refuse_deployment()

    def _layer(self, name: str, code: lambda_.Code, description: str) -> lambda_.LayerVersion:
        return lambda_.LayerVersion(
            self,
            name,
            code=code,
            description=description,
            compatible_runtimes=[RUNTIME],
            compatible_architectures=[ARCHITECTURE],
        )

    def _refuse_deployment(self) -> None:
        # A rule that never holds: CloudFormation then refuses the template before it does anything.
        never = cdk.CfnRuleAssertion(
            assert_=cdk.Fn.condition_equals("not built", "built"),
            assert_description="Synthesised without layers: deploy with `cdk deploy`, which builds",
        )
        cdk.CfnRule(cdk.Stack.of(self), "LayersAreBuilt", assertions=[never])


def _bundled(functions_directory: Path) -> lambda_.Code:
    return lambda_.Code.from_asset(
        str(LOCK.parent),
        asset_hash_type=cdk.AssetHashType.OUTPUT,
        bundling=cdk.BundlingOptions(
            image=RUNTIME.bundling_image, local=DependenciesBundling(functions_directory)
        ),
    )


def _stand_in() -> lambda_.Code:
    """Give the lock alone, for templates that are read and rehearsed but not deployed."""
    return lambda_.Code.from_asset(str(LOCK.parent), exclude=["*", f"!{LOCK.name}"])
