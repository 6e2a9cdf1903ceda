"""Act: the ledger that remembers, the outbox that loses nothing, and the mail that leaves it."""
