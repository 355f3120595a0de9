// What somebody should look at, each finding once.

import { el, put } from "../dom.js";
import { ago, count, time } from "../format.js";
import { fillPanel, panel } from "../panel.js";

export const alerts = {
  id: "alerts",
  title: "Alerts",
  make(root) {
    const list = panel({
      title: "Alerts", topics: ["alert", "snapshot"], wide: true,
      explains: "Findings of the quality checks, the newest first; the same finding is told once.",
      waiting: "No alert: the quality checks have found nothing so far.",
    });
    root.append(list.node);
    return { render: (state) => renderAlerts(list, state) };
  },
};

function renderAlerts(made, state) {
  fillPanel(made, state.alerts.length > 0);
  const now = Date.now() / 1000;
  const shown = state.alerts.length;
  const note = state.nAlerts > shown ? `The newest ${count(shown)} of ${count(state.nAlerts)}.` : `${count(shown)} different findings.`;
  put(made.body, el("p", { id: "alerts-note", text: note }), el("ol", { class: "alerts" }, state.alerts.map((one) =>
    el("li", {},
      el("h3", {}, el("span", { class: "symptom", text: one.symptom }), el("span", { class: "host", text: one.host_id })),
      el("p", { text: one.detail }),
      one.suggested_fix ? el("p", { class: "fix" }, el("strong", { text: "What to do: " }), document.createTextNode(one.suggested_fix)) : null,
      el("p", { class: "when", title: time(one.detected_at), text: one.detected_at === null ? "time not known" : ago(now - one.detected_at) })))));
}
