"""All SQL lives here: tables, facts, positions, outbox, documents, runs."""
