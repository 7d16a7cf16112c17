import { ProblemError } from "../../base/problem.ts";
import { readHostosConfig } from "../../config/hostos-config.ts";
import { answersHttp } from "../../system/network/answers-http.ts";
import { unit } from "../machine.ts";
import { checkTime } from "./check-time.ts";
import { checksLeftOut } from "./stick.ts";

/** Afterwards one of the addresses of the NNS has answered over HTTP, whatever it said. It changes nothing. */
export const checkNns = unit({
  name: "check-nns",
  title: "Check that the NNS can be reached",
  requires: [checkTime],
  timeout: 300_000,
  retryFor: 60_000,
  absent: checksLeftOut,
  async plan({ host, layout }) {
    const { nns_urls: urls } = (await readHostosConfig(host, layout)).config.icos_settings;
    for (const url of urls) if (await answersHttp(host, url)) return [];
    throw new ProblemError(
      {
        code: "nns-not-reached",
        what: "no node of the NNS answers",
        found: `no answer of ${urls.join(", ")}`,
        expected: "one that answers",
        todo: "ask the data centre whether HTTPS passes to the outside, and whether name servers are reached",
      },
      { retryable: true },
    );
  },
});
