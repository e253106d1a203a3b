/**
 * The models that ship with the package.
 *
 * @module
 */

/** Addresses of the shipped generators by name: `models["avatars-64"].teacher`. */
export const models: {
  readonly "avatars-64": { readonly teacher: string; readonly student: string };
} = {
  "avatars-64": {
    teacher: new URL("../models/avatars-64/teacher.safetensors", import.meta.url).href,
    student: new URL("../models/avatars-64/student.safetensors", import.meta.url).href,
  },
};

/** The address of a model's teacher or student if `source` names a model, else `source`. */
export function addressOf(source: string, which: "teacher" | "student"): string {
  return Object.hasOwn(models, source) ? models[source as keyof typeof models][which] : source;
}
