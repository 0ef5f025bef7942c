"""SELECT statements over one measurement or several: raw points, aggregates, selectors, transformations, mathematics."""
from .conditions import time_range, where
from .data import BOOLEAN, DAY, FLOAT, HOUR, INTEGER, MINUTE, SECOND, STRING
from .tree import Instead, Maybe, Some, Words, quoted, text

ZONES = ["Europe/Berlin", "America/New_York", "Asia/Shanghai", "Australia/Lord_Howe", "UTC"]
INTERVALS = [
    ("100ms", SECOND // 10), ("1s", SECOND), ("7s", 7 * SECOND), ("1m", MINUTE), ("5m", 5 * MINUTE), ("1h", HOUR),
    ("90m", 90 * MINUTE), ("1h30m", 90 * MINUTE), ("6h", 6 * HOUR), ("12h", 12 * HOUR), ("1d", DAY), ("2d", 2 * DAY), ("1w", 7 * DAY),
]
MOST_WINDOWS = 300


def select(rng, measurement, source=None):
    """A SELECT over one measurement; `source` is how FROM names it."""
    kinds = [(_raw, 22), (_aggregates, 16), (_windows, 26), (_changes, 8), (_changes_of_windows, 9), (_extreme_with_fields, 5),
             (_top, 5), (_distinct, 4), (_wildcard, 6), (_integral, 3), (_mode, 2)]
    make = rng.choices([kind for kind, _ in kinds], [weight for _, weight in kinds])[0]
    return make(rng, measurement, source or quoted(measurement.name))


def statement(columns, source, condition, *clauses):
    """The parts of a SELECT in their order."""
    return Words("SELECT", columns, "FROM", source, condition, *clauses)


def group_tags(rng, measurement, ordered=False):
    """Dimensions besides time. `ordered`: the answer depends on the order of points, so equal times must stay apart."""
    if ordered and measurement.ties:
        return [every_tag(measurement) if measurement.vague else "*"]
    chance = rng.random()
    if chance < 0.4:
        return []
    if chance < 0.55 and not measurement.vague:
        return ["*"]
    if chance < 0.65 and not measurement.vague:
        return [rng.choice(["/./", "/./", "/o/", "/nosuch/", "/^(host|room)$/"])]
    keys = sorted(measurement.tags) + (["nosuch"] if rng.random() < 0.1 else [])
    return [quoted(key) for key in rng.sample(keys, rng.randint(1, min(2, len(keys))))]


def every_tag(measurement):
    """All tags by name."""
    return ", ".join(quoted(key) for key in sorted(measurement.tags))


def group(rng, measurement, dimensions, fixed=False, with_fill=True):
    """GROUP BY of tags, perhaps with a fill that concerns raw rows."""
    if not dimensions:
        return ""
    clause = Some(", ", dimensions)
    if fixed or measurement.ties:
        return Words("GROUP BY", text_of(dimensions))
    fill = Maybe(f"fill({rng.choice(['0', '-1.5', 'previous', 'none', 'null'])})") if with_fill and rng.random() < 0.1 else ""
    return Maybe(Words("GROUP BY", clause, fill))


def text_of(dimensions):
    """Dimensions that must stay."""
    return ", ".join(dimensions)


def tail(rng, cut=True, series=False):
    """ORDER BY and the limits. `cut`: rows may be cut off, because their order is certain. `series`: whole series, too."""
    clauses = []
    if rng.random() < 0.25:
        clauses.append(Maybe(f"ORDER BY time {rng.choice(['DESC', 'DESC', 'ASC'])}"))
    # An offset without its limit gives accidental answers, hence the pairs.
    if cut and rng.random() < 0.3:
        offset = Maybe(f"OFFSET {rng.choice([1, 1, 1, 3, 10])}") if rng.random() < 0.3 else ""
        clauses.append(Maybe(Words(f"LIMIT {rng.choice([1, 2, 5, 20])}", offset)))
    if series and rng.random() < 0.2:
        offset = Maybe(f"SOFFSET {rng.choice([1, 1, 2])}") if rng.random() < 0.5 else ""
        clauses.append(Maybe(Words(f"SLIMIT {rng.choice([1, 2])}", offset)))
    return clauses


def one_by_one(measurement, dimensions):
    """Whether SLIMIT counts series in the order in which they come.

    Over several tags it goes by their values joined with "|", so that 10 is before 1; and shard by shard, which may hold other
    series after a deletion.
    """
    return not measurement.vague and len(dimensions) == 1 and dimensions[0].startswith('"')


def window(rng, measurement):
    """(range, interval text, zone): as many windows as are quickly answered."""
    low, high = time_range(rng, measurement)
    fitting = [(text, width) for text, width in INTERVALS if 1 <= (high - low) / width <= MOST_WINDOWS] or [("1w", 7 * DAY)]
    interval, width = rng.choice(fitting)
    zone = rng.choice(ZONES) if width >= HOUR and rng.random() < 0.3 else None
    offset = ""
    if rng.random() < (0.1 if zone else 0.2):
        offset = ", " + rng.choice(["", "-"]) + rng.choice(["500ms", "1s", "20m", "3h", "4d", interval])
    return (low, high), f"time({interval}{offset})", zone


def fill(rng, columns=""):
    """A fill of windows. Between the large numbers of `big` there is no straight line: the differences overflow."""
    if rng.random() < 0.4:
        return ""
    large = any(word in text(columns) for word in ("big", "(*", "(/"))
    return Maybe(f"fill({rng.choice(['null', 'none', 'none', 'previous', '0', '7', '-2.5'] + ['linear'] * (0 if large else 3))})")


def in_zone(zone):
    return Maybe(f"tz('{zone}')") if zone else ""


def call(rng, measurement):
    """One function of a group of points that gives one value."""
    ordered = ["first", "last"] if not measurement.ties else []
    name = rng.choice(["count", "sum", "mean", "min", "max", "spread", "stddev", "median", "percentile", "count", "mean"] + ordered * 2)
    if name in ("count", "first", "last"):
        return f"{name}({quoted(rng.choice(measurement.fields))})"
    if name in ("min", "max"):
        return f"{name}({quoted(rng.choice(measurement.of_type(FLOAT, INTEGER, BOOLEAN)))})"
    field = quoted(rng.choice(measurement.numbers()))
    return f"percentile({field}, {rng.choice(['50', '90', '1', '99.5', '100', '33.3'])})" if name == "percentile" else f"{name}({field})"


def number_call(rng, measurement, exact=False):
    """One function that gives a number that one can reckon with."""
    name = rng.choice(["count", "sum", "mean", "min", "max", "spread", "median"])
    return f"{name}({quoted(rng.choice(measurement.exact() if exact else measurement.numbers()))})"


PARTIAL = ["sqrt", "ln", "log2", "log10"]
TOTAL = ["ceil", "floor", "round", "sin", "cos", "tan", "atan"]


def formula(rng, operands, defined=False):
    """Arithmetic over operands that are given as text. `defined`: it has a value for every number."""
    first = rng.choice(operands)
    second = rng.choice([rng.choice(operands), str(rng.randint(1, 9)), f"{rng.randint(-40, 40) / 8}"])
    whole = f"{first} {rng.choice(['+', '-', '*', '/'])} {second}"
    form = rng.random()
    if form < 0.15:
        whole = f"({whole}) {rng.choice(['*', '-', '/'])} {rng.choice(operands)}"
    elif form < 0.25:
        whole = f"-({whole})"
    elif form < 0.5:
        function = rng.choice(TOTAL if defined else TOTAL + PARTIAL)
        whole = f"{function}({first})"
    elif form < 0.6:
        # Times 1.0, because abs leaves negative integers as they are in 1.6.7.
        whole = rng.choice([f"abs({first} * 1.0)", f"exp({first} / 1000)", f"pow({first}, 2)", f"atan2({first}, 2)"] + ([] if defined else [f"log({first}, 3)"]))
    return Instead(whole, first)


def named(rng, column):
    """A column, sometimes with a name of its own."""
    if rng.random() < 0.2:
        return Words(column, Maybe("AS " + quoted(rng.choice(["x", "y z", "value", "mean", "max"]))))
    return column


def _raw(rng, measurement, source):
    fields, columns = [quoted(field) for field in measurement.fields], []
    for _ in range(rng.choice([1, 1, 2, 3])):
        kind = rng.random()
        if kind < 0.6:
            columns.append(named(rng, rng.choice(fields)))
        elif kind < 0.75:
            columns.append(named(rng, formula(rng, [quoted(field) for field in measurement.numbers()])))
        elif kind < 0.82:
            columns.append(f"{quoted(rng.choice(measurement.numbers()))}::float")
        elif kind < 0.9:
            columns.append(quoted(rng.choice(sorted(measurement.tags))))
        else:
            columns.append(rng.choice(['"nosuch"', "time"] if measurement.vague else ["*", "*::field", "/e/", '"nosuch"', "time"]))
    if columns.count("time") > 1:
        columns = [column for column in columns if column != "time"] + ["time"]
    # A selection of tags only gives nothing; mostly there is a field.
    if rng.random() < 0.8:
        columns.insert(0, rng.choice(fields))
    dimensions = group_tags(rng, measurement, ordered=True)
    zone = rng.choice(ZONES) if rng.random() < 0.1 else None
    return statement(Some(", ", columns), source, where(rng, measurement, zone=zone), group(rng, measurement, dimensions),
                     *tail(rng, series=one_by_one(measurement, dimensions)),
                     in_zone(zone))


def _columns(rng, measurement, most=3):
    columns = []
    for _ in range(rng.randint(1, most)):
        if rng.random() < 0.2:
            columns.append(named(rng, formula(rng, [number_call(rng, measurement) for _ in range(2)])))
        else:
            columns.append(named(rng, call(rng, measurement)))
    return Some(", ", columns)


def _aggregates(rng, measurement, source):
    dimensions = group_tags(rng, measurement)
    return statement(_columns(rng, measurement), source, where(rng, measurement), group(rng, measurement, dimensions, with_fill=False),
                     *tail(rng, series=one_by_one(measurement, dimensions)))


def _windows(rng, measurement, source):
    return windowed(rng, measurement, source, _columns(rng, measurement))


def windowed(rng, measurement, source, columns, ordered=False, filled=True, cut=True):
    """A SELECT of columns by windows of time, and by tags."""
    reach, interval, zone = window(rng, measurement)
    # Without a lower bound the windows begin with the first point; but with an offset InfluxDB begins in the year 1677, and changes
    # have nothing to begin with.
    if not ordered and rng.random() < 0.1 and interval in ("time(1h)", "time(6h)", "time(12h)", "time(1d)", "time(1w)") and zone is None:
        reach = None, reach[1]
    dimensions = group_tags(rng, measurement, ordered)
    needed = Words(interval, "," if dimensions else "", text_of(dimensions)) if measurement.ties and ordered else Words(
        interval, Maybe(Words(",", Some(", ", dimensions))) if dimensions else "")
    return statement(columns, source, where(rng, measurement, needed=reach, zone=zone), Words("GROUP BY", needed),
                     fill(rng, columns) if filled else "", *tail(rng, cut, one_by_one(measurement, dimensions)), in_zone(zone))


def change(rng, argument, with_unit=True):
    """A function of successive values."""
    name = rng.choice(["derivative", "non_negative_derivative", "difference", "non_negative_difference", "moving_average", "cumulative_sum",
                       "elapsed"])
    more = ""
    if name == "moving_average":
        more = f", {rng.choice([2, 3, 5])}"
    elif name in ("derivative", "non_negative_derivative", "elapsed") and with_unit and rng.random() < 0.6:
        more = f", {rng.choice(['1s', '1m', '10m', '1h', '1d'])}"
    return f"{name}({argument}{more})"


def _changes(rng, measurement, source):
    field = quoted(rng.choice(measurement.numbers()))
    columns = Some(", ", [named(rng, change(rng, field)) for _ in range(rng.choice([1, 1, 2]))])
    dimensions = group_tags(rng, measurement, ordered=True)
    return statement(columns, source, where(rng, measurement), group(rng, measurement, dimensions, with_fill=False), *tail(rng))


def _changes_of_windows(rng, measurement, source):
    columns = [named(rng, change(rng, number_call(rng, measurement, exact=True))) for _ in range(rng.choice([1, 1, 2]))]
    return windowed(rng, measurement, source, Some(", ", columns), ordered=True)


def _extreme_with_fields(rng, measurement, source):
    function = rng.choice(["min", "max", "first", "last"])
    field = rng.choice(measurement.numbers())
    others = [quoted(name) for name in rng.sample(measurement.fields + sorted(measurement.tags), 2)]
    columns = Words(f"{function}({quoted(field)})", ",", Some(", ", others))
    if rng.random() < 0.4:
        return windowed(rng, measurement, source, columns, ordered=True, filled=False)
    dimensions = group_tags(rng, measurement, ordered=True)
    return statement(columns, source, where(rng, measurement), group(rng, measurement, dimensions, with_fill=False), *tail(rng))


def _top(rng, measurement, source):
    function, field = rng.choice(["top", "bottom"]), quoted(rng.choice(measurement.numbers()))
    tag = f", {quoted(rng.choice(sorted(measurement.tags)))}" if rng.random() < 0.3 else ""
    column = f"{function}({field}{tag}, {rng.choice([1, 2, 3, 10])})"
    more = Maybe(Words(",", quoted(rng.choice(measurement.fields)))) if rng.random() < 0.3 else ""
    if rng.random() < 0.4:
        # LIMIT over the windows of top and bottom cuts in accidental places.
        return windowed(rng, measurement, source, Words(column, more), ordered=True, filled=False, cut=False)
    dimensions = group_tags(rng, measurement, ordered=True)
    return statement(Words(column, more), source, where(rng, measurement), group(rng, measurement, dimensions, with_fill=False))


def _distinct(rng, measurement, source):
    field = quoted(rng.choice(measurement.fields))
    if rng.random() < 0.3:
        dimensions = group_tags(rng, measurement)
        return statement(f"count(distinct({field}))", source, where(rng, measurement), group(rng, measurement, dimensions, with_fill=False))
    if rng.random() < 0.4:
        reach, interval, _ = window(rng, measurement)
        return statement(f"distinct({field})", source, where(rng, measurement, needed=reach), f"GROUP BY {interval}")
    dimensions = group_tags(rng, measurement)
    return statement(f"distinct({field})", source, where(rng, measurement), group(rng, measurement, dimensions, with_fill=False))


def _wildcard(rng, measurement, source):
    functions = ["count", "mean", "sum", "min", "max", "median", "spread"] + ([] if measurement.ties else ["first", "last"])
    # Which fields there are over several measurements depends on the shards of the range.
    patterns = ["/^(value|number)$/"] if measurement.vague else ["*", "*", "*", "/e/", "/^(value|number)$/", "/^(value|number)$/", "/nosuch/"]
    column = f"{rng.choice(functions)}({rng.choice(patterns)})"
    # Sums of `big` overflow floats' precision; they may only be counted and compared.
    if "big" in measurement.fields and column.startswith(("mean(*", "sum(*", "median(*", "spread(*")):
        column = "max" + column[column.index("("):]
    if rng.random() < 0.5:
        return windowed(rng, measurement, source, column)
    dimensions = group_tags(rng, measurement)
    return statement(column, source, where(rng, measurement), group(rng, measurement, dimensions, with_fill=False), *tail(rng))


def _integral(rng, measurement, source):
    """Only series by series: over merged ones the order of 1.6.7 is accidental."""
    unit = rng.choice(["", ", 1m", ", 1h"])
    column = f"integral({quoted(rng.choice(measurement.exact()))}{unit})"
    if rng.random() < 0.5 and len(measurement.series) == 1:
        reach, interval, _ = window(rng, measurement)
        return statement(column, source, where(rng, measurement, needed=reach), f"GROUP BY {interval}", fill(rng))
    return statement(column, source, where(rng, measurement), f"GROUP BY {every_tag(measurement)}")


def _mode(rng, measurement, source):
    """Only over many points of which most are equal: how a tie ends depends on an unstable sort."""
    return statement('mode("state")', source, "")
