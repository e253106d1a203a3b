import assert from "node:assert/strict";
import { countTests, summarise } from "../../tools/ci_summary.ts";

const MIXED = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="4" failures="1" errors="1" time="0.005">
    <testsuite name="./a_test.ts" tests="4" disabled="1" errors="1" failures="1">
        <testcase name="good" time="0.000"></testcase>
        <testcase name="ignored" time="0.000"><skipped/></testcase>
        <testcase name="bad &lt;testcase" time="0.000"><failure message="x">x</failure></testcase>
        <testcase name="worse" time="0.000"><error message="x">x</error></testcase>
    </testsuite>
</testsuites>
`;

Deno.test("countTests() counts what passed, failed and was skipped", () => {
  assert.deepEqual(countTests(MIXED), { passed: 1, failed: 2, skipped: 1 });
});

Deno.test("countTests() refuses what is cut off or is no JUnit file", () => {
  assert.throws(() => countTests(MIXED.slice(0, 400)), {
    name: "SyntaxError",
    message: "Cannot read JUnit results: expected 4 cases but received 3",
  });
  assert.throws(() => countTests("ok"), {
    name: "SyntaxError",
    message: "Cannot read JUnit results: expected some cases but received 0",
  });
});

Deno.test("summarise() adds files up and takes a missing one for a failure", async () => {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, MIXED);
    const { notes, ...counts } = await summarise([path, path, `${path}.missing`]);
    assert.deepEqual(counts, { passed: 2, failed: 5, skipped: 2 });
    assert.match(notes[2]!, /missing: No such file/);
  } finally {
    await Deno.remove(path);
  }
});
