"""Judge: from numbers to verdicts, incidents and what is to be told; pure functions only.

model      Verdict, Incident, RetrainRequest     judge      a verdict per rule and series of one window
muting     what something else explains          incidents  verdicts folded into episodes
notices    what is news, and fresh               retraining whether to ask for one
explain    a verdict as one sentence             retention  which verdicts may go
cases      incidents of one origin, told together        harm       whether what drifted hurts
acceptance what people said is usual             silence    until when nobody is told, and why
deploys    versions that are new in the log, and how long drift is not told after them
error_budget  what of a promise is spent, and how fast
against    rules that compare with a window before
effect     how far from the reference what drifted is
reviews    what a week or a month came to        review_words  the same in sentences
"""
