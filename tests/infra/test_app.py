"""The command that writes the template, as a newcomer and as the CDK run it."""

import json
import os
import subprocess
import sys
from pathlib import Path

from infra.dependencies import ROOT


def run(tmp_path: Path, context: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the app as the CDK's command line does, on a machine without Node."""
    return subprocess.run(
        [sys.executable, "-m", "infra.app", "--without-layers"],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
        env={
            "PATH": str(tmp_path / "nothing"),
            # Where jsii keeps the CDK unpacked; unpacking it anew takes longer than to run it.
            "HOME": os.environ["HOME"],
            "CDK_OUTDIR": str(tmp_path / "out"),
            "CDK_CONTEXT_JSON": json.dumps(context),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
    )


def test_the_template_is_written_without_an_account_or_a_node_on_the_path(tmp_path: Path) -> None:
    done = run(tmp_path, {"stage": "trial", "region": "us-west-2"})
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    template = ROOT / done.stdout.strip()
    assert template.name == "OptionsAgent-trial.template.json"
    assert Path(os.path.realpath(template)).is_relative_to(os.path.realpath(tmp_path / "out"))
    assert '\\"stage\\": \\"trial\\"' in template.read_text(encoding="utf-8")


def test_a_wrong_setting_ends_in_one_sentence(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("watchlist: []\n", encoding="utf-8")
    done = run(tmp_path, {"config": str(config)})
    assert done.returncode == 1
    assert done.stdout == ""
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith("the setting watchlist: ")
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_the_cdk_starts_the_app_with_its_layers() -> None:
    settings = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))
    assert settings["app"] == ".venv/bin/python -m infra.app"
