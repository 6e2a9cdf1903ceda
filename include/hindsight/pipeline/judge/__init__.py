"""Judge: snapshots in, verdicts and incidents and promises out, in one transaction of the ledger.

judgement   a window or a night judged, and what follows    verdicts          what the rules say, nothing written
alerts      which mail and which DAG runs the news call for ranking           the drifted columns, weightiest first
knowledge   what was known of windows at a moment           past_incidents    which stood open at a moment
incident_changes  what labels alone opened and ended        retirement        close what is watched no more
"""
