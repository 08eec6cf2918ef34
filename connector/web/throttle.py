"""Throttle: whoever fails again and again from one address waits, and nobody else does."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

# So many failures at once, and one more each so many seconds.
FAILURES_MOST = 20
_ONE_EACH_SECONDS = 3.0
_ADDRESSES_MOST = 10_000


@dataclass
class Throttle:
    """A bucket of failures for each address; `now` gives seconds that only grow."""

    now: Callable[[], float] = time.monotonic
    # When the bucket of an address will be empty again.
    _empty_at: OrderedDict[str, float] = field(default_factory=OrderedDict)

    def wait(self, address: str) -> float:
        """Seconds that an address has to wait before its next try; 0: none."""
        left = self._empty_at.get(place(address), 0.0) - self.now()
        return max(0.0, left - (FAILURES_MOST - 1) * _ONE_EACH_SECONDS)

    def failed(self, address: str) -> None:
        """An address has failed once more."""
        where, now = place(address), self.now()
        self._empty_at[where] = max(now, self._empty_at.get(where, 0.0)) + _ONE_EACH_SECONDS
        self._empty_at.move_to_end(where)
        while len(self._empty_at) > _ADDRESSES_MOST:
            self._empty_at.popitem(last=False)


def place(address: str) -> str:
    """Where an address is counted: itself; of IPv6 its network, since one household has 2^64 of them."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:100]
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)
