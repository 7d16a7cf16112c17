import { expect, test } from "vitest";
import { bindingOf } from "../../../../src/system/disks/bind-source.ts";
import { parseMountinfo } from "../../../../src/system/disks/mounts.ts";

const BASE = `22 1 254:5 / / ro,relatime shared:1 - ext4 /dev/vda5 ro
24 22 0:23 / /run rw,nosuid,nodev shared:5 - tmpfs tmpfs rw,mode=755
25 24 0:24 / /run/lock rw,nosuid,nodev shared:6 - tmpfs tmpfs rw
`;
const SOURCE = "/run/ic-node/etc/ssh";

function binding(...lines: readonly string[]): string {
  return bindingOf(parseMountinfo(`${BASE}${lines.join("\n")}\n`), SOURCE, "/etc/ssh");
}

test("a bind mount of the folder is bound", () => {
  expect(binding("30 22 0:23 /ic-node/etc/ssh /etc/ssh ro,nosuid,nodev,noexec shared:5 - tmpfs tmpfs rw")).toBe("bound");
});

test("nothing mounted there is something else", () => {
  expect(binding()).toBe("other");
});

test("the same path of another file system is something else", () => {
  expect(binding("30 22 0:24 /ic-node/etc/ssh /etc/ssh ro shared:5 - tmpfs tmpfs rw")).toBe("other");
});

test("another path of the same file system is something else", () => {
  expect(binding("30 22 0:23 /ic-node/etc /etc/ssh ro shared:5 - tmpfs tmpfs rw")).toBe("other");
});

test("what is below another mount is not what counts", () => {
  const ours = "30 22 0:23 /ic-node/etc/ssh /etc/ssh ro shared:5 - tmpfs tmpfs rw";
  expect(binding(ours, "31 30 0:24 / /etc/ssh rw - tmpfs tmpfs rw")).toBe("other");
});

test("a mount of what had that name and was replaced is stale", () => {
  expect(binding("30 22 0:23 /ic-node/etc/ssh//deleted /etc/ssh ro shared:5 - tmpfs tmpfs rw")).toBe("stale");
});

test("the source is seen from the mount that holds it, however deep", () => {
  const deep = "29 24 0:40 / /run/ic-node rw - tmpfs tmpfs rw";
  expect(binding(deep, "30 22 0:40 /etc/ssh /etc/ssh ro - tmpfs tmpfs rw")).toBe("bound");
  expect(binding(deep, "30 22 0:23 /ic-node/etc/ssh /etc/ssh ro - tmpfs tmpfs rw")).toBe("other");
});
