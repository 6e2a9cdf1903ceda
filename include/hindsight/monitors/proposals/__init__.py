"""Proposals: what is seen of a table nobody described, what is guessed from it, and the file that says so; pure."""
