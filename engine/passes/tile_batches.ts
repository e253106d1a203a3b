import { axesOf } from "../kernels/reduction.ts";
import type { Op, Program, Value } from "../program.ts";
import { sizeOf } from "../rule.ts";

/** Bytes of a value that is computed in tiles, and about those of a tile: twice a core's own cache. */
const LARGE_BYTES = 2 ** 21;
/** Fewest images of a tile: of a single one OpenVINO changes the layout where noise is added. */
const FEWEST = 2;

const ELEMENTWISE = new Set([
  "Abs",
  "Add",
  "AddN",
  "LeakyRelu",
  "LeakyReluGradient",
  "Multiply",
  "Neg",
  "Square",
  "Step",
  "Sub",
]);
/** What computes every image of its first operand alone. */
const BY_IMAGE = new Set([
  "Conv2D",
  "Conv2DBackpropInput",
  "DepthwiseConv2dNative",
  "DepthwiseConv2dNativeBackpropInput",
  "Haar",
  "InverseHaar",
  "Resample",
]);
/** What adds up what it makes of the images of its first two operands. */
const SUMS = new Set(["Conv2DBackpropFilter", "DepthwiseConv2dNativeBackpropFilter"]);

/** How an operation is computed in tiles. */
interface Tiling {
  /** Which operands have images. */
  readonly batched: readonly number[];
  /** What becomes of the tiles' results. */
  readonly result: "images" | "sum";
}

/**
 * Computes on large images a few at a time, from the operation that makes them to the one that makes
 * small ones of them, so that a tile is in the caches when the next operation reads it. What adds up
 * images adds the tiles' sums.
 *
 * @param numberBytes Bytes of a number, as it is computed with.
 */
export function tileBatches(program: Program, numberBytes: number): Program {
  const isLarge = ({ shape }: Value) =>
    imagesOf(shape) > 1 && sizeOf(shape) * numberBytes >= LARGE_BYTES;
  const images = program.ops.filter(({ kernel }) => BY_IMAGE.has(kernel)) // not filters, as large
    .map(({ outputs }) => program.values[outputs[0]!]!);
  const size = tileSize(images.filter(isLarge), LARGE_BYTES / numberBytes);
  if (!size) return program;
  const tiles = new Tiles(program, size);
  for (const op of program.ops) {
    const tiling = tilingOf(op, program.values, size.batch);
    const read = tiling?.batched.map((i) => op.inputs[i]!) ?? [];
    const some = [...read, ...op.outputs].some((id) => isLarge(program.values[id]!));
    const goesOn = ELEMENTWISE.has(op.kernel) && read.every((id) => tiles.holds(id));
    if (tiling && (some || goesOn)) tiles.compute(op, tiling);
    else tiles.keep(op);
  }
  return tiles.finish();
}

const imagesOf = (shape: readonly number[]) => shape.length === 4 ? shape[0]! : 1;

interface TileSize {
  readonly batch: number;
  /** Images of a tile. */
  readonly each: number;
}

/** The most images that are no more than `most` numbers together, or the fewest that are worth it. */
function tileSize(large: readonly Value[], most: number): TileSize | undefined {
  if (large.length === 0) return undefined;
  const batch = Math.max(...large.map(({ shape }) => imagesOf(shape)));
  const image = Math.max(...large.map(({ shape }) => sizeOf(shape) / imagesOf(shape)));
  let each = Math.min(batch - 1, Math.max(FEWEST, Math.floor(most / image)));
  while (batch % each !== 0) each--;
  return each < FEWEST ? undefined : { batch, each };
}

function tilingOf(
  { kernel, inputs, attributes, outputs: [out] }: Op,
  values: readonly Value[],
  batch: number,
): Tiling | undefined {
  const hasBatch = (id: number) => imagesOf(values[id]!.shape) === batch;
  if (ELEMENTWISE.has(kernel)) {
    if (!hasBatch(out!)) return undefined;
    return { batched: [...inputs.keys()].filter((i) => hasBatch(inputs[i]!)), result: "images" };
  }
  if (inputs.length === 0 || !hasBatch(inputs[0]!)) return undefined;
  if (BY_IMAGE.has(kernel)) return { batched: [0], result: "images" };
  if (SUMS.has(kernel)) return { batched: [0, 1], result: "sum" };
  if (kernel !== "Sum") return undefined;
  const sums = axesOf(attributes, values[inputs[0]!]!.shape).includes(0);
  return { batched: [0], result: sums ? "sum" : "images" };
}

/** A program on the way to one in tiles. */
class Tiles {
  readonly #ops: Op[] = [];
  readonly #values: Value[];
  readonly #tiles = new Map<number, readonly number[]>();
  readonly #whole: Set<number>;
  readonly #count: number;

  readonly #program: Program;
  readonly #each: number;

  constructor(program: Program, { batch, each }: TileSize) {
    this.#program = program;
    this.#each = each;
    this.#values = [...program.values];
    const constants = program.values.keys().filter((id) => program.values[id]!.constant);
    this.#whole = new Set([...program.inputs, ...constants]);
    this.#count = batch / each;
  }

  /** Whether a value is there in tiles only. */
  holds(id: number): boolean {
    return this.#tiles.has(id) && !this.#whole.has(id);
  }

  /** Takes an operation over as it is. */
  keep(op: Op): void {
    op.inputs.forEach((id) => this.#join(id));
    this.#ops.push(op);
    op.outputs.forEach((id) => this.#whole.add(id));
  }

  /** Writes an operation for every tile. */
  compute(op: Op, { batched, result }: Tiling): void {
    const operands = op.inputs.map((id, i) =>
      batched.includes(i) ? this.#split(id) : this.#join(id)
    );
    const [out] = op.outputs as [number];
    const { inputShape } = op.attributes;
    const attributes = {
      ...op.attributes,
      ...inputShape && { inputShape: this.#tile(inputShape) },
    };
    const parts = Array.from({ length: this.#count }, (_, tile) => {
      const part = this.#fresh(out, result === "images");
      const inputs = op.inputs.map((id, i) => operands[i]?.[tile] ?? id);
      this.#ops.push({ ...op, inputs, attributes, outputs: [part] });
      return part;
    });
    if (result === "images") return void this.#tiles.set(out, parts);
    this.#ops.push({ kernel: "AddN", inputs: parts, attributes: {}, outputs: [out] });
    this.#whole.add(out);
  }

  finish(): Program {
    this.#program.outputs.forEach((id) => this.#join(id));
    return { ...this.#program, values: this.#values, ops: this.#ops };
  }

  #tile(shape: readonly number[]): readonly number[] {
    return shape.with(0, this.#each);
  }

  #fresh(id: number, isTile: boolean): number {
    const { shape, dtype } = this.#values[id]!;
    return this.#values.push({ shape: isTile ? this.#tile(shape) : shape, dtype }) - 1;
  }

  #split(id: number): readonly number[] {
    const known = this.#tiles.get(id);
    if (known) return known;
    const outputs = Array.from({ length: this.#count }, () => this.#fresh(id, true));
    const attributes = { numOrSizeSplits: this.#count, axis: 0 };
    this.#ops.push({ kernel: "SplitV", inputs: [id], attributes, outputs });
    this.#tiles.set(id, outputs);
    return outputs;
  }

  /** Makes a value whole. */
  #join(id: number): undefined {
    if (!this.holds(id)) return;
    const inputs = this.#tiles.get(id)!;
    this.#ops.push({ kernel: "Concat", inputs, attributes: { axis: 0 }, outputs: [id] });
    this.#whole.add(id);
  }
}
