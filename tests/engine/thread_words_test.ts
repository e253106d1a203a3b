import assert from "node:assert/strict";
import { threadWords } from "../../engine/thread_words.ts";

Deno.test("threadWords() counts one and several", () => {
  assert.deepEqual([1, 2, 11].map(threadWords), ["1 thread", "2 threads", "11 threads"]);
});
