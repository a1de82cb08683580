// Where a model's parameters hold the caller's further pictures, as the model's `input_pictures.further` says it.

// Each picture that stands there: its address, and the path to its place.
export function readPictures(place, values) {
  if (place.fields) {
    return place.fields.filter((name) => typeof values[name] === "string").map((name) => ({ address: values[name], path: [name] }));
  }
  return itemsOf(place, values)
    .map((item, index) => ({ item, address: at(item, place.address), path: [...place.list, index] }))
    .filter(({ item }) => isPicture(place, item));
}

// Changes `values` in place. Pictures follow each other without gaps, after whatever else a list holds.
export function writePictures(place, values, addresses) {
  if (place.fields) {
    place.fields.forEach((name, index) => keep(values, name, addresses[index]));
    return;
  }
  const others = itemsOf(place, values).filter((item) => !isPicture(place, item));
  put(values, place.list, [...others, ...addresses.map((address) => itemOf(place, address))]);
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

const at = (value, path) => path.reduce((inner, name) => inner?.[name], value);

function itemsOf({ list }, values) {
  const items = at(values, list);
  return Array.isArray(items) ? items : [];
}

function isPicture({ item, address }, given) {
  const words = Object.entries(item).filter(([, value]) => !isObject(value));
  return isObject(given) && words.every(([name, value]) => given[name] === value) && typeof at(given, address) === "string";
}

function itemOf({ item, address }, value) {
  const made = structuredClone(item);
  at(made, address.slice(0, -1))[address.at(-1)] = value;
  return made;
}

function put(values, [name, ...rest], items) {
  if (rest.length === 0) return keep(values, name, items.length > 0 ? items : undefined);
  const inner = isObject(values[name]) ? values[name] : {};
  put(inner, rest, items);
  keep(values, name, Object.keys(inner).length > 0 ? inner : undefined);
}

function keep(values, name, value) {
  if (value === undefined) delete values[name];
  else values[name] = value;
}
