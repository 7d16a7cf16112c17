import { expect, test } from "vitest";
import { addToJournal, journalEntry, lastWords, passedDescriptor, prefixedLines } from "../../../../src/system/systemd/journal.ts";
import { fakeHost } from "../../../support/fake-host.ts";

test("a field of one line is written as name=value, a list as a field for each of its values", () => {
  expect(journalEntry({ MESSAGE: "all = well", GUESTOS_TAG: ["a", "b"] }).toString()).toBe(
    "MESSAGE=all = well\nGUESTOS_TAG=a\nGUESTOS_TAG=b\n",
  );
});

test("a value with a line end is preceded by its length, so that nothing in it can pass for a field", () => {
  const value = "héllo\nPRIORITY=0";
  const length = Buffer.byteLength(value);
  const expected = Buffer.concat([Buffer.from("MESSAGE\n"), Buffer.from([length, 0, 0, 0, 0, 0, 0, 0]), Buffer.from(`${value}\n`)]);
  expect(journalEntry({ MESSAGE: value })).toEqual(expected);
});

test("a value that would not fit into a datagram is cut", () => {
  const entry = journalEntry({ MESSAGE: "x".repeat(500_000) });
  expect(entry.length).toBeLessThan(40_000);
  expect(entry.toString()).toMatch(/x…\n$/);
});

test.each([
  [{ LISTEN_PID: "7", LISTEN_FDS: "2", LISTEN_FDNAMES: "other:journal" }, 4],
  [{ LISTEN_PID: "7", LISTEN_FDS: "1", LISTEN_FDNAMES: "other" }, undefined],
  // What was meant for a parent is not for us.
  [{ LISTEN_PID: "6", LISTEN_FDS: "1", LISTEN_FDNAMES: "journal" }, undefined],
  [{ LISTEN_PID: "7", LISTEN_FDS: "0", LISTEN_FDNAMES: "journal" }, undefined],
  [{}, undefined],
])("of %j the descriptor named journal is %s", (env, descriptor) => {
  expect(passedDescriptor("journal", env, 7)).toBe(descriptor);
});

test("every line of a text carries its level", () => {
  expect(prefixedLines("warn", "one\n  two")).toBe("<4>one\n<4>  two");
});

test("an entry is added by a tool, and a line end in it ends no field", async () => {
  const host = fakeHost({ commands: { "logger --journald": "" } });
  await addToJournal(host, { MESSAGE: "one\nPRIORITY=0", GUESTOS_TAG: ["a", "b"] });
  expect(host.effects).toEqual(["run logger --journald"]);
});

const JOURNALCTL = "journalctl --boot --unit=x.service --lines=5 --output=cat --quiet --no-pager";

test("a service's last words are its last lines, and none when no one can tell", async () => {
  expect(await lastWords(fakeHost({ commands: { [JOURNALCTL]: "one\n\ntwo\n" } }), "x.service")).toEqual(["one", "two"]);
  expect(await lastWords(fakeHost({ commands: { [JOURNALCTL]: { status: 1 } } }), "x.service")).toEqual([]);
});
