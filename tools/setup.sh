#!/bin/bash
# setup.sh [SECTION…]: installs missing packages, Debian's first, then npm's. It is silent when none is missing. The sections are those of
# tools/host-packages.txt; without an argument, all of them but user-mode.
set -euo pipefail
cd "$(dirname "$0")/.."

stop() {
  echo "setup: $*" >&2
  exit 1
}

sections=(node "$@")
# A kernel is built only where a user-mode machine is asked for.
[[ $# -gt 0 ]] || mapfile -t sections < <(sed -n '/^\[user-mode\]$/d; s/^\[\(.*\)\]$/\1/p' tools/host-packages.txt)

is_wanted() {
  [[ " ${sections[*]} " == *" $1 "* ]]
}

# Each package once: two sections may have the same one.
wanted_packages() {
  local line section=
  while read -r line; do
    case $line in
      "" | "#"*) ;;
      "["*"]") section=${line:1:-1} ;;
      *) is_wanted "$section" && echo "$line" ;;
    esac
  done <tools/host-packages.txt | sort --unique
}

missing_packages() {
  local package
  while read -r package; do
    [[ "$(dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null)" == installed ]] || echo "$package"
  done < <(wanted_packages)
  # Any npm is accepted, also one that is not from Debian.
  command -v npm >/dev/null || echo npm
}

as_root=()
become_root() {
  [[ $EUID -ne 0 ]] || return 0
  sudo -n true 2>/dev/null || stop "$1"
  as_root=(sudo -n)
}

install_packages() {
  local log=build/setup.log
  become_root "missing Debian packages, install them as root: apt-get install $*"
  echo "setup: installing $*"
  mkdir -p build
  {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 update &&
      "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install --yes --no-install-recommends "$@"
  } </dev/null >"$log" 2>&1 || {
    tail -n 5 "$log" >&2
    stop "apt-get failed; all of its words are in $log"
  }
}

# Programs that only tests run. They are unpacked from Debian's packages, not installed: the packages would start services and bring a web
# interface.
unpack_package() {
  local package=$1 folder=build/tools/$1 log=$PWD/build/unpack.log
  [[ ! -e "$folder" ]] || return 0
  echo "setup: unpacking $package"
  rm -rf "$folder.new"
  mkdir -p "$folder.new/deb"
  : >"$log"
  (cd "$folder.new/deb" && apt-get download "$package") </dev/null >>"$log" 2>&1 || {
    become_root "apt-get does not know $package, run as root: apt-get update"
    "${as_root[@]}" apt-get -o DPkg::Lock::Timeout=300 update </dev/null >>"$log" 2>&1 &&
      (cd "$folder.new/deb" && apt-get download "$package") </dev/null >>"$log" 2>&1
  } || {
    tail -n 5 "$log" >&2
    stop "apt-get cannot download $package; all of its words are in $log"
  }
  dpkg-deb --fsys-tarfile "$folder.new"/deb/*.deb | tar --extract --directory "$folder.new" --strip-components=3 --wildcards './usr/*bin/*'
  rm -r "$folder.new/deb"
  mv "$folder.new" "$folder"
}

for section in "${sections[@]}"; do
  grep --quiet --fixed-strings --line-regexp "[$section]" tools/host-packages.txt || stop "there is no section [$section] in tools/host-packages.txt"
done
mapfile -t packages < <(missing_packages)
[[ ${#packages[@]} -eq 0 ]] || install_packages "${packages[@]}"
if is_wanted test; then
  unpack_package prometheus
  unpack_package prometheus-node-exporter
  unpack_package nginx
  unpack_package dante-server
  unpack_package openssh-server
fi

# The stamp is in the folder it vouches for, so that neither can remain without the other.
stamp=node_modules/.installed-from
lock=$(sha256sum <package-lock.json)
if [[ "$(cat "$stamp" 2>/dev/null)" != "$lock" ]]; then
  echo "setup: installing the npm packages of package-lock.json"
  mkdir -p build
  # Some packages require a newer Node than the one that starts npm. They run with it later, so npm's warning would be wrong.
  PATH="${PATH//"$PWD/node_modules/.bin:"/}" npm ci --loglevel=error --no-progress </dev/null >build/npm.log 2>&1 || {
    head -n 10 build/npm.log >&2
    stop "npm ci failed; all of its words are in build/npm.log"
  }
  echo "$lock" >"$stamp"
fi
