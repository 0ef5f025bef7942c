"""Tables as plain text."""
import statistics


def table(title, columns, rows):
    """Prints rows of cells under a title, columns aligned; numbers to the right."""
    cells = [[str(cell) for cell in row] for row in [columns, *rows]]
    widths = [max(len(row[at]) for row in cells) for at in range(len(columns))]
    print(f"\n{title}")
    for number, row in enumerate(cells):
        print("  ".join(cell.ljust(width) if at == 0 else cell.rjust(width)
                        for at, (cell, width) in enumerate(zip(row, widths))))
        if number == 0:
            print("  ".join("-" * width for width in widths))


def median(results, key):
    """Median of a member over several runs."""
    return statistics.median(result[key] for result in results)


def thousands(value):
    """1234567 as 1,235k."""
    return f"{value / 1000:,.0f}k"
