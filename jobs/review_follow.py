"""What follows from a finished review, in its transaction: a new limit is asked for, credit is stopped."""

from __future__ import annotations

from jobs.review_decide import Follow

FOLLOW: tuple[Follow, ...] = ()
