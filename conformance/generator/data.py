"""The points of one round: measurements of several shapes, written out of order, partly twice, with gaps and sparse fields.

No two series of a measurement have a point at the same time (each has its own residue), because InfluxQL leaves open what
comes first then; the measurement `grid` is the exception, and the queries take care of it (`ties`).
"""
import math

SECOND = 10**9
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86400 * SECOND
# Clocks change in Europe on 2024-03-31, a shard ends on 2024-04-01.
SPRING = 1_711_584_000 * SECOND

FLOAT, INTEGER, STRING, BOOLEAN = "float", "integer", "string", "boolean"
# Floats are eighths, so that a sum is exact in any order; `decimal` has none of this and `big` none of arithmetic.
FIELDS = {
    "value": FLOAT, "field 1": FLOAT, "decimal": FLOAT, "number": INTEGER, "level-2": INTEGER, "big": INTEGER,
    "text": STRING, "state": STRING, "on": BOOLEAN,
}
TEXTS = ["open", "closed", "", "half open", 'say "hi"', "it's", "back\\slash", "größer", "a,b=c", "trip"]
TAGS = {
    "host": ["a", "b", "c", "web-01", "web-02"],
    "room": ["k1", "k2", "", "Küche"],
    "tag key": ["x y", "x,y", "x=y", 'q"q', "it's", ""],
    "select": ["1", "2", "10"],
}
NAMES = ["cpu", "room temp", "select", 'quo"te', "a,b", "Zähler", "cpu_load", "x.y"]


class Measurement:
    """A measurement and what a query may count on."""

    def __init__(self, name, tags, fields, series, start, span, ties=False, vague=False):
        self.name, self.tags, self.fields, self.series = name, tags, fields, series
        self.start, self.span = start, span
        self.ties = ties  # series have points at the same times
        # Which tags a wildcard means depends on the index: several measurements in one FROM, or something was deleted.
        self.vague = vague

    def of_type(self, *types):
        """Names of the fields of these types."""
        return [name for name in self.fields if FIELDS[name] in types]

    def numbers(self):
        """Names of the fields that one can reckon with."""
        return [name for name in self.of_type(FLOAT, INTEGER) if name != "big"]

    def exact(self):
        """Those whose sums do not depend on the order."""
        return [name for name in self.numbers() if name != "decimal"]


class Dataset:
    """The measurements of a round and the batches of line protocol that write them."""

    def __init__(self, rng, database):
        self.rng, self.database = rng, database
        names = rng.sample(NAMES, 3)
        self.measurements = [
            self._measurement(names[0], SPRING, 7 * DAY, 4),
            self._measurement(names[1], SPRING + 3 * DAY - HOUR, 2 * HOUR, 3),
            self._measurement(names[2], -12 * SECOND, 24 * SECOND, 2),
            self._measurement("single", SPRING, 6 * DAY, 1),
            self._measurement("grid", SPRING + 2 * DAY, DAY, 3, ties=True),
        ]
        self.batches = self._batches()

    def _measurement(self, name, start, span, most_tags, ties=False):
        rng = self.rng
        keys = rng.sample(sorted(TAGS), rng.randint(1, min(most_tags, len(TAGS))))
        tags = {key: rng.sample(TAGS[key], min(len(TAGS[key]), 3)) for key in keys}
        needed = {"value", "number", "state"}
        fields = [field for field in FIELDS if field in needed or rng.random() < 0.6]
        series = set()
        for _ in range(1 if name == "single" else rng.randint(3, 8)):
            # Sorted pairs without the empty ones: a missing tag and an empty one are the same.
            series.add(tuple((key, value) for key in sorted(keys) if (value := rng.choice(tags[key]))))
        return Measurement(name, tags, fields, sorted(series), start, span, ties)

    def _batches(self):
        lines = [line for measurement in self.measurements for line in self._lines(measurement)]
        size = len(lines) // 4 + 1
        return ["\n".join(lines[at:at + size]) for at in range(0, len(lines), size)]

    def _lines(self, measurement):
        lines = []
        for index, tags in enumerate(measurement.series):
            times = self._times(measurement, index)
            # Points come twice, the second time with other fields and values.
            repeated = self.rng.sample(times, len(times) // 8)
            written = [self._line(measurement, tags, time) for time in times]
            self.rng.shuffle(written)
            lines += written + [self._line(measurement, tags, time) for time in repeated]
        return lines

    def _times(self, measurement, index):
        rng, count = self.rng, self.rng.randint(15, 90)
        if measurement.ties:
            step = 15 * MINUTE
            return [measurement.start + at * step for at in sorted(rng.sample(range(96), min(count, 60)))]
        unit = rng.choice([1, 1000, 10**6]) if measurement.span < DAY else rng.choice([1000, 10**6, SECOND])
        raster = unit * len(measurement.series)
        spots = sorted(rng.sample(range(measurement.span // raster), count))
        gap = rng.randint(0, count)
        spots = spots[:gap] + spots[gap + count // 6:]
        return [math.floor(measurement.start / raster) * raster + spot * raster + index * unit for spot in spots]

    def _line(self, measurement, tags, time):
        chosen = [name for name in measurement.fields if name == "state" or self.rng.random() < 0.7]
        fields = ",".join(f"{_key(name)}={self._value(name)}" for name in chosen)
        labels = "".join(f",{_key(key)}={_key(value)}" for key, value in tags)
        return f"{_name(measurement.name)}{labels} {fields} {time}"

    def _value(self, field):
        rng, kind = self.rng, FIELDS[field]
        if field == "state":
            return _string("run" if rng.random() < 0.8 else rng.choice(TEXTS))
        if field == "decimal":
            return repr(round(rng.gauss(20, 7), rng.randint(0, 6)))
        if field == "big":
            return f"{rng.choice([2**53 + 1, 2**63 - 1, -(2**63), rng.randint(-(2**62), 2**62)])}i"
        if kind == FLOAT:
            return repr(rng.randint(-400, 1600) / 8)
        if kind == INTEGER:
            return f"{rng.randint(-20, 60)}i"
        return _string(rng.choice(TEXTS)) if kind == STRING else rng.choice(["true", "false", "t", "F"])


def _name(name):
    return name.replace(",", "\\,").replace(" ", "\\ ")


def _key(key):
    return _name(key).replace("=", "\\=")


def _string(value):
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
