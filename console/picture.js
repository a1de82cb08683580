// The start picture: a file from here, or an address.

import { ask } from "./api.js";
import { freshId, h, replace } from "./dom.js";
import { markFault } from "./form.js";
import { problem } from "./notices.js";
import { storedPicture } from "./thumbnails.js";

export function picturePicker(input, mayUpload, changed) {
  const id = freshId("picture");
  const seen = h("div", { class: "chosen" });
  const fault = h("span", { class: "fault", id: `${id}-fault` });
  const address = h("input", { id, type: "text", value: input.source_image_url ?? "", placeholder: mayUpload ? "https://… or drop a file here" : "https://…",
    "aria-describedby": `${id}-hint ${id}-fault`, oninput: ({ target }) => set(target.value.trim()) });
  const file = h("input", { id: `${id}-file`, type: "file", accept: "image/*", onchange: ({ target }) => target.files[0] && upload(target.files[0]) });

  function show(note) {
    const picture = storedPicture(input.source_image_url, "The start picture");
    replace(seen, picture, picture && note && h("span", { class: "quiet small" }, note));
  }

  function set(value, note) {
    if (value) input.source_image_url = value;
    else delete input.source_image_url;
    show(note);
    changed("picture");
  }

  async function upload(picture) {
    const form = new FormData();
    form.append("file", picture);
    replace(seen, h("p", { class: "quiet loading" }, `Uploading ${picture.name}…`));
    try {
      const asset = await ask("/api/v1/assets", { method: "POST", form });
      address.value = asset.id;
      set(asset.id, `${picture.name}, ${asset.width} × ${asset.height}`);
    } catch (error) {
      replace(seen, problem(error));
    }
  }

  show();
  const element = h("fieldset", { class: "card picture", ondragover: (event) => event.preventDefault(),
    ondrop: (event) => { event.preventDefault(); if (mayUpload && event.dataTransfer.files[0]) upload(event.dataTransfer.files[0]); } },
    h("legend", null, "Start picture"),
    h("div", { class: "fields" },
      mayUpload && h("div", { class: "field" }, h("label", { for: `${id}-file` }, "Upload a picture"), file,
        h("span", { class: "hint" }, "JPEG, PNG or WebP, up to 30 MB.")),
      h("div", { class: "field" }, h("label", { for: id }, mayUpload ? "or name its address" : "Address of a picture"), address,
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
