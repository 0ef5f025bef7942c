"""What DuckDB reads in files of the archive: for each column its type, number of values, and a sum (of numbers, of lengths of texts, of
true values, of nanoseconds). One line of JSON. The argument is a glob of files."""

import json
import sys

import duckdb

files = sys.argv[1]
table = f"read_parquet('{files}', union_by_name = true)"
duckdb.sql("SET TimeZone = 'UTC'")
columns = duckdb.sql(f"DESCRIBE SELECT * FROM {table}").fetchall()


def total(name, kind):
    quoted = '"' + name.replace('"', '""') + '"'
    if kind == "VARCHAR":
        return f"sum(length({quoted}))"
    if kind.startswith("TIMESTAMP"):
        return f"sum(epoch_ns({quoted})::HUGEINT)"
    return f"sum({quoted}::INT)" if kind == "BOOLEAN" else f"sum({quoted})"


result = {}
for name, kind, *_ in columns:
    quoted = '"' + name.replace('"', '""') + '"'
    count, summed = duckdb.sql(f"SELECT count({quoted}), {total(name, kind)} FROM {table}").fetchall()[0]
    result[name] = {"type": kind, "count": count, "sum": str(summed)}
rows = duckdb.sql(f"SELECT count(*) FROM {table}").fetchall()[0][0]
print(json.dumps({"rows": rows, "columns": result}))
