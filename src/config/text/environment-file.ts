/**
 * A file for EnvironmentFile= (systemd.exec(5)). The values are words that were checked when they were read. A value that could end the
 * quotes is a defect of this program, and is not written.
 *
 * @param values by name; `undefined` for a variable that is not set
 * @throws Error for a value that cannot be written
 */
export function environmentFile(values: Readonly<Record<string, string | undefined>>): string {
  const lines = Object.entries(values).flatMap(([name, value]) => {
    if (value === undefined) return [];
    if (!/^[\x20-\x7e]*$/.test(value) || /["\\$`]/.test(value))
      throw new Error(`the value of ${name} cannot be written into an environment file`);
    return [`${name}="${value}"\n`];
  });
  return `# Made by guestos-boot from /boot/config, and made again when that changes.\n${lines.join("")}`;
}
