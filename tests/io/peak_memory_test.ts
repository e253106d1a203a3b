import assert from "node:assert/strict";
import { watchMemory } from "../../io/peak_memory.ts";

Deno.test("watchMemory() sees what was held in between", () => {
  const memory = watchMemory();
  new Uint8Array(2 ** 27).fill(1).at(-1);
  memory.look();
  assert.ok(memory.growthBytes() > 2 ** 26, `${memory.growthBytes()}`);
});
