"""One book for all reports of this folder: every figure in it can be checked by eye."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.calling import call, shop

# C001 is E8 of the domain: 6,000 (115 days late on 2026-11-23), 4,000 (53 days), 5,000 (not due), credits of 8,500.
# C002 is E7: an invoice of 10,000 whose payments are applied on other days than they came in.
# C003 owes dollars, its ledger knows what they were worth on the day of the invoice. C004 has two legal entities.
# C005 owes yen, which have no decimals. C006 to C009 have names that a spreadsheet would run.
BOOK = {
    "customers": """
        id,name,currency
        C001,华东机械（上海）有限公司,CNY
        C002,Seven & Sons,CNY
        C003,Dollar Trading Inc.,USD
        C004,Two Houses,CNY
        C005,Yen K.K.,JPY
        C006,=1+1,CNY
        C007,+cmd|' /C calc'!A0,CNY
        C008,-2+3,CNY
        C009,@SUM(A1:A9),CNY
        """,
    "limits": """
        customer_id,kind,amount,currency
        C001,base,20000.00,CNY
        C003,unlimited,,
        """,
    "documents": """
        id,customer_id,kind,number,issued_on,due_on,currency,amount,base_amount,company
        D1,C001,invoice,INV-1,2026-07-01,2026-07-31,CNY,6000.00,,
        D2,C001,invoice,INV-2,2026-09-01,2026-10-01,CNY,4000.00,,
        D3,C001,invoice,INV-3,2026-11-15,2026-12-15,CNY,5000.00,,
        D4,C001,credit_note,CN-1,2026-08-20,2026-08-20,CNY,1500.00,,
        E1,C002,invoice,INV-7,2026-06-01,2026-07-01,CNY,10000.00,,
        F1,C003,invoice,INV-8,2026-11-01,2026-11-22,USD,1000.00,7100.00,
        G1,C004,invoice,INV-9,2026-11-01,2026-11-30,CNY,300.00,,East
        G2,C004,invoice,INV-10,2026-11-01,2026-11-30,CNY,45.50,,West
        H1,C005,invoice,INV-11,2026-11-01,2026-11-30,JPY,123456,,
        I1,C006,invoice,INV-12,2026-11-01,2026-11-30,CNY,1.10,,
        """,
    "payments": """
        id,customer_id,received_on,currency,amount
        P1,C001,2026-11-01,CNY,7000.00
        P2,C002,2026-07-20,CNY,7000.00
        P3,C002,2026-08-10,CNY,3000.00
        """,
    "applications": """
        from_id,to_id,amount,applied_on
        P2,E1,7000.00,2026-07-20
        P3,E1,3000.00,2026-09-02
        """,
    "rates": """
        on,from,to,rate
        2026-11-20,USD,CNY,7.25
        2026-11-20,JPY,CNY,0.05
        """,
}


@pytest.fixture(scope="session")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The configuration of a shop whose book has been pulled and evaluated."""
    config = shop(tmp_path_factory.mktemp("shop"), **BOOK)
    done = call("-c", config, "run")
    assert (done.code, done.err) == (0, ""), done
    return config
