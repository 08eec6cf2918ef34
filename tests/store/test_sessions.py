"""Sessions, codes that are good once, and the count of wrong passwords."""

from __future__ import annotations

import datetime as dt

from connector.store import passwords, sessions
from connector.store.db import Store

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


def test_a_session_opens_until_it_is_ended_or_idle_or_old(store: Store) -> None:
    with store.writing() as tx:
        token = sessions.begin(tx, "li.wei", ("approver",), "password", NOON)
        found = sessions.find(tx, token, NOON + MINUTE)
        assert found is not None
        assert (found.person, found.roles, found.way) == ("li.wei", ("approver",), "password")
        assert sessions.find(tx, token + "x", NOON) is None
        assert sessions.find(tx, "", NOON) is None
        assert sessions.find(tx, token, NOON + sessions.IDLE) is None, "idle for too long"
        at = NOON
        while at < NOON + sessions.LASTS - MINUTE:
            at += sessions.IDLE - MINUTE
            sessions.seen(tx, token, at)
        assert sessions.find(tx, token, NOON + sessions.LASTS - MINUTE) is not None
        assert sessions.find(tx, token, NOON + sessions.LASTS) is None, "used all the time, and too old"
        other = sessions.begin(tx, "li.wei", (), "password", NOON)
        sessions.end(tx, other, NOON)
        assert sessions.find(tx, other, NOON) is None


def test_no_token_is_kept(store: Store) -> None:
    with store.writing() as tx:
        token = sessions.begin(tx, "li.wei", (), "password", NOON)
        code = sessions.make_code(tx, "sign_in", NOON, MINUTE, person="li.wei")
        kept = repr(tx.exec_driver_sql("SELECT * FROM session").all()) + repr(
            tx.exec_driver_sql("SELECT * FROM once_code").all()
        )
    assert "li.wei" in kept
    assert token not in kept
    assert code not in kept


def test_all_sessions_of_a_person_end_together_and_nobody_elses(store: Store) -> None:
    with store.writing() as tx:
        first = sessions.begin(tx, "li.wei", (), "password", NOON)
        second = sessions.begin(tx, "li.wei", (), "code", NOON)
        others = sessions.begin(tx, "zhou", (), "code", NOON)
        code = sessions.make_code(tx, "sign_in", NOON, MINUTE, person="li.wei")
        assert len(sessions.running(tx, "li.wei", NOON)) == 2
        assert sessions.end_all(tx, "li.wei", NOON) == 2
        assert sessions.find(tx, first, NOON) is None
        assert sessions.find(tx, second, NOON) is None
        assert sessions.use_code(tx, "sign_in", code, NOON) is None
        assert sessions.find(tx, others, NOON) is not None


def test_a_code_is_good_once_in_its_time_for_its_purpose(store: Store) -> None:
    with store.writing() as tx:
        code = sessions.make_code(tx, "sign_in", NOON, MINUTE, person="li.wei", said="/desk")
        assert sessions.use_code(tx, "issuer", code, NOON) is None
        assert sessions.use_code(tx, "sign_in", code, NOON) == ("li.wei", "/desk")
        assert sessions.use_code(tx, "sign_in", code, NOON) is None
        late = sessions.make_code(tx, "sign_in", NOON, MINUTE, person="li.wei")
        assert sessions.use_code(tx, "sign_in", late, NOON + MINUTE) is None


def test_what_was_kept_nowhere_is_used_up_once_and_forgotten_when_it_would_have_ended(store: Store) -> None:
    with store.writing() as tx:
        assert sessions.spend(tx, "issuer", "a", NOON, MINUTE)
        assert sessions.spend(tx, "issuer", "b", NOON, MINUTE)
    with store.writing() as tx:
        assert not sessions.spend(tx, "issuer", "a", NOON, MINUTE)
        assert sessions.use_code(tx, "issuer", "a", NOON) is None
        assert sessions.expire(tx, NOON + MINUTE) == 0
        assert sessions.expire(tx, NOON + 2 * MINUTE) == 2


def test_old_sessions_and_codes_are_forgotten(store: Store) -> None:
    with store.writing() as tx:
        sessions.begin(tx, "li.wei", (), "password", NOON)
        sessions.make_code(tx, "sign_in", NOON, MINUTE)
        assert sessions.expire(tx, NOON) == 0
        assert sessions.expire(tx, NOON + dt.timedelta(days=1)) == 2


def test_wrong_passwords_make_the_next_try_wait(store: Store) -> None:
    with store.writing() as tx:
        passwords.put(tx, "li.wei", "$argon2id$1", by="person:admin", now=NOON)
        for _ in range(4):
            passwords.failed(tx, "li.wei", NOON)
        kept = passwords.find(tx, "li.wei")
        assert kept is not None
        assert kept.wait_until is None
        waits = []
        for _ in range(20):
            passwords.failed(tx, "li.wei", NOON)
            kept = passwords.find(tx, "li.wei")
            assert kept is not None
            assert kept.wait_until is not None
            waits.append((kept.wait_until - NOON).total_seconds())
        assert waits[:3] == [1, 2, 4]
        assert waits[-1] == 15 * 60
        passwords.passed(tx, "li.wei")
        kept = passwords.find(tx, "li.wei")
        assert kept is not None
        assert kept.wait_until is None
        passwords.put(tx, "li.wei", "$argon2id$2", by="person:li.wei", now=NOON + MINUTE)
        assert passwords.people(tx) == {"li.wei": NOON + MINUTE}
        assert passwords.drop(tx, "li.wei")
        assert passwords.find(tx, "li.wei") is None
