# manageboot is a link to guestos-boot.
source (status dirname)/guestos-boot.fish
complete --command manageboot --no-files --arguments '(__guestos_boot_candidates)'
