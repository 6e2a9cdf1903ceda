"""Show: what people look at, as pure functions from plain data to HTML; gathered in `pipeline/show`.

pages      overview and monitor                  charts     a series as a drawing
accuracy   the report of a night as a page       timeline   accuracy over time as a drawing
night      what a night changed, in words        evidently  the visual report of a window
exposition numbers for Prometheus             selection  what of a history is shown
plots      a chart's numbers as JSON, CSV     assets     scripts and styles that pages load
heat       drift, feature by window             distribution  a feature then and now
quadrant   how far by what it weighs
data_docs  Great Expectations' own page          templates  the HTML
"""
