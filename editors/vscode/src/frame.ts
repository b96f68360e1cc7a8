/** Write the page around a preview: a frame and nothing else. */

/** Return a page that shows the page at an address of this machine, and may load nothing else. */
export function framed(address: string, title: string): string {
  const { origin } = new URL(address);
  const style =
    "html, body, iframe { margin: 0; padding: 0; border: 0; width: 100%; height: 100vh }";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; frame-src ${escaped(origin)}; style-src 'unsafe-inline'">
<style>${style}</style>
</head>
<body><iframe src="${escaped(address)}" title="${escaped(title)}"></iframe></body>
</html>
`;
}

const MARKS: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (mark) => MARKS[mark] ?? mark);
}
