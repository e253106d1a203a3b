import assert from "node:assert/strict";

Deno.test("bench refuses what names no workload, in one sentence", async () => {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "bench/main.ts", "--only", "nothing"],
    stdout: "null",
  }).output();
  assert.equal(
    new TextDecoder().decode(stderr).trim(),
    'Cannot bench "nothing": expected part of a workload\'s name such as "avatars-64: student image" or "Haar" (ffhq-256 with --start only), but received none',
  );
  assert.equal(code, 1);
});
