#!/bin/bash
source /usr/lib/shell-chain/functions.sh

for file in /run/ic-node/nftables-ruleset/nftables.conf "$CONFIG/nftables.conf" /etc/nftables.conf; do
    if [ -e "$file" ]; then
        nft --check --file "$file"
        nft --file "$file"
        log "loaded $file"
        write_metric nftables_loaded_seconds "$(date +%s)"
        exit 0
    fi
done
die "there is no firewall ruleset"
