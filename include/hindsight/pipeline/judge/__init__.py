"""Judge: snapshots in, verdicts and incidents and promises out, in one transaction of the ledger.

judgement   a window or a night judged, and what follows    verdicts          what the rules say, nothing written
incidents_to_tell  which people are told of now             alerts            which mail and DAG runs are promised
knowledge   what was known of windows at a moment           past_incidents    which stood open at a moment
ranking     the drifted columns, weightiest first           incident_changes  what labels alone opened and ended
retirement  close what is watched no more            news              what is unlike the window's own past
harm        how grave what drifted is               silences          those asked for, and those of the file
reminders   what lasts and nobody looks after       deploys           versions that are new, silent then
checklist   what is known where something grave begins      slos    what is spent of what was promised
comparisons what is compared with windows before    trials  whether a promoted version kept its promise
"""
