#!/bin/bash
source /usr/lib/shell-chain/functions.sh

if [ -e "$CONFIG/CONFIGURED" ]; then
    exit 0
fi
cd /run/shell-chain/bootstrap
for name in ic_state ic_registry_local_store nns_public_key.pem node_operator_private_key.pem; do
    if [ -e "$name" ]; then
        cp --recursive "$name" /var/lib/ic/data/
        log "stored $name"
    fi
done
if [ -e /var/lib/ic/data/node_operator_private_key.pem ]; then
    chmod 600 /var/lib/ic/data/node_operator_private_key.pem
fi
if [ -d ic_crypto ]; then
    cp --recursive ic_crypto/. /var/lib/ic/crypto/
    chmod -R u=rwX,go= /var/lib/ic/crypto/node_sks
    chown -R ic-replica:ic-replica /var/lib/ic/crypto/node_sks /var/lib/ic/crypto/public_keys.pb
fi
sync --file-system /var/lib/ic/crypto /var/lib/ic/data
write_durable "$CONFIG/CONFIGURED" 644 </dev/null
