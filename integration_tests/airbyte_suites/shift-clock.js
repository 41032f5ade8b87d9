// Loaded by NODE_OPTIONS=--require: moves the clock of a Node process by CLOCK_SHIFT_MS, so that a test can let a day pass.
const shift = Number(process.env.CLOCK_SHIFT_MS ?? 0);
const RealDate = Date;
const now = () => RealDate.now() + shift;

globalThis.Date = class extends RealDate {
  constructor(...parts) {
    super(...(parts.length === 0 ? [now()] : parts));
  }

  static now() {
    return now();
  }
};
