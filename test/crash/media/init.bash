#!/bin/bash
# The first process of a user-mode machine whose root is this host's, read-only (explore-media.ts): damages media, and ends the machine.
# MEDIA, SEED and CASE come from the kernel's command line.
cd "$(dirname "$0")/../../.." || exit
export PATH=$PWD/node_modules/.bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp
mount -t proc proc /proc
mount -t sysfs sysfs /sys
for place in /tmp /run; do mount -t tmpfs tmpfs "$place"; done
# A ring of io_uring breaks this kernel's memory when its process forks.
echo 2 >/proc/sys/kernel/io_uring_disabled
# A word of the kernel for each cluster that is wrong takes longer than all else.
echo 1 >/proc/sys/kernel/printk
node test/crash/media/inside.ts
dmesg | grep -E 'BUG:|Oops|WARNING:|Call Trace' | sed 's/^/kernel: /'
echo o >/proc/sysrq-trigger
sleep 60
