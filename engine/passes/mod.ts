/**
 * Rewrites of a recorded program, each `Program -> Program` with the same results.
 *
 * @module
 */
import type { Program } from "../program.ts";
import { deduplicate } from "./deduplicate.ts";
import { fold } from "./fold.ts";
import { prune } from "./prune.ts";

/** All rewrites, in order. */
export function simplify(program: Program): Program {
  return prune(deduplicate(fold(deduplicate(fold(prune(program))))));
}
