"""The steps from one form of the ledger's tables to the next, run by Alembic; a step that landed is never changed."""
