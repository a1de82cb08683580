// Where a step's prompt stands in an input: in BabyChain's own word, or where the model's own parameters have it.

export function promptOf(input, step) {
  const params = input[`${step}_params`] ?? {};
  return params.prompt ?? textItem(params)?.text ?? params.generation_prompt ?? input[`${step}_prompt`] ?? "";
}

export function setPrompt(input, step, text) {
  const params = input[`${step}_params`] ?? {};
  const item = textItem(params);
  if ("prompt" in params) params.prompt = text;
  else if (item) item.text = text;
  else if ("generation_prompt" in params) params.generation_prompt = text;
  else if (text) input[`${step}_prompt`] = text;
  else delete input[`${step}_prompt`];
}

const textItem = (params) => Array.isArray(params.content) ? params.content.find((item) => item?.type === "text") : undefined;

// A model's own place for a prompt says nothing to another model.
export function movePrompt(input, step) {
  const text = promptOf(input, step);
  const { prompt: _, content: __, ...rest } = input[`${step}_params`] ?? {};
  if (Object.keys(rest).length > 0) input[`${step}_params`] = rest;
  else delete input[`${step}_params`];
  if (text) input[`${step}_prompt`] = text;
}
