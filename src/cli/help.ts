/** What stands below the options in each command's --help. At most 80 columns. */

export const rootHelp = `Without a command, the whole chain is run. A unit that has nothing to do touches
nothing, so a run can be repeated at any time. Only one runs at a time.

Examples:
  guestos-boot                    run the whole chain
  guestos-boot --unit network     after editing network.conf: apply it
  guestos-boot plan               what a run would do, without doing it
  guestos-boot status             how this boot went
  guestos-boot status --boot 1    how the boot before this one went
  guestos-boot help run           everything about a command`;

export const runHelp = `Each unit looks at the machine, does what is missing, and looks again. What does
not depend on each other runs at the same time. A unit that fails stops only what
requires it; the rest finishes, and the last lines say what to do.

Examples:
  guestos-boot run --stage early  what guestos-boot.service does
  guestos-boot run --stage late   what guestos-boot-late.service does
  guestos-boot --unit network --unit hostname
  guestos-boot --wait 60 --json   for scripts: one document, at the end`;

export const planHelp = `It is the same as a run, up to the point where something would be done. So a unit
that requires one with something to do is "planned once" that one has run.
Ends with 0 when there is nothing to do, with 11 when there is something.

Examples:
  guestos-boot plan
  guestos-boot plan --unit network`;

export const graphHelp = `Arrows point from what comes first; dashed ones mean order alone.

Examples:
  guestos-boot graph
  guestos-boot graph --format dot | dot -Tsvg > chain.svg`;

export const statusHelp = `The runs of one boot are taken together: the early and the late stage, and what
an operator ran since. The latest word on each unit counts. Ends as the boot did:
with 0, 3 (failed) or 10 (degraded), or with 13 while it is running or cut off.

Examples:
  guestos-boot status
  guestos-boot status --boot 1 --json`;

export const configImageHelp = `Writes a VFAT image labelled CONFIG with ic-bootstrap.tar in it; the same input
gives the same bytes. Everything is checked as the node will check it, and nothing
is written unless it passes. Attach it to the VM as a removable disk.

Examples:
  guestos-boot config-image --out config.img ./node7
  guestos-boot config-image --out config.img --network-conf ./network.conf \\
    --accounts-ssh-authorized-keys ./keys`;
