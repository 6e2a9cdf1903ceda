"""Operations: traffic, errors, latency, cost and freshness of a window (`operations`), its log (`logged`), and the
same of rows that stay in the warehouse (`counted`).
"""
