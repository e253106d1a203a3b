/**
 * The notebook's Stop button: a cell ends, the kernel and what it knows stay.
 *
 * @module
 */

/** Passes Stop on to what runs. */
export interface StopButton {
  /** A signal that the next Stop aborts; every call gives a new one. */
  signal(): AbortSignal;
  /** Somebody pressed Stop. */
  press(): void;
  /** A run begins: an earlier Stop was not meant for it. */
  release(): void;
  /**
   * A run goes on. It has one more step to notice its signal; a run that has none is ended here.
   *
   * @throws {DOMException} An `AbortError`, which leaves the loop that shows the run's events.
   */
  check(): void;
}

/** Makes the state behind one Stop button. */
export function createStopButton(): StopButton {
  const waiting = new Set<AbortController>();
  let stepsLeft: number | undefined;
  const stopped = () => new DOMException("Stopped by the notebook's user", "AbortError");
  return {
    signal() {
      const controller = new AbortController();
      waiting.add(controller);
      return controller.signal;
    },
    press() {
      stepsLeft = waiting.size > 0 ? 1 : 0;
      for (const controller of waiting) controller.abort(stopped());
      waiting.clear();
    },
    release() {
      stepsLeft = undefined;
    },
    check() {
      if (stepsLeft === undefined) return;
      if (stepsLeft > 0) stepsLeft--;
      else {
        stepsLeft = undefined;
        throw stopped();
      }
    },
  };
}
