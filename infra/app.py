"""The CDK app: `cdk deploy` runs it and builds the layers; `make synth` leaves them unbuilt.

cdk deploy -c stage=paper -c config=config.yaml --parameters AlertEmail=...
"""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from infra.node import use_locked_node
from infra.stage import FunctionMissing, Stage, StageInvalid

if TYPE_CHECKING:
    import aws_cdk as cdk

ROOT = Path(__file__).resolve().parents[1]
FUNCTIONS_DIRECTORY = ROOT / "functions"
OUTPUT_DIRECTORY = ROOT / "cdk.out"
CLI_OUTPUT_VARIABLE = "CDK_OUTDIR"


def build_app(
    outdir: Path | None,
    *,
    stage: Stage | None = None,
    bundle_layers: bool = True,
    functions_directory: Path = FUNCTIONS_DIRECTORY,
) -> "cdk.App":
    """Make the app; nothing is written before it is synthesised.

    Without `outdir` it goes where the CDK's command line says, and without `stage` the command
    line's context says which. A template without built layers is refused by CloudFormation.
    Raises StageInvalid, FunctionMissing.
    """
    use_locked_node()
    # Importing the CDK starts Node and takes seconds: nobody who only imports this module waits.
    import aws_cdk as cdk  # noqa: PLC0415 - it must follow the choice of Node

    from infra.stack import AgentStack  # noqa: PLC0415 - it imports aws_cdk

    app = cdk.App(
        outdir=None if outdir is None else str(outdir),
        analytics_reporting=False,
        context={"@aws-cdk/aws-iam:minimizePolicies": True},
    )
    AgentStack(
        app,
        stage or _stage_of_context(app),
        bundle_layers=bundle_layers,
        functions_directory=functions_directory,
    )
    return app


def synthesize(
    outdir: Path,
    *,
    stage: Stage | None = None,
    bundle_layers: bool = False,
    functions_directory: Path = FUNCTIONS_DIRECTORY,
) -> Path:
    """Write the stage's template and assets to `outdir`; give the path of the template."""
    assembly = build_app(
        outdir,
        stage=stage or Stage(),
        bundle_layers=bundle_layers,
        functions_directory=functions_directory,
    ).synth()
    (stack,) = assembly.stacks
    return Path(stack.template_full_path)


def _stage_of_context(app: "cdk.App") -> Stage:
    context = {name: app.node.try_get_context(name) for name in ("stage", "region", "config")}
    config = context["config"]
    return Stage.read(
        name=context["stage"],
        region=context["region"],
        config=None if config is None else Path(str(config)),
    )


def main() -> int:
    """Synthesise for the CDK's command line or for a reader; give the exit code."""
    parser = argparse.ArgumentParser(prog="python -m infra.app", description=__doc__)
    parser.add_argument(
        "--without-layers",
        action="store_true",
        help="leave the dependencies unbuilt: to read, lint and rehearse, not to deploy",
    )
    wanted = parser.parse_args()
    given_by_cli = bool(os.environ.get(CLI_OUTPUT_VARIABLE))
    outdir = None if given_by_cli else OUTPUT_DIRECTORY
    try:
        assembly = build_app(outdir, bundle_layers=not wanted.without_layers).synth()
    # What the CDK's kernel refuses, and what fails while it bundles, arrives as RuntimeError.
    except (StageInvalid, FunctionMissing, RuntimeError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for stack in assembly.stacks:
        sys.stdout.write(f"{os.path.relpath(stack.template_full_path)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
