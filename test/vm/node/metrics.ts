import { X509Certificate } from "node:crypto";
import { describe, expect, test } from "vitest";
import { metricsPage } from "../support/reach.ts";
import { node } from "./story.ts";

describe("metrics", () => {
  test("metrics are served over TLS with the node's own certificate", () =>
    node.use(async (vm) => {
      const certificate = await vm.shell.ok("cat /boot/config/node_exporter/node_exporter.crt");
      const { text, fingerprint } = await metricsPage(vm, certificate);
      expect(fingerprint).toBe(new X509Certificate(certificate).fingerprint256);
      expect(text).toContain("\nnode_timex_sync_status ");
      expect(await vm.shell.ok("systemctl show --property NRestarts,ActiveState node_exporter.service")).toBe(
        "NRestarts=0\nActiveState=active\n",
      );
      expect(text).toContain(`nodename="${(await vm.shell.ok("uname --nodename")).trim()}"`);
      expect(await vm.shell.ok("stat --format '%a %U:%G' /etc/node_exporter/node_exporter.key")).toBe("640 root:node_exporter\n");
    }));
});
