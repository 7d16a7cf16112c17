#!/bin/bash
source /usr/lib/shell-chain/functions.sh

mount_volume() {
    local device=/dev/mapper/store-shared--$1 target=/var/lib/ic/$1
    mkdir -p "$target"
    if findmnt --noheadings "$target" >/dev/null; then
        return
    fi
    if [ "$2" = ext4 ]; then
        check_ext4 "$device"
    fi
    mount -t "$2" -o nodev,nosuid,noexec "$device" "$target"
    log "mounted $device at $target"
}

mount_volume crypto ext4
mount_volume backup ext4
mount_volume data xfs
if ! swapon --show --noheadings | grep -q .; then
    swapon /dev/mapper/store-shared--swap
fi
