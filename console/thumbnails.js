// Small pictures of assets, asked for when they come into view and remembered for this tab.

import { assetId, get, ownAddress } from "./api.js";
import { h } from "./dom.js";

const known = new Map();

function factsOf(id) {
  if (!known.has(id)) known.set(id, get(`/api/v1/assets/${id}`).catch((error) => { known.delete(id); throw error; }));
  return known.get(id);
}

const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    watcher.unobserve(entry.target);
    load(entry.target);
  }
}, { rootMargin: "200px" });

async function load(image) {
  try {
    const { poster_url: poster, url } = await factsOf(image.dataset.asset);
    image.src = ownAddress(poster);
    const whole = image.closest("a.stored");
    if (whole) whole.href = ownAddress(url);
  } catch {
    image.closest(".thumb")?.classList.add("missing");
  }
}

export function thumbnail(url, alt) {
  const id = assetId(url);
  if (!id) return h("span", { class: "thumb missing" });
  const image = h("img", { alt, "data-asset": id, decoding: "async", width: "160", height: "160", onerror: ({ target }) => target.removeAttribute("src") });
  const isVideo = /\.(mp4|webm|mov)$/.test(id);
  watcher.observe(image);
  return h("span", { class: `thumb${isVideo ? " video" : ""}` }, image);
}

// A small picture that leads to the whole one, by a fresh link: those that were given run out. Null where it is not ours.
export function storedPicture(url, alt) {
  return assetId(url) && h("a", { class: "stored", target: "_blank", rel: "noreferrer" }, thumbnail(url, alt));
}
