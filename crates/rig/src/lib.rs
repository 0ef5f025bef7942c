//! For tests only: the real servers (InfluxDB, VictoriaMetrics, PostgreSQL), started on free loopback ports with a temporary
//! data directory, killed, paused, restarted, and stopped with the test.
