"""Reference: what is frozen of the reference rows, and how one column of a window is compared with it.

baseline    the frozen reference, whole             column_comparison  every effect, the test of one
fitting     freeze the columns, in every segment    thresholds  what an effect must exceed, declared or learnt
columns     what is frozen of one column            control     means and rates in sigmas of the reference
profile     what is kept of a window: counts and    confidence  how sure a classifier is of what it says
            sums per bin                            scores      whether scores are what the file says
peaks       what one window had and the others not
counted_comparison  the same where only counts and sums are known
cuts        where the warehouse parts numbers       shelf       tables, the large ones in files
"""
