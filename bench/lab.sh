# shellcheck shell=bash
# Sourced: throw-away PostgreSQL, MariaDB and Weirpool on free ports of 127.0.0.1, with random
# passwords, in a temporary directory; all gone when the sourcing script ends, however it ends.

lab_dir=
lab_pids=()
lab_signals=()  # what ends each of them quickly
lab_password=

lab_begin() {
  lab_dir=$(mktemp -d "${TMPDIR:-/tmp}/weirpool-lab.XXXXXX")
  chmod 755 "$lab_dir"  # the databases run as users of their own
  lab_password=$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')
  trap lab_end EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  ulimit -n "$(ulimit -Hn)"
}

# Weirpool was started last and goes first, so that it sees no database die. Nothing here is worth
# an orderly shutdown of the databases: their data goes with them.
lab_end() {
  local status=$? i
  trap - EXIT
  trap '' INT TERM HUP
  for ((i = ${#lab_pids[@]} - 1; i >= 0; i--)); do
    kill -s "${lab_signals[i]}" "${lab_pids[i]}" 2>/dev/null || continue
    lab_gone "${lab_pids[i]}" || kill -s KILL "${lab_pids[i]}" 2>/dev/null
    wait "${lab_pids[i]}" || true
  done 2>/dev/null  # the shell's own words about who was killed
  [ -z "$lab_dir" ] || rm -rf "$lab_dir"
  exit "$status"
}

lab_gone() {
  local i state
  for ((i = 0; i < 50; i++)); do
    state=$(ps -o state= -p "$1") || return 0
    [ "$state" != Z ] || return 0
    sleep 0.1
  done
  return 1
}

# lab_spawn SIGNAL LOG COMMAND...: in a session of its own, so that Ctrl-C reaches this script alone
# and the order above holds.
lab_spawn() {
  local signal=$1 log=$2
  shift 2
  setsid "$@" >"$lab_dir/$log" 2>&1 </dev/null &
  lab_pids+=($!)
  lab_signals+=("$signal")
}

# lab_wait LOG WHAT COMMAND...: until the command succeeds or the last spawned process is gone.
lab_wait() {
  local log=$1 what=$2 i
  shift 2
  for ((i = 0; i < 300; i++)); do
    "$@" >/dev/null 2>&1 && return 0
    kill -0 "${lab_pids[-1]}" 2>/dev/null || break
    sleep 0.1
  done
  echo "$what did not come up:" >&2
  tail -n 30 "$lab_dir/$log" >&2
  exit 1
}

# The first of the wished ports that is free, or any.
lab_port() {
  /usr/bin/python3 - "$@" 0 <<'PYTHON'
import socket, sys
for wish in sys.argv[1:]:
    try:
        with socket.socket() as probe:
            # Connections of an earlier run that linger do not count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", int(wish)))
            print(probe.getsockname()[1])
            break
    except OSError:
        pass
PYTHON
}

# as USER COMMAND...: databases refuse to run as root, and may not look into its folders.
lab_as() {
  local user=$1
  shift
  if [ "$(id -u)" = 0 ]; then
    (cd / && setpriv --reuid="$user" --regid="$user" --init-groups -- "$@")
  else
    "$@"
  fi
}

lab_postgres() {
  local bin as=()
  bin=$(find /usr/lib/postgresql -maxdepth 2 -name bin | sort -V | tail -n 1)
  lab_pg_port=$(lab_port)
  mkdir "$lab_dir/pg"
  if [ "$(id -u)" = 0 ]; then
    chown postgres "$lab_dir/pg"
    as=(setpriv --reuid=postgres --regid=postgres --init-groups --)
  fi
  lab_as postgres "$bin/initdb" -D "$lab_dir/pg/data" -U postgres --auth-local=trust \
    --auth-host=scram-sha-256 --no-sync -E UTF8 --locale=C >"$lab_dir/initdb.log"
  lab_spawn QUIT postgres.log ${as[@]+"${as[@]}"} "$bin/postgres" -D "$lab_dir/pg/data" \
    -c "port=$lab_pg_port" -c listen_addresses=127.0.0.1 -c max_connections=100 \
    -c "unix_socket_directories=$lab_dir/pg" -c fsync=off -c synchronous_commit=off \
    -c full_page_writes=off -c password_encryption=scram-sha-256
  lab_wait postgres.log PostgreSQL lab_psql postgres -c 'select 1'
  lab_psql postgres -q -c "create role app login password '$lab_password'" \
    -c 'create database app owner app'
}

# Straight to PostgreSQL as its superuser, past Weirpool.
lab_psql() {
  local database=$1
  shift
  psql -X -v ON_ERROR_STOP=1 -h "$lab_dir/pg" -p "$lab_pg_port" -U postgres -d "$database" "$@"
}

lab_mariadb() {
  local user=()
  lab_my_port=$(lab_port)
  mkdir -p "$lab_dir/my/tmp"
  if [ "$(id -u)" = 0 ]; then
    chown mysql "$lab_dir/my" "$lab_dir/my/tmp"
    user=(--user=mysql)
  fi
  # At its start the server removes what looks like its own from the folder for temporary files.
  TMPDIR=$lab_dir/my/tmp mariadb-install-db --no-defaults ${user[@]+"${user[@]}"} --datadir="$lab_dir/my/data" \
    --auth-root-authentication-method=normal --skip-test-db >"$lab_dir/mariadb-install.log" 2>&1
  lab_spawn KILL mariadb.log env TMPDIR="$lab_dir/my/tmp" mariadbd --no-defaults ${user[@]+"${user[@]}"} \
    --datadir="$lab_dir/my/data" --port="$lab_my_port" --bind-address=127.0.0.1 \
    --socket="$lab_dir/my/my.sock" --pid-file="$lab_dir/my/my.pid" --max-connections=100 \
    --innodb-flush-log-at-trx-commit=0 --skip-log-bin --skip-name-resolve
  lab_wait mariadb.log MariaDB lab_mysql -e 'select 1'
  lab_mysql -e "create database app; create user app@'127.0.0.1' identified by '$lab_password';
    grant all on app.* to app@'127.0.0.1'"
}

# Straight to MariaDB as its superuser, past Weirpool.
lab_mysql() { mariadb --no-defaults --socket="$lab_dir/my/my.sock" -u root "$@"; }

# lab_weirpool BINARY MAX_CONNECTIONS: in front of both, on its conventional ports if they are free.
lab_weirpool() {
  lab_wp_pg=$(lab_port 6432)
  lab_wp_my=$(lab_port 6033)
  lab_wp_http=$(lab_port 9127)
  cat >"$lab_dir/weirpool.yaml" <<YAML
backends:
  shop:
    protocol: postgresql
    address: 127.0.0.1:$lab_pg_port
    max_connections: $2
  blog:
    protocol: mysql
    address: 127.0.0.1:$lab_my_port
    max_connections: $2
listeners:
  - address: 127.0.0.1:$lab_wp_pg
    backend: shop
  - address: 127.0.0.1:$lab_wp_my
    backend: blog
users:
  app:
    password: \${APP_PASSWORD}
# The clients of a demonstration do not give up: they may stand in line for as long as it takes.
timeouts:
  query_wait_timeout: 60s
admission:
  queue_target: 0
admin:
  http: 127.0.0.1:$lab_wp_http
  users: [app]
YAML
  APP_PASSWORD=$lab_password lab_spawn INT weirpool.log "$1" run --config "$lab_dir/weirpool.yaml"
  lab_wait weirpool.log Weirpool lab_ready
}

lab_ready() {
  local answer
  exec 3<>"/dev/tcp/127.0.0.1/$lab_wp_http" || return 1
  printf 'GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
  read -r answer <&3
  exec 3>&-
  [[ $answer == *' 200 '* ]]
}
