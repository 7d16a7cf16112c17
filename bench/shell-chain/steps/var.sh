#!/bin/bash
source /usr/lib/shell-chain/functions.sh

device=$(partition "$(booted_slot)_var")
inner=/dev/mapper/var_crypt
if ! cryptsetup isLuks "$device"; then
    if [ -n "$(blkid --probe --match-tag TYPE --output value "$device" || true)" ]; then
        die "there is something else on $device"
    fi
    cryptsetup luksFormat --batch-mode --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file "$KEYFILE" "$device"
    log "encrypted $device"
fi
if [ ! -e "$inner" ]; then
    cryptsetup open --type luks2 --key-file "$KEYFILE" "$device" var_crypt
fi
if [ "$(blkid --probe --match-tag TYPE --output value "$inner" || true)" != ext4 ]; then
    mkfs.ext4 -q -L var -E nodiscard "$inner"
    mkdir -p /run/shell-chain/var
    mount -o nodev,nosuid "$inner" /run/shell-chain/var
    cp --archive --one-file-system /var/. /run/shell-chain/var
    umount /run/shell-chain/var
    log "made /var"
fi
if ! findmnt --noheadings /var >/dev/null; then
    check_ext4 "$inner"
    mount -o nodev,nosuid "$inner" /var
fi
write_metric var_mounted 1
