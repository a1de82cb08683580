// Small pictures of assets, asked for when they come into view and remembered for this tab.

import { assetId, get } from "./api.js";
import { h } from "./dom.js";

const known = new Map();

async function posterOf(id) {
  if (!known.has(id)) {
    known.set(id, get(`/api/v1/assets/${id}`).then((asset) => {
      const parts = new URL(asset.poster_url);
      return parts.pathname + parts.search;
    }));
  }
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
    image.src = await posterOf(image.dataset.asset);
  } catch {
    image.closest(".thumb")?.classList.add("missing");
  }
}

export function thumbnail(url, alt) {
  const id = assetId(url);
  if (!id) return h("span", { class: "thumb missing" });
  const image = h("img", { alt, "data-asset": id, decoding: "async", width: "160", height: "160" });
  const isVideo = /\.(mp4|webm|mov)$/.test(id);
  watcher.observe(image);
  return h("span", { class: `thumb${isVideo ? " video" : ""}` }, image);
}
