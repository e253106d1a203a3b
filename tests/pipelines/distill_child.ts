/** Distils the tiny teacher into the folder that is given, and says each step: to be killed. */
import { createEngine } from "../../engine/mod.ts";
import { distill } from "../../pipelines/distill.ts";
import { createRegistry } from "../../registry.ts";
import { tinyDistill, tinyTeacher } from "./tiny.ts";

const engine = await createEngine({ threads: 1 });
const context = { engine, registry: createRegistry(), teacher: tinyTeacher(), out: Deno.args[0]! };
for await (const event of distill(tinyDistill, context)) {
  if (event.kind === "step") console.log(event.step);
}
await engine.dispose();
