#!/bin/bash
source /usr/lib/shell-chain/functions.sh

folder=$CONFIG/node_exporter
key=$folder/node_exporter.key
certificate=$folder/node_exporter.crt
mkdir -p "$folder"
chmod 700 "$folder"
if [ ! -s "$key" ]; then
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$key.new"
    chmod 600 "$key.new"
    mv "$key.new" "$key"
    sync "$key" "$folder"
fi
if ! openssl x509 -in "$certificate" -noout -checkend 2592000 >/dev/null 2>&1; then
    openssl req -x509 -new -sha256 -key "$key" -days 3650 -subj /CN=node-exporter -addext subjectAltName=DNS:node-exporter -out "$certificate"
    sync "$certificate" "$folder"
fi
copy=$(copy_of /etc/node_exporter)
install --mode 640 --group node_exporter "$key" "$copy/"
install --mode 644 "$certificate" "$copy/"
bind_over "$copy" /etc/node_exporter
