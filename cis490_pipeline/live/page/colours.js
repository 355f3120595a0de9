// One colour per family, phase and verdict: those of the reports (palette.json is made from them).

const palette = await (await fetch("palette.json")).json();

export const PHASES = palette.phase_order;
export const FAMILIES = palette.family_order;
export const family = (name) => palette.families[name] ?? palette.unknown;
export const phase = (name) => palette.phases[name ?? "failed"] ?? palette.unknown;
export const status = (name) => palette.statuses[name] ?? palette.unknown;

/** A colour of the page itself, as it is now (light or dark). */
export function ink(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
