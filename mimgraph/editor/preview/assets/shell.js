// Follows the server: shows each new picture where the last one was, with the same folds and place.
const find = (id) => document.getElementById(id);
const hasEditor = document.documentElement.dataset.editor === "yes";
let shown = null; // the frame that the reader sees
let loading = null; // the frame of a newer picture

function post(name, data) {
  return fetch(name, { method: "POST", body: JSON.stringify(data) }).catch(() => {});
}

function say(text, isBad = false) {
  find("state").textContent = text;
  find("state").classList.toggle("bad", isBad);
}

// Loads a picture behind the one that is shown, and swaps them once it is drawn.
function load(version) {
  loading?.remove();
  const frame = document.createElement("iframe");
  Object.assign(frame, { title: "Picture", className: "waiting", src: `picture?${version}` });
  frame.addEventListener("load", () => frame === loading && swap(frame));
  loading = frame;
  find("frames").append(frame);
}

function swap(frame) {
  const page = frame.contentWindow.mimgraph;
  if (!page) return; // the server has gone meanwhile
  const before = shown?.contentWindow.mimgraph;
  if (before) page.restore(before.state());
  page.onChoose((id) => hasEditor && post("open", { node: id }));
  frame.classList.remove("waiting");
  shown?.remove();
  find("empty").hidden = true;
  [shown, loading] = [frame, null];
}

function html(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function showFaults(faults) {
  const rows = faults.map((fault) => {
    const { code, file, line, column, message, note, help, node, severity } = fault;
    const text = note ? `${message}: ${note}` : message;
    const place = line ? `${file}:${line}:${column} ` : "";
    const button = html(
      "button",
      { type: "button" },
      html("span", { className: "place", textContent: place }),
      html("span", { className: "code", textContent: code ?? severity }),
      ` ${text}`,
    );
    button.addEventListener("click", () => {
      if (node) shown?.contentWindow.mimgraph?.choose(node);
      if (hasEditor && line) post("open", { file, line, column });
    });
    const more = help ? [html("div", { className: "help", textContent: `help: ${help}` })] : [];
    return html("li", { className: severity }, button, ...more);
  });
  find("faults").hidden = !rows.length;
  find("faults").firstElementChild.replaceChildren(...rows);
}

function counted(faults) {
  const count = (what) => faults.filter((one) => one.severity === what).length;
  const parts = ["error", "warning"].map((what) => {
    const number = count(what);
    return number && `${number} ${what}${number > 1 ? "s" : ""}`;
  });
  return parts.filter(Boolean).join(", ") || "no errors";
}

const events = new EventSource("events");
events.addEventListener("picture", ({ data }) => {
  const { version, is_drawn: isDrawn, faults, summary } = JSON.parse(data);
  find("frames").classList.toggle("stale", !isDrawn);
  if (isDrawn) load(version);
  showFaults(faults);
  const parts = [summary, counted(faults), !isDrawn && shown && "the picture is of the last version"];
  say(parts.filter(Boolean).join(" · "), faults.some((one) => one.severity === "error"));
});
events.addEventListener("cursor", ({ data }) => {
  shown?.contentWindow.mimgraph?.choose(JSON.parse(data).node);
});
events.addEventListener("error", () => say("disconnected: mimgraph preview is not running", true));
