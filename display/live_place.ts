import type { Kernel, MimeBundle } from "./kernel.ts";

/** Most often that an output changes. */
const INTERVAL_MS = 500;
/** Drawing may take this part of the time of what is shown. */
const SHARE = 0.05;

/** An output of a cell that changes in place. */
export interface LivePlace {
  /** Draws now, or keeps it for later if the last time was too recent. */
  offer(draw: () => MimeBundle | Promise<MimeBundle>): Promise<void>;
  /** Draws what was kept. */
  flush(): Promise<void>;
}

/** Makes a place; nothing is shown before the first {@linkcode LivePlace.offer}. */
export function createLivePlace(kernel: Kernel, id: string, now: () => number): LivePlace {
  let isShown = false;
  let next = -Infinity;
  let kept: (() => MimeBundle | Promise<MimeBundle>) | undefined;
  const flush = async () => {
    if (!kept) return;
    const draw = kept;
    kept = undefined;
    const start = now();
    const bundle = await draw();
    await (isShown ? kernel.update(bundle, id) : kernel.add(bundle, id));
    isShown = true;
    const end = now();
    next = end + Math.max(INTERVAL_MS, (end - start) / SHARE);
  };
  return {
    async offer(draw) {
      kept = draw;
      if (now() >= next) await flush();
    },
    flush,
  };
}
