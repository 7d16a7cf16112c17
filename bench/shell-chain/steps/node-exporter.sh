#!/bin/bash
source /usr/lib/shell-chain/functions.sh

if ! systemctl is-active --quiet node_exporter.service; then
    systemctl start node_exporter.service
fi
