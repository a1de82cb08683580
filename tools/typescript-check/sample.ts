// What a caller's program does, by the generated types alone: nothing here is cast.
import createClient from "openapi-fetch";

import type { components, paths } from "./generated/api.js";

const api = createClient<paths>({ baseUrl: "http://127.0.0.1:8000", headers: { authorization: "Bearer key" } });

const order: components["schemas"]["create.chain1"] = {
  input: {
    chain_models: { text_to_image_model: "bfl/flux-2-flex", image_to_video_model: ["bytedance/seedance-1.5-pro"] },
    text_to_image_params: { prompt: "a paper boat on a copper sea", width: 1024, height: 1024, seed: 7 },
    image_to_video_params: { content: [{ type: "text", text: "waves roll" }], ratio: "1:1", duration: 4 },
  },
  metadata: { order: "7781" },
  webhook_url: "https://shop.example.com/hooks/babychain",
};

export async function video(): Promise<string> {
  const { data, error } = await api.POST("/api/v1/chains/{slug}/runs", {
    params: { path: { slug: "chain1" }, header: { "idempotency-key": "order-7781", prefer: "wait=60" } },
    body: order,
  });
  if (error !== undefined) {
    throw new Error(`${error.error.code}: ${error.error.message} (${error.error.request_id ?? "no id"})`);
  }
  if (data.object !== "chain_run") {
    throw new Error("a dry run was not asked for");
  }
  const answer = await api.GET("/api/v1/chains/get/{run_id}", { params: { path: { run_id: data.id } } });
  const url = answer.data?.steps.at(-1)?.generation_output_file?.at(0);
  if (url === undefined) {
    throw new Error(answer.data?.error?.guidance?.summary ?? "no video yet");
  }
  return url;
}

// @ts-expect-error: a misspelt field is found before anything is sent.
export const misspelt: components["schemas"]["create.chain1"] = { input: { text_to_image_parameters: {} } };

// @ts-expect-error: and so is a chain that is not there.
export const unknown = () => api.GET("/api/v1/chains/{slug}/schema", { params: { path: { slug: "chain9" } } });
