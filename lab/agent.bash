# The guest's end of the lab shell. Runs as root in any image whose systemd takes system credentials; the image
# itself holds nothing of it. Reads requests from a virtio-serial port, or from the terminal that the credential lab.port
# names, one a line:
#   hello                              answered with: ready BOOT-ID
#   run MARKER SECONDS ESCAPED-SCRIPT  answered with: done MARKER STATUS =BASE64-STDOUT =BASE64-STDERR
# Needs bash, coreutils and the kernel's own file systems: no udev, no network, no disk.

folder=/run/lab-shell
mkdir -p -m 0700 "$folder"
export TMPDIR=$folder

# Nothing is ever written here: reading it with a timeout is a sleep that starts no process.
exec {never}<> <(:)

find_port() {
  local file name
  if [[ -r ${BASH_SOURCE%/*}/lab.port ]]; then
    port=$(<"${BASH_SOURCE%/*}/lab.port")
    [[ -c $port ]]
    return
  fi
  for file in /sys/class/virtio-ports/*/name; do
    [[ -r $file ]] && read -r name <"$file"
    file=${file%/name}
    port=/dev/${file##*/}
    [[ $name == lab && -c $port ]] && return 0
  done
  return 1
}

# Forks as little as it can: starting a program takes an emulated machine a tenth of a second.
answer() {
  local marker=$1 limit=$2 script=$folder/$3 status
  printf '%b' "$4" >"$script"
  timeout --kill-after=5 "$limit" bash "$script" </dev/null >"$script.out" 2>"$script.err" 3>&-
  status=$?
  printf 'done %s %s =%s =%s\n' "$marker" "$status" "$(encoded "$script.out")" "$(encoded "$script.err")" >&3
}

encoded() {
  [[ -s $1 ]] && base64 -w 0 "$1"
}

until find_port; do read -r -t 0.2 -u "$never"; done
read -r boot </proc/sys/kernel/random/boot_id
exec 3<>"$port"
[[ ! -t 3 ]] || stty raw -echo <&3
printf 'ready %s\n' "$boot" >&3

while :; do
  # The end of the input means that no one is connected on the host's side.
  if ! IFS=' ' read -r -u 3 verb marker limit script; then
    read -r -t 0.5 -u "$never"
    continue
  fi
  case $verb in
    hello) printf 'ready %s\n' "$boot" >&3 ;;
    # In the background: a script that hangs permanently takes the channel with it otherwise.
    run) answer "$marker" "$limit" $((slot = (slot + 1) % 8)) "$script" & ;;
  esac
done
