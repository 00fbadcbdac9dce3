#!/bin/bash
# A MySQL server for tests on a Debian release that packages none: the newest one of Debian unstable,
# unpacked (not installed) into a private folder and run through that folder's own dynamic loader.
# No chroot, no mounts, no maintainer scripts; the host's packages stay as they are.
#
# usage: mysql_server.sh install                     unpack if needed, print the folder
#        mysql_server.sh init DATADIR                create an empty data directory (root, no password)
#        mysql_server.sh run DATADIR PORT [OPTION..] run mysqld in the foreground (replaces the shell)
#        mysql_server.sh client [ARGUMENT..]         run the mysql command line client
set -euo pipefail

cache=${WEIRPOOL_CACHE:-${XDG_CACHE_HOME:-/var/cache}/weirpool}
root=$cache/mysql
packages=(mysql-server-core mysql-client-core)

# apt with a state of its own: it believes nothing is installed, so it resolves the whole closure
# down to the C library, which is what makes the folder self-contained.
download() {
  local state=$1 mirror
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
    -o DPkg::Pre-Install-Pkgs::= -o Debug::NoLocking=1 -o APT::Keep-Downloaded-Packages=true)
  apt-get "${options[@]}" update
  apt-get "${options[@]}" --download-only -y install "${packages[@]}"
}

install() {
  mkdir -p "$cache"
  exec 9> "$cache/mysql.lock"
  flock 9
  if [ ! -f "$root/complete" ]; then
    rm -rf "$root" "$cache/mysql.new"
    mkdir -p "$cache/mysql.new/usr"/{bin,sbin,lib,lib64}
    # Unstable has merged /usr; the links must exist before the first package is unpacked.
    for folder in bin sbin lib lib64; do ln -s "usr/$folder" "$cache/mysql.new/$folder"; done
    download "$cache/mysql.apt" >&2
    for package in "$cache"/mysql.apt/cache/archives/*.deb; do
      dpkg-deb --fsys-tarfile "$package" | tar -C "$cache/mysql.new" -x --keep-directory-symlink
    done
    rm -rf "$cache/mysql.apt"
    touch "$cache/mysql.new/complete"
    mv "$cache/mysql.new" "$root"
    chmod 755 "$cache" "$root"
  fi
  exec 9>&-
}

# Runs a program of the folder with the folder's libraries only.
inside() {
  local program=$1
  local -a libraries
  shift
  libraries=("$root"/usr/lib/*-linux-gnu* "$root/usr/lib" "$root/usr/lib/mysql/private")
  # The loader lists the libraries by path, so children see no LD_LIBRARY_PATH that is not theirs.
  exec "$root"/lib64/ld-linux-x86-64.so.2 --library-path "$(IFS=:; echo "${libraries[*]}")" "$root/usr/$program" "$@"
}

server() {
  inside sbin/mysqld --no-defaults --user=mysql --basedir="$root/usr" \
    --lc-messages-dir="$root/usr/share/mysql" --character-sets-dir="$root/usr/share/mysql/charsets" \
    --plugin-dir="$root/usr/lib/mysql/plugin" --secure-file-priv= --mysqlx=OFF --skip-log-bin "$@"
}

case ${1:-} in
  install) install; echo "$root" ;;
  init) install; server --initialize-insecure --datadir="$2" ;;
  run) install; datadir=$2 port=$3; shift 3
    server --datadir="$datadir" --port="$port" --bind-address=127.0.0.1 \
      --socket="$datadir/mysql.sock" --pid-file="$datadir/mysql.pid" "$@" ;;
  client) install; shift; inside bin/mysql --no-defaults "$@" ;;
  *) sed -n '6,9s/^# //p' "$0" >&2; exit 64 ;;
esac
