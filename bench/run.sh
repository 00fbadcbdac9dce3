#!/bin/bash
# What ./dev bench measures, on throw-away databases: transactions per second and CPU of the proxy per
# transaction for each way PostgreSQL clients ask, and resident memory per idle client; the same for
# PgBouncer where it is installed. Loopback on one machine: compare the rows of one run, not of two.
# usage: run.sh WEIRPOOL [TRANSACTIONS_EACH]
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source=bench/lab.sh
. "$here/lab.sh"

binary=${1:?usage: run.sh WEIRPOOL [TRANSACTIONS_EACH]}
transactions=${2:-200000}
clients=40
crowd=1000
backends=20

bouncer_prepares() {
  local version
  version=$(pgbouncer --version | sed -n 's/^PgBouncer //p')
  [ "$(printf '%s\n' 1.21 "$version" | sort -V | head -n 1)" = 1.21 ]
}

start_pgbouncer() {
  bouncer_port=$(lab_port)
  chmod 711 "$lab_dir"
  mkdir "$lab_dir/bouncer"
  printf '"app" "%s"\n' "$lab_password" >"$lab_dir/bouncer/users.txt"
  cat >"$lab_dir/bouncer/pgbouncer.ini" <<INI
[databases]
app = host=127.0.0.1 port=$lab_pg_port
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $bouncer_port
unix_socket_dir =
auth_type = scram-sha-256
auth_file = $lab_dir/bouncer/users.txt
pool_mode = transaction
default_pool_size = $backends
max_client_conn = 10000
INI
  # Before 1.21 it knew no prepared statements in transaction mode, nor the option.
  if bouncer_prepares; then
    echo 'max_prepared_statements = 200' >>"$lab_dir/bouncer/pgbouncer.ini"
  fi
  [ "$(id -u)" != 0 ] || chown -R postgres "$lab_dir/bouncer"
  lab_spawn INT bouncer.log setpriv --reuid=postgres --regid=postgres --init-groups -- \
    pgbouncer "$lab_dir/bouncer/pgbouncer.ini"
  lab_wait bouncer.log PgBouncer load "$bouncer_port" 1 simple -t 1
}

# load PORT CLIENTS PROTOCOL OPTION...
load() {
  local port=$1 count=$2 protocol=$3
  shift 3
  PGPASSWORD=$lab_password pgbench -h 127.0.0.1 -p "$port" -U app -n -S -c "$count" -j 2 \
    -M "$protocol" "$@" app
}

# CPU time of a process so far, in clock ticks.
ticks() { sed 's/.*) //' "/proc/$1/stat" | awk '{print $12 + $13}'; }

resident() { awk '/^VmRSS/ {print $2}' "/proc/$1/status"; }

# The CPU of the logins is in it, which is why there are many transactions for each.
# measure NAME PORT PID CLIENTS PROTOCOL: one row
measure() {
  local name=$1 port=$2 pid=$3 count=$4 protocol=$5 before after output
  before=$(ticks "$pid")
  output=$(load "$port" "$count" "$protocol" -t $((transactions / count)) 2>&1) || {
    printf '%s\n' "$output" >&2
    return 1
  }
  after=$(ticks "$pid")
  awk -v name="$name" -v count="$count" -v protocol="$protocol" -v hz="$(getconf CLK_TCK)" \
    -v ticks=$((after - before)) '
    /^number of transactions actually processed/ { split($NF, n, "/"); done = n[1] }
    /^number of failed/ { failed = $5 }
    /^tps/ { tps = $3 }
    END { printf "| %s | %s | %d | %.0f | %.1f | %d |\n", name, protocol, count, tps,
                 ticks / hz * 1e6 / done, failed }' <<<"$output"
}

# What a thousand clients cost who have logged in and do nothing.
idle_memory() {
  local name=$1 port=$2 pid=$3 before load
  before=$(resident "$pid")
  printf '\\sleep 1000 s\n' >"$lab_dir/idle.sql"
  PGPASSWORD=$lab_password pgbench -h 127.0.0.1 -p "$port" -U app -n -c "$crowd" -j 2 -t 1 \
    -f "$lab_dir/idle.sql" app >/dev/null 2>&1 &
  load=$!
  while [ "$(descriptors "$load")" -lt "$crowd" ]; do
    kill -0 "$load" || return 1
    sleep 0.1
  done
  sleep 1
  awk -v name="$name" -v kib=$(($(resident "$pid") - before)) -v count="$crowd" \
    'BEGIN { printf "| %s | %.1f |\n", name, kib / count }'
  kill "$load"
  wait "$load" 2>/dev/null || true
}

descriptors() { find "/proc/$1/fd" -mindepth 1 2>/dev/null | wc -l; }

lab_begin
lab_postgres
lab_mariadb
lab_weirpool "$binary" "$backends"
PGPASSWORD=$lab_password pgbench -h 127.0.0.1 -p "$lab_pg_port" -U app -i -q app >/dev/null 2>&1
names=(weirpool)
ports=("$lab_wp_pg")
pids=("${lab_pids[-1]}")
if command -v pgbouncer >/dev/null; then
  start_pgbouncer
  names+=(pgbouncer)
  ports+=("$bouncer_port")
  pids+=("${lab_pids[-1]}")
fi

printf '\n| proxy | idle client, KiB |\n| --- | --- |\n'
for i in "${!names[@]}"; do idle_memory "${names[i]}" "${ports[i]}" "${pids[i]}"; done
printf '\n| proxy | protocol | clients | transactions/s | CPU per transaction, µs | failed |\n'
printf '| --- | --- | --- | --- | --- | --- |\n'
for protocol in simple extended prepared; do
  for count in "$clients" "$crowd"; do
    for i in "${!names[@]}"; do
      [ "$protocol ${names[i]}" != "prepared pgbouncer" ] || bouncer_prepares || continue
      measure "${names[i]}" "${ports[i]}" "${pids[i]}" "$count" "$protocol"
    done
  done
done
