#!/bin/bash
source /usr/lib/shell-chain/functions.sh

if [ ! -e "$CONFIG/machine-id" ]; then
    write_durable "$CONFIG/machine-id" 444 </etc/machine-id
    log "saved the machine id"
elif ! cmp --silent "$CONFIG/machine-id" /etc/machine-id; then
    die "this system does not run with the machine id that was saved"
fi
