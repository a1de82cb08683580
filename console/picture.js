// The start picture: a file from here, or an address.

import { ask } from "./api.js";
import { freshId, h, replace } from "./dom.js";
import { markFault } from "./form.js";
import { problem } from "./notices.js";

export function picturePicker(input, changed) {
  const id = freshId("picture");
  const seen = h("div", { class: "chosen" });
  const fault = h("span", { class: "fault", id: `${id}-fault` });
  const address = h("input", { id, type: "text", value: input.source_image_url ?? "", placeholder: "https://… or drop a file here",
    "aria-describedby": `${id}-hint ${id}-fault`, oninput: ({ target }) => set(target.value.trim()) });
  const file = h("input", { id: `${id}-file`, type: "file", accept: "image/*", onchange: ({ target }) => target.files[0] && upload(target.files[0]) });

  function set(value) {
    if (value) input.source_image_url = value;
    else delete input.source_image_url;
    changed("picture");
  }

  async function upload(picture) {
    const form = new FormData();
    form.append("file", picture);
    replace(seen, h("p", { class: "quiet loading" }, `Uploading ${picture.name}…`));
    try {
      const asset = await ask("/api/v1/assets", { method: "POST", form });
      address.value = asset.id;
      const poster = new URL(asset.poster_url);
      replace(seen, h("img", { src: poster.pathname + poster.search, alt: "The start picture" }),
        h("span", { class: "quiet small" }, `${picture.name}, ${asset.width} × ${asset.height}`));
      set(asset.id);
    } catch (error) {
      replace(seen, problem(error));
    }
  }

  const element = h("fieldset", { class: "card picture", ondragover: (event) => event.preventDefault(),
    ondrop: (event) => { event.preventDefault(); if (event.dataTransfer.files[0]) upload(event.dataTransfer.files[0]); } },
    h("legend", null, "Start picture"),
    h("div", { class: "fields" },
      h("div", { class: "field" }, h("label", { for: `${id}-file` }, "Upload a picture"), file,
        h("span", { class: "hint" }, "JPEG, PNG or WebP, up to 30 MB.")),
      h("div", { class: "field" }, h("label", { for: id }, "or name its address"), address,
        h("span", { class: "hint", id: `${id}-hint` }, "An https address, or the id of an uploaded file."), fault)),
    seen);
  return {
    element,
    showFaults(faults) {
      const isOurs = ({ path }) => path[1] === "source_image_url";
      markFault(address, fault, faults.filter(isOurs));
      return faults.filter((one) => !isOurs(one));
    },
  };
}
