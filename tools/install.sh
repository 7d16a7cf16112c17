#!/bin/bash
# Lays out an image's files: install.sh DESTDIR PREFIX [DIST]. It needs no Node, because an image's build calls it without one.
#
#   dist/guestos-boot     PREFIX/bin/guestos-boot, and a link to it: manageboot
#                         and for a GuestOS the names that its orchestrator calls: /opt/ic/bin/manageboot.sh and its neighbours
#   dist/man/             PREFIX/share/man/
#   dist/sbom.cdx.json    PREFIX/share/guestos-boot/     the components of the executable
#   dist/copyright        PREFIX/share/doc/guestos-boot/
#   share/completions/    the folders of bash, zsh and fish
#   share/schemas/        PREFIX/share/guestos-boot/schemas/
#   etc/common/, and etc/PROFILE/ over it (PROFILE=boundary in the environment; guestos without it; docs/profiles.md):
#   systemd/system/       PREFIX/lib/systemd/system/     units of the image; /etc/systemd/system is the operator's
#   sysusers.d/           PREFIX/lib/sysusers.d/
#   tmpfiles.d/           PREFIX/lib/tmpfiles.d/
#   initramfs-tools/      PREFIX/share/initramfs-tools/  hooks and scripts executable
#   sudoers.d/            /etc/sudoers.d/                mode 0440, as sudo requires
#   …                     /etc/…
set -euo pipefail
cd "$(dirname "$0")/.."
destdir=$1
prefix=$2
dist=${3:-dist}
profile=${PROFILE:-guestos}

[[ -x $dist/guestos-boot ]] || {
  echo "install: there is no dist/guestos-boot; make build makes it" >&2
  exit 1
}
[[ -d etc/$profile ]] || {
  echo "install: there is no profile $profile: etc/$profile is missing" >&2
  exit 1
}
install -D --mode=0755 "$dist/guestos-boot" "$destdir$prefix/bin/guestos-boot"
ln --symbolic --force guestos-boot "$destdir$prefix/bin/manageboot"
if [[ $profile = guestos ]]; then
  install -d "$destdir/opt/ic/bin"
  for name in manageboot.sh provision-ssh-keys.sh guestos_tool vsock_guest; do
    ln --symbolic --force "$prefix/bin/guestos-boot" "$destdir/opt/ic/bin/$name"
  done
fi

share=$destdir$prefix/share
install -D --mode=0644 "$dist/sbom.cdx.json" "$share/guestos-boot/sbom.cdx.json"
install -D --mode=0644 "$dist/copyright" "$share/doc/guestos-boot/copyright"
install -D --mode=0644 --target-directory="$share/guestos-boot/schemas" share/schemas/*.json
for page in "$dist"/man/*; do
  target=$share/man/man${page##*.}/${page##*/}.gz
  install -d "${target%/*}"
  gzip --best --no-name <"$page" >"$target"
  chmod 0644 "$target"
done
install -D --mode=0644 share/completions/guestos-boot.bash "$share/bash-completion/completions/guestos-boot"
ln --symbolic --force guestos-boot "$share/bash-completion/completions/manageboot"
install -D --mode=0644 share/completions/_guestos-boot "$share/zsh/vendor-completions/_guestos-boot"
install -D --mode=0644 --target-directory="$share/fish/vendor_completions.d" share/completions/*.fish

lay_out() {
  local tree=$1 file mode target
  while IFS= read -r -d '' file; do
    mode=0644
    case $file in
      systemd/system/* | sysusers.d/* | tmpfiles.d/*) target=$prefix/lib/$file ;;
      initramfs-tools/hooks/* | initramfs-tools/scripts/*) target=$prefix/share/$file mode=0755 ;;
      initramfs-tools/*) target=$prefix/share/$file ;;
      sudoers.d/*) target=/etc/$file mode=0440 ;;
      *) target=/etc/$file ;;
    esac
    install -D --mode="$mode" "$tree/$file" "$destdir$target"
  done < <(find "$tree" -type f -printf '%P\0' | sort --zero-terminated)
}

lay_out etc/common
lay_out "etc/$profile"
