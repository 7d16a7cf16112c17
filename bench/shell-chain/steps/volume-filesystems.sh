#!/bin/bash
source /usr/lib/shell-chain/functions.sh

make() {
    local device=/dev/mapper/store-shared--$1 type=$2 found
    shift 2
    found=$(blkid --probe --match-tag TYPE --output value "$device" || true)
    if [ "$found" = "$type" ]; then
        return
    elif [ -n "$found" ]; then
        die "there is $found on $device"
    fi
    "$@" "$device"
    log "made $type on $device"
}

make crypto ext4 mkfs.ext4 -q -L shared-crypt -E nodiscard
make swap swap mkswap --label shared-swap
make backup ext4 mkfs.ext4 -q -L shared-backu -E nodiscard
make data xfs mkfs.xfs -q -K -m crc=1,reflink=1 -L shared-data
