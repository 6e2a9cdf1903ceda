"""Declare: what users write about a model, checked and with its defaults filled in."""
