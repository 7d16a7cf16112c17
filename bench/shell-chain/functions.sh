# Sourced by every step of the shell chain.

set -euo pipefail
export LC_ALL=C

CONFIG=/boot/config
RUNTIME=/run/ic-node/etc
KEYFILE=$CONFIG/store.keyfile
STEP=$(basename "$0" .sh)

log() {
    echo "$STEP: $*"
}

die() {
    log "$*" >&2
    exit 1
}

# What a dashboard shows of a step.
write_metric() {
    mkdir -p /run/node_exporter/collector_textfile
    echo "guestos_$1 $2" >"/run/node_exporter/collector_textfile/$1.prom.$$"
    mv "/run/node_exporter/collector_textfile/$1.prom.$$" "/run/node_exporter/collector_textfile/$1.prom"
}

booted_slot() {
    grep -o 'dfinity.system=[AB]' /proc/cmdline | cut -d= -f2
}

# The device of a GPT partition name, once udev has it.
partition() {
    udevadm wait --timeout=600 "/dev/disk/by-partlabel/$1" >&2
    readlink -f "/dev/disk/by-partlabel/$1"
}

# The value of a key in a KEY=value file; nothing when it is not there.
value_of() {
    grep "^$2=" "$1" | tail -n 1 | cut -d= -f2- || true
}

check_ext4() {
    e2fsck -p "$1" || [ $? -le 2 ] || die "the file system on $1 is damaged"
}

# Writes standard input to a file that must survive a power cut.
write_durable() {
    cat >"$1.new"
    chmod "$2" "$1.new"
    sync "$1.new"
    mv "$1.new" "$1"
    sync "$(dirname "$1")"
}

# Puts a copy of a folder of the read-only root on a tmpfs over it: bind_copy /etc/ssh, then fill the copy, then bind.
copy_of() {
    mkdir -p "$RUNTIME"
    [ -e "$RUNTIME/$(basename "$1")" ] || cp --archive "$1" "$RUNTIME/"
    echo "$RUNTIME/$(basename "$1")"
}

bind_over() {
    findmnt --noheadings "$2" >/dev/null || mount -o bind,ro,nodev,nosuid,noexec "$1" "$2"
}
