#!/usr/bin/env bash
# Installs what is missing of the named groups of packages.txt:  deploy/install-packages.sh build demo
# Does nothing, and needs no rights, when everything is there.
set -euo pipefail
list="$(dirname "$0")/packages.txt"
wanted=()
for group in "$@"; do
  while read -r name rest; do
    [ "$name" = "$group" ] && wanted+=($rest)
  done < <(grep -v '^#' "$list")
done

missing=()
installed=" $(dpkg-query -W -f='${db:Status-Abbrev}${Package} ' 2>/dev/null | tr -s ' ' | sed 's/ii / /g') "
for package in "${wanted[@]}"; do
  case "$installed" in *" $package "*) ;; *) missing+=("$package") ;; esac
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "These packages are missing and neither root nor sudo is at hand: ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi
echo "Installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
install() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$log" 2>&1; }
# An old list is good enough when it still names what the archive has; else refresh it once.
install || { "${as_root[@]}" apt-get update -qq && install; } || { tail -20 "$log" >&2; echo "Could not install: ${missing[*]}" >&2; exit 1; }
