"""The documents of the project, and what they name in code."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from pydantic import BaseModel

from agent.config.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
AGENT = ROOT / "layers" / "agent" / "python" / "agent"
SOURCES = (ROOT / "functions", ROOT / "infra", ROOT / "simulator", ROOT / "cli", AGENT)
FILE_SUFFIXES = (".json", ".jsonl", ".md", ".parquet", ".py", ".toml", ".txt", ".yaml", ".csv")
NAMED_FILE_SUFFIXES = (".asl.json", ".md", ".py", ".toml")

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
_PROMPT = re.compile(r"^(?:\$ +)?(?:\.venv/bin/)?")
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
_PATH = re.compile(r"[\w.*-]+(?:/[\w.*-]+)*/?")


@dataclass(frozen=True)
class Document:
    """Hold one Markdown file."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def blocks(self) -> tuple[str, ...]:
        """Give what stands between fences."""
        return tuple(block for _, block in _FENCE.findall(self.text))

    @property
    def spans(self) -> tuple[str, ...]:
        """Give what stands between single backticks."""
        return tuple(_SPAN.findall(_FENCE.sub("", self.text)))

    @property
    def commands(self) -> tuple[str, ...]:
        """Give every line of code, without its prompt and with its continuations."""
        lines = [line for block in self.blocks for line in _joined(block).splitlines()]
        return tuple(_PROMPT.sub("", line.strip()) for line in (*lines, *self.spans))

    @property
    def links(self) -> tuple[str, ...]:
        """Give the targets of links that stay within the tree."""
        found = _LINK.findall(_SPAN.sub("", _FENCE.sub("", self.text)))
        return tuple(target for target in found if "://" not in target)

    @property
    def anchors(self) -> frozenset[str]:
        """Name the headings as links do."""
        headings = _HEADING.findall(_FENCE.sub("", self.text))
        kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
        return frozenset(heading.replace(" ", "-") for heading in kept)


def documents() -> tuple[Document, ...]:
    """Find every document, those at the root first."""
    found = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
    return tuple(map(Document, found))


def paths_of(document: Document) -> Iterator[str]:
    """Give the spans that name a file or folder of the tree.

    A span with a slash does where it begins like the tree or ends like a file; HTTP paths, names
    of the cloud and generated folders do not. A bare name does where it ends like a source.
    """
    for span in document.spans:
        if not _PATH.fullmatch(span):
            continue
        head = span.split("/")[0]
        if "/" not in span:
            if span.endswith(NAMED_FILE_SUFFIXES):
                yield span
        elif head not in _generated() and (
            span.endswith(FILE_SUFFIXES) or (ROOT / head).exists() or (AGENT / head).exists()
        ):
            yield span


def path_exists(document: Document, path: str) -> bool:
    """Look for a path from the root, from the agent's package and from beside the document."""
    if "/" not in path:
        return path in _file_names()
    places = (ROOT, AGENT, document.path.parent)
    return any(any(place.glob(path.rstrip("/"))) for place in places)


def dotted_names_of(document: Document) -> Iterator[str]:
    """Give the spans of the form `module.name` whose module, or section of settings, is ours."""
    for span in document.spans:
        name = span.removesuffix("()")
        if _DOTTED.fullmatch(name) and not name.endswith(FILE_SUFFIXES):
            head = name.split(".")[0]
            if _places(head) or head in Settings.model_fields:
                yield name


def dotted_name_exists(name: str) -> bool:
    """Look for a name in our modules, in the settings, and in what is installed."""
    head, *rest = name.split(".")
    return (
        any(_holds(place, rest) for place in _places(head))
        or _is_setting(name.split("."))
        or _is_installed(name)
    )


def _joined(block: str) -> str:
    return re.sub(r"\\\n\s*", "", block)


def _is_setting(names: list[str]) -> bool:
    model: type[BaseModel] = Settings
    for number, name in enumerate(names, start=1):
        if name not in model.model_fields:
            return False
        inner = model.model_fields[name].annotation
        if not isinstance(inner, type) or not issubclass(inner, BaseModel):
            return number == len(names)
        model = inner
    return True


def _is_installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _holds(place: Path, names: list[str]) -> bool:
    """Say whether a package or module defines a name, at whatever depth."""
    if not names:
        return True
    head, *rest = names
    if place.is_file():
        return set(names) <= _defined_in(place)
    for inner in (place / head, place / f"{head}.py"):
        if inner.exists():
            return _holds(inner, rest)
    package = place / "__init__.py"
    return package.is_file() and set(names) <= _defined_in(package)


@lru_cache
def _defined_in(module: Path) -> frozenset[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            names.add(node.attr)
    return frozenset(names)


def _places(name: str) -> tuple[Path, ...]:
    return _places_by_name().get(name, ())


@lru_cache
def _places_by_name() -> dict[str, tuple[Path, ...]]:
    """Map the name of every package and module of ours to where it is."""
    found: dict[str, tuple[Path, ...]] = {}
    for source in SOURCES:
        packages = [module.parent for module in source.rglob("__init__.py")]
        for place in (source, *packages, *source.rglob("*.py")):
            found[place.stem] = (*found.get(place.stem, ()), place)
    return found


@lru_cache
def _file_names() -> frozenset[str]:
    kept = [child for child in ROOT.iterdir() if child.name not in _generated()]
    inner = [path for child in kept if child.is_dir() for path in child.rglob("*")]
    return frozenset(path.name for path in (*kept, *inner))


@lru_cache
def _generated() -> frozenset[str]:
    lines = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    return frozenset({".git", *(line.rstrip("/") for line in lines if line)})
