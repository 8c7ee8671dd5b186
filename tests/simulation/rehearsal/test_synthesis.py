"""A template is made once for as long as nothing changes that it is made from."""

from pathlib import Path

import pytest

from simulator.rehearsal.synthesis import SOURCES, digest_of_sources, kept_template


class Maker:
    """Make templates that differ, and count them."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> str:
        self.made += 1
        return f"template {self.made}"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Give sources: a file for each place that a template is made from."""
    for source in SOURCES:
        path = tmp_path / "root" / source
        path = path if path.suffix else path / "part" / "file"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("as it was")
    return tmp_path / "root"


def test_a_template_is_made_once(root: Path, tmp_path: Path) -> None:
    make, kept = Maker(), tmp_path / "kept"
    assert [kept_template(root, kept, make) for _ in range(3)] == ["template 1"] * 3
    assert make.made == 1


@pytest.mark.parametrize("source", SOURCES)
def test_it_is_made_anew_where_any_source_changed(root: Path, tmp_path: Path, source: str) -> None:
    make, kept = Maker(), tmp_path / "kept"
    kept_template(root, kept, make)
    place = root / source
    (place if place.is_file() else place / "part" / "file").write_text("as it is")
    assert kept_template(root, kept, make) == "template 2"
    assert len(list(kept.iterdir())) == 1


def test_a_file_more_less_or_renamed_is_a_change(root: Path) -> None:
    file = root / "infra" / "part" / "file"
    seen = {digest_of_sources(root)}
    file.rename(file.with_name("other"))
    seen.add(digest_of_sources(root))
    file.write_text("as it was")
    seen.add(digest_of_sources(root))
    file.unlink()
    file.with_name("other").unlink()
    seen.add(digest_of_sources(root))
    assert len(seen) == 4


def test_what_python_compiles_is_no_source(root: Path) -> None:
    before = digest_of_sources(root)
    compiled = root / "infra" / "__pycache__" / "app.pyc"
    compiled.parent.mkdir()
    compiled.write_bytes(b"compiled")
    assert digest_of_sources(root) == before


def test_where_nothing_can_be_kept_it_is_made_each_time(root: Path, tmp_path: Path) -> None:
    make, blocked = Maker(), tmp_path / "a file"
    blocked.write_text("in the way")
    assert kept_template(root, blocked, make) == "template 1"
    assert kept_template(root, blocked, make) == "template 2"
