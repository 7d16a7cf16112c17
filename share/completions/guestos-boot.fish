# fish completion for guestos-boot(8): what may follow, the program says itself.
function __guestos_boot_candidates
    for line in (guestos-boot complete -- (commandline -opc) (commandline -ct) 2>/dev/null)
        switch $line
            case :files
                __fish_complete_path (commandline -ct)
            case :folders
                __fish_complete_directories (commandline -ct)
            case '*'
                printf '%s\n' $line
        end
    end
end

complete --command guestos-boot --no-files --arguments '(__guestos_boot_candidates)'
