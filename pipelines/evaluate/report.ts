/**
 * The report of an evaluation, as blocks of a document.
 *
 * @module
 */
import type { Block, Picture } from "../../io/report_document.ts";
import type { Evaluation } from "./evaluation.ts";
import {
  distinct,
  figure,
  find,
  heading,
  millions,
  type Row,
  signOf,
  table,
  text,
} from "./report_parts.ts";
import { setBlocks } from "./report_sets.ts";

/** The pictures of a report by where they stand. */
export interface ReportPictures {
  readonly first: readonly Picture[];
  readonly extremes: readonly Picture[];
  readonly errors: readonly Picture[];
  readonly smoothness: readonly Picture[];
  readonly exits: readonly Picture[];
}

/** What the numbers amount to, in sentences. */
function verdict({ measurements, networks, real, config, notes }: Evaluation): Block {
  const student = find(measurements, { metric: "distance", subject: "student" });
  const mean = find(measurements, { metric: "distance", subject: "teacher's mean image" });
  const items = networks.map(({ kind, file, checksum }) =>
    `${kind}: ${file ?? "given as a value"} (checksum ${checksum})`
  );
  if (real) items.push(`real images: ${real.name}, ${figure(real.images)} of them`);
  if (student && mean) {
    const [own, base] = [student.values["psnr_pooled"]!, mean.values["psnr_pooled"]!];
    items.push(
      `the student is at ${figure(own)} dB against its teacher, ${
        figure(Math.abs(own - base))
      } dB ` +
        `${own >= base ? "above" : "below"} what the teacher's mean image alone gives ` +
        `(${figure(base)} dB)`,
    );
  }
  items.push(`${figure(config.samples)} images per set, seed ${config.seed}`, ...notes);
  return { kind: "list", items };
}

function distanceBlocks({ measurements }: Evaluation): Block[] {
  const distances = measurements.filter(({ metric }) => metric === "distance");
  if (distances.length === 0) return [];
  const features = distinct(distances.map((one) => one.features));
  const names = features.filter((label) => label !== undefined);
  const rows = distinct(distances.map(({ subject }) => subject)).map((subject): Row => {
    const own = distances.filter((one) => one.subject === subject);
    const { values } = own[0]!;
    return [
      subject,
      figure(values["psnr_pooled"]),
      figure(values["psnr"]),
      figure(values["psnr_worst"]),
      figure(values["ssim"]),
      figure(values["ssim_worst"]),
      ...names.map((label) => {
        const one = own.find(({ features }) => features === label);
        return figure(one?.values["feature_distance"]) + signOf(one);
      }),
    ];
  });
  return [
    heading("How near the student is to its teacher"),
    text(
      "The same latents and noise through both, in streams that training never draws. Pooled is " +
        "over all pixels together, as a training reports it; the others are means over images, " +
        "and the worst image. The teacher's mean image is what knowing nothing of a latent gives.",
    ),
    ...table(
      ["against the teacher", "PSNR pooled, dB", "PSNR", "worst", "SSIM", "worst"].concat(
        names.map((label) => `feature distance, ${label}`),
      ),
      rows,
    ),
  ];
}

function detailBlocks({ measurements }: Evaluation): Block[] {
  const detail = find(measurements, { metric: "detail" });
  if (!detail) return [];
  const sizes = distinct(
    Object.keys(detail.values).flatMap((key) => /hh_(\d+)px$/.exec(key)?.[1] ?? []),
  ).map(Number);
  const value = (what: string, band: string, size: number) =>
    figure(detail.values[`${what}_${band}_${size}px`]);
  const bands = ["lh", "hl", "hh"];
  return [
    text(
      "Detail by size of the band: the student's energy as a share of the teacher's (below 1: " +
        "smoother than the teacher), and the energy of the difference as a share of the teacher's " +
        "(1: no detail in common).",
    ),
    ...table(
      ["band size, px", "LH energy", "HL", "HH", "LH difference", "HL", "HH"],
      sizes.map((size) => [
        String(size),
        ...bands.map((band) => value("energy", band, size)),
        ...bands.map((band) => value("error", band, size)),
      ]),
    ),
  ];
}

function smoothnessBlocks({ measurements }: Evaluation, pictures: readonly Picture[]): Block[] {
  const paths = measurements.filter(({ metric }) => metric === "ppl");
  if (paths.length === 0) return [];
  const subjects = distinct(paths.map(({ subject }) => subject));
  const labels = distinct(paths.map(({ features }) => features)).filter((one) => one !== undefined);
  const bands = ["ll", "lh", "hl", "hh"];
  return [
    heading("Smoothness of w"),
    text(
      "A small step from one style towards another, at the ends of paths. Roughness is the squared " +
        "speed of a band over that of a straight fade between the two images: 1 is as smooth as a " +
        "fade. Path length in features is StyleGAN's PPL with these features, so it compares with " +
        "no published one.",
    ),
    ...table(
      [
        "generator",
        ...bands.map((band) => `roughness ${band.toUpperCase()}`),
        ...labels.map((label) => `PPL, ${label}`),
      ],
      subjects.map((subject) => {
        const own = paths.filter((one) => one.subject === subject);
        return [
          subject,
          ...bands.map((band) => figure(own[0]!.values[`roughness_${band}`])),
          ...labels.map((label) => {
            const one = own.find(({ features }) => features === label);
            return figure(one?.values["ppl"]) + signOf(one);
          }),
        ];
      }),
    ),
    ...pictures,
  ];
}

function costBlocks({ measurements, environment }: Evaluation): Block[] {
  const costs = measurements.filter(({ metric }) => metric === "cost");
  if (costs.length === 0) return [];
  return [
    heading("Cost"),
    text(
      "Multiply-adds of the convolutions for one image; upsampling convolutions count at their input " +
        "grid. Time from a latent to an image, one at a time: median, and 10th to 90th percentile. " +
        "Memory: by how much the process grew at most while the network was compiled and first run; " +
        "small networks disappear in what it holds anyway. " +
        `On ${environment["description"]}, ${environment["platform"]}.`,
    ),
    ...table(
      ["network", "parameters", "multiply-adds", "ms per image", "10% to 90%", "peak MB"],
      costs.map(({ subject, values }) => {
        const time = find(measurements, { metric: "time", subject })?.values;
        return [
          subject,
          figure(values["parameters"]),
          millions(values["multiply_adds"]!),
          figure(time?.["ms"]),
          time ? `${figure(time["ms_low"])} to ${figure(time["ms_high"])}` : "",
          time ? figure(Math.round(time["peak_mb"]!)) : "",
        ];
      }),
    ),
  ];
}

function exitBlocks({ measurements }: Evaluation, pictures: readonly Picture[]): Block[] {
  const exits = measurements.filter(({ metric }) => metric === "early_exit");
  if (exits.length === 0) return [];
  return [
    heading("Early exits"),
    text(
      "The student stopped at each of its heads: against the teacher's image averaged to the same " +
        "size, and enlarged bilinearly against the whole.",
    ),
    ...table(
      [
        "exit",
        "parameters",
        "multiply-adds",
        "ms per image",
        "PSNR at its size, dB",
        "SSIM",
        "PSNR enlarged, dB",
        "SSIM enlarged",
      ],
      exits.map(({ subject, values }, i) => {
        const timed = i === exits.length - 1 ? "student" : subject;
        return [
          subject,
          figure(values["parameters"]),
          millions(values["multiply_adds"]!),
          figure(find(measurements, { metric: "time", subject: timed })?.values["ms"]),
          figure(values["psnr"]),
          figure(values["ssim"]),
          figure(values["whole_psnr"]),
          figure(values["whole_ssim"]),
        ];
      }),
    ),
    ...pictures,
  ];
}

function protocolBlocks({ features, measurements }: Evaluation): Block[] {
  const marks = distinct(measurements.map(({ mark }) => mark));
  const items = [
    ...features.map(({ label, description }) => `${label}: ${description}`),
    ...marks.includes("used in training")
      ? ["† training itself looked through these features: they are kind to what it trained"]
      : [],
    ...marks.includes("training unknown")
      ? ["? it is not known whether training looked through these features"]
      : [],
  ];
  return items.length > 0 ? [heading("How it was measured"), { kind: "list", items }] : [];
}

function configBlocks({ config, environment }: Evaluation): Block[] {
  const rows = Object.entries({ ...config, ...environment })
    .filter(([, value]) => value !== undefined)
    .map(([field, value]): Row => [{ code: field }, { code: JSON.stringify(value) }]);
  return [
    heading("Configuration"),
    { kind: "table", head: ["field", "value"], rows, text: true },
  ];
}

/** The blocks of a report. */
export function reportBlocks(evaluation: Evaluation, pictures: ReportPictures): Block[] {
  return [
    verdict(evaluation),
    ...pictures.first,
    ...distanceBlocks(evaluation),
    ...pictures.extremes,
    ...pictures.errors,
    ...detailBlocks(evaluation),
    ...setBlocks(evaluation),
    ...smoothnessBlocks(evaluation, pictures.smoothness),
    ...costBlocks(evaluation),
    ...exitBlocks(evaluation, pictures.exits),
    ...protocolBlocks(evaluation),
    ...configBlocks(evaluation),
  ];
}
