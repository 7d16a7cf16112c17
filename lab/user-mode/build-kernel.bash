# build-kernel.bash KERNEL PACKAGE SHA256 CONFIG: builds a user-mode Linux from Debian's source package, where KERNEL is not there yet.
# The source is kept beside it until then, so that a build that was interrupted goes on where it was. To be run under a lock.
set -euo pipefail
kernel=$1 package=$2 sha256=$3 config=$4
[[ ! -e $kernel ]] || exit 0

name=${package##*/}
source=${kernel%/*}/${name%.deb}
if [[ ! -e $source ]]; then
  rm -rf "$source.part"
  mkdir "$source.part"
  # apt's own way to fetch a file: by the host's proxy, and refused when its digest is another one.
  /usr/lib/apt/apt-helper download-file "$package" "$source.part/$name" "SHA256:$sha256"
  dpkg-deb --fsys-tarfile "$source.part/$name" |
    tar --extract --to-stdout --wildcards '*/linux-source-*.tar.xz' |
    tar --extract --xz --strip-components=1 --directory "$source.part"
  rm "$source.part/$name"
  mv "$source.part" "$source"
fi

make=(make --directory "$source" ARCH=um)
"${make[@]}" x86_64_defconfig
cat "$config" >>"$source/.config"
"${make[@]}" olddefconfig
if grep -E '^(CONFIG_|# CONFIG_.* is not set)' "$config" | grep --fixed-strings --line-regexp --invert-match --file "$source/.config" >&2; then
  echo "these lines of $config have no effect in $name" >&2
  exit 1
fi
"${make[@]}" --jobs "$(nproc)" linux
cp "$source/linux" "$kernel.part"
mv "$kernel.part" "$kernel"
rm -r "$source"
