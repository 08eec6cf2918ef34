"""`holdfast job`: for engines that say when: exit codes they can rely on, slots they can name."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.clock import SystemClock
from connector.store.db import Store
from jobs.night import lease
from tests.cli.calling import call, shop

GOOD = {"customers": "id,name\nC1,One"}


def test_a_slot_is_done_once_and_told_so(tmp_path: Path) -> None:
    config = shop(tmp_path, **GOOD)
    first = call("-c", config, "job", "run", "regular", "--slot", "2026-11-25T09:00:00Z")
    assert first.code == 0
    assert "regular 2026-11-25T09:00+00:00: done." in first.out
    again = call("-c", config, "job", "run", "regular", "--slot", "2026-11-25T17:00+08:00")
    assert again.code == 0
    assert again.out == "regular 2026-11-25T09:00+00:00: done before.\n"
    chinese = call("-c", config, "--lang", "zh", "job", "run", "regular", "--slot", "2026-11-25T09:00Z", lang="zh")
    assert chinese.out == "regular 2026-11-25T09:00+00:00：此前已完成。\n"


def test_a_night_is_known_by_its_date(tmp_path: Path) -> None:
    """Half past five in the evening of UTC is the next day's night in Shanghai."""
    config = shop(tmp_path, **GOOD)
    done = call("-c", config, "job", "run", "nightly", "--slot", "2026-11-24T17:30:00Z")
    assert "nightly 2026-11-25: done." in done.out
    assert "nightly 2026-11-25: done before." in call("-c", config, "job", "run", "nightly", "--slot", "2026-11-25").out


def test_3_another_process_is_at_work(tmp_path: Path) -> None:
    config = shop(tmp_path, **GOOD)
    assert call("-c", config, "job", "run", "link", "--slot", "a").code == 0
    store = Store.open(f"sqlite:///{tmp_path / 'holdfast.db'}")
    with lease(store, SystemClock(), "run"):
        busy = call("-c", config, "job", "run", "link", "--slot", "b")
        assert busy.code == 3
        assert "already being done by another process" in busy.err
        assert call("-c", config, "job", "run", "link", "--slot", "a").code == 0, "what is done is done"
        assert "At work now" in call("-c", config, "job", "list").out
    store.close()
    assert call("-c", config, "job", "run", "link", "--slot", "b").code == 0


def test_3_a_system_is_in_trouble(tmp_path: Path) -> None:
    """The engine tries again with another slot; this one is used up, as a run by the schedule is."""
    config = shop(tmp_path, **GOOD)
    (tmp_path / "book" / "customers.csv").unlink()
    (tmp_path / "book").rmdir()
    assert call("-c", config, "job", "run", "pull", "--slot", "a").code in (2, 3)


def test_2_there_is_no_such_job(tmp_path: Path) -> None:
    wrong = call("-c", shop(tmp_path, **GOOD), "job", "run", "pull:erpp")
    assert wrong.code == 2
    assert "There is no job called “pull:erpp”." in wrong.err


@pytest.mark.parametrize("slot", ["", " ", "x" * 101, "a\nb"])
def test_2_a_slot_that_nobody_could_name(tmp_path: Path, slot: str) -> None:
    assert call("-c", shop(tmp_path, **GOOD), "job", "run", "link", "--slot", slot).code == 2


def test_what_was_run_last_is_listed(tmp_path: Path) -> None:
    config = shop(tmp_path, **GOOD)
    call("-c", config, "job", "run", "link", "--slot", "2026-11-25")
    answer = call("-c", config, "job", "list", "--format", "json").json
    found = {job["job"]: job for job in answer["jobs"]}
    assert found["link"] == {
        "job": "link",
        "what": "find the same customer in two systems",
        "when": None,
        "slot": "2026-11-25",
        "state": "done",
    }
    assert found["nightly"]["when"] == "01:30 (Asia/Shanghai)"
    assert answer["lease"] is None


@pytest.mark.parametrize("arguments", [("job", "worker"), ("serve", "--no-web", "--queue", "procrastinate")])
def test_2_procrastinate_needs_postgresql(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    refused = call("-c", shop(tmp_path, **GOOD), *arguments)
    assert refused.code == 2
    assert "Procrastinate needs PostgreSQL, and [store] url names sqlite." in refused.err
