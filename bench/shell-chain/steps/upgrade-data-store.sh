#!/bin/bash
source /usr/lib/shell-chain/functions.sh

data=/var/lib/ic/data
if [ ! -e "$data/.layout-version" ] || [ "$(stat --format %U "$data")" != ic-replica ]; then
    chown --recursive --no-dereference ic-replica:ic-replica "$data"
    sync --file-system "$data"
    echo 1 | write_durable "$data/.layout-version" 644
fi
