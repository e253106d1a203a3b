/** What peers are given: a folder per scenario. @module */
import { prefixed } from "../../core/params.ts";
import { createEngine } from "../../engine/mod.ts";
import { createStudent, type Generator } from "../../networks/generator.ts";
import { exportOnnx } from "../../pipelines/export_onnx.ts";
import { createRegistry } from "../../registry.ts";
import {
  below,
  type Scenario,
  scenarioArrays,
  scenarioNumbers,
  studentWeights,
} from "../scenarios.ts";
import { writeArrays } from "./arrays.ts";

const folders = new Map<Scenario, Promise<string>>();
const exports = new Map<Scenario, Promise<void>>();

/** The folder of a scenario: its arrays and, if wanted, `teacher.onnx` and `student.onnx`. */
export async function scenarioFolder(
  scenario: Scenario,
  { exported = false }: { readonly exported?: boolean } = {},
): Promise<string> {
  const folder = await once(
    folders,
    scenario,
    () => writeArrays(scenarioArrays(scenario), scenarioNumbers(scenario)),
  );
  if (exported) await once(exports, scenario, () => writeExports(scenario, folder));
  return folder;
}

/** Removes what was written. */
export async function removeScenarioFolders(): Promise<void> {
  for (const folder of folders.values()) await Deno.remove(await folder, { recursive: true });
}

async function writeExports(scenario: Scenario, folder: string): Promise<void> {
  const { network, images } = scenario;
  const arrays = scenarioArrays(scenario);
  const teacher = { kind: "teacher", config: network, weights: below(arrays, "teacher/") } as const;
  const student = createStudent(teacher, {}, { registry: createRegistry() });
  const weights = { ...student.weights, ...prefixed(studentWeights(arrays), "synthesis") };
  const generators: Generator[] = [teacher, { ...student, weights }];
  const engine = await createEngine();
  for (const generator of generators) {
    const path = `${folder}/${generator.kind}.onnx`;
    await exportOnnx(generator, { path, noise: "input", batch: images }, { engine });
  }
  await engine.dispose();
}

function once<Key, Made>(made: Map<Key, Promise<Made>>, key: Key, make: () => Promise<Made>) {
  let found = made.get(key);
  if (!found) made.set(key, found = make());
  return found;
}
