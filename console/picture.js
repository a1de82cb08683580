// Pictures of the caller's: a file from here, or an address.

import { ask } from "./api.js";
import { freshId, h, replace } from "./dom.js";
import { markFault } from "./form.js";
import { problem } from "./notices.js";
import { storedPicture } from "./thumbnails.js";

// The start picture of a chain.
export function picturePicker(input, mayUpload, changed) {
  const set = (value) => {
    if (value) input.source_image_url = value;
    else delete input.source_image_url;
    changed("picture");
  };
  const field = pictureField(input.source_image_url, "The start picture", mayUpload, set);
  const element = h("fieldset", { class: "card picture", ...field.drop }, h("legend", null, "Start picture"), field.parts);
  return {
    element,
    isUploading: field.isUploading,
    showFaults(faults) {
      const isOurs = ({ path }) => path[1] === "source_image_url";
      field.showFaults(faults.filter(isOurs));
      return faults.filter((one) => !isOurs(one));
    },
  };
}

// `set` is told the address, or the id of what was uploaded; `drop` lets whatever holds the `parts` take a dropped file.
export function pictureField(value, alt, mayUpload, set) {
  const id = freshId("picture");
  const seen = h("div", { class: "chosen" });
  let uploads = 0;
  const fault = h("span", { class: "fault", id: `${id}-fault` });
  const address = h("input", { id, type: "text", value: value ?? "", placeholder: mayUpload ? "https://… or drop a file here" : "https://…",
    "aria-describedby": `${id}-hint ${id}-fault`, oninput: ({ target }) => choose(target.value.trim()) });
  const file = h("input", { id: `${id}-file`, type: "file", accept: "image/*", onchange: ({ target }) => target.files[0] && upload(target.files[0]) });

  function show(chosen, note) {
    const picture = storedPicture(chosen, alt);
    replace(seen, picture, picture && note && h("span", { class: "quiet small" }, note));
  }

  function choose(chosen, note) {
    show(chosen, note);
    set(chosen);
  }

  async function upload(picture) {
    const form = new FormData();
    form.append("file", picture);
    replace(seen, h("p", { class: "quiet loading" }, `Uploading ${picture.name}…`));
    uploads += 1;
    try {
      const asset = await ask("/api/v1/assets", { method: "POST", form });
      address.value = asset.id;
      choose(asset.id, `${picture.name}, ${asset.width} × ${asset.height}`);
    } catch (error) {
      replace(seen, problem(error));
    } finally {
      uploads -= 1;
    }
  }

  show(value);
  const parts = [
    h("div", { class: "fields" },
      mayUpload && h("div", { class: "field" }, h("label", { for: `${id}-file` }, "Upload a picture"), file,
        h("span", { class: "hint" }, "JPEG, PNG or WebP, up to 30 MB.")),
      h("div", { class: "field" }, h("label", { for: id }, mayUpload ? "or name its address" : "Address of a picture"), address,
        h("span", { class: "hint", id: `${id}-hint` }, "An https address, or the id of an uploaded file."), fault)),
    seen,
  ];
  const drop = {
    ondragover: (event) => event.preventDefault(),
    ondrop: (event) => { event.preventDefault(); if (mayUpload && event.dataTransfer.files[0]) upload(event.dataTransfer.files[0]); },
  };
  return {
    parts,
    drop,
    focus: () => (mayUpload ? file : address).focus(),
    isUploading: () => uploads > 0,
    showFaults: (faults) => markFault(address, fault, faults),
  };
}
