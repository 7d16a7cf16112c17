import { ProblemError } from "../base/problem.ts";
import { Secret } from "../base/secret.ts";
import { parseBnVars } from "../config/bn-vars.ts";
import { checkCanisterList, checkDenylist, LONGEST_CANISTER_LIST } from "../config/values/canisters.ts";
import { checkCertificateIssuerConf } from "../config/certificate-issuer-conf.ts";
import { accountFiles, networkFiles } from "./common-medium.ts";
import { refuseFindings } from "../base/finding.ts";
import { checkIcBoundaryConf } from "../config/ic-boundary-conf.ts";
import { type ConfigFile, type MediumContents, quiet } from "./medium-contents.ts";
import { checkPrivateKey, checkPublicKey } from "../config/values/pem.ts";
import { textLines } from "../config/text/text-lines.ts";

/** Mode of files that hold passwords or keys. */
const SECRET = 0o600;

/** The medium of a Boundary-GuestOS. All of it stays on the config partition, because no other persistent one is mounted. */
export const boundaryMedium: MediumContents = {
  configFiles: new Map<string, ConfigFile>([
    ...networkFiles,
    ["bn_vars.conf", { check: quiet(parseBnVars), mode: SECRET }],
    ["ic_boundary.conf", { check: quiet(checkIcBoundaryConf) }],
    ["certificate_issuer.conf", { check: quiet(checkCertificateIssuerConf), mode: SECRET }],
    ["certificate_issuer_identity.pem", { check: quiet((content, file) => checkPrivateKey(new Secret(content), file)), mode: SECRET }],
    ["certificate_issuer_enc_key.pem", { check: quiet(checkKeyText), mode: SECRET }],
    ["denylist.json", { check: quiet(checkDenylist), longest: LONGEST_CANISTER_LIST }],
    ["canister-ratelimit.yml", { check: quiet(checkText) }],
    ["pre_isolation_canisters.txt", { check: quiet(checkCanisterList), longest: LONGEST_CANISTER_LIST }],
    ["nns_public_key.pem", { check: quiet(checkPublicKey) }],
    ...accountFiles,
  ]),
  dataFiles: new Map(),
  trees: ["certs", "buildinfo", "geolite2_dbs", "ic_registry_local_store"],
  home: (layout) => layout.mountPoints.config,
  mounted: new Map(),
  owner: "root",
  isSecret: (target) => target === "certs",
};

/** For a file that is passed on unchanged: only its form is checked, and its content is never shown. */
function checkText(content: Uint8Array, file: string): void {
  refuseFindings(file, textLines(content, file, { tabs: true }).findings);
}

/** For a key whose format only the issuer knows: any text but an empty one. */
function checkKeyText(content: Uint8Array, file: string): void {
  checkText(content, file);
  if (Buffer.from(content).toString("latin1").trim() !== "") return;
  throw new ProblemError({
    code: "key-file-empty",
    what: "the file does not hold a key",
    where: { file },
    found: "an empty file",
    todo: "use the file as the tool that made the key wrote it, or leave it out",
  });
}
