"""What the benchmark programs share: paths and builds, child processes, figures of the machine, servers under test, load, tables."""
