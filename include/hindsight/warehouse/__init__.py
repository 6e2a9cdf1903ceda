"""Collect: predictions and labels of a window out of a SQL warehouse, as Arrow columns.

connect      read only, in UTC, time-limited     stream       the answer to a statement as Arrow batches
predictions  the logged rows of a window         labels       the truth as it was known at a moment
reference    the rows windows are compared with  kpis         the rows business numbers are made of
columns      which columns, read as which type   relations    tables and views as the database declares them
times        moments as microseconds             distinct     one row for each id
dialects     what differs between databases      pool         one connection, lent again and again
pii          personal columns hashed or dropped  outcome      prediction and truth of each scored row
rows         a window in a temporary file        spool        batches written to it as they come
parquet      a reference file, measured first    memory       labels remembered without times of arrival
identities   ids written in two ways              spelling     how ids are written, and would be elsewhere
survey       a table nobody described            declared     what lint --connect looks for
allocation   memory given back at once            lookup       a statement for people to read rows with
schemas      where a table of no named schema    rights       which right a refused login lacks
samples      a few rows for people to look at
counting     statements that count a window       counts       a window counted where its rows lie
examination  what a connection and a log are like, asked for real
"""
