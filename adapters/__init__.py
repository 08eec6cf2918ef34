"""One folder per product: all that is known of it, as data plus a few functions."""

HOLDFAST = True  # the marker by which a foreign package called `adapters` is told from ours
