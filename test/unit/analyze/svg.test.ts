import fc from "fast-check";
import { expect, test } from "vitest";
import { element, escapeXml, fitted, STYLE, textWidth } from "../../../src/analyze/svg.ts";
import { elementsOf } from "../../support/markup.ts";

test("whatever the text: it stays text, between tags and in an attribute", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary-ascii" }), (content) => {
      expect(elementsOf(element("g", { "aria-label": content }, escapeXml(content)))).toEqual(["g"]);
      expect(escapeXml(content)).not.toMatch(/[<>"'\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/);
    }),
  );
});

test("control characters and lone surrogates, for which XML has no place, are replaced", () => {
  expect(escapeXml("a\u0000b\ud800c\u001b[31m")).toBe("a\ufffdb\ufffdc\ufffd[31m");
  expect(escapeXml("volumes 🚀 & <b>")).toBe("volumes 🚀 &amp; &lt;b&gt;");
});

test("text that is too wide is cut with an ellipsis", () => {
  expect(fitted("mount-boot", 200)).toBe("mount-boot");
  const cut = fitted("a-unit-with-a-very-long-name-indeed", 100);
  expect(cut).toMatch(/^a-unit.*…$/);
  expect(textWidth(cut)).toBeLessThanOrEqual(100);
  expect(fitted("unit", 2)).toBe("");
});

test("the style sheet holds nothing that would have to be escaped", () => {
  expect(STYLE).not.toMatch(/[<&]/);
  // No font, picture or style from elsewhere; url(#…) is in the same document.
  expect(STYLE).not.toMatch(/@import|@font-face|https?:|url\((?!#)/);
});

test.each(["light", "dark"])("every text has a contrast of at least 4.5 to the %s paper (WCAG 2, AA)", (theme) => {
  const blocks = [...STYLE.matchAll(/\.gb \{ (--paper[^}]*)\}/g)].map(([, block = ""]) => block);
  const colours = new Map(
    [...(blocks[theme === "light" ? 0 : 1] ?? "").matchAll(/--([a-z-]+):(#[0-9a-f]{6})/g)].map(([, name = "", value = ""]) => [
      name,
      value,
    ]),
  );
  const luminance = (hex: string): number =>
    [1, 3, 5]
      .map((at) => parseInt(hex.slice(at, at + 2), 16) / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
      .reduce((sum, value, index) => sum + value * ([0.2126, 0.7152, 0.0722][index] ?? 0), 0);
  const contrast = (one: string, other: string): number => {
    const [bright = 0, dim = 0] = [luminance(one), luminance(other)].toSorted((a, b) => b - a);
    return (bright + 0.05) / (dim + 0.05);
  };
  for (const ink of ["ink", "soft"]) {
    for (const paper of ["paper", "stripe"])
      expect(contrast(colours.get(ink) ?? "", colours.get(paper) ?? ""), `${ink} on ${paper}`).toBeGreaterThan(4.5);
  }
});
