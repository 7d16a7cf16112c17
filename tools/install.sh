#!/bin/bash
# Lays out what an image needs: install.sh DESTDIR PREFIX. Needs no Node: an image's build calls it where there is none.
#
#   dist/guestos-boot     PREFIX/bin/guestos-boot, and a link to it: manageboot
#   etc/systemd/system/   PREFIX/lib/systemd/system/     units of the image; /etc/systemd/system is the operator's
#   etc/sysusers.d/       PREFIX/lib/sysusers.d/
#   etc/tmpfiles.d/       PREFIX/lib/tmpfiles.d/
#   etc/initramfs-tools/  PREFIX/share/initramfs-tools/  hooks and scripts executable
#   etc/…                 /etc/…
set -euo pipefail
cd "$(dirname "$0")/.."
destdir=$1
prefix=$2

[[ -x dist/guestos-boot ]] || {
  echo "install: there is no dist/guestos-boot; make build makes it" >&2
  exit 1
}
install -D --mode=0755 dist/guestos-boot "$destdir$prefix/bin/guestos-boot"
ln --symbolic --force guestos-boot "$destdir$prefix/bin/manageboot"

while IFS= read -r -d '' file; do
  mode=0644
  case $file in
    systemd/system/* | sysusers.d/* | tmpfiles.d/*) target=$prefix/lib/$file ;;
    initramfs-tools/hooks/* | initramfs-tools/scripts/*) target=$prefix/share/$file mode=0755 ;;
    initramfs-tools/*) target=$prefix/share/$file ;;
    *) target=/etc/$file ;;
  esac
  install -D --mode="$mode" "etc/$file" "$destdir$target"
done < <(find etc -type f -printf '%P\0' | sort --zero-terminated)
