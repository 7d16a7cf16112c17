# bash completion for guestos-boot(8): what may follow, the program says itself.
_guestos_boot() {
  local candidate description word=${COMP_WORDS[COMP_CWORD]}
  # A "=" is a word of its own for bash, and what follows it another one.
  [[ $word != "=" ]] || word=""
  COMPREPLY=()
  while IFS=$'\t' read -r candidate description; do
    case $candidate in
      :files)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        ;;
      :folders)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -d -- "$word")
        ;;
      *) COMPREPLY+=("$candidate") ;;
    esac
  done < <(guestos-boot complete -- "${COMP_WORDS[@]:0:COMP_CWORD+1}" 2>/dev/null)
}
complete -F _guestos_boot guestos-boot manageboot
