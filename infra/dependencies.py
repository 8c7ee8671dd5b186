"""The tree of the dependencies layer: what the functions import, and no byte more.

    python -m infra.dependencies lock          resolve requirements/layer.txt anew
    python -m infra.dependencies build FOLDER  build the tree that Lambda gets, and weigh it

uv installs the locked wheels for Lambda's platform; no Docker is needed, whatever machine builds.
"""

import fnmatch
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from uv import find_uv_bin

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements" / "layer.txt"

RUNTIME_PROVIDES = ("boto3", "botocore", "python-dateutil", "s3transfer", "six")
"""Part of Lambda's own runtime. (jmespath is there too, but Powertools must not depend on that.)"""

NEVER_IMPORTED = ("msgpack", "pandas", "pytz", "sseclient-py", "websockets")
"""What alpaca-py needs only outside `alpaca.common`, of which alone the agent makes use."""

UNUSED_SCIPY = (
    *("cluster", "datasets", "differentiate", "fftpack", "integrate", "interpolate", "io", "misc"),
    *("ndimage", "odr", "signal", "stats"),
)
"""Packages of SciPy on which `scipy.special` and `scipy.optimize` do not rest."""

UNUSED_FOLDERS = ("__pycache__", "test", "tests")
UNUSED_FILES = ("*.a", "*.c", "*.h", "*.hpp", "*.pxd", "*.pyi", "*.pyx")
UNUSED_AT_TOP = (".lock", "bin", "share")

LAMBDA_BYTES_MAX = 262_144_000
"""Lambda's quota for a function and all its layers together, unzipped."""

BUILD_SECONDS_MAX = 300


class LayerNotBuilt(Exception):
    """Raised where the layer's tree cannot be built; the sentence says why."""


class LayerTooLarge(LayerNotBuilt):
    """Raised where Lambda would refuse what was built."""


@dataclass(frozen=True)
class Platform:
    """Name a platform to build for, as uv does; None is the machine that builds."""

    tag: str | None
    python_version: str

    @classmethod
    def of_lambda(cls) -> Self:
        return cls("aarch64-manylinux_2_28", "3.13")

    @classmethod
    def of_this_machine(cls) -> Self:
        return cls(None, f"{sys.version_info.major}.{sys.version_info.minor}")


def lock() -> None:
    """Resolve the project's own dependencies to the versions that are tested, with their hashes."""
    left_out = [f"--no-emit-package={name}" for name in (*RUNTIME_PROVIDES, *NEVER_IMPORTED)]
    options = ["--universal", "--python-version=3.11", "--generate-hashes", "--no-emit-index-url"]
    quiet = ["--no-header", "--no-annotate", "--quiet"]
    tested = f"--constraints={LOCK.with_name('all.txt').relative_to(ROOT)}"
    output = f"--output-file={LOCK.relative_to(ROOT)}"
    _run_uv("pip", "compile", *options, *quiet, *left_out, tested, output, "pyproject.toml")


def build(folder: Path, platform: Platform) -> int:
    """Install the locked wheels into `folder` and prune them; give the tree's size in bytes.

    `folder` is what Lambda adds to the import path (a layer's `python`). Raises LayerNotBuilt.
    """
    wanted = ["--no-deps", "--require-hashes", f"--requirements={LOCK}"]
    # Every dependency has wheels for Lambda: one that had to be compiled would fit this machine.
    where = [f"--target={folder}", "--only-binary=:all:", "--quiet"]
    if platform.tag is None:
        where.append(f"--python={sys.executable}")
    else:
        where += [
            f"--python-platform={platform.tag}",
            f"--python-version={platform.python_version}",
        ]
    _run_uv("pip", "install", *wanted, *where)
    prune(folder)
    return bytes_of(folder)


def prune(folder: Path) -> None:
    """Remove what no import needs: tests, headers, stubs, launchers, unused parts of SciPy.

    The metadata of a distribution stays: libraries look up their own version.
    """
    for name in UNUSED_AT_TOP:
        _remove(folder / name)
    for name in UNUSED_SCIPY:
        _remove(folder / "scipy" / name)
    for path in sorted(folder.rglob("*")):
        if path.is_dir():
            if path.name in UNUSED_FOLDERS:
                _remove(path)
        elif any(fnmatch.fnmatch(path.name, pattern) for pattern in UNUSED_FILES) or (
            path.parent.suffix == ".dist-info" and path.name != "METADATA"
        ):
            _remove(path)


def compile_for_lambda(folder: Path, mounted_at: str) -> bool:
    """Compile the tree where an interpreter of Lambda's version is at hand; say whether one was.

    It cannot be compiled in the cloud, where layers are read-only: every cold start would compile
    it again, which takes three times as long as to import it.
    """
    python = _find_python(Platform.of_lambda().python_version)
    if python is None:
        return False
    options = ["-q", "--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", mounted_at]
    _run([python, "-m", "compileall", *options, str(folder)])
    return True


def bytes_of(folder: Path) -> int:
    """Add up the sizes of the files below a folder."""
    return sum(
        path.lstat().st_size for path in folder.rglob("*") if path.is_file() or path.is_symlink()
    )


def check_size(parts: dict[str, int]) -> None:
    """Raise LayerTooLarge where these parts, in bytes, exceed Lambda's quota together."""
    total = sum(parts.values())
    if total > LAMBDA_BYTES_MAX:
        listed = ", ".join(f"{name} {size:,}" for name, size in parts.items())
        raise LayerTooLarge(
            f"Lambda takes {LAMBDA_BYTES_MAX:,} bytes unzipped, but there are {total:,}: {listed}"
        )


def _find_python(version: str) -> str | None:
    """Find an interpreter; a launcher on the PATH that cannot start one does not count."""
    for candidate in (sys.executable, shutil.which(f"python{version}")):
        if candidate is None:
            continue
        probe = "import sys; print('%d.%d' % sys.version_info[:2])"
        answer = subprocess.run(  # noqa: S603 - an interpreter found here, with constant arguments
            [candidate, "-c", probe], check=False, capture_output=True, text=True, timeout=30
        )
        if answer.returncode == 0 and answer.stdout.strip() == version:
            return candidate
    return None


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _run_uv(*arguments: str) -> None:
    _run([find_uv_bin(), *arguments])


def _run(command: list[str]) -> None:
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}
    try:
        done = subprocess.run(  # noqa: S603 - uv or an interpreter, with arguments of this module
            command,
            check=False,
            capture_output=True,
            text=True,
            timeout=BUILD_SECONDS_MAX,
            cwd=ROOT,
            env=environment,
        )
    except subprocess.TimeoutExpired as error:
        raise LayerNotBuilt(
            f"{' '.join(command[:3])} did not end within {BUILD_SECONDS_MAX} s"
        ) from error
    if done.returncode:
        reason = " ".join(done.stderr.split()) or f"it ended with {done.returncode}"
        raise LayerNotBuilt(f"{' '.join(command[:3])}: {reason}")


def main(arguments: list[str]) -> int:
    """Run one of the two commands; give the exit code."""
    try:
        match arguments:
            case ["lock"]:
                lock()
            case ["build", folder]:
                size = build(Path(folder), Platform.of_lambda())
                sys.stdout.write(f"{folder}: {size:,} bytes\n")
            case _:
                sys.stderr.write(f"{__doc__}\n")
                return 2
    except LayerNotBuilt as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
