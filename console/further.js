// Pictures of the caller's beside the one that a step gets from the chain, as many as its model takes.

import { h, replace } from "./dom.js";
import { pictureField } from "./picture.js";
import { readPictures, writePictures } from "./picture_places.js";

// `values`, which stand at `base` of the request, are changed in place; `changed()` is told.
export function furtherPictures(place, values, base, mayUpload, changed) {
  let rows = [];
  const list = h("div", { class: "rows" });
  const add = h("button", { type: "button", onclick: () => { append(""); rows.at(-1).field.focus(); } }, "Add a picture");
  const count = h("span", { class: "quiet small", role: "status" });

  function append(address) {
    const row = { address };
    const legend = h("legend");
    row.field = pictureField(address, "A further picture", mayUpload, (value) => { row.address = value; write(); });
    row.number = (number) => replace(legend, `Picture ${number}`);
    row.element = h("fieldset", { class: "picture", ...row.field.drop }, legend, row.field.parts,
      h("button", { type: "button", onclick: () => drop(row) }, "Remove"));
    rows.push(row);
    list.append(row.element);
    number();
  }

  function drop(row) {
    rows = rows.filter((one) => one !== row);
    row.element.remove();
    number();
    add.focus();
    write();
  }

  // The one that the chain hands on is the first.
  function number() {
    rows.forEach((row, index) => row.number(index + 2));
    add.disabled = rows.length >= place.maximum;
    replace(count, `${rows.length} of ${place.maximum}`);
  }

  const filled = () => rows.filter(({ address }) => address);
  const addresses = () => filled().map(({ address }) => address);
  function write() {
    writePictures(place, values, addresses());
    changed();
  }

  // Drawn anew only where somebody else has changed what is sent.
  function read() {
    const now = readPictures(place, values).map(({ address }) => address);
    if (JSON.stringify(now) === JSON.stringify(addresses())) return;
    rows = [];
    replace(list);
    now.forEach(append);
  }

  number();
  read();
  return {
    element: h("div", { class: "further", role: "group", "aria-label": "Further pictures" },
      h("div", null, h("strong", null, "Further pictures"),
        h("p", { class: "hint" }, "The step's own picture is picture 1; yours are numbered after it.")),
      list,
      h("div", { class: "row" }, add, count)),
    read,
    isUploading: () => rows.some(({ field }) => field.isUploading()),
    // Gives them back, to stand elsewhere.
    take() {
      const taken = addresses();
      writePictures(place, values, []);
      return taken;
    },
    // Takes in as many of them as there is room for, and gives back the others.
    give(taken) {
      const all = [...addresses(), ...taken];
      if (taken.length > 0) writePictures(place, values, all.slice(0, place.maximum));
      read();
      return all.slice(place.maximum);
    },
    // Shows the faults that are its own, and gives back the others.
    showFaults(faults) {
      const paths = readPictures(place, values).map(({ path }) => [...base, ...path]);
      const isAt = (path) => (fault) => path?.every((part, index) => fault.path[index] === part);
      rows.forEach((row) => row.field.showFaults(faults.filter(isAt(paths[filled().indexOf(row)]))));
      return faults.filter((fault) => !paths.some((path) => isAt(path)(fault)));
    },
  };
}
