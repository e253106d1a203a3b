import { createTeacher, saveGenerator } from "../../mod.ts";

/** The smallest distillation: 16 px, a random teacher. */
export interface TinyRun extends AsyncDisposable {
  readonly folder: string;
  readonly teacher: string;
  readonly config: string;
}

/** Writes its teacher and its configuration to a folder of its own. */
export async function makeTinyRun({ steps }: { readonly steps: number }): Promise<TinyRun> {
  const folder = await Deno.makeTempDir({ prefix: "haarlem-cli-" });
  const [teacher, config] = [`${folder}/teacher.safetensors`, `${folder}/tiny.json`];
  const network = { sizePx: 16, styleDim: 8, mappingLayers: 2, channels: [8, 8, 8] };
  await saveGenerator(teacher, createTeacher(network, { seed: 1 }));
  const json = {
    name: "tiny",
    teacher,
    batch: 2,
    steps,
    losses: [{ name: "pixel" }, { name: "wavelet" }],
    sampleSteps: 1e6,
    checkpointSteps: 1e6,
  };
  await Deno.writeTextFile(config, JSON.stringify(json));
  return {
    folder,
    teacher,
    config,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}
