import { styleText } from "node:util";
import { noPaint, type Paint } from "../boot/show/run-text.ts";
import type { Terminal } from "./terminal.ts";

/** Colours for a terminal; plain text for everything else. */
export function paintFor({ colour }: Terminal): Paint {
  if (!colour) return noPaint;
  return (outcome, text) => {
    const style = STYLES[outcome];
    // `colour` already says that the output is a terminal.
    return style === undefined ? text : styleText(style, text, { validateStream: false });
  };
}

const STYLES = { changed: "green", unchanged: undefined, degraded: "yellow", skipped: "yellow", failed: "red" } as const;
