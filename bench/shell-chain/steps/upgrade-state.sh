#!/bin/bash
source /usr/lib/shell-chain/functions.sh

# A system that was tried and not confirmed has gone back: it is marked, so that it is not tried again.
running=$(booted_slot)
default=$(value_of /boot/grub/grubenv boot_alternative)
cycle=$(value_of /boot/grub/grubenv boot_cycle)
# A new disk has none yet.
cycle=${cycle:-stable}
mkdir -p /run/shell-chain
if [ "$cycle" != stable ] && [ "$running" = "$default" ]; then
    touch /run/shell-chain/on-trial
    log "slot $running is on trial ($cycle)"
elif [ "$cycle" != stable ]; then
    mkdir -p "$CONFIG/slots"
    echo failed | write_durable "$CONFIG/slots/$default" 644
fi
