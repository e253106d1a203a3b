import {
  createEngine,
  createRegistry,
  evaluate,
  type EvaluateInput,
  type Evaluation,
  type EvaluationEvent,
  type Measurement,
  parseEvaluateConfig,
} from "../../mod.ts";
import { type Context, defineCommand, UsageError } from "../command.ts";
import { ENGINE_OPTIONS, withEngine } from "../engine_options.ts";
import { loadPlugins, PLUGIN_OPTIONS } from "../load_plugins.ts";
import { createProgress } from "../progress.ts";
import { asUsage } from "../read_config.ts";

type FeatureInput = NonNullable<EvaluateInput["features"]>[number];

/** `discriminator`, `vgg16`, `vgg16=FILE`, `inception=FILE`, `FILE.onnx` or `FILE.onnx=0..1`. */
function readFeatures(spec: string): FeatureInput {
  const [, name, path] = /^(discriminator|vgg16|inception)(?:=(.+))?$/.exec(spec) ?? [];
  if (name === "discriminator" && path === undefined) return { name };
  if (name === "vgg16" || name === "inception") {
    return path === undefined ? { name } : { name, path };
  }
  const [, file, range] = /^(.+\.onnx)(?:=(.+))?$/.exec(spec) ?? [];
  if (file === undefined) {
    throw new UsageError(
      `Cannot read --features: expected discriminator, vgg16, vgg16=FILE, inception, inception=FILE or FILE.onnx but received "${spec}"`,
    );
  }
  // The range is checked with the configuration.
  return { name: "onnx", path: file, ...range !== undefined && { range: range as "0..1" } };
}

/** `fid,kid,swd` */
function readMetrics(text: string): { readonly name: string }[] {
  return text.split(",").map((name) => name.trim()).filter(Boolean).map((name) => ({ name }));
}

const shorten = (value: number) => Number.isInteger(value) ? value : Number(value.toPrecision(4));

/** Figures of a measurement that fit a line. */
function lineOf(
  { metric, subject, reference, features, mark, floor, values }: Measurement,
): string {
  const shown = Object.entries(values).filter(([name]) =>
    metric !== "swd" || name === "mean" || Object.keys(values).length < 3
  );
  const figures = shown.map(([name, value]) => `${name} ${shorten(value)}`).join(
    ", ",
  );
  const notes = [features, mark, floor && "floor"].filter(Boolean).join(", ");
  return `${metric}: ${subject}${reference ? ` to ${reference}` : ""}${
    notes ? ` (${notes})` : ""
  }: ${figures}`;
}

/** What only tables can show. */
const TABLES_ONLY = ["detail"];

/** Shows the events of an evaluation; gives what it found. */
async function show(
  events: AsyncIterable<EvaluationEvent>,
  values: { readonly json: boolean; readonly quiet: boolean },
  { terminal }: Context,
): Promise<{ readonly evaluation: Evaluation; readonly path: string } | undefined> {
  const progress = createProgress(terminal, values);
  let stage: string | undefined;
  let end: Extract<EvaluationEvent, { kind: "end" }> | undefined;
  try {
    for await (const event of events) {
      progress.show(event);
      if (event.kind === "start") {
        progress.note([`report in ${event.run}`, ...event.notes].join("; "));
      } else if (event.kind === "step" && event.stage !== stage) {
        stage = event.stage;
        progress.note(stage);
      } else if (event.kind === "end") end = event;
    }
  } finally {
    progress.stop();
  }
  return end;
}

/** Evaluates a student, its teacher, or both. */
export const evaluateCommand = defineCommand({
  summary: "Measure a student and its teacher, and write a report with pictures",
  description:
    "Student and teacher are compared image by image on the same latents, both with real images as sets, and each is measured alone: path lengths, costs, time. Without --metrics everything is measured that has what it needs. Latents are those that no training draws.",
  options: {
    weights: { type: "text", value: "FILE", help: "the student, or a teacher to measure alone" },
    teacher: { type: "text", value: "FILE", help: "its teacher; both: a file or a shipped name" },
    real: { type: "text", value: "SET", help: "real images: avatars, or a folder of pictures" },
    metrics: {
      type: "text",
      value: "NAMES",
      help: "fid,kid,swd,precision_recall,ppl,distance,cost",
    },
    features: {
      type: "texts",
      value: "SPEC",
      help: "discriminator (the teacher's), vgg16=FILE, inception=FILE or FILE.onnx",
    },
    samples: { type: "integer", value: "N", help: "images of every set", minimum: 2 },
    pairs: { type: "integer", value: "N", help: "latents compared image by image", minimum: 1 },
    paths: { type: "integer", value: "N", help: "paths in w", minimum: 1 },
    batch: { type: "integer", value: "N", help: "images per run of a generator", minimum: 1 },
    seed: { type: "integer", value: "N", help: "seed of all latents", minimum: 0 },
    out: { type: "text", value: "DIR", help: "folder of the report; runs/evaluation by default" },
    json: { type: "flag", help: "print every event as a line of JSON" },
    quiet: { type: "flag", help: "show no progress" },
    ...ENGINE_OPTIONS,
    ...PLUGIN_OPTIONS,
  },
  examples: {
    "deno task evaluate --weights avatars-64 --teacher avatars-64 --real avatars":
      "the shipped student and teacher",
    "deno task evaluate --weights mine.safetensors --teacher its.pkl --features inception=fid.pth":
      "a student of yours by FID's own features",
  },
  async run(values, context) {
    const { weights, teacher, real, metrics, features, samples, pairs, paths, batch, seed } =
      values;
    const end = await withEngine(values, async (open) => {
      const registry = createRegistry();
      const plugins = await loadPlugins(registry, values.plugin, context, async (options) => {
        // What reads FILE.onnx, whatever the engine is.
        if (features.some((spec) => spec.includes(".onnx"))) await (await createEngine()).dispose();
        await open(options);
      });
      if (weights === undefined && teacher === undefined) {
        throw new UsageError(
          "Cannot evaluate: expected a student or a teacher but received none; give --weights FILE or --teacher FILE",
        );
      }
      const given = { weights, teacher, real, samples, pairs, paths, batch, seed };
      const config = asUsage(() =>
        parseEvaluateConfig({
          ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
          ...metrics !== undefined && { metrics: readMetrics(metrics) },
          ...features.length > 0 && { features: features.map(readFeatures) },
          ...plugins.length > 0 && { plugins },
        }, registry)
      );
      const { out } = values;
      const engine = await open();
      const events = evaluate(config, { engine, registry, out, signal: context.signal });
      return await show(events, values, context);
    }, context.report);
    if (!end || values.json) return;
    for (const measurement of end.evaluation.measurements) {
      if (TABLES_ONLY.includes(measurement.metric)) continue;
      context.terminal.print(lineOf(measurement));
    }
    context.terminal.print(`Wrote ${end.path}`);
  },
});
