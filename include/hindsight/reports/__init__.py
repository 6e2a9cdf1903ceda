"""Show: what people look at, as pure functions from plain data to HTML; gathered in `pipeline/show`.

pages      a monitor, a case                     charts     a series as a drawing
accuracy   the report of a night as a page       timeline   accuracy over time as a drawing
night      what a night changed, in words        evidently  the visual report of a window
compare    two windows side by side
rows       a few rows of the warehouse        debug      labels by age, cohorts, runs, what failed
on_call    what is open over all monitors        executive  how the models do
overview   the list of all monitors              review     a week or a month
case       what the page of a case answers
exposition numbers for Prometheus             selection  what of a history is shown
plots      a chart's numbers as JSON, CSV     assets     scripts and styles that pages load
heat       drift, feature by window             distribution  a feature then and now
quadrant   how far by what it weighs
frozen_bins  their names in words               drawn_once  Evidently's presets, faster
data_docs  Great Expectations' own page          templates  the HTML
"""
