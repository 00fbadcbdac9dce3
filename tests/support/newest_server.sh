#!/bin/bash
# Servers for tests that this Debian release does not package: the ones of Debian unstable,
# unpacked (not installed) into private folders and run through each folder's own dynamic loader.
# No chroot, no mounts, no maintainer scripts; the host's packages stay as they are.
#
# usage: newest_server.sh mysql        unpack if needed, print the folder: usr/sbin/mysqld, usr/bin/mysql
#        newest_server.sh postgresql   the same: usr/lib/postgresql/18/bin/{initdb,postgres,psql,...}
#        newest_server.sh exporter     the same: usr/bin/prometheus-pgbouncer-exporter
#        newest_server.sh peers        the same: usr/sbin/pgbouncer and what else ./dev bench compares with
# The programs named are started by their path.
set -euo pipefail

cache=${WEIRPOOL_CACHE:-${XDG_CACHE_HOME:-/var/cache}/weirpool}

# apt with a state of its own: it believes nothing is installed, so it resolves the whole closure
# down to the C library, which is what makes the folder self-contained.
download() {
  local state=$1 mirror
  shift
  # The one this machine installs Debian from.
  # shellcheck disable=SC2016  # apt expands it
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep '/debian/$' | head -n 1)
  mkdir -p "$state"/{lists/partial,cache/archives/partial,etc/preferences.d}
  : > "$state/status"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] \
$mirror sid main" > "$state/etc/sources.list"
  local options=(-qq -o Dir::State="$state" -o Dir::State::lists="$state/lists"
    -o Dir::State::status="$state/status" -o Dir::Cache="$state/cache"
    -o Dir::Cache::archives="$state/cache/archives" -o Dir::Etc::sourcelist="$state/etc/sources.list"
    -o Dir::Etc::sourceparts=/dev/null -o Dir::Etc::preferencesparts="$state/etc/preferences.d"
    -o APT::Sandbox::User=root -o APT::Install-Recommends=false -o Acquire::Retries=3
    -o Acquire::Check-Valid-Until=false  # a mirror that stands still will do
    -o DPkg::Pre-Install-Pkgs::= -o Debug::NoLocking=1 -o APT::Keep-Downloaded-Packages=true)
  apt-get "${options[@]}" update
  apt-get "${options[@]}" --download-only -y install "$@"
}

# make_launchers FOLDER PROGRAM...: puts a script in the place of each program of the working folder,
# which will be FOLDER. Programs that look for others beside themselves (initdb for postgres) find
# scripts too, and each sees the name it was called by. The loader is given the libraries by path, so
# that children get no LD_LIBRARY_PATH that is not theirs.
make_launchers() {
  local final=$1 program libraries
  shift
  libraries=$(printf ":$final/%s" usr/lib/*-linux-gnu* usr/lib usr/lib/mysql/private usr/lib/mysql-router)
  libraries=${libraries:1}
  for program in "$@"; do
    mv "$program" "$program.elf"
    # shellcheck disable=SC2016  # the launcher expands them
    printf '#!/bin/sh\nexec %q --library-path %q --argv0 "$0" "%s.elf" "$@"\n' \
      "$final/lib64/ld-linux-x86-64.so.2" "$libraries" "$final/$program" > "$program"
    chmod 755 "$program"
  done
}

# unpack NAME PROGRAMS PACKAGE...; PROGRAMS are patterns below the folder.
unpack() {
  local name=$1 programs=$2 fresh=$cache/unstable/$1.new root=$cache/unstable/$1
  shift 2
  mkdir -p "$cache/unstable"
  exec 9> "$cache/unstable/$name.lock"
  flock 9
  if [ ! -f "$root/complete" ]; then
    rm -rf "$root" "$fresh"
    mkdir -p "$fresh/usr"/{bin,sbin,lib,lib64}
    # Unstable has merged /usr; the links must exist before the first package is unpacked.
    for folder in bin sbin lib lib64; do ln -s "usr/$folder" "$fresh/$folder"; done
    download "$cache/unstable/$name.apt" "$@" >&2
    for package in "$cache/unstable/$name.apt"/cache/archives/*.deb; do
      dpkg-deb --fsys-tarfile "$package" | tar -C "$fresh" -x --keep-directory-symlink
    done
    rm -rf "$cache/unstable/$name.apt"
    # shellcheck disable=SC2086  # patterns
    (cd "$fresh" && make_launchers "$root" $programs)
    touch "$fresh/complete"
    mv "$fresh" "$root"
    chmod 755 "$cache" "$cache/unstable" "$root"
  fi
  exec 9>&-
  echo "$root"
}

case ${1:-} in
  mysql) unpack mysql 'usr/sbin/mysqld usr/bin/mysql' mysql-server-core mysql-client-core ;;
  postgresql) unpack postgresql 'usr/lib/postgresql/18/bin/*' postgresql-18 ;;
  peers)
    unpack peers 'usr/sbin/pgbouncer usr/bin/odyssey usr/bin/pgagroal usr/bin/mysqlrouter' \
      pgbouncer odyssey pgagroal mysql-router
    ;;
  exporter) unpack exporter 'usr/bin/prometheus-pgbouncer-exporter' prometheus-pgbouncer-exporter ;;
  *) sed -n '6,10s/^# //p' "$0" >&2; exit 64 ;;
esac
