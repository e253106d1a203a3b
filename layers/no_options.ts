import { z } from "zod";

/** The schema of a part that has no options. */
export type NoOptions = z.ZodObject<Record<never, never>>;

/** No options: `{}`. */
export const noOptions: NoOptions = z.object({});
