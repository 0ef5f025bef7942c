"""SELECT from a SELECT: aggregates of raw points and of windows, conditions on what the inner one gives, two levels deep."""
from .conditions import where
from .data import FIELDS, FLOAT, INTEGER
from .selects import change, fill, formula, in_zone, number_call, statement, tail, window
from .tree import Maybe, Some, Words, quoted

# Functions that do not mind in which order points of equal time come.
UNORDERED = ["count", "sum", "mean", "min", "max", "spread", "median"]


def subquery(rng, measurement):
    """A SELECT whose source is another."""
    return rng.choice([_of_points, _of_windows, _of_windows, _rows_of_windows, _of_series, _two_levels])(rng, measurement)


def _inner(node):
    return Words("(", node, ")")


def _source(measurement):
    return quoted(measurement.name)


def _tags(rng, measurement):
    keys = sorted(measurement.tags)
    return [quoted(key) for key in rng.sample(keys, rng.randint(0, min(2, len(keys))))]


def _and_tags(tags):
    return "".join(", " + tag for tag in tags)


def _only_tags(tags):
    return Words("GROUP BY", ", ".join(tags)) if tags else ""


def _of_points(rng, measurement):
    """An aggregate over raw points, which may be reckoned with inside."""
    numbers = [quoted(name) for name in measurement.exact()]
    # What is reckoned inside from integers alone is cut to integers by 1.6.7.
    floats = [quoted(name) for name in measurement.exact() if FIELDS[name] == FLOAT]
    column = Words(rng.choice([rng.choice(numbers), formula(rng, floats, defined=True)]), "AS x")
    inner = statement(column, _source(measurement), where(rng, measurement))
    reach, interval, zone = window(rng, measurement)
    function = f"{rng.choice(UNORDERED)}(x)"
    if rng.random() < 0.5:
        tags = _tags(rng, measurement)
        return statement(function, _inner(inner), where(rng, measurement, with_fields=False), _only_tags(tags))
    return statement(function, _inner(inner), where(rng, measurement, needed=reach, with_fields=False, zone=zone), f"GROUP BY {interval}",
                     fill(rng), *tail(rng), in_zone(zone))


def _windows(rng, measurement, tags, reach, interval, zone=None):
    """The inner half: one number per window."""
    column = Words(number_call(rng, measurement, exact=True), "AS x")
    # Inside, a fill of several series runs on from one to the next, and `previous` leaves rows of nothing.
    fills = ["none", "null"] if tags else ["none", "null", "0"]
    inner_fill = Maybe(f"fill({rng.choice(fills)})") if rng.random() < 0.4 else ""
    return statement(column, _source(measurement), where(rng, measurement, needed=reach, zone=zone),
                     f"GROUP BY {interval}{_and_tags(tags)}", inner_fill)


def _of_windows(rng, measurement):
    """An aggregate over the windows of all groups."""
    tags = _tags(rng, measurement)
    reach, interval, _ = window(rng, measurement)
    inner = _windows(rng, measurement, tags, reach, interval)
    outer_tags = [tag for tag in tags if rng.random() < 0.5]
    condition = Maybe(f"WHERE x {rng.choice(['<', '>', '>='])} {rng.randint(-5, 80)}") if rng.random() < 0.3 else ""
    columns = Some(", ", [f"{rng.choice(UNORDERED)}(x)" for _ in range(rng.randint(1, 2))])
    return statement(columns, _inner(inner), condition, _only_tags(outer_tags))


def _rows_of_windows(rng, measurement):
    """Rows of the windows, changed and chosen, series by series."""
    tags = _tags(rng, measurement)
    reach, interval, zone = window(rng, measurement)
    inner = _windows(rng, measurement, tags, reach, interval, zone)
    column = rng.choice(["x", formula(rng, ["x"]), change(rng, "x", with_unit=False)])
    condition = Maybe(f"WHERE x {rng.choice(['<', '>', '!='])} {rng.randint(-5, 80)}") if rng.random() < 0.4 else ""
    return statement(column, _inner(inner), condition, _only_tags(tags), *tail(rng), in_zone(zone))


def _of_series(rng, measurement):
    """An aggregate over one value per group."""
    tags = _tags(rng, measurement) or [quoted(sorted(measurement.tags)[0])]
    field = quoted(rng.choice(measurement.of_type(FLOAT, INTEGER)[:2]))
    inner = statement(f"{rng.choice(UNORDERED)}({field}) AS x", _source(measurement), where(rng, measurement), f"GROUP BY {', '.join(tags)}")
    return statement(f"{rng.choice(UNORDERED)}(x)", _inner(inner), "", _only_tags(tags[:rng.randint(0, 1)]))


def _two_levels(rng, measurement):
    tags = _tags(rng, measurement)
    reach, interval, _ = window(rng, measurement)
    middle = statement(f"{rng.choice(UNORDERED)}(x) AS y", _inner(_windows(rng, measurement, tags, reach, interval)), "", _only_tags(tags))
    return statement(Some(", ", [f"{function}(y)" for function in rng.sample(UNORDERED, 2)]), _inner(middle), "")
