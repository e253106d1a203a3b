import { type Op, producers, type Program, useCounts } from "../program.ts";
import { sizeOf } from "../rule.ts";
import { scaleOf } from "./scale_of.ts";

/** Which factors a convolution has, after its other inputs: `[N,1,1,C]`, or fewer axes. */
export interface ScaledFilterAttributes {
  /** The operations that it stands for, for targets that cannot merge them. */
  readonly parts: readonly Op[];
  /** Whether the channels that it reads have factors. */
  readonly reads: boolean;
  /** Whether the channels that it makes have factors. */
  readonly makes: boolean;
}

const LINEAR = ["Conv2D", "Resample"];
const TAPS = 16; // of StyleGAN2's blur
const DEAREST = 0.5; // numbers of filters per number of an image that need not be multiplied

/** Name of the kernel whose filter is multiplied by numbers per image and channel. */
export function scaledFilterName(kernel: string): string {
  return `${kernel}PerImage`;
}

/**
 * Spares passes over images, as StyleGAN2's modulation and demodulation are: products with one number
 * per image and channel before and after a convolution, and after a resampling. The numbers become
 * factors of its filter, of which every image then has its own: that pays where images are large.
 */
export function scaleFilters(program: Program): Program {
  const { values } = program;
  const uses = useCounts(program);
  const makers = producers(program);
  const readers = new Map(program.ops.flatMap((op) => op.inputs.map((id) => [id, op] as const)));
  const merged = new Map<Op, Op>(); // by the last operation that it stands for
  const gone = new Set<Op>();

  /** The image and the factors of a product with one reader or one maker, if nobody took it before. */
  const product = (op: Op | undefined) => {
    if (op?.kernel !== "Multiply" || gone.has(op) || merged.has(op)) return undefined;
    const scale = scaleOf(op.inputs, values);
    const image = op.inputs.find((id) => id !== scale);
    return scale === undefined || image === undefined ? undefined : { op, scale, image };
  };
  const size = (id: number) => sizeOf(values[id]!.shape);
  const channels = (id: number) => values[id]!.shape.at(-1)!;

  for (const op of program.ops) {
    if (!LINEAR.includes(op.kernel)) continue;
    const [x, filter] = op.inputs as [number, number];
    const [out] = op.outputs as [number];
    const before = op.kernel === "Conv2D" && uses.get(x) === 1 ? product(makers.get(x)) : undefined;
    const reader = uses.get(out) === 1 ? product(readers.get(out)) : undefined;
    const after = reader?.image === out ? reader : undefined;
    const weights = op.kernel === "Conv2D" ? size(filter) : TAPS * channels(x);
    for (const [reads, makes] of [[before, after], [before, undefined], [undefined, after]]) {
      const scales = [reads, makes].flatMap((each) => each ? [each.scale] : []);
      const images = Math.max(0, ...scales.map((scale) => size(scale) / channels(scale)));
      const spared = (reads ? size(x) : 0) + (makes ? size(out) : 0);
      if (scales.length === 0 || images * weights > DEAREST * spared) continue;
      const parts = [reads?.op, op, makes?.op].filter((part) => part !== undefined);
      parts.forEach((part) => gone.add(part));
      merged.set(parts.at(-1)!, {
        kernel: scaledFilterName(op.kernel),
        inputs: [reads?.image ?? x, ...op.inputs.slice(1), ...scales],
        attributes: { ...op.attributes, parts, reads: !!reads, makes: !!makes },
        outputs: parts.at(-1)!.outputs,
      });
      break;
    }
  }
  const ops = program.ops.flatMap((op) => merged.get(op) ?? (gone.has(op) ? [] : [op]));
  return { ...program, ops };
}
