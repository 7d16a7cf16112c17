#!/bin/bash
source /usr/lib/shell-chain/functions.sh

mount_checked() {
    local device=$1 target=$2 type=$3 options=$4
    if findmnt --noheadings "$target" >/dev/null; then
        return
    fi
    case $type in
        ext4) check_ext4 "$device" ;;
        vfat) fsck.vfat -a "$device" || [ $? -le 1 ] || die "the file system on $device is damaged" ;;
    esac
    mount -t "$type" -o "$options,nodev,nosuid,noexec" "$device" "$target"
    log "mounted $device at $target"
}

mount_checked "$(partition "$(booted_slot)_boot")" /boot ext4 ro
mount_checked "$(partition esp)" /boot/efi vfat ro,umask=0077
mount_checked "$(partition grub)" /boot/grub vfat rw,umask=0077
mount_checked "$(partition config)" "$CONFIG" ext4 rw,sync
