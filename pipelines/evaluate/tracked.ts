/** Thrown inside of work whose reader has gone. */
class Abandoned extends Error {}

/** Says that so many images are done; throws when the work is to stop. */
export type Tick = (images: number) => void;

/**
 * Runs work that reports its progress by a callback, and yields what it reports.
 *
 * If the reader stops, or the signal is aborted, the work ends at its next report.
 */
export async function* tracked<Result>(
  work: (tick: Tick) => Promise<Result>,
  signal?: AbortSignal,
): AsyncGenerator<number, Result> {
  let pending = 0;
  let abandoned = false;
  let wake = () => {};
  const tick = (images: number) => {
    if (abandoned) throw new Abandoned();
    signal?.throwIfAborted();
    pending += images;
    wake();
  };
  let isDone = false;
  const running = work(tick).finally(() => {
    isDone = true;
    wake();
  });
  running.catch(() => {}); // it may fail while the reader is busy; awaited below
  try {
    while (!isDone) {
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (pending > 0 || isDone) resolve();
      });
      if (pending === 0) continue;
      const images = pending;
      pending = 0;
      yield images;
    }
    return await running;
  } finally {
    abandoned = true;
    await running.catch(() => {}); // thrown above, or nobody is left to hear it
  }
}
