// The contrast ratio (WCAG 2.2, relative luminance) of every visible piece of text to the color behind it.
() => {
  const parse = (color) => color.match(/[\d.]+/g).map(Number);
  const luminance = (color) => {
    const [r, g, b] = parse(color).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const isOpaque = (color) => (parse(color)[3] ?? 1) === 1;
  const background = (node) => {
    const color = getComputedStyle(node).backgroundColor;
    return isOpaque(color) ? color : background(node.parentElement);
  };
  const ratios = {};
  for (const node of document.querySelectorAll("body *")) {
    const text = [...node.childNodes].filter((child) => child.nodeType === 3).map((child) => child.data.trim()).join("");
    if (!text || !node.checkVisibility() || node.tagName === "SCRIPT") continue;
    const [high, low] = [luminance(getComputedStyle(node).color), luminance(background(node))].sort((a, b) => b - a);
    ratios[text] = (high + 0.05) / (low + 0.05);
  }
  return ratios;
};
