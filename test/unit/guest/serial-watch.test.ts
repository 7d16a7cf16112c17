import fc from "fast-check";
import { expect, test } from "vitest";
import { SerialWatch } from "../../../src/guest/serial-watch.ts";

const FILE = "/serial.log";

/** A log that a test appends to, and rotates as virtlogd does. */
function growing() {
  let content = Buffer.alloc(0);
  let moved: Buffer | undefined;
  const at = (file: string) => (file === FILE ? content : moved);
  const host = {
    stat: async (file: string) => {
      const size = at(file)?.length;
      return size === undefined ? undefined : { kind: "file" as const, mode: 0o600, uid: 0, gid: 0, size };
    },
    readAt: async (file: string, offset: number, length: number) => at(file)?.subarray(offset, offset + length),
  };
  return {
    host,
    append: (more: string | Uint8Array) => void (content = Buffer.concat([content, Buffer.from(more)])),
    rotate: (next: string) => {
      moved = content;
      content = Buffer.from(next);
    },
  };
}

test("a word is heard however it is cut into pieces", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(40), { maxLength: 10 }), async (cuts) => {
      const log = growing();
      const watch = new SerialWatch(log.host, FILE);
      const text = "[  1.0] x\r\n\r\nGUESTOS BOOT SUCCESS\r\nlogin:";
      const places = [0, ...cuts.toSorted((one, two) => one - two), text.length];
      for (let index = 1; index < places.length; index += 1) {
        log.append(text.slice(places[index - 1], places[index]));
        await watch.read();
      }
      expect(watch.said).toBe("success");
      expect(watch.lastLines).toEqual(["[  1.0] x", "GUESTOS BOOT SUCCESS", "login:"]);
    }),
  );
});

test("the last word counts", async () => {
  const log = growing();
  const watch = new SerialWatch(log.host, FILE);
  expect(watch.said).toBe("nothing");
  log.append("GUESTOS BOOT SUCCESS\n");
  await watch.read();
  log.append("GUESTOS BOOT FAILURE\n");
  await watch.read();
  expect(watch.said).toBe("failure");
});

test("a word that a rotation cuts in two is heard, and so is one after it", async () => {
  const log = growing();
  const watch = new SerialWatch(log.host, FILE);
  log.append("a long beginning of the log\nGUESTOS BOOT SUC");
  await watch.read();
  log.rotate("CESS\n");
  await watch.read();
  expect(watch.said).toBe("success");
});

test("what was written between the last look and a rotation is heard as well, and no byte twice", async () => {
  const log = growing();
  const heard: string[] = [];
  const watch = new SerialWatch(log.host, FILE, { heard: (line) => void heard.push(line) });
  log.append("a long beginning of the log\n");
  await watch.read();
  log.append("GUESTOS BOOT SUCCESS\n");
  log.rotate("login:\n");
  await watch.read();
  expect(watch.said).toBe("success");
  expect(heard).toEqual(["a long beginning of the log", "GUESTOS BOOT SUCCESS", "login:"]);
});

test("what is known already counts until a later word", async () => {
  const log = growing();
  const watch = new SerialWatch(log.host, FILE, { said: "success" });
  log.append("login:\n");
  await watch.read();
  expect(watch.said).toBe("success");
  log.append("GUESTOS BOOT FAILURE\n");
  await watch.read();
  expect(watch.said).toBe("failure");
});

test("a line without an end takes no memory, and a flood no more than 8 MiB at a time", async () => {
  const log = growing();
  log.append(Buffer.alloc(9 * 1024 * 1024, "x"));
  log.append("\nGUESTOS BOOT SUCCESS\n");
  const watch = new SerialWatch(log.host, FILE);
  await watch.read();
  expect(watch.said).toBe("nothing");
  expect(watch.lastLines.join("").length).toBeLessThanOrEqual(200);
  await watch.read();
  expect(watch.said).toBe("success");
});

test("two reads at once take each byte once, and the second one has what was there when it was called", async () => {
  const log = growing();
  const heard: string[] = [];
  const watch = new SerialWatch(log.host, FILE, { heard: (line) => void heard.push(line) });
  log.append("one\ntwo\n");
  const first = watch.read();
  log.append("GUESTOS BOOT SUCCESS\n");
  await watch.read();
  await first;
  expect(heard).toEqual(["one", "two", "GUESTOS BOOT SUCCESS"]);
  expect(watch.said).toBe("success");
});

test("a read that failed does not keep the next one from reading", async () => {
  const log = growing();
  let isBroken = true;
  const stat = async () => (isBroken ? Promise.reject(new Error("EIO")) : log.host.stat(FILE));
  const watch = new SerialWatch({ ...log.host, stat }, FILE);
  log.append("GUESTOS BOOT SUCCESS\n");
  await expect(watch.read()).rejects.toThrow("EIO");
  isBroken = false;
  await watch.read();
  expect(watch.said).toBe("success");
});

test("a listener gets long lines too, up to 4096 characters; the last lines are cut at 200", async () => {
  const log = growing();
  const heard: string[] = [];
  const watch = new SerialWatch(log.host, FILE, { heard: (line) => void heard.push(line) });
  log.append(`${"x".repeat(1000)}\n${"y".repeat(5000)}\nlogin: `);
  await watch.read();
  expect(heard.map((line) => line.length)).toEqual([1000, 4096]);
  expect(watch.lastLines.map((line) => line.length)).toEqual([200, 200, 7]);
  expect(watch.rest).toBe("login: ");
});

test("what is shown has no control characters, and no escape sequences", async () => {
  const log = growing();
  const shown: string[] = [];
  const watch = new SerialWatch(log.host, FILE, { heard: (line) => void shown.push(line) });
  log.append("\u001b[2J\u001b[1;31mred\u001b[0m\u0007\0 \u001b]0;title\u0007 \u009b2J\n");
  await watch.read();
  expect(shown).toEqual(watch.lastLines);
  expect(shown.join("")).not.toMatch(/[\0-\u001f\u007f-\u009f]/);
  expect(shown.join("")).toContain("red");
});

test("a log that is not there says nothing", async () => {
  const watch = new SerialWatch({ stat: async () => undefined, readAt: async () => undefined }, FILE);
  await watch.read();
  expect(watch).toMatchObject({ said: "nothing", lastLines: [] });
});
