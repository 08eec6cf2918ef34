"""The demo as somebody sees it who has just installed the product: its story, in both languages, and what it leaves behind."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from connector.cli import common
from tests.cli.calling import Called, call, shop, spawn


@pytest.fixture(autouse=True)
def own_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """Always the same width, and a call in Chinese does not leave the next test in Chinese."""
    monkeypatch.setattr(common, "_language", "en")
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the demo's temporary folder is made."""
    place = tmp_path / "tmp"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    monkeypatch.setenv("TMPDIR", str(place))
    return place


def _chapters(told: Called) -> dict[int, list[str]]:
    """The lines of each chapter, without its title and the rule below."""
    parts = re.split(r"^(\d)  .*\n─+\n", told.out, flags=re.MULTILINE)
    return {int(parts[at]): parts[at + 1].splitlines() for at in range(1, len(parts), 2)}


def _blocks(lines: list[str]) -> dict[str, list[str]]:
    """What chapter 7 says of each customer: the lines below its id."""
    found: dict[str, list[str]] = {}
    for line in lines:
        if line and not line.startswith(" "):
            found[line.split()[0]] = below = []
        elif line:
            below.append(line.strip())
    return found


WORDS = {
    "en": {
        "idle": "nothing to do", "none": "Records written: 0. Write calls the sandboxes saw: 0.", "yes": "yes", "no": "no",
        "push": "push", "hold": "hold flag", "task": "new task", "fields": "credit fields", "writes": r"(\d+) writes, no more\.",
        "written": r"written (\d+)", "colon": ": ", "paid": "was paid in full", "placed": "was placed",
    },
    "zh": {
        "idle": "无事可做", "none": "写入记录：0。沙箱收到的写调用：0。", "yes": "是", "no": "否",
        "push": "推送", "hold": "冻结标志", "task": "新任务", "fields": "信用字段", "writes": r"共 (\d+) 次写入，仅此而已。",
        "written": r"已写入 (\d+)", "colon": "：", "paid": "已全额付清", "placed": "已下达",
    },
}  # fmt: skip


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_story(lang: str, temporary: Path) -> None:
    words = WORDS[lang]
    told = call("--lang", lang, "demo", "--customers", "40")
    assert told.code == 0, told
    assert told.err == ""
    chapters = _chapters(told)
    assert list(chapters) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert not any(line.startswith(("✗", "!")) for line in told.out.splitlines()), told.out
    # the first run writes to both systems, the second to none
    first = [int(n) for n in re.findall(words["written"], "\n".join(chapters[2]))]
    assert len(first) == 2
    assert min(first) > 0
    pushes = [line for line in chapters[5] if line.startswith(f"✓ {words['push']}")]
    assert len(pushes) == 2
    assert all(words["idle"] in line for line in pushes)
    assert words["none"] in chapters[5]
    # one pays, one orders; nobody else is touched
    acted = [line for line in chapters[6] if line.startswith("• ")]
    payer, buyer = acted[0].split()[1], acted[-1].split()[1]
    assert all(words["paid"] in line for line in acted[:-1] if line.split()[1] == payer)
    assert words["placed"] in " ".join(chapters[6][chapters[6].index(acted[-1]) :])
    changed = _blocks(chapters[7][: chapters[7].index(_last(chapters[7]))])
    assert {payer, buyer} == set(changed)
    colon, yes, no = words["colon"], words["yes"], words["no"]
    for who, was, now in ((payer, yes, no), (buyer, no, yes)):
        assert f"erp{colon}{words['hold']}" in changed[who]
        assert f"hold  {was} → {now}" in changed[who]  # in the ERP
        assert re.search(rf"^Credit Hold +{was} → {now}$", "\n".join(changed[who]), re.MULTILINE)  # in the CRM
        assert f"crm{colon}{words['fields']}" in changed[who]
    assert re.search(
        r"^Credit Status +Good → Stop$|^Credit Status +W\w+ → Stop$", "\n".join(changed[buyer]), re.MULTILINE
    )
    assert f"crm{colon}{words['task']}" in changed[buyer]
    assert f"crm{colon}{words['task']}" not in changed[payer]
    # as many writes as were told, and as many as the third run counted
    count = re.search(words["writes"], told.out)
    assert count
    parts = sum(1 for lines in changed.values() for line in lines if line.startswith((f"erp{colon}", f"crm{colon}")))
    third = sum(int(n) for n in re.findall(words["written"], "\n".join(chapters[6])))
    assert int(count[1]) == parts == third
    assert list(temporary.iterdir()) == []


def _last(lines: list[str]) -> str:
    return next(line for line in reversed(lines) if line)


def test_where_the_erp_refuses_held_orders_the_last_chapter_shows_it() -> None:
    told = call("demo", "--erp", "odoo-sandbox", "--customers", "20", "--seed", "2")
    assert told.code == 0, told
    refusal = " ".join(line.strip() for line in _chapters(told)[8])
    assert "stays a quotation" in refusal
    assert "Credit hold" in refusal


def test_a_book_of_files_can_be_the_erp_and_fxiaoke_the_crm() -> None:
    told = call(
        "--lang", "zh", "demo", "--erp", "files-sandbox", "--crm", "fxiaoke", "--customers", "20", "--seed", "2"
    )
    assert told.code == 0, told
    assert "信用预警等级" in told.out
    assert "沙箱收到的写调用：0。" in told.out
    assert "label:" not in told.out


def test_what_is_kept_works_without_the_demo(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    told = call("demo", "--customers", "20", "--keep", folder)
    assert told.code == 0, told
    assert f"holdfast -c {folder / 'config.toml'} report positions" in told.out
    assert (folder / "secrets").stat().st_mode & 0o077 == 0
    config = (folder / "config.toml").read_text(encoding="utf-8")
    assert all(p.read_text(encoding="utf-8") not in config for p in (folder / "secrets").iterdir())
    report = call("-c", folder / "config.toml", "report", "positions", "--format", "json")
    assert report.code == 0
    assert len(report.json["positions"]) == 20
    again = call("demo", "--keep", folder)
    assert again.code == 2
    assert "already holds a configuration" in again.err


def test_kept_sandboxes_come_back_with_their_state(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    with spawn("demo", "--customers", "20", "--keep", folder) as process:
        out, _ = process.communicate(timeout=120)
    commands = re.findall(r"^ *holdfast (sandbox .*)$", out, re.MULTILINE)
    assert len(commands) == 2
    running = [spawn(*command.split()) for command in commands]
    try:
        for process in running:
            assert process.stdout is not None
            while "Ctrl+C" not in process.stdout.readline():
                assert process.poll() is None
        done = call("-c", folder / "config.toml", "run")
        assert (done.code, done.err) == (0, ""), done
        assert re.search(r"✓ push +crm +nothing to do", done.out), done.out
    finally:
        for process in running:
            process.send_signal(signal.SIGINT)
            process.wait(20)


def test_ctrl_c_leaves_nothing_behind(temporary: Path) -> None:
    with spawn("demo", "--customers", "40") as process:
        assert process.stdout is not None
        while not process.stdout.readline().startswith("✓ pull"):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.strip() == "Stopped."
    assert list(temporary.iterdir()) == []


def test_configured_systems_are_not_touched_by_accident(tmp_path: Path) -> None:
    config = shop(tmp_path, customers="id,name,currency\nC1,Acme,CNY", documents=_ONE_LATE, limits=_ONE_LIMIT)
    asked = call("-c", config, "demo")
    assert asked.code == 2
    assert "--yes" in asked.err
    assert "books" in asked.err
    assert not (tmp_path / "book" / "payments.csv").exists()
    agreed = call("-c", config, "demo", "--yes")
    assert agreed.code == 0, agreed
    assert "Invoice I-1 was paid in full: 100.00 CNY." in agreed.out
    assert (tmp_path / "book" / "payments.csv").exists()


_ONE_LATE = """
id,customer_id,kind,number,issued_on,due_on,currency,amount
D1,C1,invoice,I-1,2026-01-01,2026-01-31,CNY,100.00
"""
_ONE_LIMIT = """
customer_id,kind,amount,currency
C1,base,500.00,CNY
"""


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("--erp", "zoho_crm-sandbox"), "cannot be the ERP"),
        (("--crm", "tryton"), "cannot be the CRM"),
        (("--crm", "zohocrm"), "“zoho_crm”"),
        (("--erp", "zoho_crm"), "cannot be the ERP"),
        (("--erp", "files"), "cannot be brought up by itself"),
    ],
)
def test_what_cannot_be_told_is_said(arguments: tuple[str, ...], what: str, temporary: Path) -> None:
    told = call("demo", *arguments)
    assert told.code == 2
    assert what in told.err
    assert list(temporary.iterdir()) == []
