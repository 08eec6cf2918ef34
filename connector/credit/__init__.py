"""Credit conclusions, pure: facts in, conclusions out; no I/O, no clock, no SQL."""
