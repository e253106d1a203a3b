import assert from "node:assert/strict";
import { htmlTable, markdownTable } from "../../display/table.ts";

const rows = [
  { part: "a|b", count: 1234567, share: 0.123456, note: "<i>" },
  { part: "c", count: 2, share: 1e-6 },
];

Deno.test("markdownTable() aligns numbers and escapes bars", () => {
  assert.equal(
    markdownTable(rows),
    [
      "| part |     count |   share | note |",
      "| ---- | --------: | ------: | ---- |",
      "| a\\|b | 1,234,567 |  0.1235 | <i>  |",
      "| c    |         2 | 1.00e-6 |      |",
    ].join("\n"),
  );
});

Deno.test("markdownTable() writes what is not finite, and large fractions as whole numbers", () => {
  assert.equal(
    markdownTable([{ x: Infinity, y: NaN, z: 12345.6, w: 0 }]).split("\n")[2],
    "| Infinity | NaN | 12,346 |   0 |",
  );
});

Deno.test("htmlTable() has no colours of its own and escapes texts", () => {
  const html = htmlTable(rows);
  assert.match(html, /<th style="text-align:right">count<\/th>/);
  assert.match(html, /<td style="text-align:left">&lt;i><\/td>/);
  assert.doesNotMatch(html, /color|background/);
});
