"""Synthesise the template that a rehearsal runs, beside whatever else has to be made ready.

The CDK takes seconds of Node for the same answer, so the template is kept in `build/` under a
digest of all that it is made from: a changed file, of ours or of the lock, gives another name.
"""

import hashlib
import tempfile
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from pathlib import Path

from infra.app import ROOT, synthesize

KEPT_DIRECTORY = ROOT / "build" / "templates"
SOURCES = ("infra", "functions", "layers", "requirements", "cdk.json", "pyproject.toml")
"""What a template is made from: its own code, the assets it names, the versions it is made with."""
LEFT_OUT = frozenset({"__pycache__"})


@cache
def begin_synthesis() -> Future[str]:
    """Begin to synthesise the default stage's template, once a process.

    The CDK works in a Node of its own for seconds, in which the market can be made ready.
    """
    workers = ThreadPoolExecutor(max_workers=1, thread_name_prefix="synthesis")
    future = workers.submit(kept_template, ROOT, KEPT_DIRECTORY, _template)
    workers.shutdown(wait=False)
    return future


def kept_template(root: Path, directory: Path, make: Callable[[], str]) -> str:
    """Give the template of the sources in `root`: the one kept in `directory`, else what is made.

    What was made is kept; where nothing can be, the next run makes it again.
    """
    kept = directory / f"{digest_of_sources(root)}.json"
    with suppress(OSError):
        return kept.read_text(encoding="utf-8")
    text = make()
    with suppress(OSError):
        _keep(kept, text)
    return text


def digest_of_sources(root: Path) -> str:
    """Digest the name and content of every file that a template is made from."""
    digest = hashlib.sha256()
    for source in SOURCES:
        place = root / source
        for path in sorted([place, *place.rglob("*")]):
            if path.is_file() and not LEFT_OUT.intersection(path.parts):
                content = path.read_bytes()
                digest.update(f"{path.relative_to(root)} {len(content)}\n".encode())
                digest.update(content)
    return digest.hexdigest()


def _keep(path: Path, text: str) -> None:
    """Write the whole file or none of it; templates of other sources make room."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for other in path.parent.glob("*.json"):
        other.unlink(missing_ok=True)
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, suffix=".part", delete=False
    ) as file:
        file.write(text)
    Path(file.name).replace(path)


def _template() -> str:
    with tempfile.TemporaryDirectory(prefix="options-agent-") as directory:
        return synthesize(Path(directory), bundle_layers=False).read_text(encoding="utf-8")
