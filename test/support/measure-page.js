/**
 * Runs in a page (page-faults.ts): inspects every piece of text that is shown there, in HTML and in SVG. JavaScript, because the types of a
 * browser would be those of all sources too. The whole page has to be in the viewport: only there a browser says what lies at a point.
 *
 * Its value is what is wrong, in words.
 */
(() => {
  const faults = [];
  const pieces = textPieces();
  for (const piece of pieces) {
    const fault = outside(piece) ?? (isScrolledAway(piece) ? undefined : faint(piece));
    if (fault !== undefined) faults.push(`${quoted(piece)}: ${fault}`);
  }
  const sorted = pieces.toSorted((one, other) => one.rect.top - other.rect.top);
  for (const [index, piece] of sorted.entries()) {
    for (const other of sorted.slice(index + 1)) {
      if (other.rect.top >= piece.rect.bottom) break;
      if (overlap(piece.rect, other.rect)) faults.push(`${quoted(piece)} overlaps ${quoted(other)}`);
    }
  }
  const { scrollWidth } = document.documentElement;
  if (scrollWidth > window.innerWidth) faults.push(`the page is ${scrollWidth} px wide, and ${window.innerWidth} are shown`);
  for (const box of document.querySelectorAll("body *")) {
    const isBox = box.localName === "td" || box.localName === "th" || getComputedStyle(box).overflowX !== "visible";
    if (isBox && box.scrollWidth > box.clientWidth) {
      faults.push(
        `<${box.localName} class="${box.getAttribute("class")}"> has to be scrolled: ${box.scrollWidth} px in ${box.clientWidth}`,
      );
    }
  }
  return faults;

  /** Lines of text, each with its box. */
  function textPieces() {
    const found = [];
    const walker = document.createTreeWalker(document, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const element = node.parentElement;
      if (node.data.trim() === "" || element.closest("title, style, head") !== null || !element.checkVisibility()) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      for (const rect of range.getClientRects()) if (rect.width > 0) found.push({ element, text: node.data.trim(), rect });
    }
    return found;
  }

  function quoted({ text }) {
    return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
  }

  /** By more than the room that letters leave above and below. */
  function overlap(one, other) {
    const width = Math.min(one.right, other.right) - Math.max(one.left, other.left);
    const height = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
    return width > 1 && height > 3;
  }

  /** Whether it sticks out of what cuts it off, or of the box that was drawn for it. */
  function outside({ element, rect }) {
    const boxes = [];
    for (let around = element; around !== null; around = around.parentElement) {
      const style = getComputedStyle(around);
      if (around.localName === "svg" || (around instanceof HTMLElement && style.overflowX !== "visible" && style.overflowX !== "auto"))
        boxes.push(around);
    }
    const drawn =
      element.localName === "text" && element.parentElement.localName === "g" ? element.parentElement.querySelector("rect") : null;
    if (drawn !== null) boxes.push(drawn);
    for (const box of boxes) {
      const limits = box.getBoundingClientRect();
      const sides = {
        left: limits.left - rect.left,
        right: rect.right - limits.right,
        top: limits.top - rect.top,
        bottom: rect.bottom - limits.bottom,
      };
      for (const [side, pixels] of Object.entries(sides))
        if (pixels > 1) return `${pixels.toFixed(1)} px out of its <${box.localName}>, ${side}`;
    }
    return undefined;
  }

  /** That something has to be scrolled is a fault of its own, said once. */
  function isScrolledAway({ element, rect }) {
    for (let around = element; around !== null; around = around.parentElement) {
      if (getComputedStyle(around).overflowX === "auto" && rect.right > around.getBoundingClientRect().right) return true;
    }
    return false;
  }

  /** Whether its contrast is too small, by WCAG 2.2's "minimum", at the worst of three places. */
  function faint({ element, rect }) {
    const style = getComputedStyle(element);
    const isSvg = element instanceof SVGElement;
    const ink = channels(isSvg ? style.fill : style.color);
    let worst = Infinity;
    for (const share of [0.1, 0.5, 0.9]) {
      const behind = background(element, style, rect.left + share * rect.width, (rect.top + rect.bottom) / 2);
      if (typeof behind === "string") return behind;
      worst = Math.min(worst, contrast(over(ink, behind), behind));
    }
    const shown = (parseFloat(style.fontSize) * rect.height) / element.getBBox?.().height || parseFloat(style.fontSize);
    if (shown < 9) return `letters of ${shown.toFixed(1)} px`;
    return worst < 4.5 ? `contrast ${worst.toFixed(2)}` : undefined;
  }

  /** The colour behind a text at a point; what is painted over the text is in words. */
  function background(element, style, x, y) {
    if (style.paintOrder.startsWith("stroke") && style.stroke !== "none") return channels(style.stroke);
    const stack = document.elementsFromPoint(x, y);
    const at = stack.findIndex((each) => each === element || element.contains(each));
    if (at === -1) return `nothing of it can be seen at ${x.toFixed(0)},${y.toFixed(0)}`;
    const above = stack.slice(0, at).find((each) => paint(each) !== undefined);
    if (above !== undefined) return `covered by <${above.localName} class="${above.getAttribute("class")}">`;
    let colour = { red: 255, green: 255, blue: 255, alpha: 1 };
    for (const each of stack.slice(at).toReversed()) {
      const layer = paint(each);
      if (layer === "pattern") return "on a pattern";
      if (layer !== undefined) colour = over(layer, colour);
    }
    return colour;
  }

  /** What an element paints over all of its area. */
  function paint(each) {
    const style = getComputedStyle(each);
    if (!(each instanceof SVGElement) || each.localName === "svg") {
      const colour = channels(style.backgroundColor);
      return colour.alpha === 0 ? undefined : colour;
    }
    if (each.localName !== "rect" || style.fill === "none") return undefined;
    if (style.fill.startsWith("url(")) return "pattern";
    const colour = channels(style.fill);
    return { ...colour, alpha: colour.alpha * Number(style.fillOpacity) };
  }

  function channels(colour) {
    const [red = 0, green = 0, blue = 0, alpha = 1] = (colour.match(/[\d.]+/g) ?? []).map(Number);
    return { red, green, blue, alpha };
  }

  function over(top, bottom) {
    const mixed = (name) => top[name] * top.alpha + bottom[name] * (1 - top.alpha);
    return { red: mixed("red"), green: mixed("green"), blue: mixed("blue"), alpha: 1 };
  }

  function contrast(one, other) {
    const [bright, dim] = [luminance(one), luminance(other)].toSorted((a, b) => b - a);
    return (bright + 0.05) / (dim + 0.05);
  }

  function luminance({ red, green, blue }) {
    const [r, g, b] = [red, green, blue]
      .map((value) => value / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }
})();
