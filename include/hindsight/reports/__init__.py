"""Show: the Evidently report of a window and the pages people look at."""
