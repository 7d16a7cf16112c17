#!/bin/bash
# Installs what is missing, and is silent when nothing is: Debian packages first, then npm packages.
set -euo pipefail
cd "$(dirname "$0")/.."

stop() {
  echo "setup: $*" >&2
  exit 1
}

missing_packages() {
  local package
  while read -r package; do
    [[ "$(dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null)" == installed ]] || echo "$package"
  done < <(sed 's/#.*//' vm/host-packages.txt | xargs --no-run-if-empty -n 1)
  # Any npm will do, also one that came from elsewhere than Debian.
  command -v npm >/dev/null || echo npm
}

install_packages() {
  local log=build/setup.log as_root=()
  if [[ $EUID -ne 0 ]]; then
    sudo -n true 2>/dev/null || stop "missing Debian packages, install them as root: apt-get install $*"
    as_root=(sudo -n)
  fi
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

mapfile -t packages < <(missing_packages)
[[ ${#packages[@]} -eq 0 ]] || install_packages "${packages[@]}"

# The stamp lies in the folder it vouches for, so that one cannot stay without the other.
stamp=node_modules/.installed-from
lock=$(sha256sum <package-lock.json)
if [[ "$(cat "$stamp" 2>/dev/null)" != "$lock" ]]; then
  echo "setup: installing the npm packages of package-lock.json"
  mkdir -p build
  # Some of them ask for a newer Node than the one that starts npm. They will get it, so npm's warning would be wrong.
  PATH="${PATH//"$PWD/node_modules/.bin:"/}" npm ci --loglevel=error --no-progress </dev/null >build/npm.log 2>&1 || {
    head -n 10 build/npm.log >&2
    stop "npm ci failed; all of its words are in build/npm.log"
  }
  echo "$lock" >"$stamp"
fi
