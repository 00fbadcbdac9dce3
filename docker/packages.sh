#!/bin/bash
# Prints the packages of the given sections of packages.txt, one a line, alternatives resolved.
# usage: packages.sh [--missing] SECTION...     --missing: only what is not installed
set -euo pipefail

list=$(dirname "$(readlink -f "$0")")/packages.txt
missing_only=false
if [ "${1:-}" = --missing ]; then
  missing_only=true
  shift
fi
[ $# -gt 0 ] || {
  sed -n 's/^# usage/usage/p' "$0" >&2
  exit 64
}

# Names that installed packages have or provide: another vendor's nodejs provides npm, for example.
installed=$(dpkg-query -W -f '${db:Status-Abbrev}|${Package}, ${Provides}\n' 2>/dev/null |
  sed -n 's/^ii *|//p' | tr ',' '\n' | sed 's/(.*//; s/[[:space:]]//g')

is_installed() { grep -qxF -- "$1" <<<"$installed"; }

is_available() { apt-cache policy "$1" 2>/dev/null | grep -q 'Candidate: [^(]'; }

section() { sed -n "/^# $1\$/,/^\$/p" "$list" | grep -v '^#' | grep . || true; }

resolve() {
  local names=()
  IFS='|' read -ra names <<<"${1// /}"
  local name
  for name in "${names[@]}"; do
    if is_installed "$name"; then
      $missing_only || echo "$name"
      return
    fi
  done
  for name in "${names[@]}"; do
    if is_available "$name"; then
      echo "$name"
      return
    fi
  done
  echo "${names[0]}"  # apt-get will say best what is wrong with it
}

for wanted in "$@"; do
  entries=$(section "$wanted")
  [ -n "$entries" ] || {
    echo "packages.sh: no section '$wanted' in $list" >&2
    exit 64
  }
  while read -r entry; do resolve "$entry"; done <<<"$entries"
done | sort -u
