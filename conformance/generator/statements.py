"""Requests: mostly SELECT, besides SHOW, statements that change something, several in one, and what cannot be parsed."""
import re

from .conditions import bounds, tag_condition, time_range
from .data import Measurement
from .selects import every_tag, number_call, select, statement, window
from .subqueries import subquery
from .tree import Maybe, Some, Words, literal, quoted, text

MOST_MEASUREMENTS = 8
EPOCHS = [None, None, None, "ns", "u", "ms", "ms", "s", "m", "h"]
BROKEN = [
    "SELECT", "SELECT FROM m", "SELECT * FROM", "SELECT value FROM m WHERE", "SELECT mean(value FROM m", "SHOW NOTHING",
    "SELECT value FROM m LIMIT -1", "SELECT value FROM m GROUP BY", "SELECT value FROM m WHERE host = 'a", "SELECT value FROM measurement",
    "SELECT nosuch(value) FROM single", "SELECT mean(value, 2) FROM single", "SELECT mean(value), value FROM single",
    "SELECT value FROM single GROUP BY time(1h)", "SELECT mean(value) FROM single GROUP BY time()", "SELECT time FROM single",
    "SELECT mean(value) FROM single WHERE time > 'yesterday'", "DROP MEASUREMENT", "DELETE", "SELECT top(value) FROM single",
    "SELECT derivative(mean(value)) FROM single", "SELECT percentile(value) FROM single", "SELECT value FROM single tz('No/Where')",
]


class Request:
    """What is sent: a tree, parameters and a method. `changes`: both servers are another afterwards."""

    def __init__(self, tree, params=None, method="POST", changes=False):
        self.tree, self.params, self.method, self.changes = tree, params or {}, method, changes

    @property
    def text(self):
        return text(self.tree)

    def with_tree(self, tree):
        """The same with another statement."""
        return Request(tree, self.params, self.method, self.changes)

    def with_params(self, params):
        """The same with other parameters."""
        return Request(self.tree, params, self.method, self.changes)


def request(rng, data):
    """The next request of a round."""
    chance = rng.random()
    if chance < 0.025:
        return Request(_change(rng, data), changes=True)
    params = {"epoch": epoch} if (epoch := rng.choice(EPOCHS)) else {}
    tree = _read(rng, data, chance)
    if rng.random() < 0.02:
        tree = Some("; ", [tree, _read(rng, data, rng.random())])
    elif rng.random() < 0.03 and text(tree).startswith("SELECT") and "integral(" not in text(tree):
        params.update(chunked="true", chunk_size=str(rng.choice([1, 7, 50])))
    return Request(tree, params, rng.choice(["GET", "POST", "POST"]))


def _read(rng, data, chance):
    measurement = rng.choice(data.measurements)
    if chance < 0.09:
        return _show(rng, data, measurement)
    if chance < 0.11:
        return rng.choice(BROKEN)
    if chance < 0.24:
        return subquery(rng, measurement)
    if chance < 0.28:
        return _several(rng, data)
    return select(rng, measurement, _source(rng, data, measurement))


def _source(rng, data, measurement):
    name, chance = quoted(measurement.name), rng.random()
    if chance < 0.85:
        return name
    if chance < 0.89:
        return f"/^{re.escape(measurement.name)}$/"
    return f"{quoted(data.database)}.{rng.choice(['', quoted('autogen')])}.{name}"


def _several(rng, data):
    """One SELECT over several measurements."""
    chosen = rng.sample([each for each in data.measurements if not each.ties], 2)
    shared = [field for field in chosen[0].fields if field in chosen[1].fields]
    tags = {key: values for each in chosen for key, values in each.tags.items()}
    both = Measurement("", tags, shared, chosen[0].series, chosen[0].start, chosen[0].span, vague=True)
    return select(rng, both, Some(", ", [quoted(each.name) for each in chosen]))


def _show(rng, data, measurement):
    vague = any(each.vague for each in data.measurements)
    source = f"FROM {quoted(measurement.name)}"
    if not vague:
        source = Maybe(rng.choice([source, source, "FROM /./", "FROM /u/"])) if rng.random() < 0.7 else ""
    condition = Maybe(f"WHERE {tag_condition(rng, measurement)}") if rng.random() < 0.4 else ""
    key = quoted(rng.choice(sorted(measurement.tags)))
    limits = Maybe(f"LIMIT {rng.choice([1, 2])}") if rng.random() < 0.15 else ""
    which = Maybe(f"WITH MEASUREMENT {rng.choice(['=~ /u/', '=~ /^s/', '= ' + quoted(measurement.name)])}")
    common = [
        Words("SHOW MEASUREMENTS", which, "" if vague else condition, limits),
        Words("SHOW FIELD KEYS", source, limits),
        Words("SHOW SERIES", source, condition),
        Words("SHOW MEASUREMENT EXACT CARDINALITY", source),
    ]
    return rng.choice(common if measurement.vague else common + [
        Words("SHOW TAG KEYS", source, condition, limits),
        Words("SHOW TAG VALUES", source, f"WITH KEY {rng.choice(['=', '!='])} {key}", condition, limits),
        Words("SHOW TAG VALUES", source, rng.choice(["WITH KEY =~ /o/", f'WITH KEY IN ({key}, "host")', "WITH KEY !~ /k/"]), condition),
    ])


def _change(rng, data):
    """A statement that changes the data; what it leaves is still within what `data` promises."""
    measurement = rng.choice(data.measurements)
    name, chance = quoted(measurement.name), rng.random()
    if chance >= 0.65 and len(data.measurements) < MOST_MEASUREMENTS:
        return _into(rng, data, measurement)
    measurement.vague = True
    if chance < 0.7 or len(measurement.series) < 3:
        low, high = time_range(rng, measurement)
        conditions = [bounds(rng, low, low + (high - low) // 3), tag_condition(rng, measurement)]
        return Words("DELETE FROM", name, "WHERE", Some(" AND ", conditions))
    if not measurement.name.startswith("result") or chance < 0.8:
        key, value = rng.choice([pair for series in measurement.series for pair in series] or [("nosuch", "")])
        return Words("DROP SERIES FROM", name, "WHERE", f"{quoted(key)} = {literal(value)}")
    return Words("DROP MEASUREMENT", name)


def _into(rng, data, measurement):
    """Windows written to a measurement that queries find from now on; its series have points at equal times."""
    target = f"result {len(data.measurements)}"
    reach, interval, _ = window(rng, measurement)
    # Times 1.0, because `value` is a float everywhere.
    column = f"{number_call(rng, measurement, exact=True)} * 1.0 AS value"
    tree = statement(column, quoted(measurement.name), Words("WHERE", bounds(rng, *reach)), f"GROUP BY {interval}, {every_tag(measurement)}")
    data.measurements.append(
        Measurement(target, measurement.tags, ["value"], measurement.series, measurement.start, measurement.span, ties=True))
    return Words(tree.nodes[0], tree.nodes[1], f"INTO {quoted(target)}", *tree.nodes[2:])
