/**
 * Blocked convolutions of ONNX Runtime as they are written: alone, or with what is merged into them.
 *
 * @module
 */
import type { Form, Lowering } from "../lowering.ts";
import type { Attributes } from "../onnx_model.ts";
import type { FusedAttributes } from "../passes/fuse_convolutions.ts";
import type { Op } from "../program.ts";
import type { Shape4D } from "./blocked_weight.ts";

/** A convolution before it is written: what may be merged into it goes to its inputs. */
export interface BlockedNode {
  /** Image and weights. */
  readonly inputs: readonly [string, string];
  readonly attributes: Attributes;
  /** Whether it takes the channels of all images for those of one. */
  readonly whole?: boolean;
}

/** What an operation is as a blocked convolution, if it can be one. */
export type Build = (op: Op, l: Lowering) => BlockedNode | undefined;

/** A convolution alone; its result need not have whole blocks of channels. */
export function plain(build: Build): Form {
  return (op, l) => {
    const [out] = op.outputs;
    const node = l.block > 0 ? build(op, l) : undefined;
    if (!node) return false;
    l.put(out!, write(l, out!, node), l.canBlock(out!) ? "blocked" : "padded");
    return true;
  };
}

/** A convolution with what `fuseConvolutions` has merged into it; values are added to whole blocks. */
export function fused(build: Build): Form {
  return (op, l) => {
    const [out] = op.outputs;
    const { parts: [conv], bias, sum, alpha } = op.attributes as FusedAttributes;
    const blocked = l.canBlock(out!);
    const node = blocked || l.block > 0 && !sum ? build(conv!, l) : undefined;
    if (!node) return false;
    const merged = op.inputs.slice(conv!.inputs.length);
    const name = write(l, out!, node, {
      ...bias && { bias: merged[0]! },
      ...sum && { sum: merged.at(-1)! },
      ...alpha !== undefined && { alpha },
    });
    l.put(out!, name, blocked ? "blocked" : "padded");
    return true;
  };
}

/** Writes a convolution to `out`, in blocks, with what is merged into it. */
function write(
  l: Lowering,
  out: number,
  { inputs: [x, weight], attributes, whole = false }: BlockedNode,
  { bias, sum, alpha }: {
    readonly bias?: number;
    readonly sum?: number;
    readonly alpha?: number;
  } = {},
): string {
  const [n, h, w, c] = l.shape(out) as Shape4D;
  const channels = Math.ceil(c / l.block) * l.block;
  const biasOf = (id: number) => {
    const one = l.pad(l.reshape(l.get(id), [c]), [0], [channels - c]);
    return whole ? l.emit("Tile", [one, l.integers([n])]) : one;
  };
  const sumOf = (id: number) => {
    if (l.shape(id)[3] !== c) return spreadMap(l, id, [n, h, w, c], whole);
    const one = l.get(id, "blocked");
    const all = l.shape(id)[0] === n ? one : l.emit("Expand", [one, l.integers([n, c, h, w])]);
    return whole ? l.reshape(all, [1, n * c, h, w]) : all;
  };
  const inputs: string[] = [x, weight];
  if (bias !== undefined || sum !== undefined) inputs.push(bias === undefined ? "" : biasOf(bias));
  if (sum !== undefined) inputs.push(sumOf(sum));
  const name = l.emit("com.microsoft.nchwc/Conv", inputs, {
    ...attributes,
    ...alpha !== undefined && { activation: "LeakyRelu", activation_params: { floats: [alpha] } },
  });
  return whole ? l.reshape(name, [n, channels, h, w]) : name;
}

/**
 * A map `[N or 1,H,W,1]` for every image and channel, as a convolution of one channel: broadcasting
 * writes it by one thread.
 */
function spreadMap(l: Lowering, id: number, [n, h, w, c]: Shape4D, whole: boolean): string {
  const shared = l.shape(id)[0]! < n;
  const channels = shared ? n * c : c;
  const weight = l.float(new Float32Array(channels).fill(1), [channels, 1, 1, 1]);
  const spread = l.emit("com.microsoft.nchwc/Conv", [l.get(id, "channelsFirst"), weight]);
  return shared === whole ? spread : l.reshape(spread, whole ? [1, n * c, h, w] : [n, c, h, w]);
}
