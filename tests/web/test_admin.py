"""The console's pages: runs, problems, outbox, people, keys, policy, health, audit; who may, what is shown once, what is told."""

from __future__ import annotations

import datetime as dt
import re
from html import unescape

import pytest
from fastapi.testclient import TestClient

from connector.config_people import PersonSettings
from connector.errors import Problem
from connector.store import api_keys, asked_runs, audit, documents, outbox, problems, sessions
from connector.store.db import Store
from connector.store.outbox import Owed
from connector.text import Text
from connector.web.admin_policy import line_of
from connector.web.front import Front
from connector.web.session import csrf_of
from jobs.policy import chosen
from tests.jobs.shop import Shop
from tests.web.visiting import Browser, visit

HOSTILE = '<script>alert("x")</script>=1+1'
# Pages look the same on both databases; their queries are tried on both.
one_database = pytest.mark.parametrize("store", ["sqlite"], indirect=True)
PAGES = (
    "/admin/runs",
    "/admin/problems",
    "/admin/outbox",
    "/admin/people",
    "/admin/policy",
    "/admin/policy/history",
    "/admin/health",
    "/admin/audit",
)


@pytest.fixture
def admin(front: Front) -> Browser:
    boss = PersonSettings(id="boss", name="The Boss", roles=("admin",), email="boss@example.com")
    front.config = front.config.model_copy(update={"people": (*front.config.people, boss)})
    front.config = front.config.model_copy()
    return visit(front, "boss")


def told(front: Front) -> list[str]:
    with front.store.reading() as tx:
        return [line.entry.action for line in audit.everything(tx)]


@one_database
@pytest.mark.parametrize("address", PAGES)
def test_every_page_speaks_both_languages(front: Front, admin: Browser, address: str) -> None:
    for language, word in (("en", "Sign out"), ("zh", "退出登录")):
        page = admin.client.get(address, headers={"Accept-Language": language})
        assert page.status_code == 200, page.text[:500]
        assert word in page.text
    assert not re.search(r"[\u4e00-\u9fff]", _seen(admin.get(address).text).replace("中文", ""))


def _seen(page: str) -> str:
    """What stands on a page besides the policy's own text, which is in both languages."""
    return re.sub(r"<textarea.*?</textarea>", "", page, flags=re.DOTALL)


@one_database
@pytest.mark.parametrize("address", PAGES)
def test_only_administrators_see_them(front: Front, admin: Browser, address: str) -> None:
    seller = visit(front, next(p.id for p in front.config.people if "sales" in p.roles))
    assert seller.get(address).status_code == 403


@one_database
def test_a_job_is_asked_for_once(front: Front, admin: Browser) -> None:
    for _ in range(2):
        assert admin.post("/admin/runs/start", job="link").status_code == 303
    with front.store.reading() as tx:
        assert [one.job for one in asked_runs.waiting(tx)] == ["link"]
    assert front.wake.is_set()
    assert "waits its turn" in admin.get("/admin/runs").text
    assert told(front).count("run.ask") == 1
    assert admin.post("/admin/runs/start", job="no-such-job").status_code == 422


@one_database
def test_problems_are_told_by_cause_and_kept_harmless(front: Front, admin: Browser) -> None:
    now = front.clock.now()
    what = Text("The due date is missing.", "缺少到期日。")
    fix = Text("Enter it there.", "请在对方系统补填。")
    with front.store.writing() as tx:
        given = {f"I{n}": [Problem("no_due_date", f"books/I{n} {HOSTILE}", what, fix, "due_on")] for n in range(7)}
        problems.note(tx, "record", "books", "documents", given, now)
    page = admin.get("/admin/problems").text
    assert "The due date is missing." in page
    assert "7 × books / documents" in page
    assert "<script>alert" not in page
    whole = admin.get("/admin/problems/no_due_date?system=books&stream=documents").text
    assert whole.count("books/I") == 7
    export = admin.get("/admin/problems?as=csv").text
    assert export.count("no_due_date") == 7
    assert admin.get("/admin/problems/other?system=books").status_code == 404


def test_causes_are_grouped_on_both_databases(shop: Shop) -> None:
    from connector.store import problem_groups

    now, words = shop.clock.now(), Text("a", "b")
    with shop.store.writing() as tx:
        problems.note(
            tx, "record", "books", "documents", {f"I{n}": [Problem("x", f"I{n}", words, words)] for n in range(3)}, now
        )
        problems.note(tx, "record", "books", "orders", {"O1": [Problem("x", "O1", words, words)]}, now)
        found = problem_groups.causes(tx)
        assert [(one.stream, one.count, len(one.examples)) for one in found] == [("documents", 3, 3), ("orders", 1, 1)]
        problems.note(tx, "record", "books", "documents", {}, now)
        assert [one.stream for one in problem_groups.causes(tx)] == ["orders"]
        assert [one.count for one in problem_groups.causes(tx, resolved=True)] == [3]
        assert problem_groups.causes(tx, system="crm") == []


def parked(store: Store, now: dt.datetime, count: int = 2) -> list[int]:
    with store.writing() as tx:
        outbox.owe(
            tx, [Owed("books", "customer_fields", f"C{n}", f"fields/{n}", {"x": HOSTILE}, "d") for n in range(count)]
        )
        numbers = [row.id for row in outbox.claim(tx, "books", "customer_fields", count, now)]
        for number in numbers:
            outbox.park(tx, number, now, Text("Field x is unknown.", "字段 x 不存在。"), "unknown_field")
    return sorted(numbers)


@one_database
def test_refused_writes_are_tried_again_or_given_up_with_a_reason(front: Front, admin: Browser) -> None:
    numbers = parked(front.store, front.clock.now())
    page = admin.get("/admin/outbox").text
    assert "Field x is unknown." in page
    assert "<script>alert" not in page
    cause = {"system": "books", "kind": "customer_fields", "code": "unknown_field"}
    assert admin.post("/admin/outbox/decide", act="drop", **cause).status_code == 422, "not without a reason"
    assert admin.post("/admin/outbox/decide", act="retry", **cause).status_code == 303
    with front.store.reading() as tx:
        assert {row.state for row in outbox.listing(tx)} == {"owed"}
    assert told(front).count("outbox.retry") == 2
    with front.store.writing() as tx:
        outbox.claim(tx, "books", "customer_fields", 2, front.clock.now())
        outbox.park(tx, numbers[0], front.clock.now(), Text("No.", "否。"), "no")
    dropped = admin.post("/admin/outbox/decide", act="drop", number=str(numbers[0]), why="closed customer")
    assert dropped.status_code == 303
    again = admin.post("/admin/outbox/decide", act="drop", number=str(numbers[0]), why="closed customer")
    assert again.status_code == 303
    assert told(front).count("outbox.drop") == 1


def test_parked_writes_are_grouped_on_both_databases(shop: Shop) -> None:
    from connector.store import outbox_groups

    numbers = parked(shop.store, shop.clock.now(), 3)
    with shop.store.reading() as tx:
        (cause,) = outbox_groups.parked(tx)
        assert (cause.system, cause.kind, cause.code, cause.count) == ("books", "customer_fields", "unknown_field", 3)
        assert outbox_groups.of_cause(tx, "books", "customer_fields", "unknown_field") == numbers
        assert outbox_groups.counts(tx) == {("books", "parked"): 3}


def test_the_size_is_told_on_both_databases(shop: Shop) -> None:
    from connector.store.size import size

    with shop.store.reading() as tx:
        found = size(tx)
    assert found.bytes > 10_000
    assert min(found.customers, found.items, found.orders, found.entries) >= 0


@one_database
def test_a_person_is_entered_changed_invited_signed_out_and_taken_out(front: Front, admin: Browser) -> None:
    bad = admin.post("/admin/people", id="Not Good", name="X")
    assert bad.status_code == 422
    made = admin.client.post(
        "/admin/people",
        data={"csrf": csrf_of(admin.token), "id": "mei", "name": HOSTILE, "roles": ["sales", "viewer"]},
    )
    assert (made.status_code, made.headers["location"]) == (303, "/admin/people/mei")
    page = admin.get("/admin/people/mei").text
    assert "<script>alert" not in page
    assert 'value="sales" checked' in page
    invited = admin.post("/admin/people/mei/invite").text
    code = re.search(r"/sign-in/with/([\w-]+)", invited)
    assert code is not None
    other = TestClient(admin.client.app, follow_redirects=False, headers={"Accept": "text/html"})
    assert other.post("/sign-in/with", data={"code": code[1]}).status_code == 303
    assert other.get("/desk").status_code == 200
    assert admin.post("/admin/people/mei/sign-out").status_code == 303
    assert other.get("/desk").status_code == 303
    changed = admin.client.post(
        "/admin/people/mei",
        data={"csrf": csrf_of(admin.token), "name": "Mei", "roles": "approver", "approve_up_to": "5000"},
    )
    assert changed.status_code == 303, changed.text
    assert {p.id: p.approve_up_to for p in front.config.people}["mei"] == 5000
    assert admin.post("/admin/people/mei/remove").status_code == 303
    assert all(p.id != "mei" for p in front.config.people) or admin.get("/admin/people/mei").status_code == 404
    assert {"person.add", "session.invite", "session.end_all", "person.change", "person.remove"} <= set(told(front))
    assert code[1] not in repr(_trail(front))


def _trail(front: Front) -> list[object]:
    with front.store.reading() as tx:
        return [line.entry for line in audit.everything(tx)]


@one_database
def test_the_people_of_the_file_are_not_changed_here(front: Front, admin: Browser) -> None:
    assert admin.post("/admin/people/nobody/invite").status_code == 404
    assert admin.post("/admin/people/nobody/remove").status_code == 404


@one_database
def test_a_keys_secret_is_shown_once_and_never_again(front: Front, admin: Browser) -> None:
    wrong = admin.post("/admin/keys", app="Web Shop", roles="viewer")
    assert wrong.status_code == 422
    assert admin.post("/admin/keys", app="webshop").status_code == 422, "no role"
    assert admin.post("/admin/keys", app="webshop", roles="viewer", rights="configure").status_code == 422
    made = admin.post("/admin/keys", app="webshop", roles="viewer", note=HOSTILE)
    found = re.search(r'id="token">(hf_[\w-]+)<', made.text)
    assert found is not None
    token = unescape(found[1])
    page = admin.get("/admin/people").text
    assert token not in page
    assert "<script>alert" not in page
    assert token not in repr(_trail(front))
    with front.store.reading() as tx:
        (key,) = api_keys.listing(tx)
    me = admin.client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})
    assert me.json()["actor"] == "app:webshop"
    renewed = admin.post(f"/admin/keys/{key.id}", act="rotate")
    assert 'id="token">hf_' in renewed.text
    for _ in range(2):
        assert admin.post(f"/admin/keys/{key.id}", act="revoke").status_code == 303
    assert told(front).count("key.revoke") == 1


@one_database
def test_a_policy_is_checked_tried_saved_and_put_in_force(front: Front, admin: Browser) -> None:
    with front.store.reading() as tx:
        text = chosen(tx, front.config).text
    broken = text.replace("grace_days", "grace_dayz", 1)
    checked = admin.post("/admin/policy/check", text=broken, seen="0").text
    assert "There is no such setting." in checked
    line = next(n for n, raw in enumerate(broken.splitlines(), 1) if "grace_dayz" in raw)
    assert f"Line {line}:" in checked
    assert admin.post("/admin/policy/save", text=broken, seen="0").status_code == 422
    assert admin.post("/admin/policy/try", text=text, seen="0").status_code == 200
    kept = admin.post("/admin/policy/save", text=text + "\n# kept\n", seen="0", act="keep", note="first")
    assert kept.status_code == 303
    late = admin.post("/admin/policy/save", text=text + "\n# other\n", seen="0", act="keep")
    assert late.status_code == 409, "somebody has saved since it was opened"
    page = admin.get("/admin/policy/history").text
    assert "first" in page
    assert ">The Boss</td>" in page, "by name, not by id"
    with front.store.reading() as tx:
        assert [v.number for v in documents.versions(tx, documents.POLICY, documents.THE_POLICY)] == [1]
    assert admin.get("/admin/policy/export?version=1").text.endswith("# kept\n")
    assert admin.post("/admin/policy/activate", version="7").status_code == 422


def test_a_problem_of_the_policy_has_its_line() -> None:
    text = '[hold]\ngrace_days = 3\n\n[[approval.limit]]\nrole = "x"\n[[approval.limit]]\nrole = "y"\n'
    words = Text("a", "b")
    assert line_of(text, Problem("x", "policy.toml", words, words, "hold.grace_days")) == 2
    assert line_of(text, Problem("x", "policy.toml", words, words, "approval.limit.2.role")) == 7
    assert line_of(text, Problem("x", "policy.toml", words, words, "hold.other")) == 1
    assert line_of("[", Problem("x", "policy.toml:1", words, words, "")) == 1


@one_database
def test_health_says_what_to_do(front: Front, admin: Browser) -> None:
    parked(front.store, front.clock.now())
    page = admin.get("/admin/health").text
    assert "2 writes are refused over there." in page
    assert 'href="/admin/outbox"' in page


@one_database
def test_the_trail_is_searched_proved_and_exported(front: Front, admin: Browser) -> None:
    admin.post("/admin/runs/start", job="link")
    page = admin.get("/admin/audit?action=run").text
    assert "run.ask" in page
    assert "The Boss" in page
    assert "run.ask" not in admin.get("/admin/audit?action=limit").text
    with front.store.writing() as tx:
        stands = {"level": "red", "en": "120% is used", "zh": "已用 120%"}
        audit.append(
            tx, [audit.Entry("warning.raise", "customer:books/C1", "job:evaluate", after=stands)], front.clock.now()
        )
    page = admin.get("/admin/audit?action=warning").text
    assert "120% is used" in page
    assert "已用" not in page
    proved = admin.post("/admin/audit/verify").text
    assert "The trail is whole" in proved
    assert "run.ask" in admin.get("/admin/audit?as=csv").text
    with front.store.writing() as tx:
        for name in tx.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars().all():
            tx.exec_driver_sql(f"DROP TRIGGER {name}")
        tx.exec_driver_sql("UPDATE audit SET why = 'changed' WHERE action = 'run.ask'")
    assert "The trail is not what was appended" in admin.post("/admin/audit/verify").text


@one_database
def test_an_auditor_reads_the_trail_and_changes_nothing(front: Front, admin: Browser) -> None:
    eye = PersonSettings(id="eye", roles=("auditor",))
    front.config = front.config.model_copy(update={"people": (*front.config.people, eye)})
    auditor = visit(front, "eye")
    assert auditor.get("/admin/audit").status_code == 200
    assert auditor.get("/admin/people").status_code == 403


@one_database
def test_whoever_enters_the_first_administrator_goes_on_as_him(shop: Shop, store: Store) -> None:
    config = shop.config.model_copy(update={"people": ()})
    front = Front(store, config, shop.clock)
    with store.writing() as tx:
        token = sessions.begin(tx, "root", ("admin", "approver"), "code", shop.clock.now())
    browser = visit(front, "root")
    browser.client.cookies.clear()
    browser.client.cookies.set("holdfast", token)
    first = Browser(browser.client, token)
    assert first.get("/admin/people").status_code == 200
    made = first.post("/admin/people", id="me", name="Me", roles="admin")
    assert made.status_code == 303, made.text
    browser.client.cookies.clear()
    browser.client.cookies.set("holdfast", made.cookies["holdfast"])
    page = browser.client.get("/admin/people")
    assert page.status_code == 200
    assert "Me" in page.text
