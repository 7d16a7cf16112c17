import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

const PAUSE = 1_000;
const BANNER_WAIT = 10_000;

/**
 * Waits until an ssh server answers on a forwarded port.
 *
 * Its first words count, not the connection: QEMU takes that before it asks the guest. There is no event for a guest's
 * port, so it is asked again.
 *
 * @param timeout milliseconds
 * @returns whether it did
 */
export async function answersSsh(port: number, timeout: number): Promise<boolean> {
  for (const end = Date.now() + timeout; Date.now() < end; await delay(PAUSE)) {
    if ((await firstBytes(port)).startsWith("SSH-")) return true;
  }
  return false;
}

/** What the server says first; nothing when it closes, refuses, or keeps silent. */
function firstBytes(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    const end = (text: string): void => {
      socket.destroy();
      resolve(text);
    };
    socket.setTimeout(BANNER_WAIT, () => end(""));
    socket.once("data", (data) => end(data.toString("latin1")));
    socket.once("error", () => end(""));
    socket.once("close", () => end(""));
  });
}
