#!/bin/bash
# PostgreSQL's own regression tests, of the release that this Debian packages: their files from
# Debian's source package, and the C functions that they call, compiled against the server's headers.
# Neither is installed; a folder holds both.
#
# usage: regression_suite.sh MAJOR      prepare if needed, print the folder:
#                                       src/{sql,expected,data,parallel_schedule}, lib/regress.so
set -euo pipefail

[ $# = 1 ] || { sed -n 's/^# usage/usage/p' "$0" >&2; exit 64; }
major=$1
version=$(dpkg-query -W -f '${source:Version}' "postgresql-$major")
cache=${WEIRPOOL_CACHE:-${XDG_CACHE_HOME:-/var/cache}/weirpool}
root=$cache/regress-$version

# apt with lists of its own, which has the sources of what this machine installs Debian from.
fetch_source() {
  local state=$1
  mkdir -p "$state"/{lists/partial,cache/archives/partial}
  cp /var/lib/dpkg/status "$state/status"
  # shellcheck disable=SC2016  # apt expands them
  apt-get indextargets --format '$(ORIGIN) $(COMPONENT) $(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
    sed -n 's/^Debian main //p' | sort -u |
    sed 's|.*|deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] & main|' > "$state/sources.list"
  local options=(-qq -o Dir::State="$state" -o Dir::State::lists="$state/lists"
    -o Dir::State::status="$state/status" -o Dir::Cache="$state/cache"
    -o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o APT::Sandbox::User=root -o Acquire::Retries=3 -o Debug::NoLocking=1)
  apt-get "${options[@]}" update
  # Another point release of the same major version will do.
  apt-get "${options[@]}" source --download-only --only-source "postgresql-$major=$version" ||
    apt-get "${options[@]}" source --download-only --only-source "postgresql-$major"
}

fetch_headers() {
  apt-get -qq -o APT::Sandbox::User=root download "postgresql-server-dev-$major=$version" ||
    apt-get -qq -o APT::Sandbox::User=root download "postgresql-server-dev-$major"
}

prepare() {
  local fresh=$1
  rm -rf "$fresh"
  mkdir -p "$fresh"/{made,src,lib}
  cd "$fresh/made"
  fetch_source "$fresh/made/apt"
  fetch_headers
  tar -xjf ./*.orig.tar.bz2 --strip-components=4 -C "$fresh/src" --wildcards '*/src/test/regress'
  dpkg-deb -x ./postgresql-server-dev-*.deb headers
  gcc -O1 -w -fPIC -shared -I "headers/usr/include/postgresql/$major/server" \
    -I headers/usr/include/postgresql/internal -I /usr/include/postgresql \
    -o "$fresh/lib/regress.so" "$fresh/src/regress.c"
  cd /
  rm -rf "$fresh/made"
  chmod -R a+rX "$fresh"
}

mkdir -p "$cache"
exec 9> "$cache/regress.lock"
flock 9
if [ ! -d "$root" ]; then
  prepare "$root.new" >&2
  mv "$root.new" "$root"
fi
echo "$root"
