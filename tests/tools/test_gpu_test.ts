import assert from "node:assert/strict";

Deno.test("test:gpu refuses what is no engine", async () => {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "tools/test_gpu.ts", "onxx"],
    env: { NO_COLOR: "1" },
  }).output();
  assert.deepEqual([code, new TextDecoder().decode(stderr)], [
    2,
    'Cannot test "onxx": expected onnx or tfjs, or nothing for both\n',
  ]);
});
