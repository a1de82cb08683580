// Fields for a model's parameters, made from its JSON Schema. A field left empty is left out: the model's default holds.

import { freshId, h, replace } from "./dom.js";

const FIRST = ["width", "height", "size", "ratio", "aspect_ratio", "resolution", "duration", "seed", "generate_audio"];

// `values` is changed in place; `changed()` is told. `skip` are fields that another control of the page fills.
export function schemaForm(schema, values, { skip = [], changed }) {
  const fields = Object.entries(schema.properties ?? {})
    .map(([name, part]) => [name, resolve(part, schema)])
    .filter(([name, part]) => !skip.includes(name) && isChoice(part))
    .map(([name, part]) => field(name, part, values, changed));
  const shown = fields.filter(({ name }) => FIRST.includes(name)).sort((a, b) => FIRST.indexOf(a.name) - FIRST.indexOf(b.name));
  const more = fields.filter(({ name }) => !FIRST.includes(name));
  const details = more.length > 0 && h("details", { class: "more", open: more.some(({ name }) => name in values) },
    h("summary", null, `More parameters (${more.length})`),
    h("div", { class: "fields" }, more.map(({ element }) => element)));
  return {
    element: h("div", null, h("div", { class: "fields" }, shown.map(({ element }) => element)), details),
    showFaults(faults) {
      for (const one of fields) one.showFault(faults.filter((fault) => fault.name === one.name));
      if (details && more.some(({ name }) => faults.some((fault) => fault.name === name))) details.open = true;
    },
    // The name of a field whose text means no value yet: what stands in `values` is not what can be read there.
    broken: () => fields.find((one) => one.isBroken())?.name,
    names: fields.map(({ name }) => name),
    // Somebody else has changed this value.
    reread: (changed) => fields.find(({ name }) => name === changed)?.reread(),
  };
}

// What a model's schema also knows stays in `values`; gives back the names of the others.
export function keepKnown(schema, values) {
  const fits = ([name, value]) => {
    const part = schema.properties?.[name] && resolve(schema.properties[name], schema);
    return part && (!part.enum || part.enum.includes(value));
  };
  const dropped = Object.entries(values).filter((one) => !fits(one)).map(([name]) => name);
  for (const name of dropped) delete values[name];
  return dropped;
}

// What can have one value alone, and has it without being asked for, is no question.
const isChoice = (part) => part.default === undefined || (part.const === undefined && part.enum?.length !== 1);

// A field that may be null is what it is otherwise; a reference is what it refers to.
function resolve(part, schema) {
  const described = { description: part.description, default: part.default };
  const choice = part.anyOf?.find((one) => one.type !== "null");
  if (choice) return { ...resolve(choice, schema), ...given(described) };
  if (part.$ref) return { ...schema.$defs[part.$ref.split("/").pop()], ...given(described) };
  return part;
}

const given = (object) => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));

function field(name, part, values, changed) {
  const id = freshId(name);
  let broken = [];
  let shown = [];
  const fault = h("span", { class: "fault", id: `${id}-fault` });
  const mark = () => markFault(control, fault, broken.length > 0 ? broken : shown);
  const set = (value) => {
    broken = [];
    if (value === undefined) delete values[name];
    else values[name] = value;
    mark();
    changed(name);
  };
  // The last good value stays in `values`, so whoever sends them asks for `isBroken` first.
  const refuse = (message) => {
    broken = [{ message }];
    mark();
    changed(name);
  };
  const control = controlOf(name, part, values[name], { set, refuse }, id);
  const element = h("div", { class: `field${part.type === "boolean" ? " switch" : ""}${isJson(part) ? " wide" : ""}` },
    h("label", { for: id }, breakable(name)),
    control,
    h("span", { class: "hint", id: `${id}-hint` }, [part.description, range(part)].filter(Boolean).join(" ")),
    fault);
  // What is no JSON yet is left to whoever writes it.
  const reread = () => { if (isJson(part) && broken.length === 0) control.value = asJson(values[name]); };
  return { name, element, reread, isBroken: () => broken.length > 0, showFault: (faults) => { shown = faults; mark(); } };
}

// A long name may go on in the next line after its underscores.
const breakable = (name) => name.split("_").map((word, index, all) => index < all.length - 1 ? [`${word}_`, h("wbr")] : word);

export function markFault(control, place, faults) {
  replace(place, faults.map(({ message }) => message).join("; "));
  if (faults.length > 0) control.setAttribute("aria-invalid", "true");
  else control.removeAttribute("aria-invalid");
}

const isJson = (part) => !part.enum && !["boolean", "integer", "number", "string"].includes(part.type);

function range(part) {
  if (part.minimum === undefined && part.maximum === undefined) return "";
  if (part.maximum === undefined || part.minimum === undefined) return "";
  return part.description?.includes(String(part.maximum)) ? "" : `From ${part.minimum} to ${part.maximum}.`;
}

function controlOf(name, part, value, { set, refuse }, id) {
  const common = { id, "aria-describedby": `${id}-hint ${id}-fault`, name };
  if (part.enum) {
    const fallback = part.default === undefined || part.default === null ? "default" : `default (${part.default})`;
    return h("select", { ...common, onchange: ({ target }) => set(target.value === "" ? undefined : part.enum[target.value]) },
      h("option", { value: "", selected: value === undefined }, fallback),
      part.enum.map((one, index) => h("option", { value: String(index), selected: value === one }, String(one))));
  }
  if (part.type === "boolean") {
    return h("input", { ...common, type: "checkbox", checked: value ?? part.default ?? false,
      onchange: ({ target }) => set(target.checked === part.default ? undefined : target.checked) });
  }
  if (part.type === "integer" || part.type === "number") {
    return h("input", { ...common, type: "number", inputmode: "decimal", min: part.minimum, max: part.maximum,
      step: part.type === "integer" ? part.multipleOf ?? 1 : "any", value: value ?? "", placeholder: placeholder(part),
      oninput: ({ target }) => target.validity.badInput ? refuse("This is not a number yet.") : set(target.value === "" ? undefined : Number(target.value)) });
  }
  if (part.type === "string") {
    return h("input", { ...common, type: "text", value: value ?? "", placeholder: placeholder(part),
      oninput: ({ target }) => set(target.value === "" ? undefined : target.value) });
  }
  return h("textarea", { ...common, rows: "3", class: "json", spellcheck: "false", placeholder: "JSON",
    value: asJson(value), oninput: ({ target }) => readJson(target.value.trim(), { set, refuse }) });
}

const asJson = (value) => value === undefined ? "" : JSON.stringify(value, null, 2);

const placeholder = (part) => part.default === undefined || part.default === null ? "" : `${part.default}`;

function readJson(text, { set, refuse }) {
  let value;
  try {
    value = text === "" ? undefined : JSON.parse(text);
  } catch {
    return refuse("This is not JSON yet.");
  }
  set(value);
}
