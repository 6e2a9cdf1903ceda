"""Operations: traffic, errors, latency, cost and freshness of a window (`operations`), and its log (`logged`)."""
