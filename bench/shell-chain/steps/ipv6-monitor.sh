#!/bin/bash
source /usr/lib/shell-chain/functions.sh

interface=$(ls /sys/class/net | grep -E '^(en|eth)' | sort | head -n 1)
address=$(ip -6 -oneline address show dev "$interface" scope global | head -n 1)
log "global address: ${address:-none yet}"
