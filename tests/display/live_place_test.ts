import assert from "node:assert/strict";
import { createLivePlace } from "../../display/live_place.ts";
import { fakeSurroundings } from "./fake_surroundings.ts";

Deno.test("createLivePlace() spends at most 5% of the time on drawing", async () => {
  const { surroundings, clock, outputs } = fakeSurroundings({ isNotebook: true });
  const place = createLivePlace(surroundings.kernel!, "x", surroundings.now);
  const draw = () => {
    clock.ms += 100;
    return { data: { "text/plain": String(clock.ms) } };
  };
  while (clock.ms < 20_000) {
    await place.offer(draw);
    clock.ms += 10;
  }
  assert.equal(outputs().length, 10); // 100 of every 2,100 ms
});

Deno.test("createLivePlace() flush() draws the last that was kept, once", async () => {
  const { surroundings, outputs } = fakeSurroundings({ isNotebook: true });
  const place = createLivePlace(surroundings.kernel!, "x", surroundings.now);
  for (const text of ["a", "b", "c"]) {
    await place.offer(() => ({ data: { "text/plain": text } }));
  }
  await place.flush();
  await place.flush();
  assert.deepEqual(
    outputs().map(({ call, id, bundle }) => [call, id, bundle!.data["text/plain"]]),
    [
      ["add", "x", "a"],
      ["update", "x", "c"],
    ],
  );
});
