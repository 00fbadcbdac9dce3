#!/bin/bash
# What ./dev run shows. usage: demo.sh WEIRPOOL [--for SECONDS]
#   --for SECONDS  end by itself that long after everything is up, with the outcome as exit code
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source=bench/lab.sh
. "$here/lab.sh"

clients=2000
backends=20
requests=40  # of each client: about ten seconds; pgbench -T would count the logins in
stay=

binary=${1:?usage: demo.sh WEIRPOOL [--for SECONDS]}
shift
if [ "${1:-}" = --for ]; then
  stay=${2:?--for needs a number of seconds}
elif [ $# -gt 0 ]; then
  echo "demo.sh: unknown option $1" >&2
  exit 64
fi

say() { printf '%s\n' "$*"; }

bring_up() {
  lab_begin
  say "== starting PostgreSQL"
  lab_postgres
  say "== starting MariaDB"
  lab_mariadb
  say "== starting Weirpool in front of both, $backends backend connections each"
  lab_weirpool "$binary" "$backends"
}

how_to_connect() {
  cat <<TEXT

   psql      PGPASSWORD=$lab_password psql -h 127.0.0.1 -p $lab_wp_pg -U app app
   mariadb   MYSQL_PWD=$lab_password mariadb -h 127.0.0.1 -P $lab_wp_my -u app app
   watch     http://127.0.0.1:$lab_wp_http/metrics
   files     $lab_dir  (weirpool.yaml, weirpool.log)

TEXT
}

one_query_each() {
  say "== one query each, through Weirpool"
  PGPASSWORD=$lab_password psql -X -h 127.0.0.1 -p "$lab_wp_pg" -U app -d app -Atc 'select version()'
  MYSQL_PWD=$lab_password mariadb --no-defaults -h 127.0.0.1 -P "$lab_wp_my" -u app -N \
    -e 'select version()' app
}

demonstrate() {
  local load status=0
  say "== $clients clients on $backends backends, $requests requests each"
  PGPASSWORD=$lab_password pgbench -h 127.0.0.1 -p "$lab_pg_port" -U app -i -q app \
    >"$lab_dir/pgbench-init.log" 2>&1 || return 1
  PGPASSWORD=$lab_password pgbench -h 127.0.0.1 -p "$lab_wp_pg" -U app -n -c "$clients" -j 2 \
    -t "$requests" -f "$here/web_node.sql" app >"$lab_dir/pgbench.log" 2>&1 &
  load=$!
  lab_pids+=("$load")
  lab_signals+=(KILL)
  /usr/bin/python3 "$here/live.py" --metrics "http://127.0.0.1:$lab_wp_http/metrics" --pid "$load" \
    --bound "$backends" --count-command \
    psql -X -h "$lab_dir/pg" -p "$lab_pg_port" -U postgres -d postgres -Atc \
    "select count(*) from pg_stat_activity where usename = 'app'" || status=1
  wait "$load" || {
    tail -n 5 "$lab_dir/pgbench.log" >&2
    status=1
  }
  grep -E '^(number of (transactions|failed)|latency average|tps)' "$lab_dir/pgbench.log" |
    sed 's/^/   /' || status=1
  return "$status"
}

bring_up
up_since=$SECONDS
how_to_connect
one_query_each
status=0
demonstrate || status=1
if [ -n "$stay" ]; then
  remaining=$((stay - (SECONDS - up_since)))
  if [ "$remaining" -gt 0 ]; then sleep "$remaining"; fi
  exit "$status"
fi
[ "$status" = 0 ] || say "== the demonstration failed; Weirpool's log is $lab_dir/weirpool.log"
how_to_connect
say "== up until Ctrl-C"
# A background sleep, so that a signal is heard at once.
while kill -0 "${lab_pids[2]}" 2>/dev/null; do
  sleep 5 &
  wait $! || true
done
say "== Weirpool has gone:"
tail -n 20 "$lab_dir/weirpool.log"
exit 1
