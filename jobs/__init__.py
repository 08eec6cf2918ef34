"""The story of the night: pull, link, evaluate, push."""
