#!/usr/bin/env bash
# Installs the Debian packages named as arguments, as far as they are missing: scripts/install-deps.sh redis-server influxdb
# Needs root or sudo, and only if something is missing. No service of a package is started: tests and benchmarks start
# their own processes on free ports.
set -euo pipefail

policy=/usr/sbin/policy-rc.d
saved=

# What a package is needed for, so that a program from another origin will do as well.
program_of() {
  case $1 in
    influxdb) echo influxd ;;
    influxdb-client) echo influx ;;
    postgresql) echo initdb ;;
    nodejs) echo node ;;
    *) echo "$1" ;;
  esac
}

# A Python from another origin brings its modules along; Debian keeps those of python3-venv apart.
has_venv() {
  python3 -c 'import ensurepip, venv' 2>/dev/null
}

is_present() {
  if [ "$1" = python3-venv ] && has_venv; then return 0; fi
  command -v "$(program_of "$1")" >/dev/null 2>&1 || [ "$(dpkg-query -W -f '${Status}' "$1" 2>/dev/null)" = "install ok installed" ]
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

fail() {
  echo "install-deps: $1" >&2
  echo "install-deps: please install by hand: ${missing[*]}" >&2
  exit 1
}

# Debian asks policy-rc.d before it starts a service; 101 means no.
forbid_services() {
  if as_root test -e "$policy"; then
    saved=$(as_root mktemp "$policy.XXXXXX")
    as_root cp -p "$policy" "$saved"
  fi
  trap allow_services EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
  as_root chmod 755 "$policy"
}

# Puts back what was there before.
allow_services() {
  if [ -n "$saved" ]; then as_root mv "$saved" "$policy"; else as_root rm -f "$policy"; fi
}

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" </dev/null
}

missing=()
for package in "$@"; do
  is_present "$package" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

command -v apt-get >/dev/null 2>&1 || fail "this system has no apt-get"
as_root true 2>/dev/null || fail "neither root nor sudo without a password"
forbid_services
echo "install-deps: installing ${missing[*]}"
# The lists may be missing or out of date; they are fetched only then.
apt_install || { as_root apt-get update -q && apt_install; } || fail "apt-get failed"
