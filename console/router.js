// Which page an address means. Addresses live behind `#`, so that any page can be linked and the server knows one.

const routes = [];

export function route(pattern, draw) {
  routes.push([new RegExp(`^${pattern.replace(/:(\w+)/g, "(?<$1>[^/]+)")}$`), draw]);
}

export function here() {
  const [path, query] = location.hash.replace(/^#/, "").split("?");
  return { path: path || "/", query: new URLSearchParams(query ?? "") };
}

export function find(path) {
  for (const [pattern, draw] of routes) {
    const found = pattern.exec(path);
    if (found) return { draw, params: found.groups ?? {} };
  }
  return null;
}

export const go = (path) => { location.hash = path; };

// The address follows what a page shows, without a step in the browser's history.
export function keepQuery(path, query) {
  const text = query.toString();
  history.replaceState(null, "", `#${path}${text ? `?${text}` : ""}`);
}
