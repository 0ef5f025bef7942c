"""Monthly sums and counts of the columns of a wide CSV file, by Python's csv module.

The first column is the time, as `2006-12-16 17:24:00` or `31.12.2016 23:45`; months are those of the clock that it was read from. Of rows with
the same time, which follow each other closely (the hour when clocks are set back), the last one counts. Prints a JSON object:
{"2006-12": {"Voltage": [sum, count], ...}, ...}

Usage: sums.py FILE DELIMITER
"""

import csv
import json
import math
import sys


def month_of(time):
    return time[:7] if time[4] == "-" else f"{time[6:10]}-{time[3:5]}"


def main():
    path, delimiter = sys.argv[1:3]
    months = {}
    with open(path, newline="") as file:
        records = csv.reader(file, delimiter=delimiter)
        names = next(records)[1:]
        month, rows = None, {}
        for record in records:
            if month_of(record[0]) != month:
                close(months, month, names, rows)
                month, rows = month_of(record[0]), {}
            rows[record[0]] = record[1:]
        close(months, month, names, rows)
    json.dump(months, sys.stdout)


def close(months, month, names, rows):
    """Sums up the rows of a month."""
    if not rows:
        return
    columns = ([float(cell) for cell in column if cell] for column in zip(*rows.values()))
    months[month] = {name: [math.fsum(column), len(column)] for name, column in zip(names, columns)}


main()
