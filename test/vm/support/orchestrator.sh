#!/bin/bash
# Takes the place of a node's orchestrator: does to the system what the real one does, by the same names, as ic-replica and without sudo of
# its own. Instructions come as files in a folder, one a file, and each is answered by a file NAME.done with the exit status.
#
#   upgrade  ADDRESS PORT PATH SHA256   fetch the image, compare its hash, install it, commit it
#   keys     ACCOUNT, and keys below it give that account these keys
#   ruleset  nft's text                 the firewall
#   network  ADDRESS LENGTH GATEWAY     IPv4; empty: the configuration's own
set -u
export LC_ALL=C
bin=/opt/ic/bin
data=/var/lib/ic/data
inbox=/run/ic-node/orchestrator-test
echo "orchestrator: started by $(id -un), with $(stat -c '%U %a' /run/ic-node/config/ic.json5 2>&1)"
# As at each start of the real one.
"$bin/manageboot.sh" guestos confirm
echo "orchestrator: confirm ended with $?"

fetch() {
  local host=$1 port=$2 path=$3 line
  exec 3<>"/dev/tcp/$host/$port" || return
  printf 'GET %s HTTP/1.0\r\nHost: %s\r\n\r\n' "$path" "$host" >&3
  while IFS= read -r line <&3 && [ "$line" != $'\r' ]; do :; done
  cat <&3 >"$data/images/image.tar"
  exec 3<&-
}

carry_out() {
  local what=$1 file=$2 host port path sha256 address length gateway
  case $what in
  upgrade)
    read -r host port path sha256 <"$file"
    mkdir -p "$data/images" && fetch "$host" "$port" "$path" || return
    echo "$sha256  $data/images/image.tar" | sha256sum --check --quiet || return
    "$bin/manageboot.sh" guestos upgrade-install "$data/images/image.tar" --sha256 "$sha256" || return
    rm "$data/images/image.tar"
    "$bin/manageboot.sh" guestos upgrade-commit
    ;;
  keys)
    tail -n +2 "$file" | "$bin/provision-ssh-keys.sh" "$(head -n 1 "$file")"
    ;;
  ruleset)
    # Written beside it and renamed, as the real one does.
    cp "$file" /run/ic-node/nftables-ruleset/nftables.conf.new && mv /run/ic-node/nftables-ruleset/nftables.conf{.new,}
    ;;
  network)
    read -r address length gateway <"$file"
    if [ -n "$address" ]; then
      sudo -n "$bin/guestos_tool" regenerate-network-config "--ipv4-address=$address" "--ipv4-prefix-length=$length" "--ipv4-gateway=$gateway"
    else
      sudo -n "$bin/guestos_tool" regenerate-network-config
    fi
    ;;
  esac
}

while :; do
  for file in "$inbox"/*.do; do
    [ -e "$file" ] || continue
    name=${file%.do}
    mv "$file" "$name"
    echo "orchestrator: ${name##*/}"
    carry_out "${name##*/}" "$name" >"$name.out" 2>&1
    echo $? >"$name.status" && mv "$name.status" "$name.done"
  done
  sleep 0.5
done
