/**
 * The life of one node, from a blank disk: first boot, an operator at work, reboot, power cut. All on one disk, so that there is one boot of
 * each kind. test/vm/node has a file for each subject, and this is their order.
 *
 *   make test-vm FILE=vm/node TEST="the firewall"   one subject alone
 *
 * Each piece also holds without those before it, on a node that was booted again for it.
 */
await import("./node/boot-chain.ts");
await import("./node/analyze.ts");
await import("./node/disks.ts");
await import("./node/network.ts");
await import("./node/accounts.ts");
await import("./node/firewall.ts");
await import("./node/metrics.ts");
await import("./node/injection.ts");
await import("./node/doctor.ts");
await import("./node/runs.ts");
await import("./node/documents.ts");
await import("./node/network-changes.ts");
await import("./node/boot-costs.ts");
await import("./node/second-boot.ts");
await import("./node/power-cut.ts");
await import("./node/failed-boot.ts");
