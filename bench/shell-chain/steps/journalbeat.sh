#!/bin/bash
source /usr/lib/shell-chain/functions.sh

conf=$CONFIG/journalbeat.conf
hosts=$([ -e "$conf" ] && value_of "$conf" journalbeat_hosts || true)
if [ -z "$hosts" ]; then
    log "no hosts, nothing is shipped"
    exit 0
fi
mkdir -p /run/systemd/journal-upload.conf.d
printf '[Upload]\nURL=https://%s\n' "${hosts%% *}" >/run/systemd/journal-upload.conf.d/10-shell-chain.conf
systemctl start systemd-journal-upload.service
