# What one does with this project. `make` lists the targets.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/target/tools/bin:$(PATH)

# Options for the benchmarks, for instance: make bench BENCH_ARGS='--values 1000000 --sets ems'
BENCH_ARGS ?=
REDIS_BENCH_ARGS ?=
QUERY_BENCH_ARGS ?=
REMOTE_BENCH_ARGS ?=
ROLLUP_BENCH_ARGS ?=
IMPORT_BENCH_ARGS ?=
EVENT_BENCH_ARGS ?=

# Options for `make differential`, for instance: make differential DIFFERENTIAL_ARGS='--seed 7 --queries 5000'
DIFFERENTIAL_ARGS ?= --queries 20000

.PHONY: help run test differential check bench bench-queries bench-redis bench-remote bench-rollups bench-imports bench-events fuzz clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Start hissrv with a simulated plant on its own Redis; Ctrl-C stops it
	@scripts/run.sh

test: ## Run all tests (installs the servers and clients that they need and that are missing)
	@scripts/test.sh

differential: ## Ask hissrv and a real influxd 20 000 random questions and compare the answers
	@scripts/differential.sh $(DIFFERENTIAL_ARGS)

check: ## Formatting, lints, licences and sources of all dependencies
	cargo fmt --all --check
	cargo fmt --manifest-path bench/Cargo.toml --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	cargo clippy --locked --manifest-path bench/Cargo.toml --all-targets -- -D warnings
	scripts/install-tool.sh cargo-deny
	cargo deny --log-level error check bans licenses sources

bench: ## Compare writes and queries with VictoriaMetrics and InfluxDB, then measure the Redis bridge, the feeding of other stores, rollups, imports and events (10 M values a set; quiet machine)
	@scripts/install-deps.sh victoria-metrics influxdb postgresql redis-server
	python3 bench/run.py $(BENCH_ARGS)
	python3 bench/queries.py $(QUERY_BENCH_ARGS)
	python3 bench/redis_bridge.py $(REDIS_BENCH_ARGS)
	python3 bench/remote.py $(REMOTE_BENCH_ARGS)
	python3 bench/rollups.py $(ROLLUP_BENCH_ARGS)
	python3 bench/imports.py $(IMPORT_BENCH_ARGS)
	python3 bench/events.py $(EVENT_BENCH_ARGS)

bench-queries: ## Only the queries, beside VictoriaMetrics and InfluxDB
	@scripts/install-deps.sh victoria-metrics influxdb
	python3 bench/queries.py $(QUERY_BENCH_ARGS)

bench-redis: ## Only the Redis bridge: loss, rate and processor time per message
	@scripts/install-deps.sh redis-server
	python3 bench/redis_bridge.py $(REDIS_BENCH_ARGS)

bench-remote: ## Only the feeding of InfluxDB, VictoriaMetrics and PostgreSQL, beside the plain loader
	@scripts/install-deps.sh victoria-metrics influxdb postgresql
	python3 bench/remote.py $(REMOTE_BENCH_ARGS)

bench-rollups: ## Only rollups and the cache of results: what they give and what they cost
	python3 bench/rollups.py $(ROLLUP_BENCH_ARGS)

bench-imports: ## Only imports: from files into each store, beside the plain loader
	@scripts/install-deps.sh victoria-metrics influxdb
	python3 bench/imports.py $(IMPORT_BENCH_ARGS)

bench-events: ## Only events: samples a processor second with 100 rules; live, imported and of history they are the same (10 M samples)
	python3 bench/events.py $(EVENT_BENCH_ARGS)

fuzz: ## Run each fuzz target for a minute
	scripts/fuzz.sh

clean: ## Remove what was built (not the data)
	cargo clean
	rm -rf bench/target fuzz/target
