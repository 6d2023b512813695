/** A point where a script waits until the test opens it; `reached` tells the test that the model is there. */
export interface Gate {
  open(): void;
  readonly reached: Promise<void>;
  wait(): Promise<void>;
}

/** Makes a gate, closed. Open, it stays open. */
export function gate(): Gate {
  const gates: { open?: () => void; reach?: () => void } = {};
  const opened = new Promise<void>((resolve) => (gates.open = resolve));
  const reached = new Promise<void>((resolve) => (gates.reach = resolve));
  return {
    open: () => gates.open?.(),
    reached,
    wait() {
      gates.reach?.();
      return opened;
    },
  };
}
