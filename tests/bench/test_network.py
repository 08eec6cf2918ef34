"""The network floor is measured right: all records, no call over the cap. The figures themselves are for people."""

from __future__ import annotations

from tests.bench.network import measure


def test_both_sides_read_everything_and_never_too_much_at_once(record_property: object) -> None:
    ours, plain = measure(records=3_000, page=100, in_flight=6, latency=0.02)
    for side in (ours, plain):
        assert side.records == 3_000
        assert 30 <= side.calls <= 36 + 6
        assert side.over_cap == 0
        assert side.floor_seconds > 0
        assert side.cpu_us > 0
    assert ours.calls == plain.calls
    record_property("ours", str(ours))  # type: ignore[operator]
