/**
 * What a node's disk may be found in: every cell of the two-key table, damage, interrupted runs, the shell chain's nodes. All on one machine,
 * and test/vm/conflicts has a file for each subject.
 *
 *   make test-vm FILE=vm/conflicts TEST="two partitions"   one piece alone
 *
 * Each piece begins on a node that is provisioned and has everything closed but /boot, and leaves it so.
 */
await import("./conflicts/table.ts");
await import("./conflicts/keys.ts");
await import("./conflicts/partitions.ts");
await import("./conflicts/mounts.ts");
await import("./conflicts/shell-chain.ts");
await import("./conflicts/interrupted.ts");
