"""Random data and random InfluxQL from a seed, for differential.py: what is made here has one right answer.

`tree` are statements that can be made smaller, `data` the points, `conditions` WHERE clauses, `selects` and `subqueries`
SELECT, `statements` everything else. What InfluxDB leaves open is not made, or the comparison is told (README.md).
"""
