#!/bin/bash
source /usr/lib/shell-chain/functions.sh

mkdir -p /run/ic-node/ssh/authorized_keys
for account in root admin backup readonly; do
    keys=$CONFIG/accounts_ssh_authorized_keys/$account
    if [ -e "$keys" ] && getent passwd "$account" >/dev/null; then
        install --mode 640 --group "$(id --group "$account")" "$keys" "/run/ic-node/ssh/authorized_keys/$account"
        log "gave $account its keys"
    fi
done
