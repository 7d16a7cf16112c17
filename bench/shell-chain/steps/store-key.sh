#!/bin/bash
source /usr/lib/shell-chain/functions.sh

if [ ! -s "$KEYFILE" ]; then
    head -c 32 /dev/urandom | write_durable "$KEYFILE" 400
    log "made the store key"
fi

# Not by the root, which may be a verified mapping.
disk=/dev/$(lsblk --noheadings --output PKNAME "$(readlink -f /dev/disk/by-partlabel/esp)")
if [ ! -e /dev/disk/by-partlabel/store ]; then
    end=$(partx --show --noheadings --output END "$disk" | sort -n | tail -n 1)
    start=$(((end / 2048 + 1) * 2048))
    dd if=/dev/zero of="$disk" bs=1M seek=$((start / 2048)) count=16 conv=fsync status=none
    echo "10 : start=$start, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, name=store" |
        sfdisk --quiet --append --no-reread --no-tell-kernel --lock=yes "$disk"
    partx --add --nr 10 "$disk"
    udevadm settle
    log "made the store partition"
fi

device=$(readlink -f /dev/disk/by-partlabel/store)
if ! cryptsetup isLuks "$device"; then
    if [ -n "$(blkid --probe --match-tag TYPE --output value "$device" || true)" ]; then
        die "there is something else on $device"
    fi
    cryptsetup luksFormat --batch-mode --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file "$KEYFILE" "$device"
    log "encrypted $device"
fi
if [ ! -e /dev/mapper/store-crypt ]; then
    cryptsetup open --type luks2 --key-file "$KEYFILE" "$device" store-crypt
fi
write_metric store_open 1
