"use strict";
// Lists the operations of /openapi.json, fills their parameters, sends them with the session's token.
const chinese = (navigator.languages || [navigator.language]).find((l) => /^(zh|en)/i.test(l))?.toLowerCase().startsWith("zh");
const say = (zh, en) => (chinese ? zh : en);
document.documentElement.lang = say("zh-CN", "en");
for (const part of document.querySelectorAll("[data-zh]")) part.textContent = say(part.dataset.zh, part.dataset.en);

let token = "";
let api = null;

function make(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value !== undefined && value !== false) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

const resolve = (schema) => (schema && schema.$ref ? api.components.schemas[schema.$ref.split("/").pop()] : schema || {});

// A value to start from: every field of the message with something of its type. `path` stops at recursion.
function example(schema, path = []) {
  const name = schema && schema.$ref;
  if (name && path.includes(name)) return undefined;
  const inner = name ? [...path, name] : path;
  const s = resolve(schema);
  if (s.examples) return s.examples[0];
  if (s.enum) return s.enum[1] || s.enum[0];
  const type = Array.isArray(s.type) ? s.type[0] : s.type;
  if (type === "object") {
    const made = {};
    for (const [key, value] of Object.entries(s.properties || {})) {
      const one = example(value, inner);
      if (one !== undefined) made[key] = one;
    }
    return made;
  }
  if (type === "array") return [];
  if (type === "boolean") return false;
  if (type === "integer" || type === "number") return 0;
  return "";
}

async function call(verb, address, body, kind) {
  const headers = { "Accept-Language": say("zh-CN", "en") };
  if (token) headers.Authorization = "Bearer " + token;
  if (body !== undefined) headers["Content-Type"] = kind;
  const response = await fetch(address, { method: verb, headers, body });
  const text = await response.text();
  let shown = text;
  try {
    shown = JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    // Not JSON: shown as it came.
  }
  return { status: response.status, shown, text };
}

function operation(address, verb, op) {
  const inputs = new Map();
  const form = make("form");
  for (const parameter of op.parameters || []) {
    const schema = resolve(parameter.schema);
    let input;
    if (schema.enum) {
      input = make("select", {}, make("option", { value: "" }), ...schema.enum.map((v) => make("option", {}, v)));
    } else {
      input = make("input", { required: parameter.required });
    }
    inputs.set(parameter, input);
    const label = make("label", {}, `${parameter.name} `, make("small", { class: "note" }, parameter.description || ""), input);
    form.append(label);
  }
  let body = null;
  const json = op.requestBody && op.requestBody.content["application/json"];
  if (json) {
    body = make("textarea", { spellcheck: "false", "aria-label": say("请求正文", "Body") });
    body.value = JSON.stringify(example(json.schema), null, 2);
    form.append(make("label", {}, say("请求正文（不需要的字段请删去）", "Body (delete the fields you do not need)"), body));
  }
  const answer = make("pre", { hidden: true, tabindex: "0" });
  form.append(make("button", {}, say("发送", "Send")), answer);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    let target = address;
    const query = new URLSearchParams();
    for (const [parameter, input] of inputs) {
      if (parameter.in === "path") target = target.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
      else if (input.value && resolve(parameter.schema).type === "array") input.value.split(",").forEach((v) => query.append(parameter.name, v.trim()));
      else if (input.value) query.set(parameter.name, input.value);
    }
    const asked = query.toString();
    const result = await call(verb, target + (asked ? "?" + asked : ""), body ? body.value : undefined, "application/json");
    answer.hidden = false;
    answer.textContent = `${result.status}\n${result.shown}`;
  });
  return make(
    "details",
    { "data-words": `${verb} ${address} ${op.operationId} ${op.description}`.toLowerCase() },
    make("summary", {}, make("span", { class: "verb" }, verb), make("span", { class: "path" }, address)),
    make("div", {}, make("p", { class: "note" }, op.description || ""), form),
  );
}

function show() {
  const place = document.getElementById("operations");
  for (const tag of api.tags) {
    const section = make("section", {}, make("h2", {}, tag.name), make("p", { class: "note" }, tag.description || ""));
    for (const [address, verbs] of Object.entries(api.paths)) {
      for (const [verb, op] of Object.entries(verbs)) {
        if (op.tags.includes(tag.name)) section.append(operation(address, verb.toUpperCase(), op));
      }
    }
    place.append(section);
  }
}

document.getElementById("find").addEventListener("input", (event) => {
  const words = event.target.value.toLowerCase().split(/\s+/);
  for (const one of document.querySelectorAll("details")) one.hidden = !words.every((w) => one.dataset.words.includes(w));
});

document.getElementById("session").addEventListener("submit", async (event) => {
  event.preventDefault();
  const given = new FormData(event.target);
  const result = await call("POST", "/v1/sessions", JSON.stringify({ login: given.get("login"), password: given.get("password") }), "application/json");
  const session = JSON.parse(result.text);
  token = session.token || "";
  const who = session.person ? session.person.displayName || session.person.login : "";
  document.getElementById("state").textContent = token ? say("已登录：", "Signed in: ") + who : session.detail;
});

fetch("/openapi.json")
  .then((response) => response.json())
  .then((read) => {
    api = read;
    show();
  });
