"""`attach` and `file`: a paper goes into the credit file and comes out of it as it was, each in the audit trail."""

from __future__ import annotations

from pathlib import Path

from tests.cli.calling import call, shop


def test_a_paper_goes_in_and_comes_out_as_it_was(tmp_path: Path) -> None:
    config = shop(tmp_path, customers="id,name,currency\nC1,华东机械有限公司,CNY\nC2,Seven,CNY")
    assert call("-c", config, "run").code == 0
    scan, out = tmp_path / "营业执照.pdf", tmp_path / "out.pdf"
    scan.write_bytes(b"%PDF licence")
    refused = call("-c", config, "attach", "C1", scan, "--kind", "licence", "--dated", "2199-01-01")
    assert (refused.code, "--dated: That day is still to come." in refused.err) == (2, True)
    put = call(
        "-c", config, "attach", "C1", scan, "--kind", "licence", "--personal-for", "x", "--keep-until", "2198-01-01"
    )
    assert put.code == 0, put.err
    assert "On file: business licence no. 1 (sha256" in put.out
    assert "say what you need it for" in call("-c", config, "file", "C1", "--take", 1, "--out", out).err
    assert "no attachment of that number (1)" in call("-c", config, "file", "C2", "--take", 1, "--out", out).err
    assert not out.exists()
    taken = call("-c", config, "file", "C1", "--take", 1, "--out", out, "--personal", "yearly audit")
    assert (taken.code, out.read_bytes()) == (0, b"%PDF licence")
    again = call("-c", config, "--lang", "zh", "file", "C1", "--take", 1, "--out", out, "--personal", "x", lang="zh")
    assert "无法写入" in again.err, "nothing is written over"
    trail = call("-c", config, "audit", "list", "--format", "json").json["audit"]
    mine = [(one["action"], one["why"]) for one in trail if one["action"].startswith("paper.")]
    assert sorted(mine) == [("paper.add", ""), ("paper.take", "yearly audit")]
