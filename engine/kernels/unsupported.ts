const COMPLEX = "ONNX has no complex numbers";
const STRINGS = "it works on text";
const DYNAMIC = "the shape of its result depends on the numbers";
const RANDOM = "it draws random numbers; use the random of the step";

/** Kernels of TensorFlow.js without a rule, and why. */
export const unsupportedKernels: Readonly<Record<string, string>> = {
  BitwiseAnd: "ONNX has it from operator set 18 on",
  BroadcastArgs: "its inputs are shapes, whose numbers are not known while tracing",
  Complex: COMPLEX,
  ComplexAbs: COMPLEX,
  Draw: "it draws on a canvas",
  FFT: COMPLEX,
  FromPixels: "it reads a canvas",
  IFFT: COMPLEX,
  Imag: COMPLEX,
  Multinomial: RANDOM,
  NonMaxSuppressionV3: DYNAMIC,
  NonMaxSuppressionV4: DYNAMIC,
  NonMaxSuppressionV5: DYNAMIC,
  RaggedGather: DYNAMIC,
  RaggedRange: DYNAMIC,
  RaggedTensorToTensor: DYNAMIC,
  Real: COMPLEX,
  SparseFillEmptyRows: DYNAMIC,
  SparseReshape: "its shape is a tensor, whose numbers are not known while tracing",
  SparseSegmentMean: DYNAMIC,
  SparseSegmentSum: DYNAMIC,
  StaticRegexReplace: STRINGS,
  StringNGrams: STRINGS,
  StringSplit: STRINGS,
  StringToHashBucketFast: STRINGS,
  Transform: "TensorFlow.js cannot differentiate it; resample with constant matrices instead",
  Unique: DYNAMIC,
};
