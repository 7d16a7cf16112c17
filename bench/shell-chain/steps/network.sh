#!/bin/bash
source /usr/lib/shell-chain/functions.sh

conf=$CONFIG/network.conf
address4=$(value_of "$conf" ipv4_address)
gateway4=$(value_of "$conf" ipv4_gateway)
address6=$(value_of "$conf" ipv6_address)
gateway6=$(value_of "$conf" ipv6_gateway)
domain=$(value_of "$conf" domain)
servers=$(value_of "$conf" name_servers)

udevadm settle --timeout=600
interface=$(ls /sys/class/net | grep -E '^(en|eth)' | sort | head -n 1)
[ -n "$interface" ] || die "there is no network interface"
mkdir -p /run/systemd/network
{
    echo "[Match]"
    echo "Name=$interface"
    echo "[Network]"
    for address in $address4 $address6; do echo "Address=$address"; done
    for gateway in $gateway4 $gateway6; do echo "Gateway=$gateway"; done
    for server in $servers; do echo "DNS=$server"; done
    if [ -n "$domain" ]; then echo "Domains=$domain"; fi
    if [ -z "$address6" ]; then echo "IPv6AcceptRA=yes"; else echo "IPv6AcceptRA=no"; fi
} >"/run/systemd/network/10-$interface.network"
chmod 644 "/run/systemd/network/10-$interface.network"
write_metric network_configured 1
