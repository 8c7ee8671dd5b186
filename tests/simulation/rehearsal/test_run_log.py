"""The log of a run holds a true past of it, whenever its writer died."""

from pathlib import Path

import pytest

from simulator.rehearsal.run_log import EXCHANGE, ResumeRefused, RunLog

HEADER = {"market": "a synthetic market, seed 1", "settings": {"risk": {"trades": 3}}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "build" / "unfinished.jsonl"


def written(path: Path, *moves: str) -> None:
    with RunLog(path, resume=False) as log:
        log.start(HEADER)
        for move in moves:
            log.note(EXCHANGE, {"moved_to": move})


def test_what_was_noted_is_found_in_its_order(path: Path) -> None:
    written(path, "one", "two")
    with RunLog(path, resume=True) as log:
        log.start(HEADER)
        assert log.header == HEADER
        assert log.bodies(EXCHANGE) == [{"moved_to": "one"}, {"moved_to": "two"}]


def test_a_torn_last_line_never_happened_and_the_next_follows_the_last_whole_one(
    path: Path,
) -> None:
    written(path, "one", "two")
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    with RunLog(path, resume=True) as log:
        assert log.bodies(EXCHANGE) == [{"moved_to": "one"}]
        log.note(EXCHANGE, {"moved_to": "two"})
    assert path.read_bytes() == whole


def test_a_line_torn_in_the_middle_is_damage(path: Path) -> None:
    written(path, "one", "two")
    path.write_bytes(path.read_bytes().replace(b'"one"', b'"on'))
    with (
        pytest.raises(ResumeRefused, match="is damaged at line 2"),
        RunLog(path, resume=True),
    ):
        pass


def test_without_a_log_or_with_none_but_its_torn_beginning_there_is_nothing_to_resume(
    path: Path,
) -> None:
    with pytest.raises(ResumeRefused, match="no unfinished run"), RunLog(path, resume=True):
        pass
    written(path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ResumeRefused, match="no unfinished run"), RunLog(path, resume=True):
        pass


def test_a_run_of_other_settings_is_another_run(path: Path) -> None:
    written(path)
    others = {**HEADER, "settings": {"risk": {"trades": 4}}}
    with (
        RunLog(path, resume=True) as log,
        pytest.raises(ResumeRefused, match=r"settings\.risk\.trades was 3 and is 4"),
    ):
        log.start(others)


def test_two_runs_do_not_share_a_log(path: Path) -> None:
    written(path, "one")
    with (
        RunLog(path, resume=True),
        RunLog(path, resume=False) as another,
        pytest.raises(ResumeRefused, match="another run is under way"),
    ):
        another.start(HEADER)
    with RunLog(path, resume=True) as log:
        assert log.bodies(EXCHANGE) == [{"moved_to": "one"}]


def test_a_new_run_takes_the_place_of_an_unfinished_one_once_it_starts(path: Path) -> None:
    written(path, "one")
    with RunLog(path, resume=False) as log:
        assert path.read_bytes().count(b"\n") == 2
        log.start(HEADER)
        assert path.read_bytes().count(b"\n") == 1
        log.discard()
    assert not path.exists()
