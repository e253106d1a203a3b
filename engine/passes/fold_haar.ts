import { bandsToPixels } from "../../core/haar_matrix.ts";
import { type Op, producers, type Program, useCounts, type Value } from "../program.ts";
import { sizeOf } from "../rule.ts";

const MOST_CHANNELS = 4; // of the image: colours; more are transformed faster than multiplied

/**
 * Makes a convolution predict pixels where only an inverse Haar transform reads its bands: the matrix
 * of the transform goes into filter and bias, and moving channels to pixels is left.
 */
export function foldHaar(program: Program): Program {
  const values: Value[] = [...program.values];
  const uses = useCounts(program);
  const makers = producers(program);
  const gone = new Set<Op>();
  const value = (shape: readonly number[], constant?: Float32Array) =>
    values.push({ shape, dtype: "float32", ...constant && { constant } }) - 1;
  const onlyFor = (id: number, kernel: string) => {
    const op = makers.get(id);
    return op?.kernel === kernel && uses.get(id) === 1 ? op : undefined;
  };

  /** The convolution and the bias that make a value, if nothing else reads what they make. */
  const predicted = (id: number) => {
    const sum = onlyFor(id, "Add");
    if (!sum) return { conv: onlyFor(id, "Conv2D"), parts: [] };
    const channels = values[id]!.shape[3]!;
    const conv = sum.inputs.map((input) => onlyFor(input, "Conv2D")).find((op) => op);
    const bias = sum.inputs.find((input) => {
      const { shape } = values[input]!;
      return shape.at(-1) === channels && shape.every((n, i) => n === 1 || i === shape.length - 1);
    });
    return { conv: bias === undefined ? undefined : conv, bias, parts: [sum] };
  };

  const ops = program.ops.flatMap((op): Op[] => {
    const channels = values[op.outputs[0]!]!.shape[3]!;
    if (op.kernel !== "InverseHaar" || channels > MOST_CHANNELS) return [op];
    const { conv, bias, parts } = predicted(op.inputs[0]!);
    if (!conv) return [op];
    [conv, ...parts].forEach((each) => gone.add(each));
    const bands = 4 * channels;
    const matrix = value([bands, bands], bandsToPixels(channels));
    /** A value whose last axis are bands, with pixels there. */
    const transformed = (from: number) => {
      const { shape } = values[from]!;
      const rows = [sizeOf(shape) / bands, bands];
      const [flat, product, to] = [value(rows), value(rows), value(shape)];
      const attributes = { transposeA: false, transposeB: false };
      const made: Op[] = [
        { kernel: "Reshape", inputs: [from], attributes: { shape: rows }, outputs: [flat] },
        { kernel: "BatchMatMul", inputs: [flat, matrix], attributes, outputs: [product] },
        { kernel: "Reshape", inputs: [product], attributes: { shape }, outputs: [to] },
      ];
      return { to, made };
    };
    const [image, filter] = conv.inputs as [number, number];
    const weight = transformed(filter);
    const size = values[conv.outputs[0]!]!.shape;
    let parities = value(size);
    const made = [...weight.made, { ...conv, inputs: [image, weight.to], outputs: [parities] }];
    if (bias !== undefined) {
      const shift = transformed(bias);
      const sum = value(size);
      made.push(...shift.made, {
        kernel: "Add",
        inputs: [parities, shift.to],
        attributes: {},
        outputs: [sum],
      });
      parities = sum;
    }
    const attributes = { blockSize: 2, dataFormat: "NHWC" };
    made.push({ kernel: "DepthToSpace", inputs: [parities], attributes, outputs: op.outputs });
    return made;
  });
  return { ...program, values, ops: ops.filter((op) => !gone.has(op)) };
}
