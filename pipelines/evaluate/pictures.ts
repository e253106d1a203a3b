/**
 * The pictures of an evaluation's report.
 *
 * @module
 */
import type { HostArray } from "../../core/contracts.ts";
import type { ImageSource } from "../../data/image_source.ts";
import { imageGrid } from "../../io/png.ts";
import type { Picture } from "../../io/report_document.ts";
import { type BandName, type Detail, finestBands } from "./detail.ts";
import type { ExitImages } from "./early_exits.ts";
import { firstImages } from "./image_sets.ts";
import { type PairedImages, type Pairs, stacked } from "./pairs.ts";

/** Images in a row. */
const COLUMNS = 8;
const BANDS: readonly BandName[] = ["ll", "lh", "hl", "hh"];

/** A picture of a report: its caption, and a PNG in `pictures/`. */
async function picture(
  name: string,
  caption: string,
  { images, columns = COLUMNS, labels }: {
    readonly images: HostArray;
    readonly columns?: number;
    readonly labels?: readonly string[];
  },
): Promise<Picture> {
  const content = await imageGrid(images, { columns, ...labels && { labels } });
  return { kind: "picture", caption, path: `pictures/${name}.png`, content };
}

/** Rows of pairs: the teacher's images, below them the student's. */
function pairRows({ teacher, student }: PairedImages): HostArray {
  const rows: HostArray[] = [];
  for (let first = 0; first < teacher.shape[0]!; first += COLUMNS) {
    rows.push(slice(teacher, first, COLUMNS), slice(student, first, COLUMNS));
  }
  return stacked(rows);
}

function slice({ shape, data }: HostArray, first: number, count: number): HostArray {
  const size = data.length / shape[0]!;
  const kept = data.subarray(first * size, (first + count) * size);
  return { shape: [kept.length / size, ...shape.slice(1)], data: kept };
}

const LABELS = ["teacher", "student"];
const labelsFor = (count: number) =>
  Array.from({ length: 2 * Math.ceil(count / COLUMNS) }, (_, i) => LABELS[i % 2]!);

/** The first latents, and those on which the student is worst and best. */
export async function pairPictures(
  pairs: Pairs,
  psnr: readonly number[],
): Promise<{ readonly first: Picture; readonly extremes: readonly Picture[] }> {
  const shown = Math.min(2 * COLUMNS, pairs.count - pairs.count % COLUMNS || pairs.count);
  const order = psnr.map((_, i) => i).sort((a, b) => psnr[a]! - psnr[b]!);
  const few = Math.min(COLUMNS, Math.ceil(psnr.length / 2));
  const row = async (name: string, what: string, indices: readonly number[]) => {
    const values = indices.map((i) => psnr[i]!.toFixed(1)).join(", ");
    const images = pairRows(await pairs.at(indices));
    const layout = { images, columns: indices.length, labels: LABELS };
    return picture(name, `${what} pairs, PSNR in dB: ${values}`, layout);
  };
  const indices = Array.from({ length: shown }, (_, i) => i);
  return {
    first: await picture(
      "pairs",
      `The first ${shown} latents: teacher, and below it the student on the same latent and noise`,
      {
        images: pairRows(await pairs.at(indices)),
        columns: Math.min(COLUMNS, shown),
        labels: labelsFor(shown),
      },
    ),
    extremes: [
      await row("worst", "Worst", order.slice(0, few)),
      await row("best", "Best", order.slice(-few).reverse()),
    ],
  };
}

/**
 * Where the student differs, by wavelet band: a column for the mean over all pairs, then one for
 * each of some pairs. White is no difference, black the largest that is shown for the band.
 */
export async function errorPicture(
  pairs: Pairs,
  psnr: readonly number[],
  detail: Detail,
): Promise<Picture> {
  const order = psnr.map((_, i) => i).sort((a, b) => psnr[a]! - psnr[b]!);
  const count = Math.min(COLUMNS - 1, order.length);
  // From the worst to the best, evenly.
  const indices = Array.from(
    { length: count },
    (_, i) => order[Math.round(i * (order.length - 1) / Math.max(1, count - 1))]!,
  );
  const { teacher, student } = await pairs.at(indices);
  const [own, other] = [finestBands(student), finestBands(teacher)];
  const { means } = detail;
  const rows: HostArray[] = [means.teacher, teacher, means.student, student];
  const labels = ["teacher", "student"];
  for (const band of BANDS) {
    const errors = magnitudes(own[band], other[band]);
    const scale = quantile([...errors.data], 0.995);
    const map = detail.maps[band];
    const meanScale = quantile([...map.data], 0.995);
    rows.push(
      shaded({ shape: [1, ...map.shape], data: map.data }, meanScale),
      shaded(errors, scale),
    );
    labels.push(`${band.toUpperCase()} ${meanScale.toPrecision(1)} | ${scale.toPrecision(1)}`);
  }
  const caption = `Magnitude of the difference in each finest Haar band, mean over colors. First ` +
    `column: means over all ${pairs.count} pairs; then pairs from the worst to the best. White is 0; ` +
    `the two numbers beside a band are what black stands for, in the first column and in the others`;
  return await picture("errors", caption, { images: stacked(rows), columns: count + 1, labels });
}

/** Mean over the colors of the magnitude of a difference: `[N,h,w]`. */
function magnitudes(left: HostArray, right: HostArray): HostArray {
  const [n, h, w] = left.shape as [number, number, number];
  const data = new Float32Array(n * h * w);
  left.data.forEach((value, i) => data[Math.floor(i / 3)]! += Math.abs(value - right.data[i]!) / 3);
  return { shape: [n, h, w], data };
}

/** Maps `[N,h,w]` as gray images `[N,2h,2w,3]`: white for 0, black for `scale` and more. */
function shaded({ shape, data }: HostArray, scale: number): HostArray {
  const [n, h, w] = shape as [number, number, number];
  const gray = Float32Array.from(
    { length: 3 * data.length },
    (_, i) => 1 - 2 * Math.min(1, data[Math.floor(i / 3)]! / scale),
  );
  return enlarged({ shape: [n, h, w, 3], data: gray }, 2);
}

/** Every pixel as a square of so many. */
function enlarged({ shape, data }: HostArray, factor: number): HostArray {
  const [n, h, w] = shape as [number, number, number];
  const [tall, wide] = [h * factor, w * factor];
  const result = new Float32Array(n * tall * wide * 3);
  for (let y = 0; y < n * tall; y++) {
    const row = Math.floor(y / factor) * w;
    for (let x = 0; x < wide; x++) {
      const from = (row + Math.floor(x / factor)) * 3;
      for (let c = 0; c < 3; c++) result[(y * wide + x) * 3 + c] = data[from + c]!;
    }
  }
  return { shape: [n, tall, wide, 3], data: result };
}

function quantile(values: number[], share: number): number {
  values.sort((a, b) => a - b);
  return Math.max(1e-6, values[Math.floor(share * (values.length - 1))]!);
}

/** The images of every head, each pixel enlarged to the whole size, below the teacher's. */
export async function exitPicture({ teacher, heads }: ExitImages): Promise<Picture> {
  const count = Math.min(COLUMNS, teacher.shape[0]!);
  const sizePx = teacher.shape[1]!;
  const rows = [
    ...heads.map((head) => enlarged(firstImages(head, count), sizePx / head.shape[1]!)),
    firstImages(teacher, count),
  ];
  const labels = [...heads.map((head) => `${head.shape[1]} px`), "teacher"];
  const caption = "Early exits: the image of each head, every pixel enlarged, and the teacher's";
  return await picture("exits", caption, { images: stacked(rows), columns: count, labels });
}

/** Some images of a generator that has nobody to be compared with image by image. */
export async function samplePicture(label: string, images: HostArray): Promise<Picture> {
  const count = Math.min(2 * COLUMNS, images.shape[0]!);
  const layout = { images: firstImages(images, count) };
  return await picture("samples", `Images of the ${label}`, layout);
}

/** Some of the real images. */
export async function realPicture(source: ImageSource, first: number): Promise<Picture> {
  const count = Math.min(2 * COLUMNS, source.length);
  const images = await source.batch(Array.from({ length: count }, (_, i) => first + i));
  return await picture("real", `Real images: ${source.name}`, { images });
}
