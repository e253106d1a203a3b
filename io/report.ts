/**
 * The report of a run: what came out, how it got there, and how to go on.
 *
 * @module
 */
import { basename, join } from "node:path";
import { durationText } from "../core/duration.ts";
import { writeFileAtomic } from "./atomic_write.ts";
import { type Point, seriesOf, smooth } from "./event_series.ts";
import { lossCurves, psnrCurve } from "./plot.ts";
import { type Block, type Picture, toHtml, toMarkdown } from "./report_document.ts";
import { exists, readRun, type RunEvent, type RunRecord, SAMPLES } from "./run_files.ts";

/** What {@linkcode writeReport} cannot know from the folder. */
export interface ReportOptions {
  /** The command that started the run, to be typed again. */
  readonly command?: string | undefined;
}

/** Paths of what {@linkcode writeReport} wrote. */
export interface Report {
  /** Path of `report.md`. */
  readonly markdown: string;
  /** Path of `report.html`. */
  readonly html: string;
}

const decibel = (value: number) => value.toFixed(2);
const rounded = (value: number) => String(Number(value.toPrecision(3)));

/** A short run may take no whole second. */
function timeText(seconds: number): string {
  return seconds < 60 ? `${rounded(seconds)} s` : durationText(seconds);
}

/** Seconds that processes worked on the run: the pauses before each start do not count. */
function secondsWorked(events: readonly RunEvent[]): number {
  let milliseconds = 0;
  for (const [i, { kind, time }] of events.entries()) {
    const before = events[i - 1]?.time;
    if (kind === "start" || time === undefined || before === undefined) continue;
    milliseconds += Math.max(0, Date.parse(time) - Date.parse(before));
  }
  return milliseconds / 1000;
}

const ofKind = (kind: string) => (event: RunEvent) => event.kind === kind;
const numberOf = (value: unknown) => typeof value === "number" ? value : undefined;

function psnrBlocks({ events }: RunRecord): Block[] {
  const measured = seriesOf(events, "sample");
  const psnr = measured.get("psnrDb") ?? [];
  const mean = measured.get("meanImagePsnrDb")?.at(-1)?.value;
  const [first, end] = [psnr[0], psnr.at(-1)];
  if (!first || !end) return [];
  const rows = [
    ["student at the start", decibel(first.value), rounded(first.kimg)],
    ["student at the end", decibel(end.value), rounded(end.kimg)],
  ];
  let verdict = `The student began at ${decibel(first.value)} dB and is at ${
    decibel(end.value)
  } dB.`;
  if (mean !== undefined) {
    const gain = end.value - mean;
    rows.push(["teacher's mean image", decibel(mean), ""]);
    rows.push(["student above the mean image", decibel(gain), rounded(end.kimg)]);
    const than = gain > 0 ? "above it" : "below it, which is no progress yet";
    verdict += ` The teacher's mean image alone gives ${decibel(mean)} dB: ` +
      `the student is ${decibel(Math.abs(gain))} dB ${than}.`;
  }
  return [
    { kind: "heading", text: "How near the student is to the teacher" },
    { kind: "text", text: [verdict, " PSNR on latents that training never draws."] },
    { kind: "table", head: ["", "PSNR in dB", "at kimg"], rows },
  ];
}

async function samplePicture(dir: string, event: RunEvent): Promise<Picture | undefined> {
  if (typeof event["path"] !== "string") return undefined;
  const name = basename(event["path"]);
  const path = join(dir, SAMPLES, name);
  if (!await exists(path)) return undefined;
  const labels = Array.isArray(event["labels"]) ? [...new Set(event["labels"])].join(", ") : "";
  const kimg = numberOf(event["kimg"]);
  const what = labels ? `Rows in turn: ${labels}` : "Samples";
  const caption = kimg === undefined ? what : `${what}; after ${rounded(kimg)} kimg`;
  const content = await Deno.readFile(path);
  return { kind: "picture", caption, path: `${SAMPLES}/${name}`, content };
}

async function sampleBlocks({ dir, events }: RunRecord): Promise<Block[]> {
  const samples = events.filter(ofKind("sample"));
  const newest = samples.at(-1);
  const picture = newest && await samplePicture(dir, newest);
  if (!picture) return [];
  const first = samples.length > 1 ? await samplePicture(dir, samples[0]!) : undefined;
  return [
    { kind: "heading", text: "Samples" },
    picture,
    ...first && first.path !== picture.path ? [first] : [],
  ];
}

const MEAN_PARTS = 25; // of the run, as in the curves

function lossBlocks({ events }: RunRecord): Block[] {
  const row = ([name, points]: readonly [string, readonly Point[]]) => {
    const mean = smooth(points, Math.ceil(points.length / MEAN_PARTS));
    const [first, end] = [mean[0]!, mean.at(-1)!];
    return [{ code: name }, rounded(first.value), rounded(end.value), rounded(first.kimg)];
  };
  const rows = [...seriesOf(events, "step")].map(row);
  if (rows.length === 0) return [];
  return [{ kind: "table", head: ["loss", "at first", "now", "from kimg"], rows }];
}

function timeBlocks({ events }: RunRecord): Block[] {
  const step = events.findLast(ofKind("step"));
  const done = numberOf(step?.["step"]), kimg = numberOf(step?.["kimg"]);
  if (done === undefined || kimg === undefined) return [];
  const seconds = secondsWorked(events);
  const steps = numberOf(step?.["steps"]);
  const starts = events.filter(ofKind("start")).length;
  const rows = [
    ["steps", steps === undefined ? String(done) : `${done} of ${steps}`],
    ["images", `${rounded(kimg)} kimg`],
    ["time, samples and checkpoints included", timeText(seconds)],
    ["images per second, over that time", rounded(1000 * kimg / Math.max(seconds, 1e-3))],
    ["times started", String(starts)],
  ];
  return [{ kind: "heading", text: "Time" }, { kind: "table", head: ["measure", "value"], rows }];
}

/** Fields of a config by their path, in its order; short lists stay whole. */
function fieldsOf(value: unknown, path = ""): [string, string][] {
  const isNested = typeof value === "object" && value !== null;
  const isList = Array.isArray(value) && value.every((item) => typeof item !== "object");
  if (!isNested || isList || Object.keys(value).length === 0) {
    return [[path, JSON.stringify(value) ?? "undefined"]];
  }
  return Object.entries(value).flatMap(([key, nested]) => {
    const place = Array.isArray(value) ? `${path}[${key}]` : path ? `${path}.${key}` : key;
    return fieldsOf(nested, place);
  });
}

function configBlocks({ config }: RunRecord): Block[] {
  const rows = fieldsOf(config).map(([path, value]) => [{ code: path }, { code: value }]);
  return [
    { kind: "heading", text: "Configuration" },
    { kind: "table", head: ["field", "value"], rows, text: true },
  ];
}

function stateBlock({ events }: RunRecord): Block {
  const end = events.findLast(ofKind("end"));
  const path = end?.["path"];
  if (!end || typeof path !== "string") {
    return { kind: "text", text: ["The run goes on, or was stopped before its end."] };
  }
  const state = end["finished"] === true ? "The run is finished" : "The run was stopped";
  return { kind: "text", text: [`${state}; the network is in `, { code: path }, "."] };
}

function commandBlocks({ dir, checkpoints }: RunRecord, { command }: ReportOptions): Block[] {
  const newest = checkpoints.at(-1);
  const place = newest ? ` from ${basename(newest.path)}` : "";
  const how = command === undefined
    ? `Type the command that started this run again: it goes on${place}.`
    : `The same command goes on${place}:`;
  const more = " Steps, threads and device may change; --restart forgets the run.";
  return [
    { kind: "heading", text: "Going on" },
    { kind: "text", text: [how, command === undefined ? more : ""] },
    ...command === undefined ? [] : [
      { kind: "code", text: command } as const,
      { kind: "text", text: [more.trim()] } as const,
    ],
    { kind: "text", text: ["Everything of this run is in ", { code: dir }, "."] },
  ];
}

function noteBlocks({ events }: RunRecord): Block[] {
  const notes = events.findLast(ofKind("start"))?.["notes"];
  const items = Array.isArray(notes) ? notes.map(String) : [];
  return items.length > 0 ? [{ kind: "list", items }] : [];
}

/**
 * Writes the report of a run into its folder: `report.md`, `report.html` (one file with all
 * pictures), and the curves as `losses.svg`, `losses.png`, `psnr.svg` and `psnr.png`.
 *
 * @param dir the run folder, also of a run that goes on
 * @throws {Error} if it is no run folder
 */
export async function writeReport(dir: string, options: ReportOptions = {}): Promise<Report> {
  const run = await readRun(dir);
  const losses = await lossCurves(run.events);
  const psnr = psnrBlocks(run);
  const pictures: Picture[] = [
    { kind: "picture", caption: "Losses", path: "losses.svg", content: losses.svg },
  ];
  const files: [string, string | Uint8Array][] = [
    ["losses.svg", losses.svg],
    ["losses.png", losses.png()],
  ];
  if (psnr.length > 0) {
    const { svg, png } = await psnrCurve(run.events);
    pictures.unshift({ kind: "picture", caption: "PSNR", path: "psnr.svg", content: svg });
    files.push(["psnr.svg", svg], ["psnr.png", png()]);
  }
  const document = {
    title: `Run ${basename(dir)}`,
    blocks: [
      stateBlock(run),
      ...noteBlocks(run),
      ...psnr,
      ...pictures.slice(0, -1),
      ...await sampleBlocks(run),
      { kind: "heading", text: "How the losses went" } as const,
      ...pictures.slice(-1),
      ...lossBlocks(run),
      ...timeBlocks(run),
      ...commandBlocks(run, options),
      ...configBlocks(run),
    ],
  };
  files.push(["report.md", toMarkdown(document)], ["report.html", toHtml(document)]);
  for (const [name, content] of files) {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await writeFileAtomic(join(dir, name), [bytes]);
  }
  return { markdown: join(dir, "report.md"), html: join(dir, "report.html") };
}
