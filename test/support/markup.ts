/**
 * The names of a document's elements, in order, after checking that each one is closed where it must be and that no text
 * holds a bare `<` or `&`.
 *
 * @param empty elements that HTML leaves open
 * @throws Error that names the place
 */
export function elementsOf(markup: string, empty: readonly string[] = []): readonly string[] {
  const names: string[] = [];
  const open: string[] = [];
  let at = 0;
  for (const tag of markup.matchAll(/<([/!]?)([a-zA-Z][\w-]*)((?:\s+[\w:-]+(?:="[^"<]*")?)*)\s*(\/?)>/g)) {
    const between = markup.slice(at, tag.index);
    at = tag.index + tag[0].length;
    const style = open.at(-1) === "style";
    if (between.includes("<") || (!style && /&(?!(amp|lt|gt|quot|#39);)/.test(between)))
      throw new Error(`bare markup: ${between.slice(0, 80)}`);
    if (/&(?!(amp|lt|gt|quot|#39);)/.test(tag[3] ?? "")) throw new Error(`a bare & in ${tag[0]}`);
    const [, slash, name = "", , closed] = tag;
    if (slash === "!") continue;
    if (slash === "/") {
      const last = open.pop();
      if (last !== name) throw new Error(`${name} ends inside ${last}`);
      continue;
    }
    names.push(name);
    if (closed !== "/" && !empty.includes(name)) open.push(name);
  }
  if (open.length > 0 || markup.slice(at).includes("<")) throw new Error(`not closed: ${open.join(", ")}`);
  return names;
}
