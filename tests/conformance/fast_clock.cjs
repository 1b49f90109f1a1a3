// Loaded before the CLI: a clock a thousand times as fast, for waits that end by the clock. Timers keep their time.
const began = Date.now();
const real = Date.now;
Date.now = () => began + (real() - began) * 1000;
