/** The page around a preview may show that one page, whatever the name of the file. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { framed } from "../src/frame.ts";

test("the frame may come from the server of the preview alone", () => {
  const page = framed("http://127.0.0.1:4321/token/", "Preview model.yaml");
  assert.match(page, /default-src 'none'; frame-src http:\/\/127\.0\.0\.1:4321;/);
  assert.match(page, /<iframe src="http:\/\/127\.0\.0\.1:4321\/token\/"/);
});

test("a name of a file is text", () => {
  const page = framed("http://127.0.0.1:4321/", `"><script>alert('x')</script>`);
  assert.doesNotMatch(page, /<script/);
});
