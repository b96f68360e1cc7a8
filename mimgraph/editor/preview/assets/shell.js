// Follows the server: shows each new picture where the last one was, with the same folds and place.
const find = (id) => document.getElementById(id);
const hasEditor = document.documentElement.dataset.editor === "yes";
let shown = null; // the frame that the reader sees
let loading = null; // the frame of a newer picture
let newest = ""; // the version that was loaded last

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
  // If the server is gone, the browser shows its own error page, whose document cannot be read.
  const page = frame.contentDocument?.defaultView.mimgraph;
  if (!page) return;
  const before = shown?.contentWindow.mimgraph?.state();
  const hasFocus = shown && document.activeElement === shown;
  if (before) page.restore(before);
  page.onChoose((id) => hasEditor && post("open", { node: id }));
  frame.classList.remove("waiting");
  shown?.remove();
  if (hasFocus) {
    frame.focus();
    page.focus(before);
  }
  followTheme(frame.contentDocument.documentElement);
  find("empty").hidden = true;
  [shown, loading] = [frame, null];
}

// Keeps the colours of this page those of the picture, which has a button for them.
function followTheme(picture) {
  const follow = () => {
    document.documentElement.style.colorScheme = picture.dataset.theme;
  };
  new MutationObserver(follow).observe(picture, { attributeFilter: ["data-theme"] });
  follow();
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

function take({ version, is_drawn: isDrawn, faults, summary }) {
  find("frames").classList.toggle("stale", !isDrawn);
  if (isDrawn && version !== newest) load(version);
  newest = version;
  showFaults(faults);
  const parts = [summary, counted(faults), !isDrawn && shown && "the picture is of the last version"];
  say(parts.filter(Boolean).join(" · "), faults.some((one) => one.severity === "error"));
}

let events = null;

// Follows the server until the page is hidden: browsers keep six connections open to one server, and
// more pages than that may be open.
function listen() {
  events?.close();
  events = document.hidden ? null : new EventSource("events");
  events?.addEventListener("picture", ({ data }) => take(JSON.parse(data)));
  events?.addEventListener("cursor", ({ data }) => {
    shown?.contentWindow.mimgraph?.choose(JSON.parse(data).node);
  });
  events?.addEventListener("error", ({ target }) => {
    say("disconnected: mimgraph preview is not running", true);
    // a browser tries again by itself, but for an answer that is no stream of events
    if (target.readyState === EventSource.CLOSED) setTimeout(listen, 2000);
  });
}

document.addEventListener("visibilitychange", listen);
listen();
