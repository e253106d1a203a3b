/**
 * Evaluates generators: how good images are, how near a student is to its teacher, what it costs.
 *
 * @module
 */
import { join } from "node:path";
import type { PartSource } from "../core/contracts.ts";
import { defaultCacheDir } from "../data/pixel_cache.ts";
import type { ImageSource } from "../data/image_source.ts";
import type { Engine } from "../engine/mod.ts";
import { openArrayCache } from "../io/array_cache.ts";
import { type Picture, toHtml, toMarkdown } from "../io/report_document.ts";
import { openReportFolder, type ReportFolder } from "../io/report_folder.ts";
import type { Student, Teacher } from "../networks/generator.ts";
import { exitChart, roughnessChart } from "./evaluate/charts.ts";
import { chooseMetrics } from "./evaluate/chosen_metrics.ts";
import { comparisonsOf, firstHeldOut } from "./evaluate/comparisons.ts";
import type { EvaluatedNetwork, Evaluation, EvaluationEvent } from "./evaluate/evaluation.ts";
import { type EvaluationFeatures, openEvaluationFeatures } from "./evaluate/features.ts";
import type { Findings } from "./evaluate/findings.ts";
import { latentsFor } from "./evaluate/latents.ts";
import type { Measurement } from "./evaluate/measurement.ts";
import {
  errorPicture,
  exitPicture,
  pairPictures,
  realPicture,
  samplePicture,
} from "./evaluate/pictures.ts";
import { reportBlocks, type ReportPictures } from "./evaluate/report.ts";
import { runStages } from "./evaluate/run_stages.ts";
import type { StageContext } from "./evaluate/stage.ts";
import { stagesOf } from "./evaluate/stages.ts";
import {
  foreignTeacherNote,
  openSubjects,
  type RunningSubject,
  type Subjects,
} from "./evaluate/subjects.ts";
import {
  type EvaluateConfig,
  type EvaluateInput,
  type EvaluationFeatureChoice,
  parseEvaluateConfig,
  type ResolvedEvaluateConfig,
} from "./evaluate_config.ts";
import { environmentOf } from "./run_metadata.ts";
import { imagesPerRun } from "./run_generator.ts";

export type { EvaluatedNetwork, Evaluation, EvaluationEvent } from "./evaluate/evaluation.ts";
export type { Mark, Measurement } from "./evaluate/measurement.ts";

/** What an evaluation needs besides its configuration. */
export interface EvaluateContext {
  /** Computes everything. */
  readonly engine: Engine;
  /** Where metrics and a student's parts are looked up. */
  readonly registry: PartSource;
  /** The student itself; else the configuration names its file. */
  readonly student?: Student | undefined;
  /** The teacher itself; else the configuration names its file, or there is none. */
  readonly teacher?: Teacher | undefined;
  /** Real images; else the configuration names them, or there are none. */
  readonly real?: ImageSource | undefined;
  /** Folder of the report; `runs/<name>` by default. An earlier report is written over. */
  readonly out?: string | undefined;
  /** Folder for statistics of sets that were measured; the user's cache by default, `null`: none. */
  readonly cacheDir?: string | null | undefined;
  /** Ends the evaluation at once; what was measured of whole sets is kept. */
  readonly signal?: AbortSignal | undefined;
}

/** The file that every report of an evaluation has. */
const RECORD = "evaluation.json";

/**
 * Evaluates a student, its teacher, or both; yields events and writes `report.html`, `report.md` and
 * `evaluation.json`.
 *
 * Sets are compared by `fid`, `kid`, `precision_recall` (in features), `swd` and the metrics of
 * plugins (in images); student and teacher image by image by `distance`; generators by `ppl` and
 * `cost`. Latents come from streams that training never draws.
 *
 * @throws {RangeError} If the configuration does not fit, or a metric that it names lacks something.
 */
export async function* evaluate(
  input: EvaluateInput,
  context: EvaluateContext,
): AsyncGenerator<EvaluationEvent> {
  const { engine, registry, signal } = context;
  const written = parseEvaluateConfig(input, registry);
  const folder = await openReportFolder(context.out ?? `runs/${written.name}`, RECORD);
  await using opened = new AsyncDisposableStack();
  const subjects = await openSubjects(written, { given: context, engine, registry });
  const config = { ...written, batch: written.batch ?? imagesPerRun(largestPx(subjects)) };
  opened.defer(() => subjects.dispose());
  const networks: EvaluationFeatures[] = [];
  for (const choice of featureChoices(config, subjects)) {
    const network = await openEvaluationFeatures(choice, {
      engine,
      teacher: subjects.teacher?.generator,
    });
    opened.defer(() => network.dispose());
    networks.push(network);
  }
  const { stageContext, notes } = planOf(config, { context, subjects, networks });
  const { steps, events } = runStages(stagesOf(stageContext), signal);
  yield { kind: "start", run: folder.dir, step: 0, steps, notes: [engine.description, ...notes] };
  const measurements: Measurement[] = [];
  for await (const event of events) {
    if (event.kind === "measurement") measurements.push(event.measurement);
    yield event;
  }
  const evaluation: Evaluation = {
    config,
    environment: environmentOf(engine),
    networks: [subjects.student, subjects.teacher].flatMap((one) => one ? [recordOf(one)] : []),
    ...subjects.real && {
      real: {
        name: subjects.real.name,
        images: Math.min(config.samples, subjects.real.length),
      },
    },
    features: networks.map(({ label, description }) => ({ label, description })),
    measurements,
    notes: [...notes, ...stageContext.findings.notes],
  };
  const pictures = await picturesOf(stageContext, evaluation);
  yield { kind: "end", evaluation, ...await writeReport(folder, evaluation, pictures) };
}

const largestPx = ({ student, teacher }: Subjects) =>
  Math.max(...[student, teacher].map((subject) => subject?.generator.config.sizePx ?? 1));

/** The features that are asked for; by default the teacher's discriminator, if there is one. */
function featureChoices(
  { features }: EvaluateConfig,
  { teacher }: Subjects,
): readonly EvaluationFeatureChoice[] {
  return features ?? (teacher?.generator.discriminator ? [{ name: "discriminator" }] : []);
}

function planOf(
  config: ResolvedEvaluateConfig,
  { context, subjects, networks }: {
    readonly context: EvaluateContext;
    readonly subjects: Subjects;
    readonly networks: readonly EvaluationFeatures[];
  },
): { readonly stageContext: StageContext; readonly notes: readonly string[] } {
  const { engine, registry, cacheDir } = context;
  const comparisons = comparisonsOf(subjects, config, engine.description);
  const { chosen, notes } = chooseMetrics(config, {
    registry,
    atHand: {
      sets: comparisons.length > 0,
      pairs: subjects.student !== undefined && subjects.teacher !== undefined,
      features: networks.length > 0,
    },
  });
  const foreign = foreignTeacherNote(subjects);
  const folder = cacheDir === null ? undefined : join(cacheDir ?? defaultCacheDir(), "evaluation");
  return {
    notes: [...foreign === undefined ? [] : [foreign], ...notes],
    stageContext: {
      config,
      engine,
      subjects,
      networks,
      comparisons,
      metrics: chosen,
      cache: folder === undefined ? undefined : openArrayCache(folder),
      findings: { notes: [] },
    },
  };
}

function recordOf({ generator, file, checksum }: RunningSubject): EvaluatedNetwork {
  const { kind, config } = generator;
  return { kind, checksum, config, ...file !== undefined && { file } };
}

/** Latents of the pictures where there are no pairs. */
const SHOWN = 16;

async function picturesOf(
  { subjects, config, findings }: StageContext,
  { measurements }: Evaluation,
): Promise<ReportPictures> {
  const { pairs, psnr, detail, exits }: Findings = findings;
  const compared = pairs && psnr ? await pairPictures(pairs, psnr) : undefined;
  const first: Picture[] = compared ? [compared.first] : [];
  const alone = subjects.student ?? subjects.teacher;
  if (!compared && alone) {
    const { seed } = config;
    const latents = latentsFor({ seed, purpose: "images" }, alone.generator.config);
    const w = await alone.running.styles(latents.z(0, SHOWN));
    const { image } = await alone.running.images(w, latents.noise(0, SHOWN));
    first.push(await samplePicture(alone.generator.kind, image));
  }
  if (subjects.real) first.push(await realPicture(subjects.real, firstHeldOut(subjects.real)));
  const [roughness, quality] = [await roughnessChart(measurements), await exitChart(measurements)];
  const svg = (caption: string, name: string, content: string): Picture => ({
    kind: "picture",
    caption,
    path: `pictures/${name}.svg`,
    content,
  });
  return {
    first,
    extremes: compared?.extremes ?? [],
    errors: pairs && psnr && detail ? [await errorPicture(pairs, psnr, detail)] : [],
    smoothness: roughness ? [svg("Roughness of w by Haar band", "roughness", roughness.svg)] : [],
    exits: [
      ...exits ? [await exitPicture(exits)] : [],
      ...quality ? [svg("Early exits: quality against cost", "exits", quality.svg)] : [],
    ],
  };
}

async function writeReport(
  { write }: ReportFolder,
  evaluation: Evaluation,
  pictures: ReportPictures,
): Promise<{ readonly path: string; readonly markdown: string }> {
  // First: what was measured is kept even if the disk is full of pictures.
  await write(RECORD, `${JSON.stringify(evaluation, undefined, 2)}\n`);
  for (const { path, content } of Object.values(pictures).flat()) await write(path, content);
  const whose = evaluation.networks[0]!;
  const title = `Evaluation of ${whose.file ?? `a ${whose.kind}`}`;
  const document = { title, blocks: reportBlocks(evaluation, pictures) };
  const markdown = await write("report.md", toMarkdown(document));
  return { path: await write("report.html", toHtml(document)), markdown };
}
