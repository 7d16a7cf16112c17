import { Problem } from "../../src/base/problem-shape.ts";
import { Counts } from "../../src/boot/record/record.ts";
import { UnfinishedRun } from "../../src/config/state/unfinished-run.ts";
import { Inspection } from "../../src/monitor/monitor-inspection.ts";
import {
  BlameDocument,
  CriticalChainDocument,
  DiffDocument,
  TimeDocument,
  TimelineDocument,
  WhyDocument,
} from "../../src/analyze/documents.ts";
import * as z from "../../src/base/schema.ts";
import { Decision } from "../../src/run/decision.ts";
import { GuestState } from "../../src/guest/guest-state.ts";
import { Payload } from "../../src/vsock/protocol.ts";

/** What commands print with --json, as the published schemas say it (share/schemas). Those of `analyze` are the program's own. */

const Texts = z.array(z.string());
const Slot = z.enum(["A", "B"]);
const Sha256 = z.string().check(z.regex(/^[0-9a-f]{64}$/));
const Count = z.int().check(z.minimum(0));
const Seconds = z.number().check(z.minimum(0));
const Time = z.iso.datetime().check(z.describe("wall-clock time, UTC"));
const Stage = z.enum(["early", "late"]);

const unitFacts = {
  name: z.string(),
  prerequisite: z.boolean().check(z.describe("not requested; another unit of the run requires it")),
  requires: Texts,
  seconds: z.optional(Seconds).check(z.describe("absent until it has ended")),
  notes: Texts.check(z.describe("warnings that stopped nothing")),
};

const Unit = z.discriminatedUnion("outcome", [
  z.object({ ...unitFacts, outcome: z.literal("unchanged"), activated: Texts }),
  z.object({ ...unitFacts, outcome: z.literal("changed"), provisioned: Texts, activated: Texts }),
  z.object({ ...unitFacts, outcome: z.literal("degraded"), problem: Problem }),
  z.object({ ...unitFacts, outcome: z.literal("failed"), problem: Problem }),
  z.object({ ...unitFacts, outcome: z.literal("skipped"), because: Texts }),
  z.object({ ...unitFacts, outcome: z.enum(["running", "not started"]) }),
]);

const Interrupted = z.extend(UnfinishedRun, {
  redone: z.array(z.object({ unit: z.string(), actions: Texts })).check(z.describe("what was done for the units at which it was cut off")),
});

const Run = z.object({
  run: z.enum(["boot", "early", "late", "run"]).check(z.describe("the boot, or a half of it, or run for what else an operator started")),
  outcome: z.enum(["done", "degraded", "failed", "stopped", "unfinished"]),
  bootId: z.string(),
  version: z.string(),
  slot: z.optional(Slot),
  time: Time,
  seconds: z.optional(Seconds).check(z.describe("absent until it has ended")),
  counts: Counts,
  units: z.array(Unit),
  interrupted: z.optional(Interrupted).check(z.describe("a run before this one that was cut off, by a lost power or a kill")),
});

const Status = z.object({
  bootId: z.string(),
  slot: z.optional(Slot),
  version: z.string(),
  outcome: z.enum(["done", "degraded", "failed", "running", "cut off"]),
  seconds: Seconds,
  counts: Counts,
  units: z.array(Unit).check(z.describe("the latest word on each")),
  runs: z.array(Run),
  torn: z.boolean().check(z.describe("the last line of the record is incomplete")),
});

const plannedFacts = { name: z.string(), notes: Texts };

const Plan = z.object({
  units: z.array(
    z.discriminatedUnion("plan", [
      z.object({ ...plannedFacts, plan: z.enum(["nothing", "stopped"]) }),
      z.object({
        ...plannedFacts,
        plan: z.literal("to-do"),
        actions: z.array(z.object({ description: z.string(), effect: z.enum(["provision", "activate"]) })),
      }),
      z.object({
        ...plannedFacts,
        plan: z.literal("problem"),
        problem: Problem,
        partial: z.optional(z.literal(true)).check(z.describe("all but what the problem is about is as it should be")),
      }),
      z.object({ ...plannedFacts, plan: z.literal("later"), once: Texts.check(z.describe("the units that have something to do first")) }),
      z.object({ ...plannedFacts, plan: z.literal("blocked"), because: Texts }),
    ]),
  ),
});

const List = z.object({
  units: z.array(
    z.object({
      name: z.string(),
      title: z.string(),
      stage: Stage,
      onFailure: z.enum(["stop", "degrade"]),
      timeoutSeconds: Seconds,
      requires: Texts,
      after: Texts,
      owns: Texts.check(z.describe("the paths that it alone writes")),
    }),
  ),
});

const LongestPath = z
  .object({ seconds: z.number(), path: z.array(z.object({ unit: z.string(), seconds: z.number() })) })
  .check(z.describe("the path whose timeouts have the largest sum; each unit's own includes its retries"));

const Verify = z.object({
  sound: z.boolean(),
  units: Count.check(z.describe("of this machine's own chain, or of the one that was named")),
  problems: z.array(Problem),
  profiles: z.array(
    z.object({ name: z.string(), units: Count, problems: z.array(Problem), bounds: z.object({ ready: LongestPath, end: LongestPath }) }),
  ),
});

const whichPlan = { unit: z.string(), plan: Count.check(z.describe("of that unit, from 1")) };
const Replay = z.object({
  run: z.exactOptional(
    z.object({
      version: z.string(),
      profile: z.string(),
      configuration: Texts.check(z.describe("files of /etc/guestos-boot that it had")),
    }),
  ),
  plans: z.array(
    z.discriminatedUnion("kind", [
      z.object({ kind: z.literal("same"), ...whichPlan, decision: Decision }),
      z.object({ kind: z.literal("differs"), ...whichPlan, recorded: Decision, now: Decision }),
      z.object({
        kind: z.literal("not decided"),
        ...whichPlan,
        unknown: Texts.check(z.describe("what it asked for, and is not in the record")),
      }),
    ]),
  ),
  unknownUnits: Texts.check(z.describe("of the record, which this version has not")),
});

const Inspections = z.object({ inspections: z.array(Inspection) });

const Doctor = z.object({
  sound: z.boolean().check(z.describe("everything was inspected, and nothing is wrong")),
  findings: z
    .array(
      z.object({
        check: z.string(),
        level: z.enum(["wrong", "unknown", "notice"]).check(z.describe("unknown: it could not be inspected. notice: nothing is wrong")),
        problem: Problem.check(z.describe("todo: how to repair it")),
        seen: z.string().check(z.describe("the command or file that shows it again")),
      }),
    )
    .check(z.describe("worst first")),
  checks: z.array(
    z.object({
      name: z.string(),
      title: z.string().check(z.describe("what it makes sure of")),
      outcome: z.enum(["fine", "notice", "unknown", "wrong"]),
      fact: z.optional(z.string()).check(z.describe("what was seen; absent where something is wrong or unknown")),
    }),
  ),
});

const PartitionContent = z.object({ bytes: Count, digest: Sha256 });
const image = { version: z.string(), sha256: Sha256, boot: PartitionContent, root: PartitionContent };

const SlotState = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("nothing") }),
  z.object({ kind: z.literal("damaged"), problem: Problem }),
  z.object({ kind: z.literal("incomplete"), install: z.string(), sha256: z.optional(Sha256), since: Time }),
  z.object({ kind: z.literal("installed"), install: z.string(), ...image, at: Time }),
  z.object({ kind: z.literal("proven"), version: z.string(), image: z.optional(z.object(image)), at: Time }),
  z.object({ kind: z.literal("failed"), reason: z.string(), version: z.optional(z.string()), sha256: z.optional(Sha256), at: Time }),
]);

const UpgradeStatus = z.object({
  running: Slot,
  version: z.optional(z.string()),
  phase: z.enum(["stable", "committed", "trial", "rolled-back", "not-as-booted"]),
  next: Slot.check(z.describe("what the next boot starts")),
  grubenv: z.object({
    alternative: Slot,
    cycle: z.enum(["install", "stable", "first_boot", "failsafe_check"]),
    trial: z.optional(Slot),
    readable: z.boolean(),
    faults: Texts,
  }),
  slots: z.object({ A: SlotState, B: SlotState }),
  toDo: Texts.check(z.describe("what the next boot or upgrade command does before anything else")),
  refused: z.union([z.array(z.object({ sha256: Sha256, reason: z.string(), at: Time })), z.object({ problem: Problem })]),
});

const Check = z.object({ name: z.string(), problem: z.optional(Problem).check(z.describe("absent when it passed")) });

const Written = z.object({ written: Count, identical: Count, zeroed: Count }).check(z.describe("bytes"));
const Trust = z.enum(["hash", "signature", "insecure"]).check(z.describe("who vouched for it"));

const UpgradeInstall = z.object({
  slot: Slot,
  version: z.string(),
  sha256: Sha256,
  install: z.string().check(z.describe("its UUID, in the slot's record too")),
  beginning: z.enum(["fresh", "resumed", "restarted"]),
  hasManifest: z.boolean(),
  rootHash: z.optional(Sha256).check(z.describe("with which the root was verified; absent where the image has none")),
  received: Count.check(z.describe("bytes of the file")),
  boot: Written,
  root: Written,
  seconds: z.object({ receive: Seconds, readBack: Seconds }),
  trust: Trust,
});

const UpgradeVerify = z.object({
  version: z.string(),
  sha256: Sha256,
  bytes: Count,
  hasManifest: z.boolean(),
  trust: Trust,
  boot: Count.check(z.describe("bytes")),
  root: Count.check(z.describe("bytes")),
});

const ConfigImage = z.object({ out: z.string(), tarSha256: Sha256, config: Texts, data: Texts, warnings: Texts });

const Stored = z.nullable(z.record(z.string(), z.unknown()));

const NodeSystems = z
  .array(z.object({ name: z.string(), mac: z.string(), ipv6: z.optional(z.string()) }))
  .check(z.describe("the addresses that the node will have; none where the MAC address of the BMC is not known"));

const CheckNodeConfig = z.object({
  sound: z.boolean().check(z.describe("there is no mistake")),
  counts: z.object({ mistakes: Count, warnings: Count }),
  mistakes: z.array(Problem).check(z.describe("what the installer would refuse, or what keeps the node from working; at most 50")),
  warnings: z.array(Problem).check(z.describe("what is taken, and may not be what was meant; at most 50")),
  unknown: z.array(Problem).check(z.describe("what cannot be found out from the folder")),
  environment: z.nullable(z.enum(["mainnet", "testnet"])),
  systems: NodeSystems,
  accounts: z.nullable(z.record(z.string(), Count)).check(z.describe("the number of ssh keys; null without a folder of keys")),
  operatorKey: z.boolean(),
  hostosConfig: Stored.check(z.describe("config.json of the host, with [secret] for the operator's key; null where it cannot be made")),
  guestosConfig: Stored.check(z.describe("config.json of its guest, likewise")),
});

const CheckNodeHardware = z.object({
  sound: z.boolean().check(z.describe("there is no mistake, and nothing that could not be found out")),
  mistakes: z.array(Problem).check(z.describe("what the installer would refuse, or what keeps the node from working")),
  warnings: z.array(Problem).check(z.describe("what the installer warns of")),
  unknown: z.array(Problem).check(z.describe("what could not be found out: it may be a mistake")),
  rewardType: z.nullable(z.string()).check(z.describe("node_reward_type of config.ini; null where it has none that is usable")),
  processors: z.nullable(z.array(z.string())).check(z.describe("what is in each socket; null where it is not known, as below")),
  threads: z.nullable(Count),
  memory: z.nullable(Count).check(z.describe("bytes")),
  drives: z.nullable(
    z.array(
      z.object({
        path: z.string(),
        bytes: Count,
        model: z.nullable(z.string()),
        serial: z.nullable(z.string()),
        takenAs: z.nullable(z.enum(["system drive", "data drive"])).check(z.describe("null where it is left alone")),
        leftBecause: z.nullable(z.string()).check(z.describe("why it is left alone; null where it is taken")),
        lost: z
          .array(z.object({ path: z.string(), bytes: Count, holds: z.string().check(z.describe("what is on it, in words")) }))
          .check(z.describe("what is on a drive that is taken, layer by layer")),
      }),
    ),
  ),
  token: z
    .nullable(z.string())
    .check(z.describe("allows what is on the drives now to be replaced; null where that is not needed, or not known")),
  mgmtMac: z.nullable(z.string()).check(z.describe("the MAC address of the BMC, or that which deployment.json has in its place")),
  systems: NodeSystems,
  ports: z
    .array(
      z.object({
        name: z.string(),
        mac: z.nullable(z.string()),
        isCandidate: z.boolean().check(z.describe("whether the installer tries it")),
        hasLink: z.boolean(),
        speed: z.nullable(Count).check(z.describe("Mb/s; null where it is not known, as below")),
        highest: z.nullable(Count).check(z.describe("Mb/s that it can run at")),
        gateway: z.enum(["not asked", "not known", "answered", "answered, IPv4 silent", "silent", "no link", "address in use"]),
      }),
    )
    .check(z.describe("in the order in which the installer tries them")),
});

const RecoveryPassphrase = z.object({
  device: z.string(),
  state: z.enum(["none", "set", "unfinished"]).check(z.describe("unfinished: setting or removing it was cut off")),
  done: z
    .optional(z.enum(["added", "replaced", "finished", "removed", "unchanged"]))
    .check(z.describe("absent where it was only inspected")),
});

interface Published {
  readonly schema: z.ZodMiniType;
  /** Those that print it; none for what any of them prints. */
  readonly commands: readonly string[];
}

/** By the name of the file. */
const GuestStatus = z.object({
  machine: z.union([
    z.object({ state: z.enum(["running", "paused", "crashed", "shut off", "absent"]) }),
    z.object({ problem: Problem.check(z.describe("why it could not be inspected")) }),
  ]),
  service: z.optional(GuestState).check(z.describe("what the service told last; absent where it has not run since the host started")),
});

export const documents = {
  run: { schema: Run, commands: ["run"] },
  plan: { schema: Plan, commands: ["plan"] },
  list: { schema: List, commands: ["list", "graph"] },
  verify: { schema: Verify, commands: ["verify"] },
  replay: { schema: Replay, commands: ["replay"] },
  status: { schema: Status, commands: ["status"] },
  "analyze-time": { schema: TimeDocument, commands: ["analyze time"] },
  "analyze-blame": { schema: BlameDocument, commands: ["analyze blame"] },
  "analyze-critical-chain": { schema: CriticalChainDocument, commands: ["analyze critical-chain"] },
  "analyze-plot": { schema: TimelineDocument, commands: ["analyze plot", "analyze report"] },
  "analyze-diff": { schema: DiffDocument, commands: ["analyze diff"] },
  why: { schema: WhyDocument, commands: ["why"] },
  doctor: { schema: Doctor, commands: ["doctor"] },
  monitor: { schema: Inspections, commands: ["monitor"] },
  "upgrade-status": { schema: UpgradeStatus, commands: ["upgrade status"] },
  "upgrade-slot": {
    schema: z.object({
      slot: Slot,
      device: z.optional(z.string()).check(z.describe("of its root partition, where --partition asks for it")),
    }),
    commands: ["upgrade current", "upgrade target", "upgrade next"],
  },
  "upgrade-decide": {
    schema: z.object({ next: Slot, restart: z.boolean().check(z.describe("the machine restarts now")) }),
    commands: ["upgrade commit", "upgrade rollback"],
  },
  "upgrade-confirm": {
    schema: z.object({ slot: Slot, confirmed: z.literal(true), changed: z.boolean(), checks: z.array(Check) }),
    commands: ["upgrade confirm"],
  },
  "upgrade-install": { schema: UpgradeInstall, commands: ["upgrade install"] },
  "upgrade-verify": { schema: UpgradeVerify, commands: ["upgrade verify"] },
  "upgrade-forget": { schema: z.object({ sha256: Sha256, forgotten: z.boolean() }), commands: ["upgrade forget"] },
  "recovery-passphrase": {
    schema: RecoveryPassphrase,
    commands: ["recovery-passphrase status", "recovery-passphrase set", "recovery-passphrase remove"],
  },
  "guest-status": { schema: GuestStatus, commands: ["guest status"] },
  "guest-slot": {
    schema: z.object({
      next: Slot,
      onTrial: z.boolean(),
      grubenv: z.object({
        alternative: Slot,
        cycle: z.enum(["install", "stable", "first_boot", "failsafe_check"]),
        trial: z.optional(Slot),
      }),
    }),
    commands: ["guest slot"],
  },
  host: {
    schema: z.object({ reply: Payload }),
    commands: [
      ...["host version", "host protocol", "host attach-hsm", "host detach-hsm"],
      ...["host start-upgrade-vm", "host notify", "host upgrade"],
    ],
  },
  "check-node-config": { schema: CheckNodeConfig, commands: ["check-node-config"] },
  "check-node-hardware": { schema: CheckNodeHardware, commands: ["check-node-hardware"] },
  "config-image": { schema: ConfigImage, commands: ["config-image"] },
  error: {
    schema: z.object({ exitCode: z.int().check(z.minimum(1)).check(z.describe("the exit status of the program")), problem: Problem }),
    commands: [],
  },
} as const satisfies Readonly<Record<string, Published>>;

export type DocumentName = keyof typeof documents;
