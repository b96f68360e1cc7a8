// Makes SVG elements, and text from the lines that were measured when the page was written.

const SVG = "http://www.w3.org/2000/svg";

export function svg(tag, attributes = {}, children = []) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// Returns a line whose runs each have a face and a tone; `y` is its base line.
export function text({ size, runs }, attributes) {
  const all = { "font-size": size, ...attributes };
  if (runs.length === 1) {
    const [[words, classes]] = runs;
    return svg("text", { ...all, class: [classes, all.class].filter(Boolean).join(" ") }, [words]);
  }
  const spans = runs.map(([words, classes]) => svg("tspan", { class: classes }, [words]));
  return svg("text", all, spans);
}
