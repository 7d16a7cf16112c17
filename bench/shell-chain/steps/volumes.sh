#!/bin/bash
source /usr/lib/shell-chain/functions.sh

device=/dev/mapper/store-crypt
if ! vgs --noheadings store >/dev/null 2>&1; then
    pvcreate --yes "$device"
    vgcreate store "$device"
    log "made the volume group"
fi
size=$(vgs --noheadings --nosuffix --units m --options vg_size store | tr -d ' ' | cut -d. -f1)
make() {
    if ! lvs --noheadings "store/$1" >/dev/null 2>&1; then
        lvcreate --yes --name "$1" --size "$2m" store
    fi
}
share() {
    echo $(($1 > $2 ? $1 : $2))
}
make shared-crypto "$(share 64 $((size / 16)))"
make shared-swap "$(share 32 $((size / 7)))"
make shared-backup "$(share 64 $((size / 4)))"
make shared-data "$(share 320 $((size / 4)))"
vgchange --activate y store
