"use strict";
// Redeems the one-time link of an invitation or a reset: its token stands in the fragment, which no server logs.
const chosen = (navigator.languages || [navigator.language]).find((l) => /^(zh|en)/i.test(l)) || "en";
const chinese = chosen.toLowerCase().startsWith("zh");
const say = (zh, en) => (chinese ? zh : en);
const find = (id) => document.getElementById(id);

document.documentElement.lang = say("zh-CN", "en");
document.title = say("设置密码 – Dealwright", "Set your password – Dealwright");
for (const part of document.querySelectorAll("[data-zh]")) part.textContent = say(part.dataset.zh, part.dataset.en);

const token = new URLSearchParams(location.hash.slice(1)).get("token") || "";
// Whoever looks over a shoulder, or at the history later, finds no token.
history.replaceState(null, "", location.pathname);

function tell(text, field) {
  find("state").textContent = text;
  for (const one of [find("password"), find("again")]) {
    if (one === field) one.setAttribute("aria-invalid", "true");
    else one.removeAttribute("aria-invalid");
  };
  if (field) field.focus();
}

async function save(event) {
  event.preventDefault();
  const password = find("password").value;
  if (password !== find("again").value) {
    tell(say("两次输入的密码不一致。", "The two are not the same."), find("again"));
    return;
  }
  const button = event.target.querySelector("button");
  button.disabled = true;
  tell("");
  try {
    const answer = await fetch("/v1/passwordResets:redeem", {
      method: "POST",
      headers: { "Content-Type": "application/json", "Accept-Language": say("zh-CN", "en") },
      body: JSON.stringify({ token, password }),
    });
    if (answer.ok) {
      find("password-form").hidden = true;
      find("done").hidden = false;
      find("done").focus();
      return;
    }
    const problem = await answer.json();
    const wrong = (problem.fields || []).find((one) => one.field === "password");
    tell(wrong ? say("密码", "The password ") + wrong.message : problem.detail, wrong ? find("password") : null);
  } catch {
    tell(say("暂时无法连接，请重试。", "Not reachable now; try again."));
  } finally {
    button.disabled = false;
  }
}

if (token) {
  find("password-form").hidden = false;
  find("password-form").addEventListener("submit", save);
  find("show").addEventListener("change", (event) => {
    for (const one of [find("password"), find("again")]) one.type = event.target.checked ? "text" : "password";
  });
  find("password").focus();
} else {
  tell(say("链接不完整，请重新打开邮件中的链接或索取新的链接。", "The link is not whole: open it again, or ask for a new one."));
}
