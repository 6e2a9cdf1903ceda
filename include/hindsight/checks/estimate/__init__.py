"""Estimate: performance before the labels come.

estimate     CBPE and direct loss estimation, and what it means when the truth differs
calibration  what the reference's labels say a score is worth, frozen
"""
