// Warns two minutes before a session ends, and says so when it has ended. What was typed stays on
// the page: after the sign-in the person sends it again, nothing is sent in his name.

const WARN_MS = 120_000;
const notice = document.getElementById("session-notice");

async function endsAt(acts) {
  const headers = acts ? {} : { "X-QA-Background": "1" };
  const answer = await fetch("/account/session", { headers, cache: "no-store" });
  return answer.ok ? (await answer.json()).ends_at * 1000 : 0;
}

function show(state) {
  notice.dataset.state = state;
  for (const part of notice.querySelectorAll("[data-when]")) {
    part.hidden = part.dataset.when !== state;
  }
  if (!notice.open) notice.showModal();
}

async function look() {
  let ends;
  try {
    ends = await endsAt(false);
  } catch {
    setTimeout(look, 5_000); // the service is away, which is not the end of the session
    return;
  }
  const left = ends - Date.now();
  if (left <= 0) {
    show("ended");
  } else if (left <= WARN_MS) {
    show("ending");
    setTimeout(look, Math.min(left + 500, 10_000));
  } else {
    if (notice.dataset.state === "ending" && notice.open) notice.close();
    setTimeout(look, left - WARN_MS + 500);
  }
}

notice.querySelector("button").addEventListener("click", async () => {
  await endsAt(true);
  notice.close();
});
const first = Number(notice.dataset.ends) * 1000 - Date.now() - WARN_MS;
setTimeout(look, Math.max(first, 0) + 500);
