// What is looked at again and again, while its page is open and its tab in view.

export function every(pause, signal, look) {
  // The page may have been left before it came so far.
  if (signal.aborted) return;
  const timer = setInterval(() => document.visibilityState === "visible" && look(), pause);
  signal.addEventListener("abort", () => clearInterval(timer));
}
