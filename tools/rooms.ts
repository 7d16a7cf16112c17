/**
 * The rooms of src/, from the ground up, and what each one may import: never what is above it. oxlint.config.ts refuses any other import, and
 * test/unit/docs/architecture.test.ts holds the table, and the picture of it in ARCHITECTURE.md, against the imports that there are.
 */
export const rooms = {
  base: [],
  system: ["base"],
  tar: ["base"],
  config: ["base", "system"],
  medium: ["base", "system", "tar", "config"],
  boot: ["base", "system", "config"],
  upgrade: ["base", "system", "tar", "config"],
  vsock: ["base", "system", "config"],
  setupos: ["base", "system", "config", "upgrade"],
  units: ["base", "system", "config", "medium", "boot", "upgrade", "setupos"],
  metrics: ["base", "system", "config", "boot", "upgrade"],
  guest: ["base", "system", "config", "upgrade", "metrics"],
  profiles: ["base", "system", "config", "medium", "boot", "upgrade", "units", "guest"],
  run: ["base", "system", "config", "boot", "upgrade", "units", "profiles", "metrics"],
  monitor: ["base", "system", "config", "boot", "units", "metrics", "run"],
  doctor: ["base", "system", "config", "medium", "boot", "upgrade", "units", "run"],
  analyze: ["base", "system", "config", "boot"],
  cli: [
    "base",
    "system",
    "config",
    "medium",
    "boot",
    "upgrade",
    "units",
    "profiles",
    "metrics",
    "run",
    "monitor",
    "doctor",
    "guest",
    "analyze",
    "vsock",
    "setupos",
  ],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type Room = keyof typeof rooms;

export const roomNames = Object.keys(rooms) as readonly Room[];

/** The arrows of the picture: those imports of a room that none of its other imports makes by itself. */
function arrowsOf(room: Room): readonly Room[] {
  const direct: readonly Room[] = rooms[room];
  const reached = new Set(direct.flatMap((other) => [...below(other)]));
  return direct.filter((other) => !reached.has(other));
}

function below(room: Room): ReadonlySet<Room> {
  const direct: readonly Room[] = rooms[room];
  return new Set(direct.flatMap((other) => [other, ...below(other)]));
}

/** The picture in ARCHITECTURE.md, in Mermaid's language. */
export function roomsPicture(): string {
  return ["graph TD", ...roomNames.toReversed().flatMap((room) => arrowsOf(room).map((other) => `  ${room} --> ${other}`))].join("\n");
}
