import assert from "node:assert/strict";
import { parseHTML } from "linkedom";
import { toHtml, toMarkdown } from "../../io/report_document.ts";
import { imageGrid } from "../../io/png.ts";

const hostile = "a|b `c` <script>alert(1)</script> *d* [e](f)";

Deno.test("toMarkdown() writes every block, and text as text", () => {
  const markdown = toMarkdown({
    title: "Run #1",
    blocks: [
      { kind: "heading", text: "Head" },
      { kind: "text", text: ["plain ", { code: "co`de" }, "."] },
      { kind: "list", items: ["one", "two"] },
      { kind: "code", text: "first\nsecond" },
      { kind: "table", head: ["name", "n"], rows: [[{ code: "a|b" }, "1"], [hostile, "2"]] },
      { kind: "table", head: ["a", "b"], rows: [], text: true },
      { kind: "picture", caption: "Cap", path: "samples/a b.png", content: new Uint8Array() },
    ],
  });
  assert.equal(
    markdown,
    [
      "# Run \\#1",
      "## Head",
      "plain `` co`de ``.",
      "- one\n- two",
      "    first\n    second",
      "| name | n |\n| :-- | --: |\n| `a\\|b` | 1 |\n| a\\|b \\`c\\` " +
      "\\<script\\>alert(1)\\</script\\> \\*d\\* \\[e\\](f) | 2 |",
      "| a | b |\n| :-- | :-- |",
      "![Cap](samples/a%20b.png)\n",
    ].join("\n\n"),
  );
});

Deno.test("toHtml() writes one file that needs no other and runs nothing", async () => {
  const black = { shape: [1, 4, 200, 3], data: new Float32Array(2400) };
  const html = toHtml({
    title: hostile,
    blocks: [
      { kind: "text", text: [hostile, { code: hostile }] },
      { kind: "table", head: ["name", "n"], rows: [[hostile, { code: hostile }]] },
      { kind: "picture", caption: "A grid", path: "a.png", content: await imageGrid(black) },
      { kind: "picture", caption: "A chart", path: "a.svg", content: '<svg id="chart"></svg>' },
    ],
  });
  const { document } = parseHTML(html);
  assert.equal(document.querySelector("h1")?.textContent, hostile);
  assert.equal(document.querySelector("td code")?.textContent, hostile);
  assert.equal(document.querySelectorAll("script, link, iframe, object").length, 0);
  const image = document.querySelector("img");
  assert.match(image?.getAttribute("src") ?? "", /^data:image\/png;base64,iVBOR/);
  assert.equal(image?.getAttribute("width"), "800", "four times its 200 pixels");
  assert.ok(document.querySelector("figure > svg#chart"));
  assert.ok(!/(src|href)="(?!data:)/.test(html) && !/url\(|@import/.test(html));
  assert.ok(html.includes("color-scheme:light dark"));
  assert.ok(html.includes("@media (prefers-color-scheme:dark)"));
});
