"""News: whether a window is unlike comparable windows of its own recent past, in units of their variation.

coordinates  a window's profile in a few robust numbers a column
numbers      those of many windows as arrays, one part a segment
slots        which windows are comparable, and the slot of the week a window lies in
forecast     what the past lets expect of a number, and how far off such forecasts were
spells       stretches of news, and what of the past counts because of them
family       all numbers of a window judged together, at a rate of false news that people agreed to
"""
