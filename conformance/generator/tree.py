"""Statements as trees that know what may be left out, so that a failing one can be made smaller.

A node is a string or one of the classes below; `text(node)` writes it, `smaller(node)` gives all trees with one thing less.
"""


class Words:
    """Nodes one after the other, all needed."""

    def __init__(self, *nodes):
        self.nodes = list(nodes)

    def text(self):
        return " ".join(word for word in map(text, self.nodes) if word)

    def smaller(self):
        for at, node in enumerate(self.nodes):
            for less in smaller(node):
                yield Words(*self.nodes[:at], less, *self.nodes[at + 1:])


class Some:
    """A list of nodes, of which any may go as long as `least` stay."""

    def __init__(self, separator, nodes, least=1):
        self.separator, self.nodes, self.least = separator, list(nodes), least

    def text(self):
        return self.separator.join(map(text, self.nodes))

    def smaller(self):
        for at in range(len(self.nodes)):
            if len(self.nodes) > self.least:
                yield Some(self.separator, self.nodes[:at] + self.nodes[at + 1:], self.least)
        for at, node in enumerate(self.nodes):
            for less in smaller(node):
                yield Some(self.separator, self.nodes[:at] + [less] + self.nodes[at + 1:], self.least)


class Maybe:
    """A clause that may go as a whole."""

    def __init__(self, node):
        self.node = node

    def text(self):
        return text(self.node)

    def smaller(self):
        yield ""
        for less in smaller(self.node):
            yield Maybe(less)


class Instead:
    """A node in whose place a simpler one would do as well."""

    def __init__(self, node, *simpler):
        self.node, self.simpler = node, simpler

    def text(self):
        return text(self.node)

    def smaller(self):
        yield from self.simpler
        for less in smaller(self.node):
            yield Instead(less, *self.simpler)


def text(node):
    """The statement as it is sent."""
    return node if isinstance(node, str) else node.text()


def smaller(node):
    """All trees that have one thing less."""
    return iter(()) if isinstance(node, str) else node.smaller()


def quoted(name):
    """A name as an InfluxQL identifier."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def literal(value):
    """A text as an InfluxQL string."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
