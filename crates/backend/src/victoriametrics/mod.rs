//! VictoriaMetrics, single node and cluster.
