import { createSocket } from "node:dgram";
import { once } from "node:events";

/** Seconds from 1900, where NTP begins, to 1970. */
const EPOCH = 2_208_988_800;

/**
 * Answers for the time, with that of this machine (RFC 5905, section 7.3). An emulated machine reaches the loopback address of IPv6 as its
 * router's.
 */
export async function startNtpServer(): Promise<{ readonly port: number; readonly answers: () => number; readonly stop: () => void }> {
  const socket = createSocket("udp6");
  let answers = 0;
  socket.on("message", (asked, { address, port }) => {
    const answer = Buffer.alloc(48);
    // The asker's version, and "server".
    answer[0] = ((asked[0] ?? 0) & 0x38) | 4;
    // Of a clock of its own, with a precision of a microsecond.
    answer[1] = 1;
    answer[2] = asked[2] ?? 0;
    answer.writeInt8(-20, 3);
    answer.write("LAB", 12, "latin1");
    const now = Date.now() / 1000 + EPOCH;
    for (const at of [16, 32, 40]) {
      answer.writeUInt32BE(Math.floor(now), at);
      answer.writeUInt32BE(Math.floor((now % 1) * 2 ** 32), at + 4);
    }
    asked.copy(answer, 24, 40, 48);
    answers += 1;
    socket.send(answer, port, address);
  });
  socket.bind(0, "::1");
  await once(socket, "listening");
  return { port: socket.address().port, answers: () => answers, stop: () => socket.close() };
}
