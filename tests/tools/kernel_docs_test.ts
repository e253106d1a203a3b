import assert from "node:assert/strict";
import { KERNEL_DOCS, kernelDocs } from "../../tools/kernel_docs.ts";

Deno.test("docs/kernels.md lists the rules that there are", async () => {
  assert.equal(
    await Deno.readTextFile(KERNEL_DOCS),
    await kernelDocs(),
    "out of date: deno run -A tools/kernel_docs.ts",
  );
});
