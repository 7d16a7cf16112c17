#!/bin/bash
source /usr/lib/shell-chain/functions.sh

name=$(value_of "$CONFIG/network.conf" hostname)
if [ -n "$name" ]; then
    mkdir -p "$RUNTIME"
    echo "$name" >"$RUNTIME/hostname"
    bind_over "$RUNTIME/hostname" /etc/hostname
    echo "$name" >/proc/sys/kernel/hostname
fi
