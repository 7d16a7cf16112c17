#!/bin/bash
source /usr/lib/shell-chain/functions.sh

if [ -e "$CONFIG/CONFIGURED" ]; then
    log "was configured before"
    exit 0
fi
udevadm wait --timeout=600 /dev/disk/by-label/CONFIG
medium=/run/shell-chain/medium
mkdir -p "$medium" /run/shell-chain/bootstrap
mount -o ro,nodev,nosuid,noexec /dev/disk/by-label/CONFIG "$medium"
if tar --list --file "$medium/ic-bootstrap.tar" | grep -E '^/|(^|/)\.\.(/|$)'; then
    umount "$medium"
    die "the medium has names that lead out of it"
fi
tar --extract --no-same-owner --no-same-permissions --file "$medium/ic-bootstrap.tar" --directory /run/shell-chain/bootstrap
umount "$medium"
cd /run/shell-chain/bootstrap
for name in *.conf; do
    if ! grep -Evq '^(#.*|[a-z0-9_]+=.*)?$' "$name"; then
        write_durable "$CONFIG/$name" 644 <"$name"
        log "stored $name"
    fi
done
if [ -d accounts_ssh_authorized_keys ]; then
    mkdir -p "$CONFIG/accounts_ssh_authorized_keys"
    for name in accounts_ssh_authorized_keys/*; do
        write_durable "$CONFIG/$name" 644 <"$name"
    done
fi
