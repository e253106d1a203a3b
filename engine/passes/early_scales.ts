import { bandPlace } from "../../core/haar_matrix.ts";
import { type Op, producers, type Program, useCounts, type Value } from "../program.ts";
import { broadcastShape } from "../rule.ts";
import { scaleOf } from "./scale_of.ts";

/**
 * Multiplies the bands of an inverse Haar transform by what its result is multiplied by, one number per
 * channel: where the bands are multiplied anyway, a pass over the larger image is spared.
 */
export function earlyScales(program: Program): Program {
  const values: Value[] = [...program.values];
  const uses = useCounts(program);
  const makers = producers(program);
  const gone = new Set<Op>();

  /** The operation that makes a value, if it is of that kernel and nothing else reads the value. */
  const onlyFor = (id: number | undefined, kernel: string): Op | undefined => {
    const op = id === undefined ? undefined : makers.get(id);
    return op?.kernel === kernel && uses.get(id!) === 1 ? op : undefined;
  };
  const split = ({ inputs }: Op) => {
    const scale = scaleOf(inputs, values);
    return { scale, image: inputs.find((id) => id !== scale) };
  };
  const value = (shape: readonly number[]) => values.push({ shape, dtype: "float32" }) - 1;

  const ops = program.ops.flatMap((op): Op[] => {
    if (op.kernel !== "Multiply") return [op];
    const { scale, image } = split(op);
    const transform = onlyFor(image, "InverseHaar");
    const earlier = onlyFor(transform?.inputs[0], "Multiply");
    if (scale === undefined || !transform || !earlier) return [op];
    const { scale: known, image: bands } = split(earlier);
    if (known === undefined || bands === undefined) return [op];
    [transform, earlier].forEach((each) => gone.add(each));

    const { shape } = values[scale]!;
    const size = 4 * shape.at(-1)!;
    const repeated = value([...shape.slice(0, -1), size]);
    const both = value(broadcastShape(values[known]!.shape, values[repeated]!.shape));
    const scaled = value(values[bands]!.shape);
    const channels = new Int32Array(size);
    for (let i = 0; i < size; i++) {
      channels[bandPlace(Math.floor(i / 4), i % 4, size / 4)] = Math.floor(i / 4);
    }
    const indices = values.push({ shape: [size], dtype: "int32", constant: channels }) - 1;
    const attributes = { axis: shape.length - 1, batchDims: 0 };
    return [
      { kernel: "GatherV2", inputs: [scale, indices], attributes, outputs: [repeated] },
      { kernel: "Multiply", inputs: [known, repeated], attributes: {}, outputs: [both] },
      { kernel: "Multiply", inputs: [bands, both], attributes: {}, outputs: [scaled] },
      { ...transform, inputs: [scaled], outputs: op.outputs },
    ];
  });
  return { ...program, values, ops: ops.filter((op) => !gone.has(op)) };
}
