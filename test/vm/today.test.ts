import { expect, test, vi } from "vitest";
import { image } from "../../image/paths.ts";
import { makeDisk } from "../../lab/disk.ts";
import { withPanicRetry } from "../../lab/panic-retry.ts";
import { looseMedium, seedMedium, seedTar, type Tree } from "../support/todays-media.ts";
import { BOOT_TIMEOUT, diskOf } from "./support/node.ts";
import { boot, DIGEST, DONE, KEY, SSH_KEY, TODAY } from "./support/todays-boots.ts";

/**
 * Media of two eras, made by GNU tar and mtools as the hosts of each make them, on whole boots of one node. The third one is in
 * test/power/todays-node.test.ts. A later boot with the same medium is in test/system/units/injection/guestos-config.test.ts, on the
 * chain's first units.
 */
vi.setConfig({ testTimeout: 6 * BOOT_TIMEOUT });

const OLD: Tree = {
  "network.conf": "ipv6_address=2001:db8:7::16/64\r\nipv6_gateway=2001:db8:7::1\nhostname=guest-old\ndomain=\n",
  "nns.conf": "nns_url=https://icp-api.io,https://icp0.io\n",
  "node_operator_private_key.pem": KEY,
  "accounts_ssh_authorized_keys/admin": SSH_KEY,
};

test("a node of the seed era changes over to today's host, and back, and keeps its keys", async () =>
  withPanicRetry(async () => {
    const name = "today-change-over";
    const disk = await makeDisk({ backing: image.disk, path: diskOf(name), size: "12G" });
    const old = { hostname: "guest-old", addresses: ["2001:db8:7::16/64"], key: `${DIGEST} 600 ic-replica`, accounts: "admin" };
    const seed = seedMedium(seedTar(OLD));
    expect(await boot({ name, disk, medium: seed })).toMatchObject({ ...old, inForce: false, status: DONE });
    const changed = await boot({ name, disk, medium: looseMedium(TODAY) });
    expect(changed).toMatchObject({
      ...old,
      hostname: "guest-b07b25c8f6c0",
      addresses: ["2001:db8:7::17/64"],
      inForce: true,
      status: DONE,
    });
    expect(changed.injection).toContain("the host hands over config.json now");
    const back = await boot({ name, disk, medium: seed, isLast: true });
    expect(back).toMatchObject({ ...old, inForce: false, status: DONE });
    expect(back.injection).toContain("the host hands over *.conf files again");
  }));
