#!/bin/bash
source /usr/lib/shell-chain/functions.sh

mkdir -p "$CONFIG/ssh"
chmod 700 "$CONFIG/ssh"
for type in ed25519 ecdsa; do
    key=$CONFIG/ssh/ssh_host_${type}_key
    if [ ! -s "$key" ]; then
        rm -f "$key" "$key.pub"
        ssh-keygen -q -t "$type" -N "" -C guestos -f "$key"
        sync "$key" "$key.pub" "$CONFIG/ssh"
        log "made the $type host key"
    fi
done
copy=$(copy_of /etc/ssh)
cp --archive "$CONFIG"/ssh/ssh_host_* "$copy/"
bind_over "$copy" /etc/ssh
